"""Shares and F1 over rows that count more or less, with intervals for as many rows as they are worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sentimon.evaluation.confusion import NOTHING, RESAMPLES, Table, mean_f1, weighted_mean
from sentimon.labels import Sentiment
from sentimon.statistics.intervals import Estimate, wilson_of_share

Vector = NDArray[np.float64]
Classes = NDArray[np.int64]


def weighted_share(holds: NDArray[np.bool_], weights: Vector, *, confidence_level: float) -> Estimate:
    """Return the share of the rows' weight for which `holds` is true, with Wilson's interval.

    Both have shape (n,). The interval is that of as many equal rows as have the same linearised
    variance, at most n; with equal weights it is Wilson's own.

    Source: Korn & Graubard (1998), Survey Methodology 24, 193-201 (the effective sample size).
    """
    total = float(weights.sum())
    if total <= 0:
        return NOTHING
    n = int(np.count_nonzero(weights))
    share = float(weights @ holds) / total
    variance = float((weights**2) @ (holds - share) ** 2) / total**2
    by_weights = total**2 / float(weights @ weights)
    worth = share * (1 - share) / variance if variance > 0 else by_weights
    low, high = wilson_of_share(share, min(worth, float(n)), confidence_level=confidence_level)
    return Estimate(value=share, low=min(low, share), high=max(high, share), n=n)


def macro_recall(gold: Classes, predicted: Classes, weights: Vector, *, confidence_level: float) -> Estimate:
    """Return the mean recall of the classes that have gold labels of some weight."""
    recalls = [
        weighted_share(predicted[own] == place, weights[own], confidence_level=confidence_level)
        for place in Sentiment
        if float(weights[own := gold == place].sum()) > 0
    ]
    shares = [1 / len(recalls) for _ in recalls]
    return weighted_mean(recalls, shares, n=int(np.count_nonzero(weights)))


def macro_f1(
    gold: Classes, predicted: Classes, weights: Vector, *, confidence_level: float, seed: int
) -> Estimate:
    """Return the mean F1 of the classes that have gold labels, with the wider on each side of two intervals.

    They are those of `confusion.mean_f1`: a bootstrap over rows, each with its weight, and the classes'
    own intervals added up.
    """
    present = [place for place in Sentiment if float(weights[gold == place].sum()) > 0]
    if not present:
        return NOTHING
    if np.all(weights == weights[0]):
        equal = [1 / len(present) if place in present else 0.0 for place in Sentiment]
        table = _table(gold, predicted)
        return mean_f1(table, equal, confidence_level=confidence_level, seed=seed)
    parts = [_f1(gold == place, predicted == place, weights, confidence_level) for place in present]
    added = weighted_mean(parts, [1 / len(parts)] * len(parts), n=int(np.count_nonzero(weights)))
    if added.value is None or added.low is None or added.high is None:
        return added
    tail = (1 - confidence_level) / 2
    drawn = _resampled(gold, predicted, weights, present, seed)
    low, high = (float(one) for one in np.quantile(drawn, [tail, 1 - tail]))
    return Estimate(value=added.value, low=min(added.low, low), high=max(added.high, high), n=added.n)


def _f1(gold: NDArray[np.bool_], predicted: NDArray[np.bool_], weights: Vector, level: float) -> Estimate:
    """Return 2J / (1 + J) of the share J of the rows of either kind that are of both."""
    either = gold | predicted
    both = weighted_share((gold & predicted)[either], weights[either], confidence_level=level)
    if both.value is None or both.low is None or both.high is None:
        return both
    value, low, high = (2 * one / (1 + one) for one in (both.value, both.low, both.high))
    return Estimate(value=value, low=low, high=high, n=both.n)


def _resampled(
    gold: Classes, predicted: Classes, weights: Vector, present: list[Sentiment], seed: int
) -> Vector:
    """Return the macro F1 of each of RESAMPLES draws of n rows; rows that are alike are drawn together."""
    kinds, counts = np.unique(np.stack([gold, predicted, weights]), axis=1, return_counts=True)
    random = np.random.default_rng(seed)
    drawn = random.multinomial(len(gold), counts / len(gold), size=RESAMPLES) * kinds[2]
    f1 = []
    for place in present:
        own, given = kinds[0] == place, kinds[1] == place
        both, either = drawn @ (own & given), drawn @ own + drawn @ given
        f1.append(2 * both / np.maximum(either, 1e-12))
    mean: Vector = np.mean(f1, axis=0)
    return mean


def _table(gold: Classes, predicted: Classes) -> Table:
    size = len(Sentiment)
    return np.bincount(gold * size + predicted, minlength=size * size).reshape(size, size).astype(np.int64)
