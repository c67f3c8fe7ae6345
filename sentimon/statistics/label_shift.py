"""Label shift: the true class mix behind imperfect predictions, and a test that only the mix changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sentimon.statistics.score_scaling import row_sums

RESAMPLES = 400
BINS_PER_CLASS = 4
_MIXTURE_STEPS = 200
_EM_STEPS = 1_000
_CLOSE = 1e-7

Matrix = NDArray[np.float64]
Classes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class MixtureFit:
    """How well a mixture of the labelled classes explains the scores: a goodness-of-fit test."""

    distance: float
    """Total variation distance of the binned scores from the best mixture, 0 .. 1."""
    usual: float
    """Median of that distance, 0 .. 1, if only the class mix has changed."""
    p: float
    """P-value, above 0 to 1: how often the fit is as bad if only the class mix has changed."""


def score_bins(source: Matrix, scores: Matrix) -> Classes:
    """Return the bin of each row of `scores` (n, 3), 0 .. 3 * BINS_PER_CLASS - 1, shape (n,).

    A bin is a predicted class and a quartile of the confidence that rows of `source` (m, 3) with that
    predicted class have.
    """
    place, confidence = scores.argmax(axis=1), scores.max(axis=1)
    own, sure = source.argmax(axis=1), source.max(axis=1)
    bins = np.zeros(len(scores), dtype=np.int64)
    for one in range(scores.shape[1]):
        cuts = np.linspace(0, 1, BINS_PER_CLASS + 1)[1:-1]
        edges = np.quantile(sure[own == one], cuts) if np.any(own == one) else np.empty(0)
        mine = place == one
        bins[mine] = one * BINS_PER_CLASS + np.searchsorted(edges, confidence[mine], side="right")
    return bins


def count_bins(bins: Classes, gold: Classes, weights: Matrix, *, classes: int = 3) -> Matrix:
    """Return the weight of the labelled rows per gold class and bin, shape (k, k * BINS_PER_CLASS)."""
    size = classes * BINS_PER_CLASS
    counts = np.bincount(gold * size + bins, weights=weights, minlength=classes * size).astype(np.float64)
    found: Matrix = counts.reshape(classes, size)
    return found


def fit_mixture(labelled: Matrix, observed: Matrix, *, seed: int) -> MixtureFit:
    """Return how well a mixture of the rows of `labelled` (3, bins) explains the counts `observed` (bins,).

    Both are counts; each class has labelled rows. The statistic is the sum over bins of the squared
    difference divided by its variance, which includes that of the labelled rows. Its distribution under
    chance is simulated from the best mixture, RESAMPLES times, seeded with `seed`.

    Source: a parametric bootstrap of Pearson's chi-square; Efron & Tibshirani (1993), An Introduction to the
    Bootstrap, ch. 16.
    """
    random = np.random.default_rng(seed)
    sizes, n = labelled.sum(axis=1), int(observed.sum())
    # A bin without rows of a class is rare for that class, but not impossible.
    rates = (labelled + 0.5 / labelled.shape[1]) / (sizes + 0.5)[:, None]
    shares = observed / n
    mix = _mixture(rates[None], shares[None])[0]
    fitted = mix @ rates
    drawn = np.stack(
        [
            random.multinomial(int(size), rate, size=RESAMPLES)
            for size, rate in zip(sizes, rates, strict=True)
        ],
        axis=1,
    )
    again = (drawn + 0.5 / labelled.shape[1]) / (sizes + 0.5)[None, :, None]
    simulated = random.multinomial(n, fitted / fitted.sum(), size=RESAMPLES) / n
    expected, distances = _statistic(again, _mixture(again, simulated), simulated, sizes, n)
    seen, distance = _statistic(rates[None], mix[None], shares[None], sizes, n)
    return MixtureFit(
        distance=float(distance[0]),
        usual=float(np.median(distances)),
        p=float((1 + np.count_nonzero(expected >= seen[0])) / (1 + RESAMPLES)),
    )


def _mixture(rates: Matrix, shares: Matrix) -> Matrix:
    """Return the most likely mixes (k, 3) of k problems: rates (k, 3, bins), observed shares (k, bins)."""
    mix = np.full(rates.shape[:2], 1 / rates.shape[1])
    for _ in range(_MIXTURE_STEPS):
        fitted = np.einsum("kj,kjb->kb", mix, rates)
        mix = mix * np.einsum("kjb,kb->kj", rates, shares / np.maximum(fitted, 1e-12))
    return mix


def _statistic(rates: Matrix, mix: Matrix, shares: Matrix, sizes: Matrix, n: int) -> tuple[Matrix, Matrix]:
    fitted = np.einsum("kj,kjb->kb", mix, rates)
    own = np.einsum("kj,kjb->kb", mix**2, rates * (1 - rates) / sizes[None, :, None])
    variance = fitted * (1 - fitted) / n + own
    apart = shares - fitted
    return (apart**2 / np.maximum(variance, 1e-12)).sum(axis=1), np.abs(apart).sum(axis=1) / 2


def bbse_mix(confusion: Matrix, observed: Matrix) -> Matrix:
    """Return the class mix q, shape (3,), from the confusion matrix and the shares of the predicted classes.

    `confusion` (3, 3) counts labelled rows: gold classes down, predicted ones across, no gold class without
    rows. `observed` (3,) are the shares of the predicted classes now. Solved is observed = sum over gold
    classes of q times P(predicted | gold), by least squares; a solution outside the simplex is projected
    onto it.

    >>> bbse_mix(np.array([[8, 2, 0], [1, 8, 1], [0, 0, 10]]), np.array([0.45, 0.5, 0.05])).round(3)
    array([0.5, 0.5, 0. ])

    Source: Lipton, Wang & Smola (2018), ICML (black box shift estimation); before it Gart & Buck (1966),
    Am. J. Epidemiol. 83, 593-602.
    """
    rates = confusion / confusion.sum(axis=1, keepdims=True)
    solved, *_ = np.linalg.lstsq(rates.T, observed, rcond=None)
    return project_to_simplex(solved)


def em_mix(scores: Matrix, prior: Matrix, *, counts: Matrix | None = None) -> Matrix:
    """Return the class mix, shape (3,), that makes the calibrated scores most likely.

    `scores` (n, 3) are posteriors under the class mix `prior` (3,) of the labelled rows, all of its shares
    above 0; `counts` (n,) says how often each row counts, by default once.

    Source: Saerens, Latinne & Decaestecker (2002), Neural Computation 14, 21-41 (expectation
    maximisation); Alexandari, Kundaje & Shrikumar (2020), ICML (its need for calibrated scores).
    """
    often = np.full(len(scores), 1 / len(scores)) if counts is None else counts / counts.sum()
    mix = prior.copy()
    likelihood = scores / prior
    for _ in range(_EM_STEPS):
        joint = likelihood * mix
        after = often @ (joint / row_sums(joint)[:, None])
        if np.abs(after - mix).max() < _CLOSE:
            break
        mix = after
    return mix


def adjust_scores(scores: Matrix, prior: Matrix, mix: Matrix) -> Matrix:
    """Return calibrated scores (n, 3) adjusted from the class mix `prior` (3,), above 0, to `mix` (3,).

    Source: Saerens, Latinne & Decaestecker (2002), Neural Computation 14, 21-41.
    """
    joint = scores * (mix / prior)
    shares: Matrix = joint / joint.sum(axis=1, keepdims=True)
    return shares


def project_to_simplex(values: Matrix) -> Matrix:
    """Return the class mix nearest to `values` (3,) by Euclidean distance.

    Source: Duchi et al. (2008), ICML (projection onto the simplex).
    """
    falling = np.sort(values)[::-1]
    excess = (np.cumsum(falling) - 1) / np.arange(1, len(values) + 1)
    kept = int(np.count_nonzero(falling > excess))
    mix: Matrix = np.maximum(values - excess[kept - 1], 0.0)
    return mix


def condition_number(confusion: Matrix) -> float:
    """Return the condition number, >= 1, of P(predicted | gold): how much it amplifies errors."""
    rates = confusion / confusion.sum(axis=1, keepdims=True)
    return float(np.linalg.cond(rates))
