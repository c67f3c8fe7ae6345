"""What the validation files say of a model: one table row a file and language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from sentimon.training import measure
from sentimon.training.data import Corpus, Example

EUROPEAN = ("italian", "spanish", "french", "german", "portuguese")
TWEETS = "tweeteval_english"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How well one group of rows is classified; shares are 0..1, intervals hold 95 %."""

    rows: int
    macro_recall: float
    macro_recall_interval: tuple[float, float]
    macro_f1: float
    macro_f1_interval: tuple[float, float]
    recalls: tuple[float, ...]
    """Of negative, neutral, positive."""
    calibration_error: float
    calibration_error_by_chance: float
    """What a perfectly calibrated model would show on as many rows."""
    overconfidence: float
    """Mean confidence minus accuracy."""

    @classmethod
    def of(cls, probabilities: NDArray[np.float64], gold: NDArray[np.int64]) -> Quality:
        """Return the quality of probabilities (rows, 3) against gold classes (rows,)."""
        predicted = probabilities.argmax(axis=1)
        return cls(
            rows=len(gold),
            macro_recall=measure.macro_recall(predicted, gold),
            macro_recall_interval=measure.bootstrap_interval(measure.macro_recall, predicted, gold),
            macro_f1=measure.macro_f1(predicted, gold),
            macro_f1_interval=measure.bootstrap_interval(measure.macro_f1, predicted, gold),
            recalls=tuple(measure.recalls(predicted, gold).tolist()),
            calibration_error=measure.calibration_error(probabilities, gold),
            calibration_error_by_chance=measure.calibration_error_by_chance(probabilities),
            overconfidence=float(probabilities.max(axis=1).mean() - (predicted == gold).mean()),
        )


def validation_groups(corpus: Corpus) -> dict[str, list[int]]:
    """Return the rows of `corpus.validation` by group: the English file, then each UMSAB language."""
    many = len(corpus.english_validation)
    groups: dict[str, list[int]] = {TWEETS: list(range(many))}
    for place, row in enumerate(corpus.multilingual_validation, start=many):
        groups.setdefault(f"umsab_{row.language}", []).append(place)
    return groups


def validation_figures(corpus: Corpus, probabilities: NDArray[np.float64]) -> dict[str, object]:
    """Return the quality of each group, and the mean macro F1 of the five European languages."""
    gold = classes_of(corpus.validation)
    groups = validation_groups(corpus)
    found = {name: Quality.of(probabilities[rows], gold[rows]) for name, rows in groups.items()}
    european = float(np.mean([found[f"umsab_{name}"].macro_f1 for name in EUROPEAN]))
    return {"european_macro_f1": european, **{name: asdict(quality) for name, quality in found.items()}}


def summary_line(corpus: Corpus, probabilities: NDArray[np.float64]) -> str:
    """Return the figures that the bars are about, in one short line, in per cent."""
    gold = classes_of(corpus.validation)
    parts = []
    for name, rows in validation_groups(corpus).items():
        predicted = probabilities[rows].argmax(axis=1)
        metric = measure.macro_recall if name == TWEETS else measure.macro_f1
        error = measure.calibration_error(probabilities[rows], gold[rows])
        parts.append(f"{name} {100 * metric(predicted, gold[rows]):.1f} (ece {100 * error:.1f})")
    return ", ".join(parts)


def classes_of(examples: Sequence[Example]) -> NDArray[np.int64]:
    """Return the gold classes of `examples`, (rows,)."""
    return np.array([int(example.label) for example in examples], dtype=np.int64)
