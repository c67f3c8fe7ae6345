"""How far confidence lies from accuracy: expected calibration error with an interval that covers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sentimon.statistics.intervals import Estimate, normal_quantile, wilson

MOST_BINS = 15
ROWS_PER_BIN = 20
_ROOT_TWO = math.sqrt(2)

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """Rows grouped by confidence: each group's share of the rows, its gap, and how uncertain the gap is."""

    weights: Vector
    gaps: Vector
    """Accuracy minus mean confidence, -1..1."""
    errors: Vector
    """Standard error of each gap, above 0."""

    @property
    def mean_gap(self) -> float:
        """Return the mean |gap| over the rows, 0..1: the plug-in expected calibration error."""
        return float(self.weights @ np.abs(self.gaps))


def calibration_error(confidence: Vector, correct: Vector, *, confidence_level: float = 0.95) -> Estimate:
    """Return the expected calibration error: the mean |accuracy - confidence| over bins, 0..1.

    `confidence` (n,) holds each row's highest score, `correct` (n,) whether it was right (0 or 1).
    Bins hold equally many rows: 15, or fewer so that each has 20; equal confidences share a bin, so
    the order of the rows does not matter.

    The value is the usual plug-in one, which is too high by what chance adds to each |gap|: with few
    rows a calibrated model shows an error too. The interval undoes that. It holds every true error
    under which the observed one is not surprising, in either of two worlds: all bins are off equally,
    or only those whose gap stands out of the noise. (A percentile bootstrap never covers a calibrated
    model, a basic one less than half of the time.)

    Source: test inversion with the moments of the folded normal distribution (Leone, Nelson &
    Nottingham 1961, Technometrics 3, 543-550).
    """
    if not len(confidence):
        return Estimate(value=None, low=None, high=None, n=0)
    bins = bin_by_confidence(confidence, correct)
    value = bins.mean_gap
    z = normal_quantile(confidence_level)
    limits = [_limits(bins, value, shape, z) for shape in _shapes(bins)]
    return Estimate(
        value=value,
        low=min(low for low, _ in limits),
        high=min(1.0, max(value, *(high for _, high in limits))),
        n=len(confidence),
    )


def bin_by_confidence(confidence: Vector, correct: Vector) -> Bins:
    """Return the rows (n,), n > 0, in at most 15 bins of equal mass."""
    n = len(confidence)
    count = max(1, min(MOST_BINS, n // ROWS_PER_BIN))
    edges = np.sort(confidence)[[at * n // count for at in range(1, count)]] if count > 1 else np.empty(0)
    _, of_row = np.unique(np.searchsorted(np.unique(edges), confidence, side="right"), return_inverse=True)
    rows = np.bincount(of_row).astype(float)
    right = np.bincount(of_row, correct)
    # Two right and two wrong rows more: without them a bin that is all right would be beyond doubt.
    share = (right + 2) / (rows + 4)
    return Bins(
        weights=rows / n,
        gaps=(right - np.bincount(of_row, confidence)) / rows,
        errors=np.sqrt(share * (1 - share) / rows),
    )


def _shapes(bins: Bins) -> list[Vector]:
    """Return how the true gaps may be spread over the bins, each with a weighted mean of 1."""
    equal = np.ones_like(bins.gaps)
    # Where a true gap is 0, its square exceeds twice the noise in one bin of six.
    beyond_noise = np.sqrt(np.maximum(0.0, bins.gaps**2 - 2 * bins.errors**2))
    mean = float(bins.weights @ beyond_noise)
    return [equal, beyond_noise / mean] if mean > 0 else [equal]


def _limits(bins: Bins, observed: float, shape: Vector, z: float) -> tuple[float, float]:
    def expected(error: float, deviations: float) -> float:
        mean, variance = _folded_normal(error * shape, bins.errors)
        spread = math.sqrt(float(bins.weights**2 @ variance))
        return float(bins.weights @ mean) + deviations * spread

    return (
        _highest(lambda error: expected(error, z) <= observed),
        _highest(lambda error: expected(error, -z) <= observed),
    )


def _folded_normal(mean: Vector, deviation: Vector) -> tuple[Vector, Vector]:
    """Return mean and variance of |X| for normal X."""
    ratio = mean / deviation
    above = np.array([math.erf(one / _ROOT_TWO) for one in ratio])
    folded = deviation * math.sqrt(2 / math.pi) * np.exp(-(ratio**2) / 2) + mean * above
    return folded, mean**2 + deviation**2 - folded**2


def _highest(holds: Callable[[float], bool]) -> float:
    """Return the largest error in 0..1 up to which `holds`, to 2**-30; 0 where it never does."""
    low, high = 0.0, 1.0
    if not holds(low):
        return low
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Some rows of about the same confidence."""

    confidence: float
    """Their mean confidence, 0 .. 1."""
    accuracy: Estimate
    """The share of them that was right, with Wilson's interval."""


def reliability(
    confidence: Sequence[float], correct: Sequence[bool], *, confidence_level: float
) -> list[ReliabilityBin]:
    """Return the rows in groups of about equal size, by ascending confidence.

    There are 15 groups, or fewer so that each has 20 rows; equal confidences share a group.

    >>> [one.accuracy.value for one in reliability([0.5, 0.9], [True, False], confidence_level=0.95)]
    [0.5]
    """
    rows = sorted(zip(confidence, correct, strict=True))
    groups = max(1, min(MOST_BINS, len(rows) // ROWS_PER_BIN))
    found: list[ReliabilityBin] = []
    start = 0
    for number in range(1, groups + 1):
        end = number * len(rows) // groups
        while start < end < len(rows) and rows[end][0] == rows[end - 1][0]:
            end += 1
        if end > start:
            part = rows[start:end]
            right = sum(one for _, one in part)
            found.append(
                ReliabilityBin(
                    confidence=sum(one for one, _ in part) / len(part),
                    accuracy=wilson(right, len(part), confidence_level=confidence_level),
                )
            )
            start = end
    return found
