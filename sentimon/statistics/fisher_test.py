"""Is a shift of a share more than chance: an exact test with a tolerance; alpha spent over many checks."""

from __future__ import annotations

import math

_NEGLIGIBLE = 1e-17
_ROUNDING = 1e-9
"""In floats, 0.05 * 100 is a little more than 5."""
_SPENDING_CHECKS = 100
"""Checks after which about 41 % of alpha is spent."""


def shift_p_value(
    after: tuple[float, float], before: tuple[float, float], *, tolerance: float, enough: float = 1.0
) -> float:
    """Return the two-sided p-value, 0 .. 1, of a share that moved by more than `tolerance`, 0 .. 1.

    Both shares are given as (count, n); the earlier count may be weighted and so not whole. It is Fisher's
    exact test after one of the counts is moved by `tolerance` towards the other: the one whose share then
    gets closer to a half, so that its variance is not understated. The test is valid where the true
    difference is at most `tolerance`; an observed difference no larger than that gives 1. Once the p-value
    is known to exceed `enough` the sum stops: what is returned is then above `enough` and at most the
    p-value.

    >>> round(shift_p_value((9, 10), (1, 10), tolerance=0.0), 6)
    0.001093

    Source: Fisher (1935), J. R. Stat. Soc. 98, 39-82; twice the smaller tail of the hypergeometric law.
    """
    (x, n), (b, m) = (int(after[0]), int(after[1])), (before[0], int(before[1]))
    if x * m < b * n:
        return shift_p_value((n - x, n), (m - b, m), tolerance=tolerance, enough=enough)
    seen, known = x, math.ceil(b - _ROUNDING)
    if x * m + b * n > n * m:
        # Shares above a half are moved down: moved up, the earlier one would seem to vary less than it does.
        seen = max(0, math.floor(x - tolerance * n + _ROUNDING))
    else:
        known = min(m, math.ceil(b + tolerance * m - _ROUNDING))
    if seen * m <= known * n:
        return 1.0
    return min(1.0, 2 * _upper_tail(seen, n, known, m, enough / 2))


def alpha_share(k: int) -> float:
    """Return the share of alpha, 0 .. 1, that the k-th check may spend, k = 1, 2, ...; all of them sum to 1.

    After k checks 1 - 1 / (1 + log(1 + k / 100)) of alpha is spent: slowly, so that a late check still has
    some.

    >>> round(alpha_share(1), 5), round(sum(alpha_share(k) for k in range(1, 101)), 3)
    (0.00985, 0.409)

    Source: Lan & DeMets (1983), Biometrika 70, 659-663 (spending alpha; the function itself is ours).
    """
    return _spent(k) - _spent(k - 1)


def _spent(k: int) -> float:
    return 1 - 1 / (1 + math.log1p(k / _SPENDING_CHECKS))


def _upper_tail(x: int, n: int, b: int, m: int, enough: float) -> float:
    """Return P(X >= x), X hypergeometric: n of n + m rows are drawn, x + b of all are successes; x > mean.

    The sum stops once it exceeds `enough`.
    """
    successes, failures = x + b, n + m - x - b
    term = math.exp(_log_choose(successes, x) + _log_choose(failures, n - x) - _log_choose(n + m, n))
    total, first = 0.0, x
    while term > total * _NEGLIGIBLE and total <= enough:
        total += term
        term *= (successes - first) * (n - first) / ((first + 1) * (failures - n + first + 1))
        first += 1
    return total


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
