"""How good a model is on labelled texts, from its probabilities and the gold classes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sentimon.evaluation import confusion

BINS = 15
DRAWS = 1_000

Floats = NDArray[np.float64]
Classes = NDArray[np.int64]


def macro_recall(predicted: Classes, gold: Classes) -> float:
    """Return the mean recall of the classes, 0..1: TweetEval's metric for sentiment."""
    return confusion.macro_recall(confusion.confusion_table(gold.tolist(), predicted.tolist()))


def macro_f1(predicted: Classes, gold: Classes) -> float:
    """Return the mean F1 of the three classes, 0..1: UMSAB's metric."""
    table = confusion.confusion_table(gold.tolist(), predicted.tolist())
    return float(confusion.f1_scores(table).mean())


def calibration_error(probabilities: Floats, gold: Classes, *, bins: int = BINS) -> float:
    """Return the expected calibration error, 0..1, over bins of equally many rows.

    Rows are sorted by the probability of the predicted class; each bin adds its share times the
    distance between mean probability and accuracy.

    Source: Naeini et al. (2015), with equal-mass bins as in Nixon et al. (2019).
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == gold
    order = np.argsort(confidence, kind="stable")
    gaps = [
        len(part) * abs(confidence[part].mean() - right[part].mean()) for part in np.array_split(order, bins)
    ]
    return float(np.sum(gaps) / len(gold))


def calibration_error_by_chance(probabilities: Floats, *, seed: int = 0) -> float:
    """Return the mean error that a perfectly calibrated model of the same confidences would show, 0..1.

    Few rows a bin make the estimate large by chance alone: with 323 rows about 0.07.
    """
    generator = np.random.default_rng(seed)
    count = len(probabilities)
    confidence = probabilities.max(axis=1)
    errors = []
    for _ in range(DRAWS):
        # a row whose gold class is its first in one draw and another class otherwise
        right = generator.random(count) < confidence
        gold = np.where(right, probabilities.argmax(axis=1), -1)
        errors.append(calibration_error(probabilities, gold))
    return float(np.mean(errors))


def bootstrap_interval(
    metric: Callable[[Classes, Classes], float], predicted: Classes, gold: Classes, *, seed: int = 0
) -> tuple[float, float]:
    """Return the central 95 % of `metric` over resampled rows."""
    generator = np.random.default_rng(seed)
    drawn = (generator.integers(0, len(gold), len(gold)) for _ in range(DRAWS))
    low, high = np.quantile([metric(predicted[rows], gold[rows]) for rows in drawn], [0.025, 0.975])
    return float(low), float(high)
