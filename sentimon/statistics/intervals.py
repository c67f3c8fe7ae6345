"""Estimates with intervals: shares, differences of shares and means, from counts and sums alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, lru_cache
from statistics import NormalDist

from sentimon.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """An estimated number with its confidence interval and sample size.

    `value`, `low` and `high` are None, all three, where the sample is too small.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int

    def to_dict(self) -> dict[str, float | int | None]:
        """Return the four fields, as JSON holds them."""
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.n}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A difference, now minus baseline, with its confidence interval."""

    value: float
    low: float
    high: float


def normal_quantile(confidence_level: float, *, comparisons: int = 1) -> float:
    """Return the normal quantile z of a two-sided interval at `confidence_level`, 0 .. 1.

    With several `comparisons` the intervals cover at once (Bonferroni).

    >>> round(normal_quantile(0.95), 4)
    1.96
    """
    return _normal_quantile(1 - (1 - confidence_level) / (2 * comparisons))


def wilson(successes: float, n: float, *, confidence_level: float = 0.95) -> Estimate:
    """Return the share `successes / n`, 0 .. 1, with Wilson's score interval; None where n is 0.

    Counts need not be whole: weighted rows have an effective number.

    >>> wilson(0, 10).low, round(wilson(0, 10).high, 4)
    (0.0, 0.2775)

    Raises:
        DataError: not 0 <= successes <= n.

    Source: Wilson (1927), J. Am. Stat. Assoc. 22, 209-212.
    """
    if not 0 <= successes <= n:
        raise DataError(f"{successes} of {n} is not a share")
    if n == 0:
        return Estimate(value=None, low=None, high=None, n=0)
    low, high = _wilson_limits(successes, n, normal_quantile(confidence_level))
    return Estimate(value=successes / n, low=low, high=high, n=round(n))


def wilson_of_share(share: float, n: float, *, confidence_level: float) -> tuple[float, float]:
    """Return Wilson's limits (low, high), within 0 .. 1, of a share among `n` rows, n > 0.

    With weights, `n` is the effective number of rows, which need not be whole.

    Source: Wilson (1927), J. Am. Stat. Assoc. 22, 209-212.
    """
    return _wilson_limits(share * n, n, normal_quantile(confidence_level))


def difference_of_shares(
    before: tuple[float, float], after: tuple[float, float], *, z: float
) -> tuple[float, float, float]:
    """Return (difference, low, high), within -1 .. 1: share `after` minus share `before`.

    Each share is given as (count, n), n > 0. The interval is Newcombe's hybrid score interval at the
    normal quantile `z`; it covers near 0 and 1, too, where the normal approximation does not.

    Source: Newcombe (1998), Stat. Med. 17, 873-890, method 10.
    """
    (x0, n0), (x1, n1) = before, after
    p0, p1 = x0 / n0, x1 / n1
    low0, high0 = _wilson_limits(x0, n0, z)
    low1, high1 = _wilson_limits(x1, n1, z)
    difference = p1 - p0
    return (
        difference,
        max(-1.0, difference - math.hypot(p1 - low1, high0 - p0)),
        min(1.0, difference + math.hypot(high1 - p1, p0 - low0)),
    )


def mean_of(total: int, squares: int, n: int, *, scale: int, confidence_level: float = 0.95) -> Estimate:
    """Return the mean of n numbers in 0 .. 1 with Student's t interval, clipped to 0 .. 1; None where n is 0.

    `total` and `squares` are the exact sums of the numbers and of their squares, in units of
    1/scale and 1/scale**2. With n = 1 the interval is all of 0 .. 1.

    Source: Student (1908), Biometrika 6, 1-25.
    """
    if n == 0:
        return Estimate(value=None, low=None, high=None, n=0)
    mean = total / (n * scale)
    if n == 1:
        return Estimate(value=mean, low=0.0, high=1.0, n=1)
    half = student_quantile(confidence_level, n - 1) * standard_error(total, squares, n, scale=scale)
    return Estimate(value=mean, low=max(0.0, mean - half), high=min(1.0, mean + half), n=n)


def standard_error(total: int, squares: int, n: int, *, scale: int) -> float:
    """Return the standard error, >= 0, of the mean of n >= 2 numbers, from the sums that `mean_of` takes."""
    # In integers: squares and total**2 / n nearly cancel, and floats would keep only the noise.
    return math.sqrt((n * squares - total * total) / (n * n * (n - 1))) / scale


@lru_cache(maxsize=256)
def student_quantile(confidence_level: float, degrees: int) -> float:
    """Return the two-sided quantile of Student's t, exact for 1 and 2 degrees of freedom.

    From 3 degrees on the error is below 0.2 % at level 0.95, 1 % at 0.99, 5 % at 0.999.

    Source: Abramowitz & Stegun 26.7.5 (expansion in the normal quantile), four terms.
    """
    p = 1 - (1 - confidence_level) / 2
    if degrees == 1:
        return math.tan(math.pi * (p - 0.5))
    if degrees == 2:
        return (2 * p - 1) / math.sqrt(2 * p * (1 - p))
    z = _normal_quantile(p)
    terms: tuple[float, ...] = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum((term / float(degrees) ** power for power, term in enumerate(terms, start=1)), start=0.0)


@cache
def _normal_quantile(p: float) -> float:
    # Computed for every interval, but only at the few levels of the settings.
    return NormalDist().inv_cdf(p)


# Many windows are compared with one baseline, whose limits are the same for all.
@lru_cache(maxsize=64)
def _wilson_limits(successes: float, n: float, z: float) -> tuple[float, float]:
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    # At the ends of the range rounding may step past them.
    return (
        0.0 if successes == 0 else max(0.0, centre - half),
        1.0 if successes == n else min(1.0, centre + half),
    )
