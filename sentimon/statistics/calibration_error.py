"""How far confidence lies from accuracy: the expected calibration error, with an interval that covers."""

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
    """Rows in bins of similar confidence; all three arrays have shape (bins,)."""

    weights: Vector
    """Share of the rows in each bin; they sum to 1."""
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

    The value is the usual plug-in estimate. It is biased upwards, because chance adds to each |gap|: with few
    rows even a calibrated model shows an error. The interval corrects that: it holds every true error that
    would not make the observed one surprising, under either of two assumptions: all bins have the same gap,
    or only those have one whose gap exceeds the noise. (A percentile bootstrap never covers a calibrated
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
    # Two right and two wrong rows are added (Agresti & Coull): a bin that is all right is still uncertain.
    share = (right + 2) / (rows + 4)
    return Bins(
        weights=rows / n,
        gaps=(right - np.bincount(of_row, confidence)) / rows,
        errors=np.sqrt(share * (1 - share) / rows),
    )


def _shapes(bins: Bins) -> list[Vector]:
    """Return possible shapes of the true gaps over the bins, each with a weighted mean of 1."""
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
    """Return the largest error in 0 .. 1 for which `holds` is true, to 2**-30; 0 where it never is."""
    low, high = 0.0, 1.0
    if not holds(low):
        return low
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """The rows of one bin of a reliability diagram: their confidence is about the same."""

    confidence: float
    """Their mean confidence, 0 .. 1."""
    accuracy: Estimate
    """Share of the rows that were right, with Wilson's interval."""


def reliability(
    confidence: Sequence[float], correct: Sequence[bool], *, confidence_level: float
) -> list[ReliabilityBin]:
    """Return the bins of a reliability diagram, of about equal size, by ascending confidence.

    `confidence` and `correct` are of the same rows. There are 15 bins, or fewer so that each has 20 rows;
    equal confidences share a bin.

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
