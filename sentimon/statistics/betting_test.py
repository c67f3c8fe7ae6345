"""A sequential test by betting: has a mean loss risen, valid however often and whenever one looks."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sentimon.statistics.intervals import Estimate, wilson_of_share

RECENT = 50
"""Losses that the faster of the two bets looks back on."""
_PRIOR = 10
"""How many losses of the reference's mean both bets start from, as if they had been seen."""
_MOST_AT_STAKE = 0.75
"""Largest share of the capital that one loss can cost."""
_GRID = 250
"""Steps of the confidence sequence: its lower limit is a multiple of 1 / 250."""

Vector = NDArray[np.float64]


def largest_capital(losses: Vector, limit: float, prior: float) -> float:
    """Return the largest capital, >= 1, that betting on a mean loss above `limit` has reached, from 1.

    `losses` has shape (n,), in the order in which they came, each >= 0; `limit` is 0 or more, and from 1 on
    nothing is bet. `prior` is the mean that both bets start from. While the mean never exceeds `limit`,
    given the losses before, the capital is a nonnegative supermartingale: it reaches 1 / alpha with
    probability of at most alpha (Ville's inequality). The capital is split between a bet that follows the
    mean of all losses so far and one that follows the latest RECENT ones, which a long quiet time does not
    slow.

    Source: Waudby-Smith & Ramdas (2024), J. R. Stat. Soc. B 86, 1-27 (betting on bounded means; the bet is
    their approximate GRAPA).
    """
    if not len(losses) or limit >= 1:
        return 1.0
    # Halved before they are added: both may be near the largest of all floats.
    capital = _capital(losses, limit, prior, len(losses)) / 2 + _capital(losses, limit, prior, RECENT) / 2
    return float(max(1.0, capital.max()))


def mean_since_reference(losses: Vector, prior: float, level: float) -> Estimate:
    """Return the mean of `losses` (n,), cut to 0 .. 1, with a lower limit valid after every loss at once.

    The lower limit is that of a confidence sequence of error `level`, in steps of 1 / 250; the upper one is
    Wilson's for one look. `prior` is the mean that the bets start from.

    Source: Waudby-Smith & Ramdas (2024), J. R. Stat. Soc. B 86, 1-27 (the sequence: every mean against which
    no bet has reached 1 / level).
    """
    if not len(losses):
        return Estimate(value=None, low=None, high=None, n=0)
    value = min(1.0, float(losses.mean()))
    low = 0.0
    for step in range(1, _GRID):
        # Rejected is every mean up to the first that is not.
        if largest_capital(losses, step / _GRID, prior) < 1 / level:
            break
        low = step / _GRID
    _, high = wilson_of_share(value, len(losses), confidence_level=1 - 2 * level)
    return Estimate(value=value, low=min(low, value), high=high, n=len(losses))


def mean_of_reference(losses: Vector, level: float) -> Estimate:
    """Return the mean of `losses` (n,), cut to 0 .. 1, with an upper limit of error `level`.

    The lower limit is 0. Losses that are weighted spread more than a share: their upper limit is that of as
    many equal ones as have that spread.
    """
    n = len(losses)
    if not n:
        return Estimate(value=None, low=None, high=None, n=0)
    value = min(1.0, float(losses.mean()))
    variance = float(losses.var())
    effective = n if variance <= 0 else min(float(n), n * value * (1 - value) / variance)
    high = clopper_pearson_upper(value, max(1, math.floor(effective)), level)
    return Estimate(value=value, low=0.0, high=high, n=n)


def clopper_pearson_upper(share: float, n: int, level: float) -> float:
    """Return the upper limit, 0 .. 1, of error `level` of a `share` seen among n rows, n > 0.

    >>> round(clopper_pearson_upper(0.0, 10, 0.05), 4)
    0.2589

    Source: Clopper & Pearson (1934), Biometrika 26, 404-413.
    """
    count = min(n, math.ceil(share * n - 1e-9))
    if count == n:
        return 1.0
    low, high = share, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _binomial_cdf(count, n, middle) > level else (low, middle)
    return high


def _capital(losses: Vector, limit: float, prior: float, window: int) -> Vector:
    """Return the capital after each loss of a bet that follows the latest `window` losses, shape (n,)."""
    count, total, squares = (_sum_before(one, window) for one in (np.ones_like(losses), losses, losses**2))
    mean = (total + _PRIOR * prior) / (count + _PRIOR)
    variance = (squares + _PRIOR * prior) / (count + _PRIOR) - mean**2
    excess = np.maximum(0.0, mean - limit)
    bet = np.clip(excess / np.maximum(variance + excess**2, 1e-9), 0.0, _MOST_AT_STAKE / max(limit, 1e-9))
    with np.errstate(over="ignore"):
        capital: Vector = np.exp(np.cumsum(np.log1p(bet * (losses - limit))))
    return capital


def _sum_before(values: Vector, window: int) -> Vector:
    """Return the sum of the latest `window` values before each place, shape (n,)."""
    sums = np.concatenate([[0.0], np.cumsum(values)])[:-1]
    earlier = np.concatenate([np.zeros(min(window, len(values))), sums[: max(0, len(values) - window)]])
    latest: Vector = sums - earlier
    return latest


def _binomial_cdf(count: int, n: int, rate: float) -> float:
    """Return the probability of at most `count` of n, each with probability `rate`, 0 < rate < 1."""
    steps = np.arange(1, count + 1)
    log_choose = np.concatenate([[0.0], np.cumsum(np.log((n - steps + 1) / steps))])
    exponents = np.arange(count + 1)
    return float(np.exp(log_choose + exponents * math.log(rate) + (n - exponents) * math.log1p(-rate)).sum())
