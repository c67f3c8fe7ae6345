"""How much more the rows of slices vary from hour to hour than independent ones."""

from __future__ import annotations

import numpy as np
import pytest

from sentimon.prediction_log.summary import Counts
from sentimon.statistics.mix_decomposition import DesignEffect, decompose_shares
from sentimon.statistics.slice_dispersion import design_effects

WEIGHTS = np.array([4, 3, 2, 1]) / 10
CLASSES = np.array([0.3, 0.3, 0.4])
Slices = dict[str, dict[int, Counts]]


def hours(
    seed: int,
    *,
    rows: int = 40,
    number: int = 168,
    traffic: float = 0.0,
    within: float = 0.0,
    season: float = 0.0,
) -> Slices:
    """Rows of four slices; `traffic` and `within` are the correlations of two rows of one hour."""
    random = np.random.default_rng(seed)
    drawn: Slices = {name: {} for name in "abcd"}
    for hour in range(number):
        weights = WEIGHTS * (1 + season * np.sin(2 * np.pi * hour / 24 + np.arange(4)))
        weights /= weights.sum()
        if traffic:
            weights = random.dirichlet((1 / traffic - 1) * weights)
        for name, size in zip("abcd", random.multinomial(rows, weights), strict=True):
            mix = random.dirichlet((1 / within - 1) * CLASSES) if within else CLASSES
            a, b, c = map(int, random.multinomial(size, mix))
            drawn[name][hour] = (a, b, c)
    return drawn


@pytest.mark.parametrize("season", [0.0, 0.8])
def test_independent_rows_have_no_design_effect_whatever_the_time_of_day(season: float) -> None:
    found = [design_effects(hours(seed, season=season), hours(seed + 99, number=24)) for seed in range(8)]
    assert found.count((DesignEffect(1.0, 1.0), DesignEffect(1.0, 1.0))) >= 6


def test_the_correlation_of_the_baseline_holds_for_hours_of_any_size() -> None:
    before, after = hours(1, traffic=0.05, season=0.5), hours(2, rows=100, number=24)
    known, now = design_effects(before, after)
    assert known.traffic == pytest.approx(1 + 39 * 0.05, rel=0.12)
    assert now.traffic == pytest.approx(1 + 99 * 0.05, rel=0.12)
    assert known.within == pytest.approx(1, abs=0.3)


def test_classes_that_vary_within_slices_do_not_make_the_traffic_vary() -> None:
    known, now = design_effects(hours(3, within=0.06), hours(4, rows=100, number=24))
    assert known.traffic == 1
    # A row shares its slice and hour with about 4, 8, 12 and 16 others, those of large slices more often.
    assert known.within == pytest.approx(1 + 0.06 * 11.5, rel=0.12)
    assert now.within == pytest.approx(1 + 0.06 * 30, rel=0.12)


def test_a_correlation_worked_by_hand() -> None:
    # Each hour all ten rows are of one slice, by turns: whatever is known of one row is known of all.
    turns: Slices = {
        "a": {hour: (5, 0, 5) for hour in range(48) if hour >= 24},
        "b": dict.fromkeys(range(24), (5, 0, 5)),
    }
    # 24 hours of the day, each with chi-square 20 and one degree of freedom, and (20 - 1) / (10 - 1) > 1.
    assert design_effects(turns, turns) == (DesignEffect(10.0, 1.0), DesignEffect(10.0, 1.0))


def test_too_little_to_tell_anything_is_no_design_effect() -> None:
    once: Slices = {"a": {3: (1, 2, 3)}, "b": {3: (0, 0, 4), 4: (0, 0, 0)}}
    assert design_effects(once, once) == (DesignEffect(), DesignEffect())
    assert design_effects({}, {}) == (DesignEffect(), DesignEffect())


def test_with_these_effects_intervals_cover_what_bursts_hide() -> None:
    def sums(slices: Slices) -> dict[str, tuple[int, ...]]:
        return {name: tuple(np.sum(list(one.values()), axis=0).tolist()) for name, one in slices.items()}

    inside = loose = 0
    for seed in range(40):
        sides = [hours(2 * seed + now, rows=60, number=48, traffic=0.15, within=0.15) for now in (0, 1)]
        before, after = map(sums, sides)
        whole = decompose_shares(before, after, effects=design_effects(sides[0], sides[1]))[0].whole
        inside += whole.low <= 0 <= whole.high
        whole = decompose_shares(before, after)[0].whole
        loose += whole.low <= 0 <= whole.high
    assert inside >= 36 > loose + 8
