"""The law of the index: every answer is that of the files alone, whatever happened to them in between."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentimon.config.settings import LogSettings
from sentimon.errors import DataError
from sentimon.jsonl import LineError, line_content
from sentimon.prediction_log import rotation
from sentimon.prediction_log.folder import LIVE_FILE, list_files, sealed_files
from sentimon.prediction_log.index import cells, line_blocks, packed_sums, period_sums, refresh, scan
from sentimon.prediction_log.index.log_index import LogIndex
from sentimon.prediction_log.index.logged_rows import open_period_rows
from sentimon.prediction_log.log_file import LineFragment
from sentimon.prediction_log.reader import open_log_files, read_log, read_log_file
from sentimon.prediction_log.record import PredictionRecord, parse_row
from sentimon.prediction_log.summary import Summary, summarise
from sentimon.prediction_log.windows import Calendar, Period, Window, summarise_windows
from sentimon.prediction_log.writer import LogWriter
from sentimon.timestamps import hour_of
from tests.rows import START, record, row

ROME = ZoneInfo("Europe/Rome")
NOW = START + timedelta(days=400)
WIDTHS = (1, 2, 6)
"""Hours of the cells of small logs."""
LONG = 500
"""Bytes, more than most rows have."""
Step = Callable[[Path, random.Random], None]


def index_of(folder: Path, zone: object = UTC, longest: int = 1 << 26) -> LogIndex:
    place = folder / ".sentimon" / "rollup.sqlite"
    return LogIndex(
        folder=folder,
        zone=zone,  # type: ignore[arg-type]
        now=NOW,
        run=map,
        paths=[place],
        longest=longest,
    )


def plain(folder: Path, period: Period, longest: int = 1 << 26) -> Summary:
    return summarise(period.select(read_log(folder, zone=UTC, longest=longest)))


def plain_windows(
    folder: Path, period: Period, calendar: Calendar, longest: int
) -> tuple[list[Window], Summary]:
    return summarise_windows(period.select(read_log(folder, zone=UTC, longest=longest)), calendar, now=NOW)


def plain_hours(folder: Path, period: Period, longest: int) -> dict[int, Summary]:
    hours: dict[int, Summary] = {}
    for one in read_log(folder, zone=UTC, longest=longest):
        if isinstance(one, PredictionRecord) and period.holds(one.timestamp):
            hour = hour_of(one.timestamp)
            hours[hour] = hours.get(hour, Summary()) + summarise([one])
    return hours


def windows(index: LogIndex, period: Period, calendar: Calendar) -> tuple[list[Window], Summary]:
    return index.ask(lambda sums: sums.windows(period, calendar, now=NOW))


def hours(index: LogIndex, period: Period) -> dict[int, Summary]:
    found: dict[int, Summary] = {}
    for hour, sums in index.ask(lambda sums: list(sums.hours(period))):
        found[hour] = found.get(hour, Summary()) + sums.summary()
    return found


def rows_by_index(index: LogIndex, period: Period) -> list[PredictionRecord]:
    with ExitStack() as stack:
        return list(index.ask(lambda sums: open_period_rows(sums, period, stack)))


def plain_rows(folder: Path, period: Period, longest: int) -> list[PredictionRecord]:
    rows = []
    for segment in open_log_files(folder, longest=longest):
        # Behind a damage there is nothing more.
        with suppress(LineError):
            for number, raw in enumerate(segment.raw_lines(), start=1):
                if isinstance(raw, LineFragment):
                    continue
                content = line_content(raw, first=number == 1)
                with suppress(LineError):
                    rows += [parse_row(content, zone=UTC, whole=True)] if content else []
    return [one for one in rows if period.holds(one.timestamp)]


def outcome(call: Callable[[], object]) -> object:
    try:
        return call()
    except DataError as error:
        return error.message


def line(chance: random.Random) -> bytes:
    """A row or something else, in one of many forms, at a time that is often near the last."""
    minute = chance.choice([0, 1, 59, 60, 61, 119, 600, chance.randrange(3000)])
    place, confidence = (
        chance.randrange(3),
        chance.choice([0.34, 0.5, 0.8, 0.999999, 1.0, chance.uniform(0.4, 1)]),
    )
    kind = chance.randrange(16)
    extra: dict[str, object] = {
        "model": chance.choice(["m", "n", None]),
        "truncated": chance.choice([True, False]),
    }
    if kind == 0:
        return chance.choice(
            [b"", b"   ", b"\r", b"{", b"{}{}", b"nonsense", b"\xff\xfe", b'{"a":1}', b"[[[["]
        )
    if kind == 1:
        extra["timestamp"] = "2026-09-07T10:00:00"
    if kind == 2:
        extra |= {
            "timestamp": "2026-09-07T10:30:00.123456+02:00",
            "text": chance.choice([None, "", "  ", "perché 😀"]),
        }
    if kind == 3:
        extra |= {"sentiment": "Positivo", "scores": {"Negativo": 0.1, "Neutro": 0.1, "Positivo": 0.8}}
        return json.dumps(row(2, minute, 0.8) | extra | {"confidence": 0.8}).encode()
    if kind == 4:
        extra["note"] = {"deep": ["\u2028", {"timestamp": 1}]}
    if kind == 5:
        extra["scores"] = {"negative": 0.6, "neutral": 0.6, "positive": 0.1}
    made = row(place, minute, confidence) | extra
    labels = ("negative", "neutral", "positive")
    made |= {
        "sentiment": labels[place],
        "confidence": confidence + chance.choice([0, 0, 0, 1e-3, 1.9999e-3, 0.1]),
    }
    return json.dumps(made, ensure_ascii=bool(chance.randrange(2))).encode()


def lines(chance: random.Random, most: int = 12) -> bytes:
    return b"".join(line(chance) + b"\n" for _ in range(chance.randrange(most)))


def by_writer(folder: Path, chance: random.Random) -> None:
    settings = LogSettings(
        rotate_megabytes=chance.choice([0, 1]), compression=chance.choice(["zstd", "gzip", "none"])
    )
    writer = LogWriter(folder, settings)
    for _ in range(chance.randrange(1, 4)):
        minute = chance.choice([5, 100, chance.randrange(3000)])
        writer.append(
            [record(chance.randrange(3), minute + one) for one in range(chance.randrange(8))], now=START
        )


def by_another_program(folder: Path, chance: random.Random) -> None:
    with (folder / LIVE_FILE).open("ab") as file:
        file.write(lines(chance))


def long_line(folder: Path, chance: random.Random) -> None:
    """A line of about the length that is too long, or far longer, perhaps without an end."""
    length = chance.choice([*range(LONG - 2, LONG + 4), 2 * LONG, 3000, 9000])
    filling = chance.choice([b"x", b" ", b"\xef\xbb\xbf"]) * length
    with (folder / LIVE_FILE).open("ab") as file:
        file.write(lines(chance, 3) + filling[:length] + chance.choice([b"\n", b"\n", b"\r\n", b""]))


def torn(folder: Path, chance: random.Random) -> None:
    with (folder / LIVE_FILE).open("ab") as file:
        made = line(chance)
        file.write(chance.choice([made, made[: len(made) // 2], b" ", b"\xef\xbb\xbf" + made]))


def some_file(folder: Path, chance: random.Random) -> Path | None:
    files = [one.path for one in list_files(folder)]
    return chance.choice(files) if files else None


def edited(folder: Path, chance: random.Random) -> None:
    """A byte changed where it stands, and perhaps rows behind; all in the same inode."""
    path = some_file(folder, chance)
    if path is None:
        return
    content = bytearray(path.read_bytes())
    if content:
        content[chance.randrange(len(content))] = chance.choice(b'0123456789"}\n ')
    path.write_bytes(bytes(content) + (lines(chance) if path.suffix == ".jsonl" else b""))


def replaced_by_one_of_the_same_size(folder: Path, chance: random.Random) -> None:
    path = some_file(folder, chance)
    if path is None or path.suffix != ".jsonl":
        return
    parts = path.read_bytes().split(b"\n")
    status = path.stat()
    new = path.with_name("new")
    chance.shuffle(parts)
    new.write_bytes(b"\n".join(parts).replace(b"negative", b"positive"))
    os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))
    new.replace(path)


def cut(folder: Path, chance: random.Random) -> None:
    path = some_file(folder, chance)
    if path is not None:
        os.truncate(path, chance.randrange(path.stat().st_size + 1))


def cut_and_grown_back(folder: Path, chance: random.Random) -> None:
    path = folder / LIVE_FILE
    if path.exists():
        size = path.stat().st_size
        os.truncate(path, chance.randrange(size + 1))
        while path.stat().st_size <= size:
            with path.open("ab") as file:
                file.write(lines(chance, 4) + b"\n")


def removed(folder: Path, chance: random.Random) -> None:
    path = some_file(folder, chance)
    if path is not None:
        path.unlink()


def compressed(folder: Path, chance: random.Random) -> None:
    rotation.compress_sealed(folder, chance.choice(["zstd", "gzip"]))


def unpacked(folder: Path, chance: random.Random) -> None:
    for path in sealed_files(folder):
        if path.suffix == ".gz":
            # Not what is cut or edited.
            with suppress(OSError, EOFError, zlib.error):
                path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
                path.unlink()


def renamed(folder: Path, chance: random.Random) -> None:
    path = folder / LIVE_FILE
    if path.exists():
        path.rename(folder / f"predictions-202609{chance.randrange(10, 30)}T000000Z.jsonl")


def index_removed(folder: Path, chance: random.Random) -> None:
    shutil.rmtree(folder / ".sentimon", ignore_errors=True)


def index_broken(folder: Path, chance: random.Random) -> None:
    path = folder / ".sentimon" / "rollup.sqlite"
    if path.exists():
        path.write_bytes(chance.choice([b"", b"no index", path.read_bytes()[:5000]]))


STEPS: list[Step] = [
    by_writer, by_writer, by_another_program, by_another_program, long_line, long_line, torn,
    edited, cut, cut_and_grown_back,
    replaced_by_one_of_the_same_size, removed, compressed, unpacked, renamed, index_removed, index_broken,
]  # fmt: skip


@contextmanager
def small_sizes(*, bulk: bool) -> Iterator[None]:
    """Everything that depends on a size happens with a few rows, too."""
    amount = 0 if bulk else 1 << 40
    with (
        mock.patch.object(refresh, "BULK_BYTES", amount),
        mock.patch.object(period_sums, "BULK_BYTES", amount),
        mock.patch.object(scan, "UNIT", 1500),
        mock.patch("sentimon.prediction_log.index.indexed_files.UNIT", 1500),
        mock.patch.object(line_blocks, "BLOCK", 700),
        mock.patch.object(cells, "MOST_GAP_BYTES", 100),
        mock.patch.object(packed_sums, "WIDTHS", WIDTHS),
        mock.patch.object(period_sums, "WIDTHS", WIDTHS),
        mock.patch("sentimon.prediction_log.index.scan._SMALL", 300),
        mock.patch.object(rotation, "MEGABYTE", 1000),
    ):
        yield


def questions(chance: random.Random) -> Iterator[tuple[Period, Calendar]]:
    def moment() -> datetime | None:
        minute = chance.choice([None, 1, 30, 60, 119, 600, chance.randrange(3000)])
        return None if minute is None else START + timedelta(minutes=minute)

    yield Period(), Calendar.of("1d", ROME)
    for _ in range(2):
        period = Period(since=moment(), after=moment(), until=moment())
        yield period, Calendar.of(chance.choice(["15m", "1h", "6h", "1d", "1w"]), chance.choice([UTC, ROME]))


@given(
    seed=st.integers(0, 2**32),
    steps=st.lists(st.sampled_from(STEPS), min_size=1, max_size=8),
    bulk=st.booleans(),
    longest=st.sampled_from([LONG, LONG, 300, 1 << 26]),
)
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_every_answer_is_that_of_the_files(seed: int, steps: list[Step], bulk: bool, longest: int) -> None:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as name, small_sizes(bulk=bulk):
        folder = Path(name)
        for step in steps:
            step(folder, chance)
            # Another limit makes other bad lines, also of what was read before.
            limit = chance.choice([longest, longest, longest, 1000])
            index = index_of(folder, longest=limit)
            for period, calendar in questions(chance):
                assert index.ask(lambda sums, period=period: sums.summary(period)) == plain(
                    folder, period, limit
                )
                found = outcome(lambda p=period, c=calendar, i=index: windows(i, p, c))
                assert found == outcome(
                    lambda p=period, c=calendar, most=limit: plain_windows(folder, p, c, most)
                )
                assert hours(index, period) == plain_hours(folder, period, limit)
                assert rows_by_index(index, period) == plain_rows(folder, period, limit)
            for file, summary in index.ask(lambda sums: sums.by_file()):
                assert summary == summarise(read_log_file(file.path, zone=UTC, longest=limit))
