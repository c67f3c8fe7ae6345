"""The temperature that makes a model's probabilities mean what they say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recipes.default_model.measure import Classes, Floats, softmax

TEMPERATURES = np.geomspace(0.4, 4.0, 231)


def fit_temperature(groups: Sequence[tuple[Floats, Classes]]) -> float:
    """Return the divisor of the logits with the least mean log loss; every group counts the same.

    A group is (logits (rows, 3), gold classes (rows,)): one a language, so that a large one does
    not decide alone.

    Source: Guo et al. (2017), On calibration of modern neural networks.
    """
    return float(min(TEMPERATURES, key=lambda t: sum(log_loss(logits / t, gold) for logits, gold in groups)))


def log_loss(logits: Floats, gold: Classes) -> float:
    """Return the mean negative log-probability of the gold classes, in nats."""
    chosen = softmax(logits)[np.arange(len(gold)), gold]
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())
