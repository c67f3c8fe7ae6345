"""The temperature that makes a model's probabilities mean what they say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sentimon.evaluation.scaling import Classes, Matrix, log_loss, softmax

TEMPERATURES = np.geomspace(0.4, 4.0, 231)


def fit_temperature(groups: Sequence[tuple[Matrix, Classes]]) -> float:
    """Return the divisor of the logits with the least mean log loss; every group counts the same.

    A group is (logits (rows, 3), gold classes (rows,)): one a language, so that a large one does
    not decide alone.

    Source: Guo et al. (2017), On calibration of modern neural networks.
    """

    def loss(temperature: float) -> float:
        return sum(float(log_loss(softmax(logits / temperature), gold).mean()) for logits, gold in groups)

    return float(min(TEMPERATURES, key=loss))
