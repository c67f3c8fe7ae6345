"""One logged prediction, and the line of JSON that holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Annotated, Any

import msgspec

from sentimon.errors import DataError
from sentimon.jsonl import LineError, decode_line, well_formed
from sentimon.labels import LABELS, THREE, TWO, TWO_CLASSES, Classes, Sentiment, parse_label
from sentimon.scoring.scores import ScoredText, Scores
from sentimon.timestamps import format_moment, in_utc

CORE_FIELDS = ("timestamp", "text", "sentiment", "confidence", "scores")
OPTIONAL_FIELDS = ("id", "model", "revision", "truncated", "unreadable", "text_hash", "token_hashes")


class PredictionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One logged prediction.

    `sentiment` and `confidence` follow from `scores` in our own rows, but are kept as they were logged:
    other programs round each number by itself. A classifier may give the score of its best class alone, or
    no score at all: then `scores` is None, and maybe `confidence`, too. A row with scores has a confidence.
    """

    timestamp: datetime
    """When it was predicted, in UTC."""
    text: str | None
    sentiment: Sentiment
    confidence: float | None
    """The score of `sentiment`, 0 .. 1; None where the classifier gave none."""
    scores: Scores | None
    """The scores of all classes; None where the classifier gave at most that of the best one."""
    id: str | None = None
    model: str | None = None
    revision: str | None = None
    truncated: bool | None = None
    unreadable: bool | None = None
    """Whether the model has no pieces for most of the letters of the text: its scores say nothing of it."""
    text_hash: str | None = None
    """The keyed hash of a text that is not kept."""
    token_hashes: list[int] | None = None
    """Keyed hashes of the distinct words of a text that is not kept, ascending."""
    naive: bool = False
    """Whether the logged timestamp named no time zone, so that one was assumed."""
    extra: Mapping[str, Any] = msgspec.field(default_factory=dict)
    """Fields that are not ours; they are written back unchanged."""

    @classmethod
    def of(
        cls, text: str, scored: ScoredText, *, timestamp: datetime, model: str, revision: str, **rest: Any
    ) -> PredictionRecord:
        """Return the record of a text that was scored just now; `rest` are further fields."""
        return cls(
            timestamp=timestamp,
            text=text,
            sentiment=scored.scores.label,
            confidence=scored.scores.confidence,
            scores=scored.scores,
            model=model,
            revision=revision,
            truncated=scored.truncated,
            # Left out where it is false, as it is almost always.
            unreadable=scored.unreadable or None,
            **rest,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the row as it is written: the five core fields first, then the others that are set.

        Of the core fields, `text`, `confidence` and `scores` may be null.
        """
        row: dict[str, Any] = {
            "timestamp": format_moment(self.timestamp),
            "text": None if self.text is None else well_formed(self.text),
            "sentiment": self.sentiment.label,
            "confidence": self.confidence,
            "scores": None if self.scores is None else self.scores.to_dict(),
        }
        row |= {name: getattr(self, name) for name in OPTIONAL_FIELDS if getattr(self, name) is not None}
        return row | {name: value for name, value in self.extra.items() if name not in row}


AGREEMENT = 2e-3
"""Largest difference between a logged confidence and the score of its class: both may be rounded."""
LEAST_CONFIDENCE = 1 / len(LABELS) - AGREEMENT
"""Least confidence of a row without scores: the best class of all has no less, as their scores sum to 1."""


class OptionalFields(msgspec.Struct, kw_only=True, gc=False):
    """The fields that a row may lack."""

    text: str | None = None
    id: str | int | None = None
    model: str | None = None
    revision: str | None = None
    truncated: bool | None = None
    unreadable: bool | None = None
    text_hash: str | None = None
    token_hashes: list[Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]] | None = None


class _Row(OptionalFields, kw_only=True, gc=False):
    timestamp: datetime
    sentiment: str
    confidence: float | None = None
    scores: dict[str, float] | None = None


_decode_row = msgspec.json.Decoder(_Row).decode


_decode_raw = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


_OURS = frozenset(CORE_FIELDS + OPTIONAL_FIELDS)


def parse_row(line: bytes, *, zone: tzinfo | None, whole: bool = False) -> PredictionRecord:
    """Return the prediction on one line of the log; with `whole`, also the fields that are not ours.

    Labels may be canonical, Italian or numbered; a naive timestamp is read in `zone` (None: local). The
    scores may be missing or null; then the confidence may be, too.
    Fields that are not ours stay JSON as it was written, so that a number keeps every digit.

    Raises:
        LineError: the line is no valid JSON or no valid prediction.
    """
    row = decode_line(line, _decode_row)
    sentiment = line_label(row.sentiment)
    scores = None if row.scores is None else parse_scores(row.scores)
    if scores is not None and row.confidence is None:
        raise LineError("field", "has scores, but no confidence")
    confidence = agreed_confidence(sentiment, row.confidence, scores)
    try:
        timestamp = in_utc(row.timestamp, zone)
    except DataError as error:
        raise LineError("timestamp", error.message) from error
    return PredictionRecord(
        timestamp=timestamp,
        text=row.text,
        sentiment=sentiment,
        confidence=confidence,
        scores=scores,
        id=None if row.id is None else str(row.id),
        model=row.model,
        revision=row.revision,
        truncated=row.truncated,
        unreadable=row.unreadable,
        text_hash=row.text_hash,
        token_hashes=row.token_hashes,
        naive=row.timestamp.tzinfo is None,
        extra=_rest_of(line) if whole else {},
    )


def _rest_of(line: bytes) -> dict[str, Any]:
    # Between two fields a line may hold a carriage return, which would end the line for other programs.
    flat = msgspec.json.format(line, indent=-1) if b"\r" in line else line
    return {name: value for name, value in _decode_raw(flat).items() if name not in _OURS}


def parse_scores(
    scores: Mapping[str, float],
    *,
    parse: Callable[[str], Sentiment] | None = None,
    classes: Classes = THREE,
) -> Scores:
    """Return the scores of a row, whose keys may have any order, and any name that `parse` knows.

    A class that is none of `classes` scores 0, and need not be named.

    Raises:
        LineError: a label is unknown, missing or given twice, or the numbers are no distribution.
    """
    # The quick way, for rows that we wrote ourselves.
    vector = (
        list(scores.values()) if tuple(scores) == LABELS else _in_order(scores, parse or line_label, classes)
    )
    try:
        found = Scores.from_probabilities(vector)
    except DataError as error:
        raise LineError("scores", error.message) from error
    if classes != THREE:
        _check_absent(found, classes)
    return found


def _check_absent(scores: Scores, classes: Classes) -> None:
    for place in Sentiment:
        score = scores.vector[place]
        if place not in classes and score > 0:
            raise LineError(
                "scores", f"{place.label} scores {score}, a class that is not there with {TWO_CLASSES}"
            )


def _in_order(
    scores: Mapping[str, float], parse: Callable[[str], Sentiment], classes: Classes
) -> list[float]:
    found: dict[Sentiment, float] = {}
    for name, value in scores.items():
        place = parse(name)
        if place in found:
            raise LineError("scores", f"scores name {place.label} twice")
        found[place] = value
    missing = [place.label for place in Sentiment if place in classes and place not in found]
    if missing:
        # A classifier of two classes has such scores.
        hint = f"; without such a class set {TWO_CLASSES}" if found.keys() == set(TWO) else ""
        raise LineError("scores", f"scores lack {', '.join(missing)}{hint}")
    return [found.get(place, 0.0) for place in Sentiment]


def agreed_confidence(
    sentiment: Sentiment, confidence: float | None, scores: Scores | None, *, classes: Classes = THREE
) -> float | None:
    """Return the confidence of a row, once it is known to agree with the label and the scores.

    Without a confidence it is the score of the class; without scores, too, it is None.

    Raises:
        LineError: another class scores higher, the confidence is not the score of the class, or it is too low
            for the best of all classes.
    """
    if confidence is not None and not 0.0 <= confidence <= 1.0:
        raise LineError("disagreement", f"confidence is {confidence}, not a number from 0 to 1")
    if scores is None:
        if confidence is not None and confidence < 1 / len(classes) - AGREEMENT:
            number = "three" if classes == THREE else "two"
            raise LineError(
                "disagreement",
                f"confidence is {confidence}, but the best of {number} classes has 1/{len(classes)} or more",
            )
        return confidence
    own = scores.vector[sentiment]
    if own < scores.confidence - AGREEMENT:
        raise LineError(
            "disagreement", f"sentiment is {sentiment.label}, but {scores.label.label} scores higher"
        )
    if confidence is None:
        return own
    if not abs(confidence - own) <= AGREEMENT:
        raise LineError("disagreement", f"confidence is {confidence}, but {sentiment.label} scores {own}")
    return confidence


def line_label(name: str) -> Sentiment:
    """Return the class that a row names.

    Raises:
        LineError: no class has that name.
    """
    try:
        return parse_label(name)
    except DataError as error:
        raise LineError("label", error.message) from error
