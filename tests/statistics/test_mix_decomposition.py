"""A change taken apart into traffic mix and slices: it adds up exactly, and its intervals cover."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentimon.errors import DataError
from sentimon.statistics import mix_decomposition
from sentimon.statistics.intervals import Difference
from sentimon.statistics.mix_decomposition import (
    Decomposition,
    DesignEffect,
    Moments,
    decompose,
    decompose_shares,
    exact_parts,
)


def of_shares(*counts: tuple[int, int]) -> list[Moments]:
    return [Moments(rows, count, count) for count, rows in counts]


def moments(confidences: Iterable[int]) -> Moments:
    known = list(confidences)
    return Moments(len(known), sum(known), sum(one * one for one in known))


sides = st.dictionaries(
    st.sampled_from("abcdef"), st.lists(st.integers(0, 1_000_000), max_size=8).map(moments), min_size=1
).filter(lambda side: any(one.rows for one in side.values()))


@given(sides, sides)
def test_the_parts_add_up_exactly_to_the_change(
    before: dict[str, Moments], after: dict[str, Moments]
) -> None:
    empty = Moments(0, 0, 0)
    values = [
        one
        for one in sorted({*before, *after})
        if before.get(one, empty).rows + after.get(one, empty).rows > 0
    ]
    old, new = ([side.get(one, empty) for one in values] for side in (before, after))
    mixes, withins = exact_parts(old, new)
    means = [Fraction(sum(one.total for one in side), sum(one.rows for one in side)) for side in (old, new)]
    assert sum(mixes) + sum(withins) == means[1] - means[0]


@given(sides, sides)
def test_what_is_shown_adds_up_and_the_intervals_are_those_of_any_sum(
    before: dict[str, Moments], after: dict[str, Moments]
) -> None:
    found = decompose(before, after, scale=1_000_000)
    names = [one.value for one in found.slices]
    assert found.whole.value == pytest.approx(found.after - found.before, abs=1e-12)
    assert found.mix.value + found.within.value == pytest.approx(found.whole.value, abs=1e-12)
    for one in found.slices:
        assert one.both.value == pytest.approx(one.mix.value + one.within.value, abs=1e-12)
        assert found.sum_of(mix=[one.value], within=[one.value]) == one.both
        for part in (one.mix, one.within, one.both):
            assert part.low <= part.value <= part.high
    assert found.sum_of(mix=names, within=names) == found.whole
    assert found.sum_of(mix=names) == found.mix


@given(sides, sides)
def test_what_is_told_backwards_is_the_same_with_the_other_sign(
    before: dict[str, Moments], after: dict[str, Moments]
) -> None:
    forth, back = decompose(before, after), decompose(after, before)
    parts = {one.value: one for one in back.slices}
    for one in forth.slices:
        assert one.mix.value == pytest.approx(-parts[one.value].mix.value, abs=1e-6)
        assert one.within.value == pytest.approx(-parts[one.value].within.value, abs=1e-6)
        assert half(one.both) == pytest.approx(half(parts[one.value].both), rel=1e-6, abs=1e-6)


def half(part: Difference) -> float:
    return (part.high - part.low) / 2


def test_a_change_worked_by_hand() -> None:
    # App: 60 of 100 rows are negative, mail: 10 of 100; then 150 of 200, and 20 of 100.
    found = decompose(
        dict(zip(["app", "mail"], of_shares((60, 100), (10, 100)), strict=True)),
        dict(zip(["app", "mail"], of_shares((150, 200), (20, 100)), strict=True)),
    )
    app, mail = found.slices
    # From .35 to .17 / .3; the mean of both is the average that mix is measured against.
    average = (0.35 + 170 / 300) / 2
    assert (found.before, found.after) == (0.35, 170 / 300)
    assert app.mix.value == pytest.approx((2 / 3 - 1 / 2) * (0.675 - average))
    assert mail.mix.value == pytest.approx((1 / 3 - 1 / 2) * (0.15 - average))
    assert app.within.value == pytest.approx((1 / 2 + 2 / 3) / 2 * 0.15)
    assert mail.within.value == pytest.approx((1 / 2 + 1 / 3) / 2 * 0.1)
    assert app.weights == pytest.approx((0.5, 2 / 3))
    assert app.means == pytest.approx((0.6, 0.75))
    assert app.rows == (100, 200)


def test_a_slice_that_is_new_or_gone_is_mix_alone() -> None:
    before = {"app": Moments(50, 10, 10), "fax": Moments(50, 40, 40), "": Moments(0, 0, 0)}
    found = decompose(before, {"app": Moments(60, 12, 12), "chat": Moments(40, 30, 30)})
    parts = {one.value: one for one in found.slices}
    average = (0.5 + 0.42) / 2
    assert list(parts) == ["app", "fax", "chat"]
    assert parts["fax"].mix.value == pytest.approx(-0.5 * (0.8 - average))
    assert parts["chat"].mix.value == pytest.approx(0.4 * (0.75 - average))
    assert parts["fax"].within == parts["chat"].within == Difference(value=0.0, low=0.0, high=0.0)
    assert (parts["fax"].means, parts["chat"].means) == ((0.8, None), (None, 0.75))
    assert found.whole.value == pytest.approx(-0.08)


def test_nothing_but_the_mix_moves_where_no_slice_does() -> None:
    before = {"app": [10, 20, 20], "mail": [40, 5, 5]}
    found = decompose_shares(before, {"app": [30, 60, 60], "mail": [40, 5, 5]})
    assert [one.within.value for one in found] == [0, 0, 0]
    assert sum(one.whole.value for one in found) == pytest.approx(0)


def test_the_interval_of_the_whole_is_that_of_a_difference_of_two_shares() -> None:
    # With one slice nothing is mix. Two rows of the whole are borrowed, of the same mean and variance.
    found = decompose({"all": Moments(400, 100, 100)}, {"all": Moments(200, 80, 80)})
    known = 1.959964 * math.sqrt(0.25 * 0.75 / 400 + 0.4 * 0.6 / 200)
    assert half(found.whole) == half(found.within) == pytest.approx(known, rel=1e-6)
    assert half(found.mix) == 0


def test_bursts_widen_the_intervals_of_what_they_make_less_sure() -> None:
    before, after = {"a": [50, 50], "b": [20, 80]}, {"a": [90, 60], "b": [20, 40]}

    def halves(effect: DesignEffect) -> tuple[float, float, float]:
        found = decompose_shares(before, after, effects=(effect, effect))[0]
        return half(found.whole), half(found.slices[0].mix), half(found.slices[0].within)

    usual, both = halves(DesignEffect()), halves(DesignEffect(4.0, 4.0))
    assert both == pytest.approx([2 * one for one in usual])
    traffic, within = halves(DesignEffect(traffic=4.0)), halves(DesignEffect(within=4.0))
    assert usual[0] < traffic[0] < both[0]
    assert usual[1] < traffic[1]
    assert within[2] > 1.9 * usual[2] > 1.9 * traffic[2] / 1.1


def test_a_few_alike_rows_do_not_look_sure() -> None:
    before = {"a": Moments(3, 3, 3), "b": Moments(100, 50, 50)}
    found = decompose(before, {"a": Moments(3, 3, 3), "b": Moments(100, 50, 50)})
    assert half(found.slices[0].within) > 0


@pytest.mark.parametrize("side", [{}, {"a": Moments(0, 0, 0)}])
def test_a_side_without_rows_is_refused(side: dict[str, Moments]) -> None:
    with pytest.raises(DataError, match="both sides"):
        decompose(side, {"a": Moments(1, 1, 1)})
    with pytest.raises(DataError, match="both sides"):
        decompose({"a": Moments(1, 1, 1)}, side)
    with pytest.raises(DataError, match="both sides"):
        decompose_shares({}, {})


WEIGHTS = np.array([[0.5, 0.3, 0.15, 0.05], [0.3, 0.45, 0.15, 0.1]])
MEANS = np.array([[0.2, 0.4, 0.1, 0.3], [0.25, 0.4, 0.3, 0.3]])


def truth() -> list[float]:
    size = 10**6
    sides = [
        of_shares(*((round(size * w * y), round(size * w)) for w, y in zip(*one, strict=True)))
        for one in zip(WEIGHTS, MEANS, strict=True)
    ]
    mixes, withins = exact_parts(sides[0], sides[1])
    parts = [*map(float, mixes), *map(float, withins)]
    return [*parts, sum(parts[:4]), sum(parts[4:]), sum(parts)]


def drawn(
    random: np.random.Generator, side: int, rows: int, hours: int, alike: float
) -> dict[str, list[int]]:
    """Rows of a period, in hours whose cells follow a Dirichlet of concentration `alike`."""
    cells = np.stack([WEIGHTS[side] * MEANS[side], WEIGHTS[side] * (1 - MEANS[side])], axis=1).ravel()
    counts = np.zeros(8, int)
    for _ in range(hours):
        mix = random.dirichlet(alike * cells) if alike else cells
        counts += random.multinomial(rows // hours, mix)
    return {name: list(map(int, one)) for name, one in zip("abcd", counts.reshape(4, 2), strict=True)}


def all_parts(found: Decomposition) -> list[Difference]:
    return [
        *(one.mix for one in found.slices),
        *(one.within for one in found.slices),
        found.mix,
        found.within,
        found.whole,
    ]


@pytest.mark.parametrize(("hours", "alike"), [(1, 0.0), (20, 40.0)])
def test_the_intervals_cover_what_is_true(hours: int, alike: float) -> None:
    random, known, sizes, runs = np.random.default_rng(7), truth(), (3000, 600), 300
    inside = np.zeros(len(known))
    effects = [1 + (size // hours - 1) / (alike + 1) if alike else 1.0 for size in sizes]
    before, after = (DesignEffect(one, one) for one in effects)
    for _ in range(runs):
        sides = [drawn(random, side, size, hours, alike) for side, size in enumerate(sizes)]
        found = decompose_shares(*sides, effects=(before, after))[0]
        inside += [part.low <= one <= part.high for part, one in zip(all_parts(found), known, strict=True)]
    # Small slices are covered a little less often, those that kept their weight and are average more often.
    assert inside.min() / runs > 0.9
    assert inside[8:].max() / runs < 0.988


counts = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=3, max_size=3)


def influences(sides: list[list[tuple[int, int]]], side: int) -> np.ndarray:
    """What one more row of each cell adds to each part, for each row that there is: (cells, parts)."""
    large = 10**7

    def parts(of: list[list[tuple[int, int]]]) -> np.ndarray:
        old, new = (of_shares(*((count, count + other) for count, other in one)) for one in of)
        return np.array([float(one) for both in exact_parts(old, new) for one in both])

    scaled = [[(count * large, other * large) for count, other in one] for one in sides]
    size, found = sum(map(sum, sides[side])), []
    for place, (count, other) in enumerate(scaled[side]):
        for more in ((1, 0), (0, 1)):
            moved = [list(one) for one in scaled]
            moved[side][place] = (count + more[0] * 1000, other + more[1] * 1000)
            found.append((parts(moved) - parts(scaled)) * size * large / 1000)
    return np.array(found)


@given(counts, counts)
@settings(max_examples=25)
def test_the_covariance_is_that_of_the_influence_of_each_row(
    before: list[tuple[int, int]], after: list[tuple[int, int]]
) -> None:
    # Every slice has rows on both sides here: a slice on one side only is taken to be so for certain.
    sides = [[(count + 1, other + 1) for count, other in one] for one in (before, after)]
    known: np.ndarray = np.zeros((6, 6))
    for side, cells in enumerate(sides):
        rows, size = np.ravel(cells), sum(map(sum, cells))
        added = influences(sides, side)
        known += added.T @ (added * (rows / size)[:, None]) / size
    named = [dict(zip("abc", one, strict=True)) for one in sides]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mix_decomposition, "_BORROWED", 0)
        found = decompose_shares(named[0], named[1])[0]
    assert np.array(found.covariance) == pytest.approx(known, rel=1e-3, abs=1e-5)
