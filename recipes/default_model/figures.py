"""The figures of a model on the validation files: one group for each file and language."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recipes.default_model import measure
from recipes.default_model.corpus import Corpus
from recipes.default_model.data import Example
from recipes.default_model.own_texts import OwnText, group_by
from sentimon.evaluation.classification_metrics import (
    confusion_table,
    mean_recall,
    recalls,
)

EUROPEAN = ("italian", "spanish", "french", "german", "portuguese")
TWEETS = "tweeteval_english"


def quality(probabilities: NDArray[np.float64], gold: NDArray[np.int64]) -> dict[str, object]:
    """Return how well probabilities (rows, 3) match the gold classes (rows,); shares are 0..1.

    `recalls` are those of negative, neutral, positive; intervals hold 95 %; `overconfidence` is mean
    confidence minus accuracy; `calibration_error_by_chance` is that of a perfectly calibrated model.
    """
    predicted = probabilities.argmax(axis=1)
    table = confusion_table(gold, predicted)
    return {
        "rows": len(gold),
        "accuracy": float((predicted == gold).mean()),
        "macro_recall": mean_recall(table),
        "macro_recall_interval": measure.bootstrap_interval(mean_recall, predicted, gold),
        "macro_f1": measure.macro_f1(table),
        "macro_f1_interval": measure.bootstrap_interval(measure.macro_f1, predicted, gold),
        "recalls": recalls(table).tolist(),
        "calibration_error": measure.calibration_error(probabilities, gold),
        "calibration_error_by_chance": measure.calibration_error_by_chance(probabilities),
        "overconfidence": float(probabilities.max(axis=1).mean() - (predicted == gold).mean()),
    }


def validation_groups(corpus: Corpus) -> dict[str, list[int]]:
    """Return the rows of `corpus.validation` by group: the English file, UMSAB and our own by language."""
    places = iter(range(len(corpus.validation)))
    groups: dict[str, list[int]] = {TWEETS: [next(places) for _ in corpus.english_validation]}
    for name, rows in (("umsab", corpus.multilingual_validation), ("own", corpus.own.validation)):
        for row in rows:
            groups.setdefault(f"{name}_{row.language}", []).append(next(places))
    return groups


def validation_figures(corpus: Corpus, probabilities: NDArray[np.float64]) -> dict[str, object]:
    """Return the quality of each group, and the mean macro F1 of the five European languages."""
    gold, groups = classes_of(corpus.validation), validation_groups(corpus)
    predicted = probabilities.argmax(axis=1)
    european = [groups[f"umsab_{language}"] for language in EUROPEAN]
    return {
        "european_macro_f1": float(
            np.mean([measure.macro_f1(confusion_table(gold[at], predicted[at])) for at in european])
        ),
        **{name: quality(probabilities[at], gold[at]) for name, at in groups.items()},
    }


COMPLAINTS = ("ticket", "letter", "office")
"""Domains of mails and tickets, where a complaint that is missed costs most."""


def own_figures(texts: Sequence[OwnText], probabilities: NDArray[np.float64]) -> dict[str, object]:
    """Return the quality on our own test by language, domain and register, and the recall of complaints."""
    gold = classes_of(texts)
    mails = [at for at, text in enumerate(texts) if text.domain in COMPLAINTS]
    return {
        **{
            field: {name: quality(probabilities[at], gold[at]) for name, at in group_by(texts, field).items()}
            for field in ("language", "domain", "register")
        },
        "complaints": quality(probabilities[mails], gold[mails]),
    }


def own_line(texts: Sequence[OwnText], probabilities: NDArray[np.float64]) -> str:
    """Return the accuracy on our own texts by language in one line, in per cent."""
    right = probabilities.argmax(axis=1) == classes_of(texts)
    return ", ".join(
        f"{name} {100 * right[at].mean():.1f}" for name, at in group_by(texts, "language").items()
    )


def summary_line(corpus: Corpus, probabilities: NDArray[np.float64]) -> str:
    """Return the main figure and the calibration error of each group in one line, in per cent."""
    gold = classes_of(corpus.validation)
    parts = []
    for name, rows in validation_groups(corpus).items():
        predicted = probabilities[rows].argmax(axis=1)
        metric = mean_recall if name == TWEETS else measure.macro_f1
        error = measure.calibration_error(probabilities[rows], gold[rows])
        parts.append(
            f"{name} {100 * metric(confusion_table(gold[rows], predicted)):.1f} (ece {100 * error:.1f})"
        )
    return ", ".join(parts)


def classes_of(examples: Sequence[Example]) -> NDArray[np.int64]:
    """Return the gold classes of `examples`, (rows,)."""
    return np.array([int(example.label) for example in examples], dtype=np.int64)
