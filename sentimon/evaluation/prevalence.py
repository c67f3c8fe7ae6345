"""The true class mix behind predictions that are sometimes wrong, where only the mix has changed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
_STEPS = 1_000
_CLOSE = 1e-7


def confusion_mix(confusion: Matrix, observed: Matrix) -> Matrix:
    """Return the class mix q, shape (3,), for which the confusion matrix explains the observed shares.

    `confusion` (3, 3) holds the labelled rows: gold classes down, predicted ones across, no class without
    rows. `observed` (3,) are the shares of the predicted classes now. What is solved is the shares =
    sum over classes of q times P(predicted | gold); where the solution leaves the simplex, the nearest
    point on it is returned.

    >>> confusion_mix(np.array([[8, 2, 0], [1, 8, 1], [0, 0, 10]]), np.array([0.45, 0.5, 0.05])).round(3)
    array([0.5, 0.5, 0. ])

    Source: Lipton, Wang & Smola (2018), ICML (black box shift estimation); before it Gart & Buck (1966),
    Am. J. Epidemiol. 83, 593-602.
    """
    rates = confusion / confusion.sum(axis=1, keepdims=True)
    solved, *_ = np.linalg.lstsq(rates.T, observed, rcond=None)
    return nearest_mix(solved)


def expected_mix(scores: Matrix, prior: Matrix, *, counts: Matrix | None = None) -> Matrix:
    """Return the class mix, shape (3,), that makes the calibrated scores most likely.

    `scores` (n, 3) are posteriors under the class mix `prior` (3,) of the labelled rows, no share of it 0;
    `counts` (n,) says how often each row counts.

    Source: Saerens, Latinne & Decaestecker (2002), Neural Computation 14, 21-41 (expectation
    maximisation); Alexandari, Kundaje & Shrikumar (2020), ICML (its need for calibrated scores).
    """
    often = np.full(len(scores), 1 / len(scores)) if counts is None else counts / counts.sum()
    mix = prior.copy()
    likelihood = scores / prior
    for _ in range(_STEPS):
        joint = likelihood * mix
        after = often @ (joint / joint.sum(axis=1, keepdims=True))
        if np.abs(after - mix).max() < _CLOSE:
            break
        mix = after
    return mix


def adapted(scores: Matrix, prior: Matrix, mix: Matrix) -> Matrix:
    """Return calibrated scores (n, 3) of the class mix `prior` as they are under the class mix `mix`."""
    joint = scores * (mix / prior)
    shares: Matrix = joint / joint.sum(axis=1, keepdims=True)
    return shares


def nearest_mix(values: Matrix) -> Matrix:
    """Return the class mix nearest to `values` (3,) by Euclidean distance.

    Source: Duchi et al. (2008), ICML (projection onto the simplex).
    """
    falling = np.sort(values)[::-1]
    excess = (np.cumsum(falling) - 1) / np.arange(1, len(values) + 1)
    kept = int(np.count_nonzero(falling > excess))
    mix: Matrix = np.maximum(values - excess[kept - 1], 0.0)
    return mix


def condition_number(confusion: Matrix) -> float:
    """Return by how much P(predicted | gold) can blow errors up, >= 1; inf where it is singular."""
    rates = confusion / confusion.sum(axis=1, keepdims=True)
    return float(np.linalg.cond(rates))
