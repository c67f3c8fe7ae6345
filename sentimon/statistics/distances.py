"""How far apart two class mixes are: one number, and an interval for it."""

from __future__ import annotations

from collections.abc import Sequence

from sentimon.errors import DataError
from sentimon.labels import SUPPORT
from sentimon.statistics.intervals import difference_of_shares, normal_quantile


def wasserstein_distance(before: Sequence[float], after: Sequence[float]) -> float:
    """Return the Wasserstein-1 (earth mover's) distance of two class mixes, 0 .. 1.

    Both are weights of negative, neutral, positive (counts or shares, not all zero), which lie at 0,
    0.5 and 1: the share of rows that moved, times how far each moved. All negative against all
    positive is 1. Counts give the correctly rounded value, so that a limit means what it says.

    >>> wasserstein_distance([70, 20, 10], [10, 20, 70])
    0.6

    Raises:
        DataError: not three numbers each, or nothing but zeros.

    Source: Villani (2009), Optimal Transport, remark 6.5: on a line, the area between the two
    cumulative distributions.
    """
    if len(before) != len(SUPPORT) or len(after) != len(SUPPORT):
        raise DataError(f"a class mix has {len(SUPPORT)} weights, got {len(before)} and {len(after)}")
    total_before, total_after = sum(before), sum(after)
    if not (total_before > 0 and total_after > 0):
        raise DataError("a class mix without rows has no distance")
    apart: float = 0
    area: float = 0
    for place in range(len(SUPPORT) - 1):
        apart += after[place] * total_before - before[place] * total_after
        area += abs(apart)
    # The support is evenly spaced; its step, a power of two, leaves the rounding alone.
    return area / (total_before * total_after) * (SUPPORT[1] - SUPPORT[0])


def total_variation(before: Sequence[float], after: Sequence[float]) -> float:
    """Return the total variation distance of two class mixes, 0 .. 1: the share of rows that moved.

    Both are counts, not all zero.

    >>> total_variation([2, 2, 0], [1, 2, 1])
    0.25
    """
    n, m = sum(before), sum(after)
    return sum(abs(b * n - a * m) for a, b in zip(before, after, strict=True)) / (2 * n * m)


def wasserstein_interval(
    before: Sequence[float], after: Sequence[float], *, confidence_level: float
) -> tuple[float, float]:
    """Return (low, high), within 0 .. 1, that cover the true distance with at least `confidence_level`.

    Both are counts of at least one row. On the support 0, 0.5, 1 the distance is half of |change of
    the negative share| plus half of |change of the positive share|. Each change gets Newcombe's hybrid
    score interval, the two together at `confidence_level` (Bonferroni), and both are mapped through
    the absolute value. Unlike a percentile bootstrap this covers also where nothing changed.

    Source: Newcombe (1998), Stat. Med. 17, 873-890, method 10, for each change.
    """
    z = normal_quantile(confidence_level, comparisons=2)
    low = high = 0.0
    n, m = sum(before), sum(after)
    for place in (0, 2):
        _, lower, upper = difference_of_shares((before[place], n), (after[place], m), z=z)
        low += max(0.0, lower, -upper) / 2
        high += max(abs(lower), abs(upper)) / 2
    return low, min(1.0, high)
