"""Calibrated scores: temperature scaling and vector scaling, fitted on labelled rows."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sentimon.labels import Sentiment
from sentimon.scoring.scores import SCALE

TEMPERATURE, BIAS_CORRECTED, VECTOR = "temperature", "bias-corrected temperature", "vector"
KINDS = (TEMPERATURE, BIAS_CORRECTED, VECTOR)
FOLDS = 5
_SMALLEST = 0.5 / SCALE
"""Logged scores are rounded to a millionth: a 0 may have been up to half of that."""
_PENALTY = 1.0
"""Ridge penalty that pulls the parameters towards no change, about as strongly as one row."""
_STEPS = 50

Matrix = NDArray[np.float64]
Classes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrator:
    """Scores p become softmax(weights * ln p + biases); each triple is in Sentiment order."""

    kind: str
    weights: tuple[float, float, float]
    """1 / temperature, three times; with vector scaling a weight for each class."""
    biases: tuple[float, float, float]

    @property
    def temperature(self) -> float | None:
        """Return the divisor of the logits; None where the classes have different weights."""
        return None if self.kind == VECTOR or self.weights[0] <= 0 else 1 / self.weights[0]

    def apply(self, scores: Matrix) -> Matrix:
        """Return the calibrated scores of raw `scores`, both of shape (n, k), rows summing to 1.

        The columns are all three classes, or negative and positive.
        """
        places = _places(scores.shape[1])
        return softmax(np.asarray(self.weights)[places] * _logits(scores) + np.asarray(self.biases)[places])


UNCHANGED = Calibrator(kind="none", weights=(1.0, 1.0, 1.0), biases=(0.0, 0.0, 0.0))


def fit_scaling(
    scores: Matrix,
    gold: Classes,
    kind: str,
    *,
    counts: Matrix | None = None,
    start: Calibrator = UNCHANGED,
) -> Calibrator:
    """Return the calibrator of a `kind`, one of KINDS, with the least log loss on labelled rows.

    `scores` (n, k) are raw, `gold` (n,) the columns of the true classes, which are all three, or negative and
    positive; `counts` (n,) how often each row counts, n > 0. The
    log loss, with a small ridge penalty, is convex in the parameters; Newton's method finds its minimum from
    any `start`.

    Source: Guo et al. (2017), ICML (temperature and vector scaling); Alexandari, Kundaje & Shrikumar
    (2020), ICML (bias-corrected temperature scaling).
    """
    often = np.ones(len(gold)) if counts is None else counts
    return _fitted(_logits(scores), gold, kind, often, start)


def fit_temperature(groups: Sequence[tuple[Matrix, Classes]]) -> float:
    """Return the temperature, above 0, that a model's logits are divided by for the least log loss.

    `groups` are (logits (rows, 3), gold classes (rows,)); each counts the same, so that with a group per
    language a large one does not decide alone. It is 1 where the logits say nothing of the classes, or
    the opposite.

    Source: Guo et al. (2017), ICML.
    """
    logits, gold = (np.concatenate(parts) for parts in zip(*groups, strict=True))
    often = np.concatenate([np.full(len(own), len(gold) / len(groups) / len(own)) for _, own in groups])
    return _fitted(logits, gold, TEMPERATURE, often, UNCHANGED).temperature or 1.0


def _fitted(logits: Matrix, gold: Classes, kind: str, often: Matrix, start: Calibrator) -> Calibrator:
    design = _design(logits, kind)
    classes = logits.shape[1]
    theta, centre = _parameters(start, kind, classes), _parameters(UNCHANGED, kind, classes)
    truth, rows = np.eye(classes)[gold], np.arange(len(gold))

    def loss(at: Matrix) -> float:
        chosen = softmax(design @ at)[rows, gold]
        return float(-often @ np.log(np.maximum(chosen, 1e-300)) + _PENALTY / 2 * ((at - centre) ** 2).sum())

    before = loss(theta)
    for _ in range(_STEPS):
        step = _newton_step(design, truth, often, theta, centre)
        size = 1.0
        while (after := loss(theta - size * step)) > before and size > 1e-6:
            size /= 2
        theta = theta - size * step
        if before - after < 1e-9 * (1 + abs(before)):
            break
        before = after
    return _calibrator(theta, kind, classes)


def log_loss(scores: Matrix, gold: Classes, *, smallest: float = _SMALLEST) -> Matrix:
    """Return the log loss of each row, shape (n,), in nats, >= 0: -ln of the score of its gold class.

    Scores below `smallest` count as that, by default half of the rounding of logged scores.
    """
    losses: Matrix = -np.log(np.maximum(scores[np.arange(len(gold)), gold], smallest))
    return losses


def held_out_losses(scores: Matrix, gold: Classes, kind: str, *, seed: int) -> Matrix:
    """Return the cross-validated log loss of each row, shape (n,), in nats.

    Each row is scored by a calibrator that was fitted on the other folds. The rows are split into FOLDS
    folds at random, seeded with `seed`; n is at least FOLDS.
    """
    fold = np.random.default_rng(seed).permutation(np.arange(len(gold)) % FOLDS)
    losses = np.empty(len(gold))
    for number in range(FOLDS):
        out = fold == number
        fitted = fit_scaling(scores[~out], gold[~out], kind)
        losses[out] = log_loss(fitted.apply(scores[out]), gold[out])
    return losses


def softmax(logits: Matrix) -> Matrix:
    """Return the probabilities of `logits`; both have shape (n, k), rows of the result sum to 1."""
    # Column by column: to reduce rows of three takes numpy several times as long.
    highest: Matrix = functools.reduce(np.maximum, logits.T)
    raised = np.exp(logits - highest[:, None])
    shares: Matrix = raised / row_sums(raised)[:, None]
    return shares


def row_sums(values: Matrix) -> Matrix:
    """Return the sum of each row, shape (n,), of `values` (n, k): what `sum(axis=1)` gives, sooner."""
    sums: Matrix = functools.reduce(np.add, values.T)
    return sums


def _logits(scores: Matrix) -> Matrix:
    logits: Matrix = np.log(np.maximum(scores, _SMALLEST))
    return logits


def _places(size: int) -> list[int]:
    """Return the place of each of `size` columns among the three classes."""
    return [0, 1, 2] if size == len(Sentiment) else [0, 2]


def _design(logits: Matrix, kind: str) -> Matrix:
    """Return the design, shape (n, k, parameters): logits and intercepts; the neutral class has no bias."""
    n, size = logits.shape
    slopes = logits[:, :, None] * np.eye(size) if kind == VECTOR else logits[:, :, None]
    if kind == TEMPERATURE:
        return slopes
    biases = np.broadcast_to(np.eye(size)[:, [0, size - 1]], (n, size, 2))
    return np.concatenate([slopes, biases], axis=2)


def _newton_step(design: Matrix, truth: Matrix, often: Matrix, theta: Matrix, centre: Matrix) -> Matrix:
    shares = softmax(design @ theta)
    gradient = np.einsum("nkp,nk->p", design, often[:, None] * (shares - truth)) + _PENALTY * (theta - centre)
    mean = np.einsum("nkp,nk->np", design, shares)
    apart = design - mean[:, None, :]
    weighed = apart * (often[:, None] * shares)[:, :, None]
    parameters = len(theta)
    curvature = weighed.reshape(-1, parameters).T @ apart.reshape(-1, parameters)
    step: Matrix = np.linalg.solve(curvature + _PENALTY * np.eye(parameters), gradient)
    return step


def _parameters(calibrator: Calibrator, kind: str, size: int) -> Matrix:
    weights = (
        [calibrator.weights[place] for place in _places(size)] if kind == VECTOR else calibrator.weights[:1]
    )
    middle = calibrator.biases[1]
    biases = [] if kind == TEMPERATURE else [calibrator.biases[0] - middle, calibrator.biases[2] - middle]
    return np.array([*weights, *biases])


def _calibrator(theta: Matrix, kind: str, size: int) -> Calibrator:
    numbers = [float(one) for one in theta]
    weights = (numbers[0],) * 3
    if kind == VECTOR:
        weights = (numbers[0], numbers[1] if size == len(Sentiment) else 1.0, numbers[size - 1])
    below, above = (0.0, 0.0) if kind == TEMPERATURE else numbers[-2:]
    return Calibrator(kind=kind, weights=weights, biases=(below, 0.0, above))
