"""The bootstrap of the estimates without labels: a replicate from given row counts, and resampled ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sentimon.evaluation.classification_metrics import recalls
from sentimon.evaluation.estimate_rows import Source, UnlabelledSample
from sentimon.statistics.label_shift import (
    adjust_scores,
    bbse_mix,
    em_mix,
)
from sentimon.statistics.score_scaling import (
    BIAS_CORRECTED,
    UNCHANGED,
    Calibrator,
    fit_scaling,
)

RESAMPLES = 200

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Replicate:
    """The estimates from one set of row counts; mixes have shape (3,)."""

    calibrator: Calibrator
    confusion: Matrix
    """Class mix by the confusion matrix."""
    expected: Matrix
    """Class mix by expectation maximisation."""
    accuracy: float
    recall: float
    """Mean recall of the classes."""


def confusion_of(source: Source, counts: Matrix) -> Matrix:
    """Return the confusion matrix (k, k), gold classes down; `counts` (n,) weights the labelled rows."""
    size = source.scores.shape[1]
    pairs = source.gold * size + source.scores.argmax(axis=1)
    confusion: Matrix = np.bincount(pairs, weights=counts, minlength=size**2).astype(np.float64)
    return confusion.reshape(size, size)


def replicate(
    source: Source,
    target: UnlabelledSample,
    *,
    source_counts: Matrix,
    target_counts: Matrix,
    observed: Matrix,
    calibrator: Calibrator | None,
    start: Calibrator = UNCHANGED,
    random: np.random.Generator | None = None,
) -> Replicate:
    """Return the estimates with each row counted as `source_counts` (n,) and `target_counts` (m,) say.

    `observed` (3,) are the shares of the predicted classes; `calibrator` is used as given, or else fitted
    from `start`. Every class has labelled rows. With `random`, accuracy and recall are not the expected
    values but those of simulated labels on as many rows as the target has.
    """
    fitted = calibrator or fit_scaling(
        source.scores, source.gold, BIAS_CORRECTED, counts=source_counts, start=start
    )
    known, calibrated = fitted.apply(source.scores), fitted.apply(target.scores)
    prior = source_counts @ known / source_counts.sum()
    mix = em_mix(calibrated, prior, counts=target_counts)
    expected = _expected_confusion(target, adjust_scores(calibrated, prior, mix), target_counts)
    if random is not None:
        expected = (
            random.multinomial(target.count, expected.ravel()).reshape(expected.shape).astype(np.float64)
        )
    return Replicate(
        calibrator=fitted,
        confusion=bbse_mix(confusion_of(source, source_counts), observed),
        expected=mix,
        accuracy=float(np.trace(expected) / expected.sum(axis=1).sum()),
        recall=float(recalls(expected).mean()),
    )


def replicates(
    source: Source, target: UnlabelledSample, point: Replicate, *, refit: bool, seed: int
) -> Iterator[Replicate]:
    """Yield RESAMPLES replicates, each from both samples resampled, seeded with `seed`.

    With `refit` the calibrator is fitted to each resample. Labelled rows are resampled within their gold
    class, so that every class always has rows.

    Source: Efron & Tibshirani (1993), An Introduction to the Bootstrap, ch. 8 (stratified resampling).
    """
    random = np.random.default_rng(seed)
    n, m = len(source.gold), len(target.scores)
    observed = np.array(target.counts) / target.count
    groups = [np.flatnonzero(source.gold == place) for place in range(source.scores.shape[1])]
    for _ in range(RESAMPLES):
        drawn = np.zeros(n)
        for own in groups:
            drawn[own] = random.multinomial(len(own), np.full(len(own), 1 / len(own)))
        yield replicate(
            source,
            target,
            source_counts=drawn * source.weights,
            target_counts=random.multinomial(m, np.full(m, 1 / m)).astype(np.float64),
            observed=random.multinomial(target.count, observed) / target.count,
            calibrator=None if refit else point.calibrator,
            start=point.calibrator,
            random=random,
        )


def _expected_confusion(target: UnlabelledSample, scores: Matrix, counts: Matrix) -> Matrix:
    """Return the expected confusion matrix (k, k), summing to 1, if the scores are true probabilities."""
    given = np.eye(scores.shape[1])[target.scores.argmax(axis=1)]
    joint = (scores * counts[:, None]).T @ given
    shares: Matrix = joint / joint.sum()
    return shares
