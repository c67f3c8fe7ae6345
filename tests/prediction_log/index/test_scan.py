"""A file in parts, in any number of them: what they add up to, and where the rows of an hour are."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC
from itertools import pairwise
from pathlib import Path
from unittest import mock
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentimon.jsonl import BadLine, LineError, line_content
from sentimon.prediction_log.append_chain import FileState
from sentimon.prediction_log.index import cells, indexed_files, line_blocks, scan
from sentimon.prediction_log.index.cells import WIDTHS, ByteRange, TimeCell, hour_slots
from sentimon.prediction_log.index.indexed_files import ReadProgress
from sentimon.prediction_log.index.packed_sums import MOST_RANGES, PackedCell, PartialSum, unpack
from sentimon.prediction_log.index.scan import Scan, ScanUnit, plain_unit_bounds, read_unit
from sentimon.prediction_log.log_file import open_log_file
from sentimon.prediction_log.reader import read_log_file
from sentimon.prediction_log.record import parse_row
from sentimon.prediction_log.summary import GrowingSummary, Summary, summarise
from sentimon.timestamps import to_microseconds
from tests.support.line_contents import COMPRESSED, line_begins
from tests.support.log_histories import lines
from tests.support.rows import row
from tests.support.scanning import by_hour, scanned, whole

NAME = "predictions-20260907T000000Z.jsonl"
STRICT = settings(deadline=None, max_examples=60)


@contextmanager
def sizes(
    *, unit: int = 1 << 24, block: int = 1 << 18, near: int = 1 << 16, small: int = 1 << 13
) -> Iterator[None]:
    with ExitStack() as stack:
        for module, name, value in (
            (scan, "UNIT_BYTES", unit), (indexed_files, "UNIT_BYTES", unit), (line_blocks, "BLOCK", block),
            (cells, "MOST_GAP_BYTES", near), (scan, "_SMALL", small),
        ):  # fmt: skip
            stack.enter_context(mock.patch.object(module, name, value))
        yield


@contextmanager
def file_of(content: bytes, ending: str = "") -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / f"{NAME}.{ending}".rstrip(".")
        path.write_bytes(COMPRESSED[ending](content) if ending else content)
        yield path


def unit_of(path: Path, begin: int, end: int | None, checksum: tuple[int, int], *, bulk: bool) -> ScanUnit:
    state = FileState.of(path.stat())
    return ScanUnit(
        path=str(path),
        state=state,
        begin=begin,
        end=end,
        checksum=checksum[0],
        checksum_begin=checksum[1],
        zone=UTC,
        bulk=bulk,
    )


def read_in_parts(
    path: Path, bounds: Sequence[int | None], *, bulk: bool
) -> tuple[ReadProgress, list[PartialSum]]:
    """What the index does with each stretch of a file, one after the other."""
    reading, parts = ReadProgress(), list[PartialSum]()
    for begin, end in pairwise(bounds):
        assert begin == reading.end
        # As it is kept in between.
        for part in read_unit(unit_of(path, reading.end, end, reading.open_checksum, bulk=bulk)):
            reading.add(part)
            parts.append(part)
    return reading, parts


def hours_in(parts: Sequence[PartialSum]) -> dict[int, Summary]:
    found: dict[int, GrowingSummary] = {}
    for part in parts:
        hours = [cell for cell in part.cells if cell.width == 1]
        for cell in hours:
            found.setdefault(cell.hour, GrowingSummary()).include(unpack(cell.sums))
        check_widths(part, hours)
    return {hour: sums.summary() for hour, sums in found.items()}


def check_widths(part: PartialSum, hours: Sequence[PackedCell]) -> None:
    """The cells of each width are sums of the hours, and all of them are the total."""
    for width in WIDTHS:
        wide = [cell for cell in part.cells if cell.width == width]
        assert [cell.hour for cell in wide] == sorted({hour.hour - hour.hour % width for hour in hours})
        for cell in wide:
            its = [one for one in hours if 0 <= one.hour - cell.hour < width]
            assert unpack(cell.sums).summary() == summed(unpack(one.sums) for one in its)
        assert unpack(part.total).summary() == summed(unpack(cell.sums) for cell in wide)


def summed(parts: Iterable[GrowingSummary]) -> Summary:
    sums = GrowingSummary()
    for one in parts:
        sums.include(one)
    return sums.summary()


def total(reading: ReadProgress, parts: Sequence[PartialSum], path: Path) -> Summary:
    sums = GrowingSummary()
    for part in parts:
        sums.include(unpack(part.total))
    bad = [BadLine(path=str(path), line=n, kind=kind, reason=reason) for n, kind, reason in reading.bad.first]
    sums.add_bad(reading.bad.kinds, bad)
    return sums.summary()


def check_checksums(reading: ReadProgress, content: bytes, unit: int) -> None:
    """They are of the file from its begin to where it was read, without a gap, and few."""
    begin = 0
    for checksum in reading.checksums:
        assert checksum.value == crc32(content[begin : checksum.end])
        assert checksum.end > begin
        if checksum is not reading.checksums[-1]:
            assert checksum.end - begin >= unit
        begin = checksum.end
    assert begin == reading.end


seeds = st.integers(0, 2**32)


def drawn_lines(seed: int, most: int = 40) -> bytes:
    return lines(random.Random(seed), most)


@given(seed=seeds, unit=st.sampled_from([1, 700, 3000, 1 << 24]), bulk=st.booleans(), data=st.data())
@STRICT
def test_parts_of_a_file_add_up_to_the_whole(seed: int, unit: int, bulk: bool, data: st.DataObject) -> None:
    content = drawn_lines(seed)
    begins = line_begins(content)
    cuts = data.draw(st.lists(st.sampled_from(begins), max_size=6))
    with file_of(content) as path, sizes(unit=unit, block=data.draw(st.sampled_from([50, 900, 1 << 18]))):
        reading, parts = read_in_parts(path, sorted({0, *cuts, len(content)}), bulk=bulk)
        once, one = read_in_parts(path, [0, len(content)] if content else [0], bulk=not bulk)
        assert total(reading, parts, path) == summarise(read_log_file(path, zone=UTC))
    check_checksums(reading, content, unit)
    assert (reading.lines, reading.end, reading.bad) == (once.lines, once.end, once.bad)
    assert hours_in(parts) == hours_in(one)
    assert reading.lines == content.count(b"\n")
    if unit > len(content):
        assert reading.checksums == once.checksums


@given(seed=seeds, unit=st.integers(1, 3000), bulk=st.booleans())
@STRICT
def test_the_bounds_of_units_are_those_of_lines(seed: int, unit: int, bulk: bool) -> None:
    content = drawn_lines(seed)
    begins = line_begins(content)
    with file_of(content) as path, sizes(unit=unit, block=100), open_log_file(path) as segment:
        begin = random.Random(seed).choice(begins)
        bounds = [*plain_unit_bounds(segment, begin, len(content))]
        assert [one for one, _ in bounds] + [len(content)] == [begin, *(end for _, end in bounds)]
        assert {end for _, end in bounds} <= set(begins)
        assert all(end - first >= unit for first, end in bounds[:-1])
        if begin == 0 and bounds:
            reading, _ = read_in_parts(path, [0, *(end for _, end in bounds)], bulk=bulk)
            check_checksums(reading, content, unit)


@pytest.mark.parametrize("ending", COMPRESSED)
@given(seed=seeds, unit=st.sampled_from([1, 700, 3000, 1 << 24]), bulk=st.booleans(), data=st.data())
@STRICT
def test_a_compressed_file_that_grows_is_read_on(
    ending: str, seed: int, unit: int, bulk: bool, data: st.DataObject
) -> None:
    """Its content grows when a sealed file that was read in part is compressed."""
    content = drawn_lines(seed) + b'{"torn": 1' * data.draw(st.booleans())
    cut = data.draw(st.sampled_from(line_begins(content)))
    with sizes(unit=unit, block=data.draw(st.sampled_from([50, 900, 1 << 18]))):
        with file_of(content[:cut]) as path:
            reading, parts = read_in_parts(path, [0, cut] if cut else [0], bulk=bulk)
        with file_of(content, ending) as path:
            for part in read_unit(unit_of(path, reading.end, None, reading.open_checksum, bulk=bulk)):
                reading.add(part)
                parts.append(part)
            assert total(reading, parts, path) == summarise(read_log_file(path, zone=UTC))
    check_checksums(reading, content, unit)
    assert reading.end == len(content)


def line_of_noise(chance: random.Random) -> bytes:
    noise = {"sentiment": "positive", "confidence": 0.8, "text": chance.randbytes(60).hex()}
    return json.dumps(row(2, chance.randrange(300)) | noise).encode() + b"\n"


def test_a_damaged_compressed_file_is_read_to_the_damage(tmp_path: Path) -> None:
    chance = random.Random(9)
    content = b"".join(line_of_noise(chance) for _ in range(1500))
    path = tmp_path / f"{NAME}.gz"
    path.write_bytes(COMPRESSED["gz"](content)[:-4000])
    with sizes(unit=5000, block=700):
        reading, parts = read_in_parts(path, [0, None], bulk=True)
    assert len(parts) > 5
    assert reading.damaged
    assert 0 < reading.end < len(content)
    assert reading.lines == content[: reading.end].count(b"\n")
    found, expected = total(reading, parts, path), summarise(read_log_file(path, zone=UTC))
    assert found == expected
    assert found.bad == {"segment": 1}
    assert [one.line for one in found.bad_lines] == [reading.lines + 1]


@given(seed=seeds, data=st.data())
@STRICT
def test_any_blocks_of_a_file_are_read_alike(seed: int, data: st.DataObject) -> None:
    content = drawn_lines(seed, 60) + b'{"torn": 1' * data.draw(st.booleans())
    cuts = data.draw(st.lists(st.sampled_from(line_begins(content)), max_size=10))
    parts = [content[begin:end] for begin, end in pairwise(sorted({0, *cuts, len(content)}))]
    expected = scanned([content] if content else [], bulk=False)
    for bulk in (True, False):
        with sizes(small=data.draw(st.sampled_from([1, 300, 1 << 13]))):
            found = scanned(parts, bulk=bulk)
        assert by_hour(found) == by_hour(expected)
        assert found.bad == expected.bad
        one, other = found.partial_sum(), expected.partial_sum()
        assert (one.begin, one.end, one.lines) == (0, len(content), other.lines)
        assert one.checksum == other.checksum == crc32(content)
    with file_of(content) as path:
        assert whole(expected, str(path)) == summarise(read_log_file(path, zone=UTC))


def rows_in(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (hour, first byte, byte after the last) of each good row."""
    for begin, end in pairwise([*line_begins(content)]):
        line = line_content(content[begin:end], first=begin == 0)
        try:
            row = parse_row(line, zone=UTC)
        except LineError:
            continue
        yield hour_slots(to_microseconds(row.timestamp))[0], begin, end


def hours_of(scan: Scan) -> list[PackedCell]:
    return [one for one in scan.partial_sum().cells if one.width == 1]


def check_stretches(content: bytes, hour: int, stretches: Sequence[ByteRange]) -> None:
    """All rows of the hour lie in them; they are in order, apart, and of whole lines."""
    begins = set(line_begins(content))
    assert all(begin < end and {begin, end} <= begins for begin, end in stretches)
    assert all(end <= begin for (_, end), (begin, _) in pairwise(stretches))
    for where, begin, end in rows_in(content):
        assert where != hour or any(first <= begin and end <= last for first, last in stretches)


@given(seed=seeds, near=st.sampled_from([0, 300, 1 << 16]), bulk=st.booleans(), data=st.data())
@STRICT
def test_the_stretches_of_an_hour_hold_all_its_rows(
    seed: int, near: int, bulk: bool, data: st.DataObject
) -> None:
    content = drawn_lines(seed, 60)
    cuts = data.draw(st.lists(st.sampled_from(line_begins(content)), max_size=10))
    parts = [content[begin:end] for begin, end in pairwise(sorted({0, *cuts, len(content)}))]
    with sizes(near=near, small=100):
        scan = scanned(parts, bulk=bulk)
    assert set(scan.cells) == {hour for hour, _, _ in rows_in(content)}
    for hour, cell in scan.cells.items():
        check_stretches(content, hour, cell.ranges)
    for packed in hours_of(scan):
        check_stretches(content, packed.hour, packed.ranges)


@pytest.mark.parametrize("bulk", [True, False])
def test_an_hour_in_many_places_has_few_stretches(bulk: bool) -> None:
    chance = random.Random(2)
    made = [lines(chance, 12) for _ in range(120)]
    with sizes(near=0, small=100):
        scan = scanned([one for one in made if one], bulk=bulk)
    most = max(scan.cells.values(), key=lambda cell: len(cell.ranges))
    assert len(most.ranges) > MOST_RANGES
    for packed in hours_of(scan):
        assert len(packed.ranges) <= MOST_RANGES
        check_stretches(b"".join(made), packed.hour, packed.ranges)


def test_stretches_far_apart_are_kept_apart() -> None:
    cell = TimeCell()
    cell.add_range(0, 10)
    cell.add_range(10 + cells.MOST_GAP_BYTES, 20 + cells.MOST_GAP_BYTES)
    cell.add_range(21 + 2 * cells.MOST_GAP_BYTES, 30 + 2 * cells.MOST_GAP_BYTES)
    assert cell.ranges == [
        (0, 20 + cells.MOST_GAP_BYTES),
        (21 + 2 * cells.MOST_GAP_BYTES, 30 + 2 * cells.MOST_GAP_BYTES),
    ]


@given(seed=seeds, begin=st.integers(1, 1 << 40), bulk=st.booleans())
@STRICT
def test_a_part_from_a_later_byte_on_is_numbered_from_there(seed: int, begin: int, bulk: bool) -> None:
    content = drawn_lines(seed) + b"\n"
    first, later = scanned([content], bulk=bulk), scanned([content], bulk=bulk, begin=begin)
    assert (later.partial_sum().begin, later.partial_sum().end) == (begin, begin + len(content))
    assert by_hour(later) == by_hour(first)
    assert later.bad == first.bad
    for hour, cell in first.cells.items():
        assert later.cells[hour].ranges == [(begin + one, begin + end) for one, end in cell.ranges]
