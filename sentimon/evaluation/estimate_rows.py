"""Labelled rows to learn from and rows to estimate for, of one model, out of one pass over the log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np
from numpy.typing import NDArray

from sentimon.evaluation.realised_quality import Judged
from sentimon.gold_labels.gold_label import design_weights
from sentimon.gold_labels.label_join import RowWithLabel
from sentimon.prediction_log.summary import ModelKey
from sentimon.prediction_log.windows import Period

MOST_ROWS = 4_000
"""Rows whose scores are held; of more a random sample, drawn evenly."""

Matrix = NDArray[np.float64]
Classes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """Labelled rows, n of them."""

    scores: Matrix
    """Raw, shape (n, 3)."""
    gold: Classes
    weights: Matrix
    """How many rows each stands for, 1 in the mean."""
    texts: Sequence[str | None]

    @classmethod
    def of(cls, judged: Sequence[Judged]) -> Source:
        """Return the labelled rows that count: those of some weight."""
        weights = design_weights([one.label for one in judged])
        kept = [(one, weight) for one, weight in zip(judged, weights, strict=True) if weight > 0]
        given = np.array([weight for _, weight in kept])
        return cls(
            scores=np.array([one.scores for one, _ in kept], dtype=np.float64).reshape(len(kept), 3),
            gold=np.array([one.label.label for one, _ in kept], dtype=np.int64),
            weights=given / given.mean() if len(given) else given,
            texts=[one.text for one, _ in kept],
        )

    @property
    def per_class(self) -> tuple[int, int, int]:
        """Return the labelled rows of each gold class."""
        negative, neutral, positive = np.bincount(self.gold, minlength=3)
        return (int(negative), int(neutral), int(positive))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnlabelledSample:
    """The rows to estimate for."""

    counts: tuple[int, int, int]
    """All rows per predicted class."""
    scores: Matrix
    """Raw, of at most MOST_ROWS rows, shape (m, 3)."""
    texts: Sequence[str | None]
    """Of the same rows."""

    @property
    def count(self) -> int:
        """Return the number of all rows."""
        return sum(self.counts)


@dataclass(slots=True)
class Gathered:
    """What the log has of one model; it grows while the log is read."""

    inside: list[Judged] = field(default_factory=list)
    """Labelled rows of the period."""
    outside: list[Judged] = field(default_factory=list)
    """Labelled rows of other times."""
    counts: list[int] = field(default_factory=lambda: [0, 0, 0])
    sample: list[tuple[tuple[float, float, float], str | None]] = field(default_factory=list)

    def target(self) -> UnlabelledSample:
        """Return the rows of the period."""
        negative, neutral, positive = self.counts
        return UnlabelledSample(
            counts=(negative, neutral, positive),
            scores=np.array([scores for scores, _ in self.sample], dtype=np.float64).reshape(-1, 3),
            texts=[text for _, text in self.sample],
        )


def gather(rows: Iterable[RowWithLabel], period: Period, *, seed: int) -> dict[ModelKey, Gathered]:
    """Return what `rows` hold of each (model, revision); one pass, memory for labelled and sampled rows.

    Which rows are sampled follows from `seed` and their order.

    Source: Vitter (1985), ACM Trans. Math. Softw. 11, 37-57 (algorithm R).
    """
    random = Random(seed)  # noqa: S311 - a sample, no secret
    found: dict[ModelKey, Gathered] = {}
    for record, gold in rows:
        own = found.setdefault((record.model, record.revision), Gathered())
        held = period.holds(record.timestamp)
        if gold is not None:
            (own.inside if held else own.outside).append(Judged.of(record, gold))
        if not held:
            continue
        own.counts[record.sentiment] += 1
        entry = (record.scores.vector, record.text)
        if len(own.sample) < MOST_ROWS:
            own.sample.append(entry)
        elif (place := random.randrange(sum(own.counts))) < MOST_ROWS:
            own.sample[place] = entry
    return found
