"""One prediction: what was asked, what the model said, and when; and its line in the log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from sentimon.jsonl import well_formed
from sentimon.labels import Sentiment
from sentimon.scoring.scores import ScoredText, Scores
from sentimon.timestamps import format_moment

CORE_FIELDS = ("timestamp", "text", "sentiment", "confidence", "scores")
OPTIONAL_FIELDS = ("id", "model", "revision", "truncated", "text_hash", "token_hashes")


class PredictionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One logged prediction.

    `sentiment` and `confidence` are kept as logged although they follow from `scores` in rows of our
    own: programs that round each number by itself are read as they wrote.
    """

    timestamp: datetime
    """When it was predicted, in UTC."""
    text: str | None
    sentiment: Sentiment
    confidence: float
    scores: Scores
    id: str | None = None
    model: str | None = None
    revision: str | None = None
    truncated: bool | None = None
    text_hash: str | None = None
    """The keyed hash that stands for a text that is not kept."""
    token_hashes: list[int] | None = None
    """Keyed hashes of the distinct words of a text that is not kept, ascending."""
    naive: bool = False
    """Whether the logged timestamp named no time zone, so that one had to be assumed."""
    extra: Mapping[str, Any] = msgspec.field(default_factory=dict)
    """Fields that are not ours; they are written back as they came."""

    @classmethod
    def of(
        cls, text: str, scored: ScoredText, *, timestamp: datetime, model: str, revision: str, **rest: Any
    ) -> PredictionRecord:
        """Return the record of a text that was just scored; `rest` are further fields of the record."""
        return cls(
            timestamp=timestamp,
            text=text,
            sentiment=scored.scores.label,
            confidence=scored.scores.confidence,
            scores=scored.scores,
            model=model,
            revision=revision,
            truncated=scored.truncated,
            **rest,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the row as it is written: the five core fields first, then those that are known."""
        row: dict[str, Any] = {
            "timestamp": format_moment(self.timestamp),
            "text": None if self.text is None else well_formed(self.text),
            "sentiment": self.sentiment.label,
            "confidence": self.confidence,
            "scores": self.scores.to_dict(),
        }
        row |= {name: getattr(self, name) for name in OPTIONAL_FIELDS if getattr(self, name) is not None}
        return row | {name: value for name, value in self.extra.items() if name not in row}
