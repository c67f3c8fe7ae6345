"""Rows on their way into the log: checked where they bring scores, scored where not, in input order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

import msgspec

from sentimon.errors import DataError
from sentimon.ingest.input_row import InputRow
from sentimon.jsonl import BadLine, LineError
from sentimon.prediction_log.record import (
    CORE_FIELDS,
    OPTIONAL_FIELDS,
    PredictionRecord,
    check_agreement,
    line_label,
    parse_scores,
)
from sentimon.scoring.batch_scoring import Answer, Answers, Poison, Scoring
from sentimon.scoring.scored_rows import length_of
from sentimon.scoring.scorer import bounded
from sentimon.timestamps import parse_moment

_OURS = (*CORE_FIELDS, *OPTIONAL_FIELDS)


Row = InputRow | BadLine


def take_in(
    rows: Iterable[Row],
    *,
    score: Scoring,
    clock: Callable[[], datetime],
    zone: tzinfo | None,
    size: int,
) -> Iterator[tuple[list[Row], list[PredictionRecord | BadLine]]]:
    """Yield the rows, at most `size` at once, and what became of each of them: a record, or a bad line.

    A row with `scores` is checked and kept as it is; one with a text alone is scored by `score`. A row
    without a timestamp happened when it was read, by `clock`; a naive timestamp is read in `zone`
    (None: local time).
    """
    every = ((row, _take(row, clock(), zone)) for row in rows)
    batches = bounded(every, count=size, length=lambda one: length_of(one[0]))
    for batch, answers in score(batches, _texts):
        found = iter(answers.found)
        records = [_answered(one, found, answers) if isinstance(one, _Unscored) else one for _, one in batch]
        yield [row for row, _ in batch], records


class _Given(msgspec.Struct):
    scores: dict[str, float] | None = None
    timestamp: str | None = None
    id: str | int | None = None
    model: str | None = None
    revision: str | None = None
    sentiment: str | None = None
    confidence: float | None = None
    truncated: bool | None = None
    text_hash: str | None = None
    token_hashes: list[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unscored:
    row: InputRow
    text: str
    rest: Mapping[str, Any]
    """What the record is to hold beside the text and its scores."""


def _texts(batch: list[tuple[Row, PredictionRecord | BadLine | _Unscored]]) -> list[str]:
    return [one.text for _, one in batch if isinstance(one, _Unscored)]


def _take(row: Row, now: datetime, zone: tzinfo | None) -> PredictionRecord | BadLine | _Unscored:
    if isinstance(row, BadLine):
        return row
    try:
        given = _convert(row.fields)
        timestamp, naive = _timestamp(given, now, zone)
        rest = {
            "timestamp": timestamp,
            "naive": naive,
            "id": None if given.id is None else str(given.id),
            "text_hash": given.text_hash,
            "token_hashes": given.token_hashes,
            "extra": {name: value for name, value in row.fields.items() if name not in _OURS},
        }
        if given.scores is not None:
            return _scored_elsewhere(row.text, given, rest)
        if row.text is None:
            raise LineError("field", "has neither a text nor scores")
        if given.sentiment is not None or given.confidence is not None:
            raise LineError("scores", "names a sentiment or a confidence, but no scores")
        return _Unscored(row=row, text=row.text, rest=rest)
    except LineError as error:
        return error.at(row.path, row.line)


def _scored_elsewhere(text: str | None, given: _Given, rest: Mapping[str, Any]) -> PredictionRecord:
    scores = parse_scores(given.scores or {})
    sentiment = scores.label if given.sentiment is None else line_label(given.sentiment)
    confidence = scores.vector[sentiment] if given.confidence is None else given.confidence
    check_agreement(sentiment, confidence, scores)
    return PredictionRecord(
        text=text,
        sentiment=sentiment,
        confidence=confidence,
        scores=scores,
        model=given.model,
        revision=given.revision,
        truncated=given.truncated,
        **rest,
    )


def _answered(one: _Unscored, found: Iterator[Answer], answers: Answers) -> PredictionRecord | BadLine:
    answer = next(found)
    if isinstance(answer, Poison):
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
