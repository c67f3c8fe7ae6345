from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sentimon.statistics.betting_test import (
    RECENT,
    clopper_pearson_upper,
    largest_capital,
    mean_of_reference,
    mean_since_reference,
)
from sentimon.statistics.intervals import Estimate

NOTHING = Estimate(value=None, low=None, high=None, n=0)


def by_definition(losses: list[float], limit: float, prior: float, window: int) -> list[float]:
    """The capital after each loss, bet by bet: ten losses of the prior's mean are as if seen before."""
    capital, path = 1.0, []
    for place, loss in enumerate(losses):
        seen = losses[max(0, place - window) : place]
        mean = (sum(seen) + 10 * prior) / (len(seen) + 10)
        variance = (sum(one * one for one in seen) + 10 * prior) / (len(seen) + 10) - mean * mean
        excess = max(0.0, mean - limit)
        bet = (
            min(excess / max(variance + excess * excess, 1e-9), 0.75 / limit) if limit else excess / variance
        )
        capital *= 1 + bet * (loss - limit)
        path.append(capital)
    return path


def test_a_capital_worked_by_hand() -> None:
    # Before the first loss the mean is 1/2, the variance 1/4, the bet (1/4) / (1/4 + 1/16) = 0.8: a loss of 1
    # makes 1 + 0.8 * 3/4 = 1.6. Then they are 6/11, 30/121 and (13/44) / (30/121 + 169/1936).
    second = 572 / 649
    assert largest_capital(np.array([1.0]), 0.25, 0.5) == pytest.approx(1.6)
    assert largest_capital(np.array([1.0, 1.0]), 0.25, 0.5) == pytest.approx(1.6 * (1 + second * 0.75))
    # What it has reached counts, not what is left.
    assert largest_capital(np.array([1.0, 1.0, 0.0]), 0.25, 0.5) == pytest.approx(1.6 * (1 + second * 0.75))
    assert largest_capital(np.array([0.0]), 0.25, 0.5) == 1.0


def test_nothing_is_bet_without_losses_nor_against_a_mean_of_one() -> None:
    assert largest_capital(np.empty(0), 0.5, 0.5) == 1.0
    assert largest_capital(np.ones(40), 1.0, 0.5) == 1.0
    assert largest_capital(np.ones(40), 0.99, 0.995) > 1.2
    # Never more than three quarters of the capital are at stake.
    # The bet would be 0.4 / (0.09 + 0.16) = 1.6, and is 0.75 / 0.5.
    assert largest_capital(np.array([1.0]), 0.5, 0.9) == pytest.approx(1 + 1.5 * 0.5)


@given(
    st.lists(st.sampled_from([0.0, 0.0, 0.25, 1.0, 1.5]), min_size=1, max_size=130),
    st.sampled_from([0.05, 0.2, 0.4, 0.9]),
    st.sampled_from([0.1, 0.3, 0.6]),
)
def test_half_of_the_capital_follows_all_losses_and_half_the_latest_fifty(
    losses: list[float], limit: float, prior: float
) -> None:
    slow, fast = (by_definition(losses, limit, prior, window) for window in (len(losses), 50))
    best = max(1.0, *((one + other) / 2 for one, other in zip(slow, fast, strict=True)))
    assert RECENT == 50
    assert largest_capital(np.array(losses), limit, prior) == pytest.approx(best, rel=1e-6)


def test_a_mean_that_has_risen_is_known_by_the_first_limit_that_no_bet_refutes() -> None:
    losses = np.array([1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0] * 6)
    found = mean_since_reference(losses, 0.2, 0.05)
    refuted = [one for one in range(1, 250) if largest_capital(losses, one / 250, 0.2) >= 20]
    assert refuted == list(range(1, len(refuted) + 1))
    assert 50 < len(refuted) < 180
    assert found.low == pytest.approx(len(refuted) / 250)
    # The upper limit is Wilson's at 90 %, one-sided 95 %.
    high = stats.binomtest(36, 48).proportion_ci(0.9, method="wilson").high
    assert (found.value, found.high, found.n) == (0.75, pytest.approx(high), 48)


def test_a_mean_beyond_one_is_one_and_its_lower_limit_no_higher() -> None:
    found = mean_since_reference(np.full(400, 3.0), 0.5, 0.05)
    assert found.value == 1.0
    assert found.low is not None
    assert 0.97 < found.low <= 1.0
    assert mean_since_reference(np.zeros(30), 0.5, 0.05).low == 0.0
    assert mean_since_reference(np.empty(0), 0.5, 0.05) == NOTHING


@given(
    st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.sampled_from([0.01, 0.05]),
)
@settings(max_examples=30)
def test_the_exact_upper_limit_is_the_beta_quantile(share: tuple[int, int], level: float) -> None:
    count, n = share
    exact = 1.0 if count == n else stats.beta.ppf(1 - level, count + 1, n - count)
    assert clopper_pearson_upper(count / n, n, level) == pytest.approx(exact, abs=1e-9)


def test_a_part_of_a_row_counts_as_a_whole_one() -> None:
    assert clopper_pearson_upper(0.21, 10, 0.05) == pytest.approx(
        clopper_pearson_upper(0.3, 10, 0.05), abs=1e-9
    )
    # 0.07 * 100 is a little more than 7 in floats.
    assert clopper_pearson_upper(0.07, 100, 0.05) == pytest.approx(stats.beta.ppf(0.95, 8, 93), abs=1e-9)
    assert clopper_pearson_upper(0.95, 10, 0.05) == 1.0


def test_the_reference_s_mean_has_an_exact_upper_limit() -> None:
    found = mean_of_reference(np.array([1.0] * 3 + [0.0] * 17), 0.05)
    assert (found.value, found.low, found.n) == (0.15, 0.0, 20)
    assert found.high == pytest.approx(stats.beta.ppf(0.95, 4, 17), abs=1e-9)
    assert mean_of_reference(np.empty(0), 0.05) == NOTHING


def test_weighted_losses_count_as_fewer_equal_ones_with_their_spread() -> None:
    # Mean 0.2, variance 4 / 20 - 0.04 = 0.36: as 20 * 0.16 / 0.36 = 8 rows, 1.6 of them, so 2.
    losses = np.array([2.0, 2.0] + [0.0] * 18)
    found = mean_of_reference(losses, 0.05)
    assert losses.var() == pytest.approx(0.36)
    assert (found.value, found.n) == (0.2, 20)
    assert found.high == pytest.approx(stats.beta.ppf(0.95, 3, 6), abs=1e-9)
    # Losses that hardly spread count no more than there are, and one at least.
    narrow = mean_of_reference(np.full(20, 0.2), 0.05).high
    assert narrow == pytest.approx(stats.beta.ppf(0.95, 5, 16), abs=1e-9)
    hardly = mean_of_reference(np.array([0.1, 0.3] * 10), 0.05).high
    assert hardly == pytest.approx(narrow, abs=1e-9)
    assert mean_of_reference(np.array([30.0] + [0.0] * 39), 0.05).high == 1.0
    alike = mean_of_reference(np.full(20, 0.25), 0.05)
    assert alike.high == pytest.approx(stats.beta.ppf(0.95, 6, 15), abs=1e-9)
    beyond = mean_of_reference(np.array([1.0, 3.0]), 0.05)
    assert (beyond.value, beyond.high) == (1.0, 1.0)


def test_capital_that_grows_beyond_every_number_is_no_warning() -> None:
    assert largest_capital(np.full(20_000, 1.0), 0.05, 0.5) == math.inf
