"""The slices of some rows against those of a baseline: what became of each, and what they add to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.monitoring.slice_comparison import FieldComparison, SliceOutcome, compare_slices
from sentimon.monitoring.slice_metrics import measure_slices
from sentimon.prediction_log.slices import OTHER, Slices, SliceTally
from sentimon.reporting.slice_sentences import explain_slices

NAMES = ("negative", "neutral", "positive")


def slices(**counts: tuple[int, int, int]) -> Slices:
    return Slices(tallies={name: SliceTally(*one) for name, one in counts.items()})


def compared(before: Slices, after: Slices, *, most: int = 50) -> FieldComparison:
    return compare_slices(
        "channel", before, after, most=most, threshold=0.15, min_samples=50, confidence_level=0.95
    )


def test_what_became_of_each_slice() -> None:
    before = slices(
        same=(100, 100, 100), moved=(100, 100, 100), nudged=(400, 300, 300), gone=(30, 30, 30), rare=(9, 9, 9)
    )
    after = slices(
        same=(101, 99, 100), moved=(250, 30, 20), nudged=(500, 250, 250), new=(40, 40, 40), rare=(9, 9, 9)
    )
    states = {one.value: one.state for one in compared(before, after).slices}
    assert states == {
        "same": SliceOutcome.UNCHANGED,
        "moved": SliceOutcome.DRIFT,
        "nudged": SliceOutcome.CHANGED,
        "gone": SliceOutcome.GONE,
        "new": SliceOutcome.NEW,
        "rare": SliceOutcome.TOO_FEW_ROWS,
    }


def test_the_slice_that_adds_most_comes_first() -> None:
    found = compared(slices(a=(50, 50, 50), b=(50, 50, 50)), slices(a=(50, 50, 50), b=(120, 20, 10)))
    assert [one.value for one in found.slices] == ["b", "a"]
    part = {one.value: one for one in found.shares[0].slices}["b"]
    # By hand: half of the rows, whose share of negatives rose from 1/3 to 0.8.
    assert part.within.value == pytest.approx((120 / 150 - 50 / 150) / 2)
    assert part.mix.value == 0


def test_rows_of_values_that_are_not_told_apart_are_one_slice() -> None:
    found = compared(
        slices(a=(90, 0, 0), b=(0, 10, 0), c=(0, 0, 5)),
        slices(a=(90, 0, 0), b=(0, 20, 0), d=(3, 0, 0)),
        most=1,
    )
    by_value = {one.value: one for one in found.slices}
    assert set(by_value) == {"a", OTHER}
    assert (by_value[OTHER].before.counts, by_value[OTHER].after.counts) == ((0, 10, 5), (3, 20, 0))


counts = st.tuples(*[st.integers(0, 60)] * 3)
sides = st.dictionaries(st.sampled_from("abcdef"), counts, min_size=1, max_size=6).filter(
    lambda side: any(map(any, side.values()))
)


@given(before=sides, after=sides, most=st.integers(1, 7))
def test_the_slices_add_up_to_the_whole(
    before: dict[str, tuple[int, int, int]], after: dict[str, tuple[int, int, int]], most: int
) -> None:
    found = compared(slices(**before), slices(**after), most=most)
    totals = [[sum(one[place] for one in side.values()) for place in range(3)] for side in (before, after)]
    for place in range(3):
        change = totals[1][place] / sum(totals[1]) - totals[0][place] / sum(totals[0])
        assert found.shares[place].whole.value == pytest.approx(change)
        parts = [one.both.value for one in found.shares[place].slices]
        assert sum(parts) == pytest.approx(change)
    assert sum(one.before.count for one in found.slices) == sum(totals[0])
    assert sum(one.after.count for one in found.slices) == sum(totals[1])
    assert found.confidence is None


def test_in_words_the_mix_and_the_slices() -> None:
    before, after = (
        slices(app=(120, 90, 90), mail=(140, 280, 280)),
        slices(app=(200, 150, 150), mail=(150, 175, 175)),
    )
    (first,) = explain_slices(compared(before, after), NAMES)
    assert first == (
        "The share of negative rose by 0.090, from 0.260 to 0.350: +0.030 because more traffic came from "
        "app and less traffic came from mail; +0.060 because mail became more negative."
    )


def test_in_words_a_change_of_many_slices_names_none() -> None:
    before = slices(**{f"c{n:02}": (20, 40, 40) for n in range(20)})
    after = slices(**{f"c{n:02}": (50, 25, 25) for n in range(20)})
    (first,) = explain_slices(compared(before, after), NAMES)
    assert first.endswith("+0.300 because many slices, each a little, became more negative.")
    # The traffic mix, likewise: half of the slices have more of it, and are more negative.
    before = slices(**{f"c{n:02}": (40, 30, 30) if n % 2 else (10, 45, 45) for n in range(40)})
    after = slices(**{f"c{n:02}": (60, 45, 45) if n % 2 else (5, 22, 23) for n in range(40)})
    first = explain_slices(compared(before, after), NAMES)[0]
    assert "because a little more or less traffic came from many slices" in first


def test_in_words_nothing_moved() -> None:
    same = slices(app=(120, 90, 90), mail=(140, 280, 280))
    assert explain_slices(compared(same, same), NAMES) == [
        "The share of negative is as before: 0.260 to 0.260."
    ]


def test_hostile_values_are_visible_in_words() -> None:
    before, after = slices(app=(50, 50, 50)), slices(**{"app": (50, 50, 50), "\x1b[31m": (60, 0, 0)})
    told = " ".join(explain_slices(compared(before, after), NAMES))
    assert "\x1b" not in told
    assert r"\x1b[31m" in told


def test_the_metrics_of_slices_by_hand() -> None:
    some = Slices(
        tallies={
            "app": SliceTally(3, 0, 1, 2, 1_400_000, 1_000_000_000_000),
            "web": SliceTally(0, 60, 0),
            "fax": SliceTally(1, 0, 0),
        }
    )
    found = measure_slices("channel", some, most=2, min_samples=50, confidence_level=0.95)
    web, app, other = found.slices
    assert (web.value, app.value, other.value) == ("web", "app", OTHER)
    assert (web.few, app.few) == (False, True)
    assert app.of_all.value == 4 / 65
    assert app.shares[0].value == 0.75
    assert app.confidence.value == 0.7
    assert app.confidence.n == 2
    assert web.confidence.value is None
    assert found.values == 3
