"""One line of JSON against the schema: the record it holds, or the reason why it holds none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Annotated, Any

import msgspec

from sentimon.errors import DataError
from sentimon.jsonl import LineError, decode_line
from sentimon.labels import LABELS, Sentiment, parse_label
from sentimon.prediction_log.record import CORE_FIELDS, OPTIONAL_FIELDS, PredictionRecord
from sentimon.scoring.scores import Scores
from sentimon.timestamps import in_utc

AGREEMENT = 2e-3
"""How far a logged confidence may be from the score of its class: both may be rounded to 3 digits."""


class OptionalFields(msgspec.Struct, kw_only=True, gc=False):
    """The fields that a row may do without."""

    text: str | None = None
    id: str | int | None = None
    model: str | None = None
    revision: str | None = None
    truncated: bool | None = None
    text_hash: str | None = None
    token_hashes: list[Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]] | None = None


class _Row(OptionalFields, kw_only=True, gc=False):
    timestamp: datetime
    sentiment: str
    confidence: float
    scores: dict[str, float]


_decode_row = msgspec.json.Decoder(_Row).decode
_decode_raw = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_OURS = frozenset(CORE_FIELDS + OPTIONAL_FIELDS)


def parse_row(line: bytes, *, zone: tzinfo | None, whole: bool = False) -> PredictionRecord:
    """Return the prediction on one line of the log; fields that are not ours only where it is to be `whole`.

    Labels may be canonical, Italian or numbered; a naive timestamp is read in `zone` (None: local).
    Fields that are not ours are JSON as it was written, so that a number keeps every digit.

    Raises:
        LineError: the line is no valid JSON or no valid prediction.
    """
    row = decode_line(line, _decode_row)
    sentiment = line_label(row.sentiment)
    scores = parse_scores(row.scores)
    check_agreement(sentiment, row.confidence, scores)
    try:
        timestamp = in_utc(row.timestamp, zone)
    except DataError as error:
        raise LineError("timestamp", error.message) from error
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
        text_hash=row.text_hash,
        token_hashes=row.token_hashes,
        naive=row.timestamp.tzinfo is None,
        extra=_rest_of(line) if whole else {},
    )


def _rest_of(line: bytes) -> dict[str, Any]:
    # Between two fields a line may hold a carriage return, at which other programs end a line.
    flat = msgspec.json.format(line, indent=-1) if b"\r" in line else line
    return {name: value for name, value in _decode_raw(flat).items() if name not in _OURS}


def parse_scores(scores: Mapping[str, float], *, parse: Callable[[str], Sentiment] | None = None) -> Scores:
    """Return the scores of a row, whose keys may have any order and any name that `parse` knows.

    Raises:
        LineError: a label is unknown, missing or given twice, or the numbers are no distribution.
    """
    # What we wrote ourselves needs no looking up.
    vector = list(scores.values()) if tuple(scores) == LABELS else _in_order(scores, parse or line_label)
    try:
        return Scores.from_probabilities(vector)
    except DataError as error:
        raise LineError("scores", error.message) from error


def _in_order(scores: Mapping[str, float], parse: Callable[[str], Sentiment]) -> list[float]:
    found: dict[Sentiment, float] = {}
    for name, value in scores.items():
        place = parse(name)
        if place in found:
            raise LineError("scores", f"scores name {place.label} twice")
        found[place] = value
    missing = [place.label for place in Sentiment if place not in found]
    if missing:
        raise LineError("scores", f"scores lack {', '.join(missing)}")
    return [found[place] for place in Sentiment]


def check_agreement(sentiment: Sentiment, confidence: float, scores: Scores) -> None:
    """Do nothing where the label and the confidence follow from the scores.

    Raises:
        LineError: another class scores higher, or the confidence is another number.
    """
    if not 0.0 <= confidence <= 1.0:
        raise LineError("disagreement", f"confidence is {confidence}, not a number from 0 to 1")
    own = scores.vector[sentiment]
    if own < scores.confidence - AGREEMENT:
        raise LineError(
            "disagreement", f"sentiment is {sentiment.label}, but {scores.label.label} scores higher"
        )
    if not abs(confidence - own) <= AGREEMENT:
        raise LineError("disagreement", f"confidence is {confidence}, but {sentiment.label} scores {own}")


def line_label(name: str) -> Sentiment:
    """Return the class that a row names.

    Raises:
        LineError: no class has that name.
    """
    try:
        return parse_label(name)
    except DataError as error:
        raise LineError("label", error.message) from error
