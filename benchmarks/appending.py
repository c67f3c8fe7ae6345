"""How fast rows are appended, against `json.dumps` and a file opened for appending, on this machine.

    python benchmarks/appending.py [--rows N] [--rounds N]

For each setting of `logs.fsync`, rows go in one by one and in batches of 1,000. The other side writes the
same rows one by one and promises less: no lock, no privacy, no check of a torn line, nobody's rows but its
own. Once it keeps the file open and flushes each row, once it opens the file for each. All take turns,
round by round, on files of their own in a temporary folder; printed are medians.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random

import msgspec

from sentimon.config.settings import LogSettings
from sentimon.labels import Sentiment
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.writer import LogWriter
from sentimon.scoring.scores import Scores

NOW = datetime(2026, 9, 7, 8, tzinfo=UTC)
WORDS = ("the", "service", "was", "slow", "but", "staff", "lovely", "tomorrow")
BATCH = 1_000
SLOW_PART = 20
"""Where each row is forced onto the disk one by one, only so small a part of the rows is written."""
KEPT_OPEN, REOPENED = "json.dumps, kept open", "json.dumps, reopened"
Work = Callable[[Path], object]


def main() -> None:
    """Time all ways in turn and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--folder", type=Path, help="where the temporary folder is made (default: the system's)"
    )
    options = parser.parse_args()
    records = some_records(options.rows)
    few = records[: max(1, options.rows // SLOW_PART)]
    plain = [record.to_dict() for record in records]
    ways: dict[str, tuple[int, Work]] = {
        KEPT_OPEN: (len(plain), partial(write_kept_open, plain)),
        REOPENED: (len(plain), partial(write_reopened, plain)),
    }
    for fsync in ("never", "batch", "always"):
        some = few if fsync == "always" else records
        ways[f"fsync = {fsync}, one by one"] = (len(some), partial(write_ours, some, fsync, 1))
        ways[f"fsync = {fsync}, batches of {BATCH:,}"] = (
            len(records),
            partial(write_ours, records, fsync, BATCH),
        )
    print_table(rates(ways, options.rounds, options.folder), options.rounds, plain)


def some_records(rows: int) -> list[PredictionRecord]:
    """Return so many predictions of texts as long as tweets are."""
    source = Random(0)
    scores = Scores.from_probabilities([0.1, 0.2, 0.7])
    return [
        PredictionRecord(
            timestamp=NOW,
            text=" ".join(source.choices(WORDS, k=source.randrange(3, 30))),
            sentiment=Sentiment.POSITIVE,
            confidence=0.7,
            scores=scores,
            model="a-model",
            revision="1",
        )
        for _ in range(rows)
    ]


def write_ours(records: Sequence[PredictionRecord], fsync: str, batch: int, folder: Path) -> None:
    """Append `records` through the writer, so many at a time."""
    settings = msgspec.convert({"fsync": fsync}, LogSettings)
    with LogWriter(folder, settings) as writer:
        for first in range(0, len(records), batch):
            writer.append(records[first : first + batch], now=NOW)


def write_kept_open(rows: Sequence[dict[str, object]], folder: Path) -> None:
    """Write `rows` into one open file, flushed row by row as a log must be."""
    with (folder / "rows.jsonl").open("a", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")
            file.flush()


def write_reopened(rows: Sequence[dict[str, object]], folder: Path) -> None:
    """Write `rows` into a file opened for each."""
    path = str(folder / "rows.jsonl")
    for row in rows:
        with open(path, "a", encoding="utf-8") as file:  # noqa: PTH123 (what is compared with)
            file.write(json.dumps(row) + "\n")


def rates(ways: dict[str, tuple[int, Work]], rounds: int, place: Path | None) -> dict[str, list[float]]:
    """Return the rows a second of each way, round by round, after one round that is not counted."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, (rows, work) in ways.items():
            with tempfile.TemporaryDirectory(dir=place) as folder:
                # What the way before left to be written is not this one's to wait for.
                os.sync()
                started = time.perf_counter()
                work(Path(folder))
                seconds = time.perf_counter() - started
            if number:
                found[name].append(rows / seconds)
    return found


def print_table(found: dict[str, list[float]], rounds: int, rows: Sequence[dict[str, object]]) -> None:
    """Print rows a second, and how many times as fast that is as each of the other sides."""
    size = statistics.mean(len(json.dumps(row)) + 1 for row in rows)
    kept_open, reopened = (statistics.median(found[name]) for name in (KEPT_OPEN, REOPENED))
    print(f"{len(rows):,} rows of {size:.0f} bytes, {rounds} rounds; rows/s: median [least..most]")
    print(f"{'':<34}{'rows/s':>30}{'/ kept open':>13}{'/ reopened':>12}")
    for name, many in found.items():
        median = statistics.median(many)
        cell = f"{median:9,.0f} [{min(many):,.0f}..{max(many):,.0f}]"
        print(f"{name:<34}{cell:>30}{median / kept_open:>13.3f}{median / reopened:>12.3f}")


if __name__ == "__main__":
    main()
