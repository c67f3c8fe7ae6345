"""Rows on their way into the log: checked where they bring a prediction, scored where not, in input order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, TypeAlias

import msgspec

from sentimon.errors import DataError
from sentimon.ingest.input_row import InputRow
from sentimon.jsonl import BadLine, LineError
from sentimon.labels import THREE, TWO_CLASSES, Classes, Sentiment
from sentimon.prediction_log.record import (
    CORE_FIELDS,
    OPTIONAL_FIELDS,
    PredictionRecord,
    agreed_confidence,
    line_label,
    parse_scores,
)
from sentimon.scoring.batch_scoring import Answer, Answers, UnscorableText
from sentimon.scoring.scored_rows import Row
from sentimon.scoring.scorer import bounded
from sentimon.scoring.scores import Scores
from sentimon.timestamps import parse_moment

_OURS = (*CORE_FIELDS, *OPTIONAL_FIELDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnscoredRow:
    """A row that brings a text alone."""

    row: InputRow
    text: str
    rest: Mapping[str, Any]
    """What the record is to hold beside the text and its scores."""


CheckedRow: TypeAlias = PredictionRecord | BadLine | UnscoredRow


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedBatch:
    """Rows that were checked: some bring a prediction, the texts of the others are to be scored."""

    rows: list[CheckedRow]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def texts(self) -> list[str]:
        """Return what there is to score."""
        return [one.text for one in self.rows if isinstance(one, UnscoredRow)]

    def records(self, answers: Answers) -> list[PredictionRecord | BadLine]:
        """Return what became of each row, once its texts have their answers: a record, or a bad line."""
        rest = iter(answers.answers)
        return [_answered(one, rest, answers) if isinstance(one, UnscoredRow) else one for one in self.rows]


def check_rows(
    rows: Iterable[Row], *, clock: Callable[[], datetime], zone: tzinfo | None, classes: Classes = THREE
) -> Iterator[CheckedRow]:
    """Yield each row as it is read: a record where it brings a prediction, which is checked and kept.

    A prediction is a sentiment, scores, or both. A sentiment may come with its confidence or alone: it is
    kept as it is, and not scored again. A row without a timestamp happened when it was read, by `clock`; a
    naive timestamp is read in `zone` (None: local time). Of two `classes`, rows with scores of those two are
    whole, and rows that name neutral are bad.
    """
    for row in rows:
        yield _check(row, clock(), zone, classes)


def checked_batches(rows: Iterable[CheckedRow], *, chunk_texts: int) -> Iterator[CheckedBatch]:
    """Yield checked rows in batches of at most `chunk_texts`."""
    for batch in bounded(rows, count=chunk_texts, length=_length_of):
        yield CheckedBatch(rows=batch)


def _length_of(row: CheckedRow) -> int:
    return 0 if isinstance(row, BadLine) else len(row.text or "")


class _Given(msgspec.Struct):
    scores: dict[str, float] | None = None
    timestamp: str | None = None
    id: str | int | None = None
    model: str | None = None
    revision: str | None = None
    sentiment: str | None = None
    confidence: float | None = None
    truncated: bool | None = None
    unreadable: bool | None = None
    text_hash: str | None = None
    token_hashes: list[int] | None = None


def _check(row: Row, now: datetime, zone: tzinfo | None, classes: Classes) -> CheckedRow:
    if isinstance(row, BadLine):
        return row
    try:
        given = _convert(row.fields)
        timestamp, naive = row.moment or _timestamp(given, now, zone)
        rest = {
            "timestamp": timestamp,
            "naive": naive,
            "id": None if given.id is None else str(given.id),
            "text_hash": given.text_hash,
            "token_hashes": given.token_hashes,
            "extra": {name: value for name, value in row.fields.items() if name not in _OURS},
        }
        if given.scores is not None or given.sentiment is not None:
            return _predicted_elsewhere(row.text, given, rest, classes)
        if given.confidence is not None:
            raise LineError("scores", "names a confidence, but neither a sentiment nor scores")
        if row.text is None:
            raise LineError("field", "has neither a text nor a prediction")
        return UnscoredRow(row=row, text=row.text, rest=rest)
    except LineError as error:
        return error.at(row.path, row.line)


def _predicted_elsewhere(
    text: str | None, given: _Given, rest: Mapping[str, Any], classes: Classes
) -> PredictionRecord:
    scores = None if given.scores is None else parse_scores(given.scores, classes=classes)
    sentiment = _class_of(given.sentiment, scores)
    if sentiment not in classes:
        raise LineError(
            "label", f"sentiment is {sentiment.label}, a class that is not there with {TWO_CLASSES}"
        )
    confidence = agreed_confidence(sentiment, given.confidence, scores, classes=classes)
    return PredictionRecord(
        text=text,
        sentiment=sentiment,
        confidence=confidence,
        scores=scores,
        model=given.model,
        revision=given.revision,
        truncated=given.truncated,
        unreadable=given.unreadable,
        **rest,
    )


def _class_of(name: str | None, scores: Scores | None) -> Sentiment:
    if name is not None:
        return line_label(name)
    if scores is None:
        raise LineError("scores", "names neither a sentiment nor scores")
    return scores.label


def _answered(one: UnscoredRow, rest: Iterator[Answer], answers: Answers) -> PredictionRecord | BadLine:
    answer = next(rest)
    if isinstance(answer, UnscorableText):
        return one.row.bad("poison", answer.reason)
    return PredictionRecord.of(one.text, answer, model=answers.model, revision=answers.revision, **one.rest)


def _convert(fields: Mapping[str, Any]) -> _Given:
    try:
        return msgspec.convert({name: fields[name] for name in _OURS if name in fields}, _Given)
    except msgspec.ValidationError as error:
        raise LineError("field", str(error)) from error


def _timestamp(given: _Given, now: datetime, zone: tzinfo | None) -> tuple[datetime, bool]:
    if given.timestamp is None:
        return now, False
    try:
        return parse_moment(given.timestamp, zone)
    except DataError as error:
        raise LineError("timestamp", f"{error.message}; {error.hint}") from error
