"""One line of JSON against the schema: the record it holds, or the reason why it holds none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, TypeVar

import msgspec

from sentimon.errors import DataError
from sentimon.labels import Sentiment, parse_label
from sentimon.logbook.moments import in_utc
from sentimon.logbook.record import PredictionRecord
from sentimon.scoring.scores import Scores

T = TypeVar("T")

AGREEMENT = 2e-3
"""How far a logged confidence may be from the score of its class: both may be rounded to 3 digits."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class BadLine:
    """A line that is not a prediction: where it stands, what kind of damage, and the reason in words."""

    path: str
    line: int
    kind: str
    reason: str

    def __str__(self) -> str:
        """Return `path:line: reason`."""
        return f"{self.path}:{self.line}: {self.reason}"


class RowError(DataError):
    """A line that holds no prediction; `kind` groups equal damage for counting."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class _Row(msgspec.Struct):
    timestamp: datetime
    sentiment: str
    confidence: float
    scores: dict[str, float]
    text: str | None = None
    id: str | int | None = None
    model: str | None = None
    revision: str | None = None
    truncated: bool | None = None


_decode_row = msgspec.json.Decoder(_Row).decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


def parse_row(line: bytes, *, zone: tzinfo | None) -> PredictionRecord:
    """Return the prediction on one line of the log; fields that are not ours are passed over.

    Labels may be canonical, Italian or numbered; a naive timestamp is read in `zone` (None: local).

    Raises:
        RowError: the line is no valid JSON or no valid prediction.
    """
    row = _decoded(line, _decode_row)
    sentiment = _label(row.sentiment)
    scores = parse_scores(row.scores)
    check_agreement(sentiment, row.confidence, scores)
    try:
        timestamp = in_utc(row.timestamp, zone)
    except DataError as error:
        raise RowError("timestamp", error.message) from error
    return PredictionRecord(
        timestamp=timestamp,
        text=row.text,
        sentiment=sentiment,
        confidence=row.confidence,
        scores=scores,
        id=None if row.id is None else str(row.id),
        model=row.model,
        revision=row.revision,
        truncated=row.truncated,
        naive=row.timestamp.tzinfo is None,
    )


def parse_object(line: bytes) -> dict[str, Any]:
    """Return the JSON object on one line, whatever its fields.

    Raises:
        RowError: it is no valid UTF-8, no valid JSON, or no object.
    """
    return _decoded(line, _decode_object)


def parse_scores(scores: Mapping[str, float]) -> Scores:
    """Return the scores of a row, whose keys may have any known name and any order.

    Raises:
        RowError: a label is unknown, missing or given twice, or the numbers are no distribution.
    """
    vector: list[float | None] = [None, None, None]
    for name, value in scores.items():
        place = _label(name)
        if vector[place] is not None:
            raise RowError("scores", f"scores name {place.label} twice")
        vector[place] = value
    missing = [Sentiment(place).label for place, value in enumerate(vector) if value is None]
    if missing:
        raise RowError("scores", f"scores lack {', '.join(missing)}")
    try:
        return Scores.from_probabilities([value for value in vector if value is not None])
    except DataError as error:
        raise RowError("scores", error.message) from error


def check_agreement(sentiment: Sentiment, confidence: float, scores: Scores) -> None:
    """Do nothing where the label and the confidence follow from the scores.

    Raises:
        RowError: another class scores higher, or the confidence is another number.
    """
    own = scores.vector[sentiment]
    if own < scores.confidence - AGREEMENT:
        raise RowError(
            "disagreement", f"sentiment is {sentiment.label}, but {scores.label.label} scores higher"
        )
    if not abs(confidence - own) <= AGREEMENT:
        raise RowError("disagreement", f"confidence is {confidence}, but {sentiment.label} scores {own}")


def _label(name: str) -> Sentiment:
    try:
        return parse_label(name)
    except DataError as error:
        raise RowError("label", error.message) from error


def _decoded(line: bytes, decode: Callable[[bytes], T]) -> T:
    try:
        # Outside of strings the parser reads bytes; the check of UTF-8 costs nothing on ASCII.
        return decode(line if line.isascii() else line.decode().encode())
    except msgspec.ValidationError as error:
        raise RowError("field", str(error)) from error
    except msgspec.DecodeError as error:
        raise RowError("json", f"not valid JSON: {error}") from error
    except UnicodeDecodeError as error:
        raise RowError("encoding", f"not valid UTF-8: {error.reason} at byte {error.start}") from error
    except RecursionError as error:
        raise RowError("json", "not valid JSON: nested too deeply") from error
