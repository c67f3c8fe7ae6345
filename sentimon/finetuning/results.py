"""What a retraining came to: the new model against its base on rows that neither was trained on here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from sentimon.evaluation.comparison import Pairing, pair_up
from sentimon.evaluation.quality import Quality, evaluate
from sentimon.scoring.scores import Scores
from sentimon.finetuning.split import Course, Labelled
from sentimon.finetuning.training_loop import Pass

LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Base and new model on the rows of one kind that were kept out."""

    before: Quality
    after: Quality
    pairing: Pairing
    """After minus before."""
    guessing: float
    """The macro recall of who guesses: one part in as many as there are classes among the rows."""

    @property
    def no_better_than_guessing(self) -> bool:
        """Return whether the new model cannot be told from guessing."""
        low = self.after.macro_recall.low
        return low is None or low <= self.guessing


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What a retraining came to."""

    fingerprint: str
    revision: str
    passes: tuple[Pass, ...]
    temperature: float
    fresh: Side
    replay: Side | None
    """None where no old rows were given."""

    @property
    def best(self) -> Pass:
        """Return the pass whose weights were taken; 0 is the start."""
        return min(self.passes, key=lambda one: one.held_out_loss)

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
            "passes": [asdict(one) for one in self.passes],
            "new": _side(self.fresh),
            "old": None if self.replay is None else _side(self.replay),
        }


def _side(side: Side) -> dict[str, object]:
    return {
        "before": side.before.to_dict(),
        "after": side.after.to_dict(),
        "accuracy_difference": side.pairing.accuracy_difference.to_dict(),
        "macro_recall_difference": side.pairing.recall_difference.to_dict(),
        "no_better_than_guessing": side.no_better_than_guessing,
    }


def compare_results(
    course: Course,
    *,
    before: Sequence[Scores],
    after: Sequence[Scores],
    passes: tuple[Pass, ...],
    temperature: float,
    revision: str,
) -> Results:
    """Return the results from the scores of `course.judged_on`, (rows,) before and after."""
    many = len(course.held)
    old = course.held_replay
    return Results(
        fingerprint=course.fingerprint,
        revision=revision,
        passes=passes,
        temperature=temperature,
        fresh=_compared(course.held, before[:many], after[:many]),
        replay=_compared(old, before[many:], after[many:]) if old else None,
    )


def _compared(rows: Sequence[Labelled], before: Sequence[Scores], after: Sequence[Scores]) -> Side:
    labels = [label for _, label in rows]
    gold = np.array(labels, dtype=np.int64)
    a, b = (np.array([one.label for one in side], dtype=np.int64) for side in (before, after))
    return Side(
        before=evaluate(before, labels, confidence_level=LEVEL),
        after=evaluate(after, labels, confidence_level=LEVEL),
        pairing=pair_up("all", gold, a, b, confidence_level=LEVEL, seed=0),
        guessing=1 / len(set(labels)),
    )
