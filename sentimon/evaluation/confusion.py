"""What follows from the 3x3 table of gold and predicted classes, each number with its interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentimon.labels import Sentiment
from sentimon.statistics.intervals import Estimate, wilson

RESAMPLES = 2_000
_NO_ROWS = 1e-12
"""Less than any count, also an expected one, so that what has no rows is divided by something."""
NOTHING = Estimate(value=None, low=None, high=None, n=0)

Classes = Sequence[int] | NDArray[np.int64]
"""One class a row, as its place in Sentiment order."""
Table = NDArray[np.int64]
"""Shape (3, 3): rows are gold classes, columns predicted ones, both in Sentiment order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassQuality:
    """How well one class is told from the others."""

    sentiment: Sentiment
    support: int
    """Rows whose gold label is this class."""
    predicted: int
    """Rows that were given this class."""
    precision: Estimate
    recall: Estimate
    f1: Estimate


def confusion_table(gold: Classes, predicted: Classes) -> Table:
    """Return the counts of each pair of gold and predicted class.

    >>> confusion_table([0, 0, 2], [0, 1, 2]).tolist()
    [[1, 1, 0], [0, 0, 0], [0, 0, 1]]
    """
    size = len(Sentiment)
    pairs = np.asarray(gold, dtype=np.int64) * size + np.asarray(predicted, dtype=np.int64)
    return np.bincount(pairs, minlength=size * size).reshape(size, size).astype(np.int64)


def recalls(tables: NDArray[Any]) -> NDArray[np.float64]:
    """Return the share of each gold class that was found, 0 where a class has no rows.

    `tables` has shape (..., 3, 3), of counts or of expected counts; what comes back (..., 3).
    """
    right = np.diagonal(tables, axis1=-2, axis2=-1)
    shares: NDArray[np.float64] = right / np.maximum(tables.sum(axis=-1), _NO_ROWS)
    return shares


def f1_scores(tables: NDArray[Any]) -> NDArray[np.float64]:
    """Return the F1 of each class, 0 where it is neither gold nor predicted; shapes as for `recalls`."""
    right = np.diagonal(tables, axis1=-2, axis2=-1)
    either = tables.sum(axis=-2) + tables.sum(axis=-1)
    scores: NDArray[np.float64] = 2 * right / np.maximum(either, _NO_ROWS)
    return scores


def mean_recall(table: Table) -> float:
    """Return the mean recall of the classes that have gold labels, 0..1: TweetEval's metric for sentiment.

    >>> mean_recall(confusion_table([0, 0, 2], [0, 1, 2]))
    0.75
    """
    return float(recalls(table)[table.sum(axis=1) > 0].mean())


def accuracy(table: Table, *, confidence_level: float) -> Estimate:
    """Return the share of rows that are right, with Wilson's interval."""
    return wilson(int(np.trace(table)), int(table.sum()), confidence_level=confidence_level)


def class_quality(table: Table, sentiment: Sentiment, *, confidence_level: float) -> ClassQuality:
    """Return precision, recall and F1 of one class; all three None where the gold labels lack it.

    Precision is None, too, where the class was never predicted. F1 is 2J / (1 + J) of the Jaccard
    share J = right / (gold or predicted), which is binomial given its denominator: its interval is
    Wilson's of J, mapped.
    """
    right = int(table[sentiment, sentiment])
    support, predicted = int(table[sentiment].sum()), int(table[:, sentiment].sum())
    precision = recall = f1 = NOTHING
    if support:
        precision = wilson(right, predicted, confidence_level=confidence_level)
        recall = wilson(right, support, confidence_level=confidence_level)
        f1 = _mapped(
            wilson(right, support + predicted - right, confidence_level=confidence_level),
            lambda jaccard: 2 * jaccard / (1 + jaccard),
        )
    return ClassQuality(
        sentiment=sentiment, support=support, predicted=predicted, precision=precision, recall=recall, f1=f1
    )


def weighted_mean(estimates: Sequence[Estimate], weights: Sequence[float], *, n: int) -> Estimate:
    """Return the mean of independent estimates, their limits combined by square-and-add (MOVER).

    Weights sum to 1; an estimate of weight 0 may be None.

    Source: Zou & Donner (2008), Stat. Med. 27, 1693-1702.
    """
    value = below = above = 0.0
    for estimate, weight in zip(estimates, weights, strict=True):
        if weight and estimate.value is not None and estimate.low is not None and estimate.high is not None:
            value += weight * estimate.value
            below += (weight * (estimate.value - estimate.low)) ** 2
            above += (weight * (estimate.high - estimate.value)) ** 2
    if not n:
        return NOTHING
    low, high = max(0.0, value - math.sqrt(below)), min(1.0, value + math.sqrt(above))
    return Estimate(value=value, low=low, high=high, n=n)


def mean_f1(table: Table, weights: Sequence[float], *, confidence_level: float, seed: int) -> Estimate:
    """Return the weighted mean of the classes' F1 with an interval, the wider on each side of two.

    One is the percentile bootstrap over 2,000 multinomial tables: it knows that one class's error is
    another's, but has no width where everything is right. The other adds up the classes' intervals.
    """
    classes = [class_quality(table, one, confidence_level=confidence_level) for one in Sentiment]
    added = weighted_mean([one.f1 for one in classes], weights, n=int(table.sum()))
    if added.value is None or added.low is None or added.high is None:
        return added
    tail = (1 - confidence_level) / 2
    low, high = np.quantile(_resampled_f1(table, seed) @ np.asarray(weights), [tail, 1 - tail])
    return Estimate(
        value=added.value, low=min(added.low, float(low)), high=max(added.high, float(high)), n=added.n
    )


def _resampled_f1(table: Table, seed: int) -> NDArray[np.float64]:
    """Return the F1 of each class in each resampled table, shape (2000, 3)."""
    n = int(table.sum())
    drawn = np.random.default_rng(seed).multinomial(n, table.ravel() / n, size=RESAMPLES)
    tables = drawn.reshape(RESAMPLES, *table.shape)
    return f1_scores(tables)


def _mapped(estimate: Estimate, increasing: Callable[[float], float]) -> Estimate:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return estimate
    return Estimate(
        value=increasing(estimate.value),
        low=increasing(estimate.low),
        high=increasing(estimate.high),
        n=estimate.n,
    )
