"""The labelled rows that an estimate is made from and the rows it is for, in one pass over the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np
from numpy.typing import NDArray

from sentimon.evaluation.realised_quality import Judged
from sentimon.gold_labels.gold_label import GoldLabel, design_weights
from sentimon.gold_labels.label_join import RowWithLabel
from sentimon.labels import THREE, Sentiment
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import ModelKey
from sentimon.prediction_log.windows import Period

MOST_ROWS = 4_000
"""Most rows whose scores are kept in memory: a simple random sample of more."""

Matrix = NDArray[np.float64]
Classes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """The n labelled rows that an estimate is made from."""

    scores: Matrix
    """Raw scores, shape (n, k): a column for each class that there is."""
    gold: Classes
    """Columns of the gold classes, shape (n,)."""
    weights: Matrix
    """How many rows each stands for, shape (n,), with mean 1."""
    texts: Sequence[str | None]
    without_scores: int = 0
    """Labelled rows beside them that lack the scores of all classes."""
    present: tuple[Sentiment, ...] = THREE
    """The classes that there are."""

    @classmethod
    def of(
        cls, judged: Sequence[Judged], *, without_scores: int = 0, present: tuple[Sentiment, ...] = THREE
    ) -> Source:
        """Return the sample of labelled rows, which have scores, leaving out those of weight 0."""
        weights = design_weights([one.label for one in judged])
        kept = [(one, weight) for one, weight in zip(judged, weights, strict=True) if weight > 0]
        given = np.array([weight for _, weight in kept])
        return cls(
            scores=np.array([one.scores for one, _ in kept], dtype=np.float64).reshape(len(kept), 3)[
                :, list(present)
            ],
            gold=np.array([present.index(one.label.label) for one, _ in kept], dtype=np.int64),
            weights=given / given.mean() if len(given) else given,
            texts=[one.text for one, _ in kept],
            without_scores=without_scores,
            present=present,
        )

    @property
    def per_class(self) -> tuple[int, ...]:
        """Return the number of labelled rows of each class that there is."""
        return tuple(np.bincount(self.gold, minlength=len(self.present)).tolist())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnlabelledSample:
    """The rows that an estimate is for."""

    counts: tuple[int, ...]
    """Number of rows of each class that there is, as predicted."""
    scores: Matrix
    """Raw scores of a sample of m <= MOST_ROWS rows, shape (m, k)."""
    texts: Sequence[str | None]
    """Texts of the sampled rows."""
    without_scores: int = 0
    """Rows beside them that lack the scores of all classes."""

    @property
    def count(self) -> int:
        """Return the number of rows, sampled or not."""
        return sum(self.counts)


@dataclass(slots=True)
class ModelRows:
    """The rows of one model in the log; filled while the log is read.

    Rows without the scores of all classes are only counted: an estimate needs the scores.
    """

    inside: list[Judged] = field(default_factory=list)
    """Labelled rows of the period."""
    outside: list[Judged] = field(default_factory=list)
    """Labelled rows outside the period."""
    counts: list[int] = field(default_factory=lambda: [0, 0, 0])
    sample: list[tuple[tuple[float, float, float], str | None]] = field(default_factory=list)
    without_scores: int = 0
    """Rows of the period without the scores of all classes."""
    labelled_without_scores: int = 0
    """Labelled rows, of any time, without them."""

    slices: dict[str, ModelRows] = field(default_factory=dict)
    """The same rows by slice, where they are divided."""

    def add(self, record: PredictionRecord, gold: GoldLabel | None, *, held: bool, random: Random) -> None:
        """Add a row, which is of the period if it is `held`; `random` draws the sample."""
        if record.scores is None:
            self.without_scores += held
            self.labelled_without_scores += gold is not None
            return
        if gold is not None:
            (self.inside if held else self.outside).append(Judged.of(record, gold))
        if not held:
            return
        self.counts[record.sentiment] += 1
        entry = (record.scores.vector, record.text)
        if len(self.sample) < MOST_ROWS:
            self.sample.append(entry)
        elif (place := random.randrange(sum(self.counts))) < MOST_ROWS:
            self.sample[place] = entry

    @property
    def rows(self) -> int:
        """Return the number of rows of the period, with scores or without."""
        return sum(self.counts) + self.without_scores

    def target(self, present: tuple[Sentiment, ...] = THREE) -> UnlabelledSample:
        """Return the rows of the period, as an estimate takes them, where these classes are `present`."""
        scores = np.array([scores for scores, _ in self.sample], dtype=np.float64).reshape(-1, 3)
        return UnlabelledSample(
            counts=tuple(self.counts[place] for place in present),
            scores=scores[:, list(present)],
            texts=[text for _, text in self.sample],
            without_scores=self.without_scores,
        )


def gather(
    rows: Iterable[RowWithLabel],
    period: Period,
    *,
    seed: int,
    slice_of: Callable[[PredictionRecord], str] | None = None,
) -> dict[ModelKey, ModelRows]:
    """Return the rows of each (model, revision); one pass, memory for labelled and sampled rows.

    `seed` and the order of the rows determine which are sampled. With `slice_of`, which names the slice of a
    row, they are divided too; that does not change which of all rows are sampled.

    Source: Vitter (1985), ACM Trans. Math. Softw. 11, 37-57 (algorithm R).
    """
    random, random_of_slices = Random(seed), Random(seed)  # noqa: S311 - samples, no secrets
    found: dict[ModelKey, ModelRows] = {}
    for record, gold in rows:
        own = found.setdefault((record.model, record.revision), ModelRows())
        held = period.holds(record.timestamp)
        own.add(record, gold, held=held, random=random)
        if slice_of is not None:
            part = own.slices.setdefault(slice_of(record), ModelRows())
            part.add(record, gold, held=held, random=random_of_slices)
    return found
