"""Rows on their way into the log: checked where they bring scores, scored where not, in input order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

import msgspec

from sentimon.errors import DataError
from sentimon.jsonl import BadLine, LineError
from sentimon.logbook.moments import parse_moment
from sentimon.logbook.record import CORE_FIELDS, OPTIONAL_FIELDS, PredictionRecord
from sentimon.logbook.row import check_agreement, line_label, parse_scores
from sentimon.scoring.inputs import InputRow
from sentimon.scoring.scorer import Scorer, bounded

_OURS = (*CORE_FIELDS, *OPTIONAL_FIELDS)


def take_in(
    rows: Iterable[InputRow | BadLine],
    *,
    load: Callable[[], Scorer],
    clock: Callable[[], datetime],
    zone: tzinfo | None,
    buffer_size: int,
) -> Iterator[list[PredictionRecord | BadLine]]:
    """Yield the rows as records or bad lines, in input order, at most `buffer_size` at once.

    A row with `scores` is checked and kept as it is; one with a text alone is scored by the model that
    `load` returns, which is called once, when the first such row comes. A row without a timestamp
    happened when it was read, by `clock`; a naive timestamp is read in `zone` (None: local time).
    """
    scorer: Scorer | None = None
    every = (_take(row, clock(), zone) for row in rows)
    for taken in bounded(every, count=buffer_size, length=_length):
        waiting = [one for one in taken if isinstance(one, _Unscored)]
        records: Iterator[PredictionRecord] = iter(())
        if waiting:
            scorer = scorer or load()
            records = _scored(waiting, scorer)
        yield [next(records) if isinstance(one, _Unscored) else one for one in taken]


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
    text: str
    rest: Mapping[str, Any]
    """What the record is to hold beside the text and its scores."""


def _length(taken: PredictionRecord | BadLine | _Unscored) -> int:
    return 0 if isinstance(taken, BadLine) else len(taken.text or "")


def _take(
    row: InputRow | BadLine, now: datetime, zone: tzinfo | None
) -> PredictionRecord | BadLine | _Unscored:
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
        return _Unscored(text=row.text, rest=rest)
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


def _scored(waiting: list[_Unscored], scorer: Scorer) -> Iterator[PredictionRecord]:
    results = scorer.score([one.text for one in waiting])
    for one, scored in zip(waiting, results, strict=True):
        yield PredictionRecord.of(one.text, scored, model=scorer.model, revision=scorer.revision, **one.rest)


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
