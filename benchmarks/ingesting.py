"""What it costs to read a file as what it is, against the plain decoder of its format, on this machine.

    python benchmarks/ingesting.py [--rows N] [--rounds N]

The same rows in each format, read by `open_input_file` as `log` does, and by the loop that a script would
use: `msgspec.json.decode` a line, `csv.DictReader`, the lines of a text file. All take turns, round by round;
printed are medians of CPU time, and the peak of the memory that Python holds while the rows pass.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import statistics
import tempfile
import time
import tracemalloc
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from sentimon.ingest.input_columns import InputContext, Need
from sentimon.ingest.input_file import open_input_file

Read = Callable[[], Iterable[object]]
MEGABYTE = 1 << 20


def main() -> None:
    """Write the files, read them in turn, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ways = written(Path(folder), some_rows(options.rows))
        times: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in ways}
        for _ in range(options.rounds):
            for name, pair in ways.items():
                for found, read in zip(times[name], pair, strict=True):
                    found.append(seconds(read))
        print(f"{options.rows} rows, medians of {options.rounds} rounds")
        print("| file | rows a second | times the plain loop | peak, MB |")
        print("|---|---|---|---|")
        for name, (ours, plain) in times.items():
            own, other = statistics.median(ours), statistics.median(plain)
            print(f"| {name} | {options.rows / own:,.0f} | {own / other:.2f} | {peak(ways[name][0]):.1f} |")


def some_rows(count: int) -> list[dict[str, str]]:
    """Return rows as people have them: a time, an id, a text, and a rating."""
    return [
        {
            "id": str(number),
            "date": f"{1 + number % 28:02d}/09/2026 {number % 24:02d}:30",
            "review": f"ottimo prodotto, consegna veloce, ordine {number}",
            "stars": str(1 + number % 5),
        }
        for number in range(count)
    ]


def written(folder: Path, rows: Sequence[dict[str, str]]) -> dict[str, tuple[Read, Read]]:
    """Write the rows in each format; return (our way to read it, the plain way) by name."""
    ours = [as_logged(row) for row in rows]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ours)
    (folder / "a.jsonl").write_text(lines, encoding="utf-8")
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode(), 1))
    (folder / "a.txt").write_text("".join(f"{row['review']}\n" for row in rows), encoding="utf-8")
    with (folder / "a.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, list(rows[0]))
        out.writeheader()
        out.writerows(rows)
    return {
        "JSON lines with scores": (opened(folder / "a.jsonl"), lambda: decoded(folder / "a.jsonl")),
        "the same, gzip": (opened(folder / "a.jsonl.gz"), lambda: unzipped(folder / "a.jsonl.gz")),
        "text": (opened(folder / "a.txt"), lambda: lines_of(folder / "a.txt")),
        "csv with dates of a spreadsheet": (opened(folder / "a.csv"), lambda: cells_of(folder / "a.csv")),
    }


def as_logged(row: dict[str, str]) -> dict[str, object]:
    """Return a row as another program would log it."""
    day, time_of_day = row["date"][:2], row["date"][11:]
    return {
        "timestamp": f"2026-09-{day}T{time_of_day}:00Z",
        "text": row["review"],
        "scores": {"negative": 0.1, "neutral": 0.2, "positive": 0.7},
        "id": row["id"],
    }


def opened(path: Path) -> Read:
    """Return what reads a file as `log` does."""
    return lambda: open_input_file(path, InputContext(need=Need.PREDICTIONS))


def decoded(path: Path) -> Iterable[object]:
    """Yield the object on each line."""
    decode = msgspec.json.Decoder(dict[str, object]).decode
    with path.open("rb") as file:
        yield from map(decode, file)


def unzipped(path: Path) -> Iterable[object]:
    """Yield the object on each line of a compressed file."""
    decode = msgspec.json.Decoder(dict[str, object]).decode
    with gzip.open(path, "rb") as file:
        yield from map(decode, file)


def lines_of(path: Path) -> Iterable[object]:
    """Yield each line."""
    with path.open(encoding="utf-8") as file:
        yield from file


def cells_of(path: Path) -> Iterable[object]:
    """Yield each row of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def seconds(read: Read) -> float:
    """Return the CPU time that it takes to read all rows."""
    begun = time.process_time()
    deque(read(), maxlen=0)
    return time.process_time() - begun


def peak(read: Read) -> float:
    """Return the most memory that Python holds while the rows pass, in megabytes."""
    tracemalloc.start()
    deque(read(), maxlen=0)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / MEGABYTE


if __name__ == "__main__":
    main()
