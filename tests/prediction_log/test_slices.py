"""Sums over slices: exact, in any order and grouping, also where there are too many values."""

from __future__ import annotations

from collections.abc import Iterable
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.labels import Sentiment
from sentimon.prediction_log import slices
from sentimon.prediction_log.slices import (
    MOST_VALUES,
    OTHER,
    GrowingSlices,
    Slices,
    SliceTally,
    pack_slices,
    unpack_slices,
)

Row = tuple[str, int, int | None]
rows = st.lists(
    st.tuples(
        st.sampled_from(["app", "web", "(missing)", OTHER, "è", "x"]),
        st.integers(0, 2),
        st.none() | st.integers(333_333, 1_000_000),
    ),
    max_size=30,
)


def summed(some: Iterable[Row]) -> GrowingSlices:
    growing = GrowingSlices()
    for value, place, confidence in some:
        growing.add(value, Sentiment(place), confidence)
    return growing


def test_a_tally_by_hand() -> None:
    found = summed([("app", 0, 500_000), ("app", 2, None), ("web", 1, 700_000)]).slices()
    assert found.tallies["app"] == SliceTally(
        negative=1, positive=1, with_confidence=1, confidence=500_000, confidence_squares=250_000_000_000
    )
    assert found.tallies["web"].mean_confidence == 0.7
    assert SliceTally().mean_confidence is None
    assert (found.count, found.total.counts) == (3, (1, 1, 1))


@given(some=rows, more=rows, most=st.integers(1, 6))
def test_the_sum_of_the_parts_is_the_sum_of_the_rows(some: list[Row], more: list[Row], most: int) -> None:
    with mock.patch.object(slices, "MOST_VALUES", most):
        whole = summed([*some, *more]).slices()
        assert summed(some).slices() + summed(more).slices() == whole
        assert summed([*more, *some]).slices() == whole
        assert whole.too_many == (len({value for value, _, _ in [*some, *more]}) > most)
        assert whole.count == len(some) + len(more)


@given(rows)
def test_packed_sums_read_back(some: list[Row]) -> None:
    growing = summed(some)
    assert unpack_slices(pack_slices(growing)).slices() == growing.slices()


def test_a_field_of_a_million_values_is_bounded() -> None:
    growing = summed((f"user {number}", number % 3, 600_000) for number in range(MOST_VALUES + 500))
    found = growing.slices()
    assert found.too_many
    assert set(found.tallies) == {OTHER}
    assert found.count == MOST_VALUES + 500
    assert unpack_slices(pack_slices(growing)).slices() == found


def test_the_values_with_the_most_rows_are_told_apart() -> None:
    found = summed(
        [("b", 0, None), ("a", 1, None), ("c", 2, None), ("c", 0, None), (OTHER, 1, None)]
    ).slices()
    assert found.largest(2) == ["c", "a"]
    apart = found.told_apart(["c", "a"])
    assert list(apart.tallies) == ["c", "a", OTHER]
    assert apart.tallies[OTHER].counts == (1, 1, 0)
    assert apart.count == found.count
    # A value that no row has any more is a slice without rows.
    assert found.told_apart(["gone"]).tallies["gone"].count == 0


def test_no_rows_have_no_slices() -> None:
    assert GrowingSlices().slices() == Slices()
    assert Slices() + Slices() == Slices()
    assert Slices().told_apart([]).tallies == {}
    assert Slices().count == 0


def test_sums_that_are_none_are_refused() -> None:
    import msgspec

    with pytest.raises(msgspec.MsgspecError):
        unpack_slices(b"\x93\x01\x02\x03")
