"""The law of the index: every answer is that of the files alone, whatever happened to them in between."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sentimon.errors import DataError
from sentimon.jsonl import BadLine, LineError, line_content
from sentimon.prediction_log import rotation
from sentimon.prediction_log.folder import LIVE_FILE, sealed_files
from sentimon.prediction_log.index.log_index import LogIndex
from sentimon.prediction_log.index.logged_rows import open_period_rows
from sentimon.prediction_log.index.period_sums import PeriodSums
from sentimon.prediction_log.log_file import LineFragment
from sentimon.prediction_log.reader import open_log_files, read_log, read_log_file
from sentimon.prediction_log.record import PredictionRecord, parse_row
from sentimon.prediction_log.slice_fields import SliceCondition, SliceField
from sentimon.prediction_log.slices import GrowingSlices, Slices
from sentimon.prediction_log.summary import Summary, summarise
from sentimon.prediction_log.windows import Calendar, Period, Window, summarise_windows
from sentimon.scoring.scores import SCALE
from sentimon.timestamps import hour_of
from tests.support.log_histories import (
    FIELDS,
    NOW,
    ROME,
    by_another_program,
    by_writer,
    cut_and_grown_back,
    edited,
    lines,
    replaced_by_one_of_the_same_size,
    small_sizes,
    some_file,
    torn,
)
from tests.support.rows import START

LONG = 500
"""Bytes, more than most rows have."""
Step = Callable[[Path, random.Random], None]


def index_of(
    folder: Path, zone: object = UTC, longest: int = 1 << 26, fields: tuple[str, ...] = ()
) -> LogIndex:
    place = folder / ".sentimon" / "rollup.sqlite"
    return LogIndex(
        folder=folder,
        zone=zone,  # type: ignore[arg-type]
        now=NOW,
        run=map,
        paths=[place],
        longest=longest,
        fields=fields,
    )


def plain_slices(rows: list[PredictionRecord], field: SliceField) -> Slices:
    found = GrowingSlices()
    for one in rows:
        confidence = None if one.confidence is None else round(one.confidence * SCALE)
        found.add(field.value(one, one.extra), one.sentiment, confidence)
    return found.slices()


def plain_slices_by(
    rows: list[PredictionRecord], field: SliceField, key: Callable[[datetime], object]
) -> dict[object, Slices]:
    groups: dict[object, list[PredictionRecord]] = {}
    for one in rows:
        groups.setdefault(key(one.timestamp), []).append(one)
    return {at: plain_slices(some, field) for at, some in groups.items()}


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


def hours(sums: PeriodSums, period: Period) -> dict[int, Summary]:
    found: dict[int, Summary] = {}
    for hour, one in sums.hours(period):
        found[hour] = found.get(hour, Summary()) + one.summary()
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


def long_line(folder: Path, chance: random.Random) -> None:
    """A line of about the length that is too long, or far longer, perhaps without an end."""
    length = chance.choice([*range(LONG - 2, LONG + 4), 2 * LONG, 3000, 9000])
    filling = chance.choice([b"x", b" ", b"\xef\xbb\xbf"]) * length
    with (folder / LIVE_FILE).open("ab") as file:
        file.write(lines(chance, 3) + filling[:length] + chance.choice([b"\n", b"\n", b"\r\n", b""]))


def cut(folder: Path, chance: random.Random) -> None:
    path = some_file(folder, chance)
    if path is not None:
        os.truncate(path, chance.randrange(path.stat().st_size + 1))


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


def questions(chance: random.Random) -> Iterator[tuple[Period, Calendar]]:
    def moment() -> datetime | None:
        minute = chance.choice([None, 1, 30, 60, 119, 600, chance.randrange(3000)])
        return None if minute is None else START + timedelta(minutes=minute)

    yield Period(), Calendar.of("1d", ROME)
    for _ in range(2):
        period = Period(since=moment(), after=moment(), until=moment())
        yield period, Calendar.of(chance.choice(["15m", "1h", "6h", "1d", "1w"]), chance.choice([UTC, ROME]))


def some_slice(
    chance: random.Random, fields: tuple[str, ...], rows: list[PredictionRecord]
) -> tuple[SliceCondition, ...]:
    """Conditions of some of the fields, which some row of the period holds, or none."""
    value = chance.choice(rows) if rows else None
    return tuple(
        SliceCondition(field, "app" if value is None else field.value(value, value.extra))
        for field in map(SliceField, fields)
    )


def check_narrowed(
    folder: Path,
    longest: int,
    period: Period,
    calendar: Calendar,
    rows: list[PredictionRecord],
    where: tuple[SliceCondition, ...],
) -> None:
    """The log of some rows alone answers as a log that holds no others, beside all bad lines."""
    index = replace(index_of(folder, longest=longest, fields=("channel",)), where=where, paths=())
    chosen = [one for one in rows if all(each.holds(one, one.extra) for each in where)]
    bad = [one for one in read_log(folder, zone=UTC, longest=longest) if isinstance(one, BadLine)]
    assert rows_by_index(index, period) == chosen
    expected = outcome(lambda: summarise_windows([*chosen, *bad], calendar, now=NOW))
    assert outcome(lambda: windows(index, period, calendar)) == expected
    field = SliceField("channel")
    summary, slices = index.ask(lambda sums: (sums.summary(period), slices_of(sums, period, calendar, field)))
    assert summary == summarise([*chosen, *bad])
    assert slices == plain_slices_of(chosen, calendar, field)


def slices_of(sums: PeriodSums, period: Period, calendar: Calendar, field: SliceField) -> object:
    return (
        sums.slices(period, field),
        sums.slice_hours(period, field),
        sums.slice_windows(period, field, calendar),
    )


def plain_slices_of(rows: list[PredictionRecord], calendar: Calendar, field: SliceField) -> object:
    return (
        plain_slices(rows, field),
        plain_slices_by(rows, field, hour_of),
        plain_slices_by(rows, field, calendar.start_of),
    )


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
            fields = tuple(chance.sample(FIELDS, chance.randrange(3)))
            index = index_of(folder, longest=limit, fields=fields)
            for period, calendar in questions(chance):
                summary, by_hour, slices = index.ask(
                    lambda sums, period=period, calendar=calendar, fields=fields: (
                        sums.summary(period),
                        hours(sums, period),
                        [slices_of(sums, period, calendar, field) for field in map(SliceField, fields)],
                    )
                )
                assert summary == plain(folder, period, limit)
                assert by_hour == plain_hours(folder, period, limit)
                found = outcome(lambda p=period, c=calendar, i=index: windows(i, p, c))
                assert found == outcome(
                    lambda p=period, c=calendar, most=limit: plain_windows(folder, p, c, most)
                )
                rows = plain_rows(folder, period, limit)
                assert rows_by_index(index, period) == rows
                assert slices == [plain_slices_of(rows, calendar, field) for field in map(SliceField, fields)]
                if chance.randrange(3) == 0:
                    check_narrowed(folder, limit, period, calendar, rows, some_slice(chance, fields, rows))
            for file, summary in index.ask(lambda sums: sums.by_file()):
                assert summary == summarise(read_log_file(file.path, zone=UTC, longest=limit))
