import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sentimon.errors import DataError
from sentimon.statistics.intervals import (
    Estimate,
    difference_of_shares,
    mean_of,
    normal_quantile,
    student_quantile,
    wilson,
)

SCALE = 1_000_000
shares = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(shares, st.sampled_from([0.9, 0.95, 0.99]))
def test_wilson_is_scipy_s_wilson(share: tuple[int, int], level: float) -> None:
    successes, n = share
    ours = wilson(successes, n, confidence_level=level)
    theirs = stats.binomtest(successes, n).proportion_ci(level, method="wilson")
    assert ours.value == successes / n
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_no_rows_give_no_share_and_a_wrong_share_is_an_error() -> None:
    assert wilson(0, 0) == Estimate(value=None, low=None, high=None, n=0)
    for successes, n in ((-1, 5), (6, 5)):
        with pytest.raises(DataError, match="is not a share"):
            wilson(successes, n)


def test_newcombe_s_own_examples() -> None:
    # Newcombe (1998), table II, method 10: 56/70 - 48/80, 9/10 - 3/10, 10/10 - 0/10.
    z = normal_quantile(0.95)
    for after, before, low, high in (
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ):
        _, found_low, found_high = difference_of_shares(before, after, z=z)
        assert (found_low, found_high) == pytest.approx((low, high), abs=5e-5)


@given(shares, shares)
def test_a_difference_lies_in_its_interval_and_turns_around(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    value, low, high = difference_of_shares(one, other, z=1.96)
    assert -1 <= low <= value <= high <= 1
    back, back_low, back_high = difference_of_shares(other, one, z=1.96)
    assert (back, back_low, back_high) == pytest.approx((-value, -high, -low), abs=1e-12)


@pytest.mark.parametrize(
    ("degrees", "tolerance"), [(1, 1e-9), (2, 1e-9), (3, 2e-3), (10, 1e-5), (1000, 1e-9)]
)
def test_student_s_quantile_is_scipy_s(degrees: int, tolerance: float) -> None:
    assert student_quantile(0.95, degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=tolerance)


@given(st.lists(st.integers(0, SCALE), min_size=2, max_size=50))
def test_the_mean_and_its_interval_from_sums(values: list[int]) -> None:
    found = mean_of(sum(values), sum(value * value for value in values), len(values), scale=SCALE)
    numbers = [value / SCALE for value in values]
    mean = statistics.fmean(numbers)
    half = stats.t.ppf(0.975, len(values) - 1) * statistics.stdev(numbers) / math.sqrt(len(values))
    assert found.value == pytest.approx(mean)
    assert found.low == pytest.approx(max(0, mean - half), abs=2e-3)
    assert found.high == pytest.approx(min(1, mean + half), abs=2e-3)


def test_one_number_has_a_mean_and_no_spread() -> None:
    assert mean_of(700_000, 700_000**2, 1, scale=SCALE) == Estimate(value=0.7, low=0.0, high=1.0, n=1)
    assert mean_of(0, 0, 0, scale=SCALE).value is None


def test_the_mean_s_interval_covers() -> None:
    source = random.Random(7)
    covered = 0
    for _ in range(1000):
        values = [round(SCALE * source.betavariate(4, 2)) for _ in range(30)]
        found = mean_of(sum(values), sum(value * value for value in values), 30, scale=SCALE)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 2 / 3 <= found.high
    # 950 expected, standard deviation 7.
    assert 925 <= covered <= 975


def test_several_comparisons_widen_each() -> None:
    assert normal_quantile(0.95, comparisons=2) == pytest.approx(stats.norm.ppf(1 - 0.05 / 4))
