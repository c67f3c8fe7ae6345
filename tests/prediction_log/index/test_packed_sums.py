"""What is passed between processes and kept by the index comes back as it was."""

from __future__ import annotations

from array import array
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentimon.prediction_log.index.cells import ByteRange, CellTable, hour_slots
from sentimon.prediction_log.index.packed_sums import (
    MOST_RANGES,
    BadLineCounts,
    PackedCell,
    PartialSum,
    merged_ranges,
    pack,
    pack_cells,
    unpack,
)
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import (
    CONFIDENCE_BINS,
    POLARITY_BINS,
    GrowingSummary,
    GrowingTally,
    summarise,
)
from sentimon.scoring.scores import SCALE
from tests.rows import record
from tests.strategies import records

BYTES = (1, 2, 4, 8)
counts = st.one_of([st.integers(0, 256**width // 4) for width in BYTES])
names = st.none() | st.text(max_size=5)
moments = st.none() | st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999)
STRETCHES = st.lists(
    st.tuples(st.integers(0, 1 << 40) | st.integers(0, 100), st.integers(0, 1 << 20) | st.integers(0, 3)),
    max_size=400,
)


def histograms(bins: int) -> st.SearchStrategy[array[int]]:
    some = st.dictionaries(st.integers(0, bins - 1), counts, max_size=3)
    return some.map(lambda held: array("q", [held.get(place, 0) for place in range(bins)]))


tallies = st.builds(
    GrowingTally,
    count=counts,
    confidence=counts,
    # Beyond 64 bits, too.
    confidence_squares=counts | st.integers(0, (1 << 63) * SCALE),
    polarity=counts | counts.map(lambda number: -number),
    confidence_histogram=histograms(CONFIDENCE_BINS),
    polarity_histogram=histograms(POLARITY_BINS),
)


@st.composite
def sums(draw: st.DrawFn) -> GrowingSummary:
    made = GrowingSummary()
    made.classes = (draw(tallies), draw(tallies), draw(tallies))
    made.hours = draw(st.dictionaries(st.integers(-17_259_888, 70_389_527), st.tuples(*[counts] * 3)))
    made.models = draw(st.dictionaries(st.tuples(names, names), counts, max_size=4))
    made.properties = draw(st.dictionaries(st.sampled_from(["empty", "characters"]), counts))
    made.first, made.last = draw(moments), draw(moments)
    return made


@given(sums())
@settings(deadline=None, max_examples=50)
def test_sums_are_unpacked_as_they_were_packed(given_sums: GrowingSummary) -> None:
    packed = pack(given_sums)
    again = unpack(packed)
    assert again.summary() == given_sums.summary()
    assert pack(again) == packed
    # What is unpacked can grow, as what was packed.
    for one in (again, given_sums):
        one.add(record(1, 5))
    assert again.summary() == given_sums.summary()


@given(st.lists(records(), max_size=8), st.lists(records(), max_size=8))
@settings(deadline=None, max_examples=50)
def test_packed_sums_add_up_as_their_rows_do(
    some: list[PredictionRecord], more: list[PredictionRecord]
) -> None:
    parts = GrowingSummary(), GrowingSummary()
    whole = GrowingSummary()
    for part, rows in zip(parts, (some, more), strict=True):
        for one in rows:
            part.add(one)
            whole.add(one)
    first, second = (unpack(pack(part)) for part in parts)
    first.include(second)
    assert first.summary() == whole.summary()


@pytest.mark.parametrize("width", BYTES)
def test_a_histogram_takes_the_bytes_that_its_highest_count_needs(width: int) -> None:
    def packed_with(count: int) -> tuple[int, GrowingSummary]:
        made = GrowingSummary()
        made.classes[2].confidence_histogram[99] = count
        return len(pack(made)), unpack(pack(made))

    most = min(256**width - 1, (1 << 63) - 1)
    size, again = packed_with(most)
    assert again.classes[2].confidence_histogram[99] == most
    assert size == packed_with(256 ** (width // 2) if width > 1 else 17)[0]
    if width < 8:
        larger, again = packed_with(most + 1)
        assert again.classes[2].confidence_histogram[99] == most + 1
        assert larger >= size + width * CONFIDENCE_BINS


def test_a_sum_of_squares_beyond_64_bits_keeps_its_last_digit() -> None:
    made = GrowingSummary()
    made.classes[0].confidence_squares = (1 << 80) + 1
    assert unpack(pack(made)).classes[0].confidence_squares == (1 << 80) + 1


@pytest.mark.parametrize("content", [b"", b"\x00", b"\xc1", b"\x93\x90\x90\x90"])
def test_what_was_not_packed_is_an_error(content: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        unpack(content)


def test_a_part_travels_as_it_is() -> None:
    cells = CellTable()
    for minute in (0, 70, 10):
        cells.add(record(1, minute), hour_slots, minute, minute + 9)
    bad = BadLineCounts({"json": 3}, [(1, "json", "reason"), (7, "json", "perché")])
    packed, total = pack_cells(cells)
    part = PartialSum(
        begin=3,
        end=1 << 40,
        checksum=0xFFFFFFFF,
        lines=9,
        cells=packed,
        total=total,
        bad=bad,
        damage=None,
    )
    assert [cell.hour for cell in part.cells if cell.width == 1] == sorted(cells)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(part), type=PartialSum) == part
    for cell in part.cells[: len(cells)]:
        assert isinstance(cell, PackedCell)
        assert unpack(cell.sums).summary() == cells[cell.hour].sums.summary()
        assert cell.ranges == cells[cell.hour].ranges
    assert unpack(part.total).summary() == summarise(record(1, minute) for minute in (0, 70, 10))


@given(STRETCHES)
@settings(deadline=None)
def test_few_stretches_cover_all_of_them(drawn: list[ByteRange]) -> None:
    stretches = [(begin, begin + length) for begin, length in drawn]
    few = merged_ranges(stretches)
    assert len(few) <= MOST_RANGES
    assert all(end < begin for (_, end), (begin, _) in pairwise(few))
    for begin, end in stretches:
        assert any(first <= begin and end <= last for first, last in few)
    # They begin and end where lines do: at an end of one of those given.
    assert {begin for begin, _ in few} <= {begin for begin, _ in stretches}
    assert {end for _, end in few} <= {end for _, end in stretches}
    assert merged_ranges(few) == few


def test_stretches_that_are_few_stay_as_they_are() -> None:
    stretches = [(number * 100, number * 100 + 50) for number in range(MOST_RANGES)]
    assert merged_ranges(stretches[::-1]) == stretches
    assert len(merged_ranges([*stretches, (10**9, 10**9 + 1)])) <= MOST_RANGES


def test_stretches_far_apart_stay_apart_where_others_are_taken_together() -> None:
    near = [
        (place + 1000 * number, place + 1000 * number + 9) for place in (0, 10**9) for number in range(500)
    ]
    few = merged_ranges([*near, (10**12, 10**12 + 1)])
    assert sum(end - begin for begin, end in few) < 2 * 500_000
