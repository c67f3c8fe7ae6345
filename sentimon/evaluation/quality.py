"""Quality of a model on a labelled data set, every number with an interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sentimon.errors import DataError
from sentimon.evaluation.classification_metrics import (
    NOTHING,
    ClassQuality,
    accuracy,
    class_quality,
    confusion_table,
    mean_f1,
    weighted_mean,
)
from sentimon.labels import THREE, Classes, Sentiment
from sentimon.scoring.scores import BestClass, Scores
from sentimon.statistics.calibration_error import calibration_error
from sentimon.statistics.intervals import Estimate, student_quantile

SMALLEST_SCORE = 1e-6
"""Scores are raised to this before their logarithm is taken: one score of 0 would make the mean infinite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """The quality of a model on labelled rows; an estimate is None where there are no rows for it."""

    n: int
    confidence_level: float
    accuracy: Estimate
    macro_recall: Estimate
    """Mean recall of the classes that have gold labels; the metric of the TweetEval benchmark."""
    macro_f1: Estimate
    """Mean F1 of the classes that have gold labels."""
    weighted_f1: Estimate
    """Mean F1, each class weighted by its gold labels."""
    classes: tuple[ClassQuality, ...]
    """In Sentiment order, all three."""
    confusion_matrix: tuple[tuple[int, ...], ...]
    """3 x 3: rows are gold classes, columns predicted ones, in Sentiment order."""
    calibration_error: Estimate
    brier: Estimate
    """Mean squared distance of the scores from the truth, 0 (perfect) .. 2."""
    negative_log_likelihood: Estimate
    """Mean of -ln(score of the gold class) in nats, >= 0; scores clipped at 1e-6."""
    present: Classes = THREE
    """The classes that there are."""

    @property
    def per_class(self) -> tuple[ClassQuality, ...]:
        """Return the quality of each class that there is."""
        return tuple(self.classes[place] for place in self.present)

    def to_dict(self) -> dict[str, object]:
        """Return plain Python that strict JSON holds, with these keys.

        `n`, `confidence_level`; the estimates `accuracy`, `macro_recall`, `macro_f1`, `weighted_f1`,
        `expected_calibration_error`, `brier_score`, `negative_log_likelihood`, each
        `{value, low, high, n}`; `per_class`, by canonical label `{support, predicted, precision,
        recall, f1}`; `confusion_matrix`, rows gold, columns predicted; `labels`, its order.
        """
        return {
            "n": self.n,
            "confidence_level": self.confidence_level,
            "accuracy": self.accuracy.to_dict(),
            "macro_recall": self.macro_recall.to_dict(),
            "macro_f1": self.macro_f1.to_dict(),
            "weighted_f1": self.weighted_f1.to_dict(),
            "per_class": {
                one.sentiment.label: {
                    "support": one.support,
                    "predicted": one.predicted,
                    "precision": one.precision.to_dict(),
                    "recall": one.recall.to_dict(),
                    "f1": one.f1.to_dict(),
                }
                for one in self.per_class
            },
            "labels": [one.label for one in self.present],
            "confusion_matrix": [
                [self.confusion_matrix[gold][place] for place in self.present] for gold in self.present
            ],
            "expected_calibration_error": self.calibration_error.to_dict(),
            "brier_score": self.brier.to_dict(),
            "negative_log_likelihood": self.negative_log_likelihood.to_dict(),
        }


def evaluate(
    scores: Sequence[Scores | BestClass],
    labels: Sequence[Sentiment],
    *,
    confidence_level: float = 0.95,
    seed: int = 0,
    present: Classes = THREE,
) -> Quality:
    """Return the quality of `scores` (n,) against the gold `labels` (n,) of the same rows.

    `present` are the classes that there are. A row may have its best class alone, with a confidence or not.
    The calibration error is then over the rows that have a confidence, Brier score and likelihood over those
    that have the scores of all classes.

    Accuracy, precision and recall have Wilson's interval; macro recall combines the classes' by
    square-and-add; macro and weighted F1 use a bootstrap seeded with `seed`; Brier score and
    likelihood Student's t. A class without gold labels has no metrics (None, not 0) and does not
    count in the macro means. Scores are clipped at 1e-6 for the likelihood only.

    Raises:
        DataError: not as many scores as labels.
    """
    if len(scores) != len(labels):
        raise DataError(f"{len(scores)} scores, but {len(labels)} labels")
    n = len(scores)
    table = confusion_table(labels, [one.label for one in scores])
    classes = tuple(class_quality(table, one, confidence_level=confidence_level) for one in Sentiment)
    seen = sum(one.support > 0 for one in classes)
    equal = [1 / seen if one.support else 0.0 for one in classes]
    by_support = [one.support / n if n else 0.0 for one in classes]
    calibration, brier, likelihood = _of_probabilities(scores, labels, confidence_level)
    return Quality(
        n=n,
        confidence_level=confidence_level,
        accuracy=accuracy(table, confidence_level=confidence_level),
        macro_recall=weighted_mean([one.recall for one in classes], equal, n=n),
        macro_f1=mean_f1(table, equal, confidence_level=confidence_level, seed=seed),
        weighted_f1=mean_f1(table, by_support, confidence_level=confidence_level, seed=seed),
        classes=classes,
        confusion_matrix=tuple(tuple(int(count) for count in row) for row in table),
        calibration_error=calibration,
        brier=brier,
        negative_log_likelihood=likelihood,
        present=present,
    )


def _of_probabilities(
    scores: Sequence[Scores | BestClass], labels: Sequence[Sentiment], confidence_level: float
) -> tuple[Estimate, Estimate, Estimate]:
    """Return calibration error, Brier score and negative log-likelihood."""
    pairs = list(zip(scores, labels, strict=True))
    sure = [(one.confidence, float(one.label == gold)) for one, gold in pairs if one.confidence is not None]
    confidence, correct = np.array(sure, dtype=np.float64).reshape(len(sure), 2).T
    full = [(one.vector, gold) for one, gold in pairs if isinstance(one, Scores)]
    vectors = np.array([one for one, _ in full], dtype=np.float64).reshape(len(full), len(Sentiment))
    truth = np.eye(len(Sentiment))[np.array([gold for _, gold in full], dtype=np.int64)]
    of_gold = np.clip((vectors * truth).sum(axis=1), SMALLEST_SCORE, 1.0)
    return (
        calibration_error(confidence, correct, confidence_level=confidence_level),
        _mean(((vectors - truth) ** 2).sum(axis=1), 2.0, confidence_level),
        _mean(-np.log(of_gold), -math.log(SMALLEST_SCORE), confidence_level),
    )


def _mean(values: NDArray[np.float64], most: float, confidence_level: float) -> Estimate:
    """Return the mean of the rows' values, each in 0..most, with Student's t interval, cut to that range."""
    n = len(values)
    if not n:
        return NOTHING
    value = float(values.mean()) + 0.0  # -ln(1) is -0.0
    if n == 1:
        return Estimate(value=value, low=0.0, high=most, n=n)
    half = student_quantile(confidence_level, n - 1) * float(values.std(ddof=1)) / math.sqrt(n)
    return Estimate(value=value, low=max(0.0, value - half), high=min(most, value + half), n=n)
