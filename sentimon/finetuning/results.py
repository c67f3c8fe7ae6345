"""The results of a retraining: the new model against its base on held-out rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from sentimon.evaluation.model_comparison import PairedResult, compare_pair
from sentimon.evaluation.quality import Quality, evaluate
from sentimon.finetuning.split import DataSplit, Labelled
from sentimon.finetuning.training_loop import EpochMetrics
from sentimon.labels import THREE, Classes
from sentimon.scoring.scores import Scores

LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeAndAfter:
    """The base and the new model on held-out rows, new ones or old ones."""

    before: Quality
    after: Quality
    pairing: PairedResult
    """After minus before."""
    guessing: float
    """The macro recall of guessing: 1 divided by the number of classes among the rows."""

    @property
    def no_better_than_guessing(self) -> bool:
        """Return whether the new model may be no better than guessing: its interval reaches down to it."""
        low = self.after.macro_recall.low
        return low is None or low <= self.guessing


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainingResults:
    """What a retraining did, and how good the new model is."""

    fingerprint: str
    revision: str
    epochs: tuple[EpochMetrics, ...]
    temperature: float
    new: BeforeAndAfter
    old: BeforeAndAfter | None
    """None if no old rows were given."""

    @property
    def best(self) -> EpochMetrics:
        """Return the epoch whose weights were taken; 0 is the base."""
        return min(self.epochs, key=lambda one: one.held_out_loss)

    def to_dict(self) -> dict[str, object]:
        """Return plain Python that strict JSON holds.

        `fingerprint`, `revision`, `temperature`, `best_pass`, `passes`; `new` and `old` (None without
        replay), each with `before` and `after` (as `evaluate --json`), `accuracy_difference` and
        `macro_recall_difference`, after minus before, and `no_better_than_guessing`.
        """
        return {
            "fingerprint": self.fingerprint,
            "revision": self.revision,
            "temperature": self.temperature,
            "best_pass": self.best.number,
            "passes": [asdict(one) for one in self.epochs],
            "new": _dict_of(self.new),
            "old": None if self.old is None else _dict_of(self.old),
        }


def _dict_of(side: BeforeAndAfter) -> dict[str, object]:
    return {
        "before": side.before.to_dict(),
        "after": side.after.to_dict(),
        "accuracy_difference": side.pairing.accuracy_difference.to_dict(),
        "macro_recall_difference": side.pairing.recall_difference.to_dict(),
        "no_better_than_guessing": side.no_better_than_guessing,
    }


def compare_results(
    split: DataSplit,
    *,
    before: Sequence[Scores],
    after: Sequence[Scores],
    epochs: tuple[EpochMetrics, ...],
    temperature: float,
    revision: str,
    present: Classes = THREE,
) -> RetrainingResults:
    """Return the results from the scores of `split.all_held_out`, (rows,) before and after.

    `present` are the classes that the model has outputs for.
    """
    many = len(split.held_out)
    old = split.replay_held_out
    return RetrainingResults(
        fingerprint=split.fingerprint,
        revision=revision,
        epochs=epochs,
        temperature=temperature,
        new=_compared(split.held_out, before[:many], after[:many], present),
        old=_compared(old, before[many:], after[many:], present) if old else None,
    )


def _compared(
    rows: Sequence[Labelled], before: Sequence[Scores], after: Sequence[Scores], present: Classes
) -> BeforeAndAfter:
    labels = [label for _, label in rows]
    gold = np.array(labels, dtype=np.int64)
    a, b = (np.array([one.label for one in side], dtype=np.int64) for side in (before, after))
    return BeforeAndAfter(
        before=evaluate(before, labels, confidence_level=LEVEL, present=present),
        after=evaluate(after, labels, confidence_level=LEVEL, present=present),
        pairing=compare_pair("all", gold, a, b, confidence_level=LEVEL, seed=0),
        guessing=1 / len(set(labels)),
    )
