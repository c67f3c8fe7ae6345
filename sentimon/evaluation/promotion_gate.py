"""Whether a candidate may take the place of the model in use: the paired comparison and a fixed list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sentimon.evaluation.datasets import LabelledText
from sentimon.evaluation.model_comparison import Comparison
from sentimon.labels import Sentiment


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A listed text that the candidate gives another label than the list."""

    text: str
    label: Sentiment
    before: Sentiment
    """What the model in use says."""
    now: Sentiment


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What was asked of a candidate, and what came out."""

    comparison: Comparison | None
    """None where no held-back rows were given."""
    listed: int
    broken: tuple[Broken, ...]

    @property
    def open(self) -> bool:
        """Return whether the candidate may serve: it is not worse, and every listed text keeps its label."""
        return not self.broken and (self.comparison is None or not self.comparison.worse)


def find_broken(
    rows: Sequence[LabelledText], before: Sequence[Sentiment], now: Sequence[Sentiment]
) -> tuple[Broken, ...]:
    """Return the listed rows whose label the candidate does not give, whatever the model in use says."""
    return tuple(
        Broken(text=row.text, label=row.label, before=was, now=found)
        for row, was, found in zip(rows, before, now, strict=True)
        if found is not row.label
    )
