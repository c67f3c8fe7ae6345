import math
import random
import statistics

import numpy as np
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
    standard_error,
    student_quantile,
    wilson,
    wilson_of_share,
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


def test_student_s_quantile_has_the_four_terms_of_the_expansion() -> None:
    # Abramowitz & Stegun 26.7.5, highest power of z first.
    terms = [
        ([1, 0, 1, 0], 4),
        ([5, 0, 16, 0, 3, 0], 96),
        ([3, 0, 19, 0, 17, 0, -15, 0], 384),
        ([79, 0, 776, 0, 1482, 0, -1920, 0, -945, 0], 92160),
    ]
    for level, degrees in [(0.95, 3), (0.99, 4), (0.8, 7)]:
        z = stats.norm.ppf(1 - (1 - level) / 2)
        whole = z + sum(
            np.polyval(powers, z) / divisor / degrees**power
            for power, (powers, divisor) in enumerate(terms, start=1)
        )
        assert student_quantile(level, degrees) == pytest.approx(whole, rel=1e-12)
    assert student_quantile(0.8, 2) == pytest.approx(stats.t.ppf(0.9, 2), rel=1e-12)
    assert student_quantile(0.8, 1) == pytest.approx(stats.t.ppf(0.9, 1), rel=1e-12)


def test_a_standard_error_worked_by_hand() -> None:
    # 2, 4 and 9: mean 5, squares about it 9 + 1 + 16, variance 13, of the mean 13 / 3.
    assert standard_error(15, 101, 3, scale=1) == pytest.approx(math.sqrt(13 / 3), rel=1e-14)
    assert standard_error(15, 101, 3, scale=10) == pytest.approx(math.sqrt(13 / 3) / 10, rel=1e-14)
    # Sums of which floats would keep nothing but noise.
    huge = 10**9
    assert standard_error(2 * huge + 2, huge**2 + (huge + 2) ** 2, 2, scale=1) == 1.0


@pytest.mark.parametrize(("values", "low", "high"), [([100, 900], 0.0, 1.0), ([400, 600], 0.0, 1.0)])
def test_a_mean_of_two_numbers_is_anywhere(values: list[int], low: float, high: float) -> None:
    found = mean_of(sum(values), sum(one * one for one in values), 2, scale=1000)
    assert (found.value, found.low, found.high, found.n) == (0.5, low, high, 2)


def test_a_mean_of_three_numbers_worked_by_hand() -> None:
    # Half of the interval: Student's 4.302653 with two degrees, times 0.01 / sqrt(3).
    found = mean_of(1500, 490**2 + 500**2 + 510**2, 3, scale=1000)
    half = 4.302653 * 0.01 / math.sqrt(3)
    assert (found.low, found.high) == (
        pytest.approx(0.5 - half, abs=1e-8),
        pytest.approx(0.5 + half, abs=1e-8),
    )
    assert mean_of(1500, 490**2 + 500**2 + 510**2, 3, scale=1000, confidence_level=0.5).high < found.high


@given(shares, st.sampled_from([0.8, 0.95]))
def test_a_share_of_so_many_rows_has_the_limits_of_its_count(share: tuple[int, int], level: float) -> None:
    successes, n = share
    theirs = stats.binomtest(successes, n).proportion_ci(level, method="wilson")
    limits = wilson_of_share(successes / n, n, confidence_level=level)
    assert limits == (pytest.approx(theirs.low, abs=1e-12), pytest.approx(theirs.high, abs=1e-12))


def test_the_ends_of_the_range_are_exact_and_weighted_rows_are_rounded() -> None:
    assert (wilson(0, 7).low, wilson(7, 7).high) == (0.0, 1.0)
    assert (wilson(1.25, 2.5).value, wilson(1.25, 2.5).n, wilson(1.25, 3.6).n) == (0.5, 2, 4)
    assert wilson(3, 3, confidence_level=0.5).low == pytest.approx(
        stats.binomtest(3, 3).proportion_ci(0.5, method="wilson").low
    )


def test_an_estimate_as_json_has_all_its_fields() -> None:
    one = Estimate(value=0.5, low=0.25, high=0.75, n=8)
    assert one.to_dict() == {"value": 0.5, "low": 0.25, "high": 0.75, "n": 8}
