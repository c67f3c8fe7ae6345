"""Accuracy, precision, recall and F1 against gold labels, each with an interval, weighted or not."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentimon.labels import Sentiment
from sentimon.statistics.intervals import Estimate, wilson, wilson_of_share

RESAMPLES = 2_000
_NO_ROWS = 1e-12
"""Smaller than any count, even an expected one: avoids a division by 0 for a class without rows."""
NOTHING = Estimate(value=None, low=None, high=None, n=0)

Vector = NDArray[np.float64]
Classes = NDArray[np.int64]
ClassSequence = Sequence[int] | NDArray[np.int64]
"""One class a row, as its place in Sentiment order."""
Table = NDArray[np.int64]
"""Shape (3, 3): rows are gold classes, columns predicted ones, both in Sentiment order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassQuality:
    """How well one class is recognised."""

    sentiment: Sentiment
    support: int
    """Rows whose gold label is this class."""
    predicted: int
    """Rows that are predicted to be of this class."""
    precision: Estimate
    recall: Estimate
    f1: Estimate


def confusion_table(gold: ClassSequence, predicted: ClassSequence) -> Table:
    """Return the counts of each pair of gold and predicted class.

    >>> confusion_table([0, 0, 2], [0, 1, 2]).tolist()
    [[1, 1, 0], [0, 0, 0], [0, 0, 1]]
    """
    size = len(Sentiment)
    pairs = np.asarray(gold, dtype=np.int64) * size + np.asarray(predicted, dtype=np.int64)
    return np.bincount(pairs, minlength=size * size).reshape(size, size).astype(np.int64)


def recalls(tables: NDArray[Any]) -> NDArray[np.float64]:
    """Return the recall of each class, 0 .. 1, shape (..., 3); 0 where a class has no rows.

    `tables` has shape (..., 3, 3) and holds counts or expected counts.
    """
    right = np.diagonal(tables, axis1=-2, axis2=-1)
    shares: NDArray[np.float64] = right / np.maximum(tables.sum(axis=-1), _NO_ROWS)
    return shares


def f1_scores(tables: NDArray[Any]) -> NDArray[np.float64]:
    """Return the F1 of each class, 0 .. 1, shape (..., 3); 0 where a class is neither gold nor predicted."""
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
    """Return precision, recall and F1 of one class; all three None where it has no gold labels.

    Precision is also None where the class was never predicted. F1 is 2J / (1 + J) of the Jaccard
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

    One is the percentile bootstrap over 2,000 multinomial tables: it accounts for the dependence between
    classes, but has no width where everything is right. The other combines the intervals of the classes.
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


def weighted_share(holds: NDArray[np.bool_], weights: Vector, *, confidence_level: float) -> Estimate:
    """Return the weighted share, 0 .. 1, of rows for which `holds` is true, with Wilson's interval.

    Both arrays have shape (n,). The interval uses the effective sample size, at most n: the number of equal
    rows with the same linearised variance. With equal weights it is Wilson's own.

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
    """Return the mean recall, 0 .. 1, of the classes that have gold labels with a positive weight."""
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
    """Return the mean F1, 0 .. 1, of the classes that have gold labels with a positive weight.

    The interval is on each side the wider of two, as in `mean_f1`: a bootstrap over weighted rows, seeded
    with `seed`, and the combined intervals of the classes.
    """
    present = [place for place in Sentiment if float(weights[gold == place].sum()) > 0]
    if not present:
        return NOTHING
    if np.all(weights == weights[0]):
        equal = [1 / len(present) if place in present else 0.0 for place in Sentiment]
        table = confusion_table(gold, predicted)
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
    """Return the macro F1 of RESAMPLES resamples of n rows; equal rows are drawn together."""
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
