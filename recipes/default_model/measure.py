"""How good a model is on labelled texts, from its probabilities and the gold classes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sentimon.evaluation.classification_metrics import (
    Table,
    confusion_table,
    f1_scores,
)
from sentimon.statistics.calibration_error import bin_by_confidence

DRAWS = 1_000

Floats = NDArray[np.float64]
Classes = NDArray[np.int64]


def macro_f1(table: Table) -> float:
    """Return the mean of the three F1 scores, 0..1: UMSAB's metric."""
    return float(f1_scores(table).mean())


def calibration_error(probabilities: Floats, gold: Classes) -> float:
    """Return the expected calibration error of probabilities (rows, 3), 0..1."""
    right = (probabilities.argmax(axis=1) == gold).astype(float)
    return bin_by_confidence(probabilities.max(axis=1), right).mean_gap


def calibration_error_by_chance(probabilities: Floats, *, seed: int = 0) -> float:
    """Return the mean error that a perfectly calibrated model of the same confidences would show, 0..1.

    Few rows a bin make the estimate large by chance alone: with 323 rows about 0.07.
    """
    generator = np.random.default_rng(seed)
    count = len(probabilities)
    confidence = probabilities.max(axis=1)
    errors = []
    for _ in range(DRAWS):
        # A row is right as often as its confidence says.
        right = (generator.random(count) < confidence).astype(float)
        errors.append(bin_by_confidence(confidence, right).mean_gap)
    return float(np.mean(errors))


def bootstrap_interval(
    metric: Callable[[Table], float], predicted: Classes, gold: Classes, *, seed: int = 0
) -> tuple[float, float]:
    """Return the central 95 % of `metric` over resampled rows."""
    generator = np.random.default_rng(seed)
    drawn = (generator.integers(0, len(gold), len(gold)) for _ in range(DRAWS))
    found = [metric(confusion_table(gold[rows], predicted[rows])) for rows in drawn]
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)
