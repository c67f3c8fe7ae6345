"""How far a mix has to move to be more than chance: against the interval itself, by hand, and as laws."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.statistics.detectable_distance import (
    _moved,
    _room,
    detectable_distance,
    is_detectable,
    rows_to_detect,
)
from sentimon.statistics.distances import wasserstein_distance, wasserstein_interval
from sentimon.statistics.intervals import normal_quantile

counts = st.tuples(*[st.integers(0, 300)] * 3).filter(lambda one: sum(one) >= 2)


def test_a_balanced_mix_worked_by_hand() -> None:
    # 60 rows of 0.4, 0.2, 0.4 against a baseline without error: negative 24 of 60 falls to a share p. Chance
    # is left out where Wilson's interval at z = 2.2414 ends below 0.4: p + 0.142 at p = 0.2578.
    z = normal_quantile(0.95, comparisons=2)
    distance = detectable_distance([4e8, 2e8, 4e8], 60, confidence_level=0.95)
    assert distance is not None
    assert math.isclose(distance, 0.1421, abs_tol=5e-4)
    p = 0.4 - distance
    upper = (p + z * z / 120 + z * math.sqrt(p * (1 - p) / 60 + z * z / 14400)) / (1 + z * z / 60)
    rising = 0.4 + distance
    lower = (rising + z * z / 120 - z * math.sqrt(rising * (1 - rising) / 60 + z * z / 14400)) / (
        1 + z * z / 60
    )
    # Both shares move; that of the two which shows the move first decides.
    assert math.isclose(min(upper - 0.4, 0.4 - lower), 0.0, abs_tol=1e-4)


def test_what_is_detectable_has_an_interval_above_zero_and_a_little_less_has_not() -> None:
    before = (40, 20, 40)
    distance = detectable_distance(before, 200, confidence_level=0.95)
    assert distance is not None
    for share, above in ((distance + 1e-6, True), (distance - 1e-6, False)):
        up = (200 * (0.4 - share), 40.0, 200 * (0.4 + share))
        assert wasserstein_distance(before, up) == pytest.approx(share)
        assert (wasserstein_interval(before, up, confidence_level=0.95)[0] > 0) is above


def test_once_the_far_class_is_empty_the_middle_one_moves_half_as_far() -> None:
    # Up, 0.1 of negative and then 0.4 of neutral: 0.1 + 0.4 / 2. Nothing can move further than 0.1 + 0.8 / 2.
    before = (1000, 8000, 1000)
    assert is_detectable(before, 50, 0.3, confidence_level=0.95)
    up = (0.0, 0.4 * 50, 0.6 * 50)
    assert wasserstein_distance(before, up) == pytest.approx(0.3)
    assert is_detectable(before, 1, 0.51, confidence_level=0.95), "no mix lies so far away"
    assert not is_detectable(before, 1, 0.1, confidence_level=0.95)


def test_the_room_of_a_mix_and_its_moves_worked_by_hand() -> None:
    # Up go 10 of 20 rows a whole step and 4 half a step, down 6 and 4.
    assert _room((10, 4, 6), down=False) == (10 + 2) / 20
    assert _room((10, 4, 6), down=True) == (6 + 2) / 20
    # Up by .3: .2 of negative, and for the last .1 of the way .2 of neutral. Down by .3: .3 of positive.
    up, down = _moved((2, 4, 4), 100, 0.3)
    assert up == pytest.approx((0, 20, 80))
    assert down == pytest.approx((50, 40, 10))
    # There is no room for .5 upwards.
    assert len(list(_moved((2, 4, 4), 100, 0.5))) == 1


def test_two_rows_show_nothing() -> None:
    assert detectable_distance((1, 0, 1), 2, confidence_level=0.95) is None
    assert rows_to_detect((1, 0, 1), 0.15, confidence_level=0.95) is None


@given(counts, st.floats(0.02, 0.5), st.sampled_from([0.8, 0.95, 0.99]))
def test_the_fewest_rows_are_enough_and_one_less_is_not(
    before: tuple[int, int, int], distance: float, level: float
) -> None:
    rows = rows_to_detect(before, distance, confidence_level=level)
    if rows is None:
        assert not is_detectable(before, 10**9, distance, confidence_level=level)
        return
    assert is_detectable(before, rows, distance, confidence_level=level)
    assert rows == 1 or not is_detectable(before, rows - 1, distance, confidence_level=level)


@given(counts, st.integers(1, 10_000))
def test_the_other_way_round_is_as_easy_and_more_rows_or_more_certainty_change_it_as_they_should(
    before: tuple[int, int, int], n: int
) -> None:
    def smallest(counts: tuple[int, int, int], rows: int, level: float = 0.95) -> float:
        found = detectable_distance(counts, rows, confidence_level=level)
        return 2.0 if found is None else found

    known = smallest(before, n)
    turned = (before[2], before[1], before[0])
    assert smallest(turned, n) == pytest.approx(known, abs=1e-8)
    assert smallest(before, 2 * n) <= known + 1e-8
    assert smallest(before, n, 0.99) >= known - 1e-8
