from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from sentimon.statistics.calibration_error import (
    Bins,
    _folded_normal,
    _highest,
    _shapes,
    bin_by_confidence,
    calibration_error,
    reliability,
)
from sentimon.statistics.intervals import Estimate

SOURCES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "calibrated": lambda confidence: confidence,
    "overconfident by 0.1": lambda confidence: np.clip(confidence - 0.1, 0, 1),
    "overconfident by 0.03": lambda confidence: np.clip(confidence - 0.03, 0, 1),
    "too steep": lambda confidence: 0.5 + 0.6 * (confidence - 0.5),
    "wrong on both sides": lambda confidence: np.clip(confidence + 0.1 * np.sin(8 * confidence), 0, 1),
    "wrong only where sure": lambda confidence: confidence - 0.2 * (confidence > 0.9),
}


def draw(source: str, n: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    confidence = 0.4 + 0.6 * random.beta(3, 1.2, n)
    probability = SOURCES[source](confidence)
    return confidence, probability, (random.random(n) < probability).astype(float)


@pytest.mark.parametrize("n", [100, 300, 1000, 4000])
@pytest.mark.parametrize("source", SOURCES)
def test_the_interval_covers_the_true_error_of_a_calibrated_and_of_a_miscalibrated_source(
    source: str, n: int
) -> None:
    random = np.random.default_rng(n)
    covered = 0
    for _ in range(150):
        confidence, probability, correct = draw(source, n, random)
        found = calibration_error(confidence, correct)
        of_truth = bin_by_confidence(confidence, probability)
        covered += found.low <= of_truth.weights @ np.abs(of_truth.gaps) <= found.high
    assert covered >= 0.9 * 150


def test_the_lower_end_is_0_for_a_calibrated_source_and_far_from_0_for_an_overconfident_one() -> None:
    random = np.random.default_rng(0)
    confidence, _, correct = draw("calibrated", 2000, random)
    calibrated = calibration_error(confidence, correct)
    confidence, _, correct = draw("overconfident by 0.1", 2000, random)
    overconfident = calibration_error(confidence, correct)
    assert calibrated.low == 0
    assert overconfident.low > 0.05


def test_the_error_is_the_one_worked_by_hand() -> None:
    # Two bins of 20: 0.6 sure and 15 right (0.15 off), 0.9 sure and 16 right (0.1 off).
    confidence = np.array([0.6] * 20 + [0.9] * 20)
    correct = np.array([1.0] * 15 + [0.0] * 5 + [1.0] * 16 + [0.0] * 4)
    assert calibration_error(confidence, correct).value == pytest.approx((0.15 + 0.1) / 2)


def test_few_rows_get_few_bins_and_many_rows_fifteen() -> None:
    random = np.random.default_rng(0)
    sizes = [
        len(bin_by_confidence(random.random(n), np.zeros(n)).weights) for n in (1, 39, 40, 150, 300, 5000)
    ]
    assert sizes == [1, 1, 2, 7, 15, 15]


def test_bins_hold_equally_many_rows() -> None:
    weights = bin_by_confidence(np.random.default_rng(0).random(3000), np.zeros(3000)).weights
    assert weights == pytest.approx([1 / 15] * 15)


def test_equal_confidences_share_a_bin_so_that_the_order_of_rows_does_not_matter() -> None:
    confidence = np.array([0.5] * 500 + [0.7] * 100)
    correct = np.random.default_rng(0).integers(0, 2, 600).astype(float)
    order = np.random.default_rng(1).permutation(600)
    bins = bin_by_confidence(confidence, correct)
    assert len(bins.weights) == 2
    assert bin_by_confidence(confidence[order], correct[order]).gaps == pytest.approx(bins.gaps)


@pytest.mark.parametrize(
    ("confidence", "correct", "value"), [(1.0, 1.0, 0.0), (1.0, 0.0, 1.0), (0.4, 1.0, 0.6)]
)
def test_the_extremes_have_a_value_inside_an_interval(
    confidence: float, correct: float, value: float
) -> None:
    found = calibration_error(np.full(10, confidence), np.full(10, correct))
    assert found.value == pytest.approx(value)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_no_rows_have_no_calibration_error() -> None:
    nothing = Estimate(value=None, low=None, high=None, n=0)
    assert calibration_error(np.empty(0), np.empty(0)) == nothing


def test_rows_are_grouped_by_confidence() -> None:
    # 40 rows make two groups of 20: the lower is right half of the time, the upper always.
    confidence = [0.5] * 20 + [0.9] * 20
    low, high = reliability(confidence, [True, False] * 10 + [True] * 20, confidence_level=0.95)
    assert (low.confidence, low.accuracy.value, low.accuracy.n) == (pytest.approx(0.5), 0.5, 20)
    assert (high.confidence, high.accuracy.value) == (pytest.approx(0.9), 1.0)


@given(st.lists(st.tuples(st.sampled_from([0.4, 0.5, 0.6, 0.9, 1.0]), st.booleans()), max_size=400))
def test_every_row_is_in_one_group_and_equals_stay_together(rows: list[tuple[float, bool]]) -> None:
    curve = reliability([one for one, _ in rows], [right for _, right in rows], confidence_level=0.95)
    assert sum(one.accuracy.n for one in curve) == len(rows)
    assert len(curve) <= 15
    assert [one.confidence for one in curve] == sorted(one.confidence for one in curve)
    right = sum((one.accuracy.value or 0.0) * one.accuracy.n for one in curve)
    assert round(right) == sum(one for _, one in rows)


@pytest.mark.parametrize(("right", "confidence"), [(4, 0.9), (14, 0.6), (10, 0.5), (20, 0.3), (0, 0.95)])
def test_in_one_bin_the_limits_are_the_errors_at_which_the_observed_one_is_just_surprising(
    right: int, confidence: float
) -> None:
    found = calibration_error(np.full(20, confidence), np.array([1.0] * right + [0.0] * (20 - right)))
    observed, share = abs(right / 20 - confidence), (right + 2) / 24
    error = math.sqrt(share * (1 - share) / 20)

    def beyond(true: float, z: float) -> float:
        law = stats.foldnorm(true / error, scale=error)
        return float(law.mean() + z * law.std() - observed)

    def limit(z: float) -> float:
        if beyond(0.0, z) > 0:
            return 0.0
        return 1.0 if beyond(1.0, z) <= 0 else optimize.brentq(beyond, 0.0, 1.0, args=(z,), xtol=1e-12)

    assert found.low == pytest.approx(limit(1.959964), abs=1e-6)
    assert found.high == pytest.approx(min(1.0, max(observed, limit(-1.959964))), abs=1e-6)


def test_bins_worked_by_hand() -> None:
    # Of 20 rows 15, and two more of 24, are right: 17/24; then 16 of 20, that is 18/24.
    confidence = np.array([0.6] * 20 + [0.9] * 20)
    correct = np.array([1.0] * 15 + [0.0] * 5 + [1.0] * 16 + [0.0] * 4)
    bins = bin_by_confidence(confidence, correct)
    assert bins.weights == pytest.approx([0.5, 0.5])
    assert bins.gaps == pytest.approx([0.15, -0.1])
    assert bins.errors == pytest.approx([math.sqrt(17 * 7 / 24**2 / 20), math.sqrt(18 * 6 / 24**2 / 20)])


def test_the_true_gaps_are_the_same_in_all_bins_or_only_where_they_exceed_the_noise() -> None:
    bins = Bins(weights=np.array([0.25, 0.75]), gaps=np.array([0.1, -0.5]), errors=np.array([0.1, 0.3]))
    equal, beyond = _shapes(bins)
    assert equal == pytest.approx([1, 1])
    # sqrt(0.25 - 2 * 0.09) in the second alone, and a mean of 1.
    assert beyond == pytest.approx([0, 4 / 3])
    both = Bins(weights=np.array([0.5, 0.5]), gaps=np.array([0.3, -0.5]), errors=np.array([0.1, 0.1]))
    roots = np.sqrt([0.09 - 0.02, 0.25 - 0.02])
    assert _shapes(both)[1] == pytest.approx(roots / roots.mean())
    quiet = Bins(weights=np.array([1.0]), gaps=np.array([0.1]), errors=np.array([0.1]))
    assert len(_shapes(quiet)) == 1


@given(st.floats(-0.5, 0.5), st.floats(0.01, 0.3))
def test_the_moments_are_those_of_the_folded_normal_distribution(mean: float, deviation: float) -> None:
    folded, variance = _folded_normal(np.array([mean]), np.array([deviation]))
    law = stats.foldnorm(abs(mean) / deviation, scale=deviation)
    assert (folded[0], variance[0]) == (
        pytest.approx(law.mean(), rel=1e-9),
        pytest.approx(law.var(), abs=1e-9),
    )


def test_two_bins_have_the_wider_of_the_two_intervals() -> None:
    confidence = np.array([0.5] * 100 + [0.9] * 100)
    correct = np.array([1.0, 0.0] * 50 + [1.0] * 50 + [0.0] * 50)
    found, bins = calibration_error(confidence, correct), bin_by_confidence(confidence, correct)
    assert found.value == pytest.approx(0.2)

    def limits(shape: np.ndarray) -> tuple[float, float]:
        def beyond(error: float, z: float) -> float:
            law = stats.foldnorm(error * shape / bins.errors, scale=bins.errors)
            return float(bins.weights @ law.mean() + z * math.sqrt(bins.weights**2 @ law.var()) - 0.2)

        return tuple(optimize.brentq(beyond, 0.0, 1.0, args=(z,), xtol=1e-12) for z in (1.959964, -1.959964))  # type: ignore[return-value]

    each = [limits(np.array(shape)) for shape in ([1.0, 1.0], [0.0, 2.0])]
    assert found.low == pytest.approx(min(low for low, _ in each), abs=1e-6)
    assert found.high == pytest.approx(max(high for _, high in each), abs=1e-6)


def test_groups_of_equal_confidence_are_not_cut_and_the_next_ones_are_where_they_would_be() -> None:
    # 60 rows make three groups of 20; 25 rows at 0.5 take five of the second, which keeps 15.
    confidence = [0.5] * 25 + [0.6 + 0.01 * one for one in range(15)] + [0.9] * 20
    curve = reliability(confidence, [True] * 30 + [False] * 30, confidence_level=0.95)
    assert [one.accuracy.n for one in curve] == [25, 15, 20]
    assert [one.accuracy.value for one in curve] == [1.0, 5 / 15, 0.0]
    assert curve[1].confidence == pytest.approx(0.67)
    assert len(reliability([0.5] * 39, [True] * 39, confidence_level=0.95)) == 1
    assert len(reliability([0.01 * one for one in range(40)], [True] * 40, confidence_level=0.95)) == 2
    assert reliability([], [], confidence_level=0.95) == []
    assert len(reliability([0.5] * 60, [True] * 60, confidence_level=0.95)) == 1
    assert len(reliability([0.001 * one for one in range(400)], [True] * 400, confidence_level=0.95)) == 15


@pytest.mark.parametrize("limit", [1 / 3, 2 / 3])
def test_the_largest_error_is_found_to_thirty_binary_digits(limit: float) -> None:
    assert _highest(lambda error: error <= limit) == math.floor(limit * 2**30) / 2**30
    assert _highest(lambda error: error < 0) == 0.0
