"""Rows of a log, made to order."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sentimon.labels import LABELS, Sentiment
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import Summary, summarise
from sentimon.scoring.scores import Scores

START = datetime(2026, 9, 7, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def vector(place: int, confidence: float = 0.8) -> list[float]:
    """Scores that give class `place` the confidence and share the rest."""
    rest = (1 - confidence) / 2
    return [confidence if one == place else rest for one in range(3)]


def record(place: int, minute: int = 0, confidence: float | None = 0.8, **rest: Any) -> PredictionRecord:
    """A prediction of class `place`, some minutes after START; with `scores=None` its best score alone."""
    scores = None if confidence is None else Scores.from_probabilities(vector(place, confidence))
    return PredictionRecord(
        timestamp=rest.pop("timestamp", START + minute * MINUTE),
        text=rest.pop("text", f"text {minute}"),
        sentiment=Sentiment(place),
        confidence=confidence,
        scores=rest.pop("scores", scores),
        **rest,
    )


def records(
    negative: int, neutral: int, positive: int, *, minute: int = 0, **rest: Any
) -> list[PredictionRecord]:
    """So many predictions of each class, a minute apart."""
    places = [0] * negative + [1] * neutral + [2] * positive
    return [record(place, minute + number, **rest) for number, place in enumerate(places)]


def summary(negative: int, neutral: int, positive: int, **rest: Any) -> Summary:
    """The sum over so many predictions of each class."""
    return summarise(records(negative, neutral, positive, **rest))


def row(place: int, minute: int = 0, confidence: float = 0.8, **rest: Any) -> dict[str, Any]:
    """A row as a program writes it that scores elsewhere."""
    return {
        "timestamp": (START + minute * MINUTE).isoformat().replace("+00:00", "Z"),
        "text": f"text {minute}",
        "scores": dict(zip(LABELS, vector(place, confidence), strict=True)),
    } | rest


def rows(negative: int, neutral: int, positive: int, *, minute: int = 0, **rest: Any) -> str:
    """So many rows of each class as JSON lines, a minute apart."""
    places = [0] * negative + [1] * neutral + [2] * positive
    return lines(row(place, minute + number, **rest) for number, place in enumerate(places))


def logged(negative: int, neutral: int, positive: int, *, minute: int = 0, **rest: Any) -> str:
    """So many lines of a log of each class, a minute apart."""
    return lines(one.to_dict() for one in records(negative, neutral, positive, minute=minute, **rest))


def lines(objects: Iterable[Any]) -> str:
    """Objects as JSON lines."""
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects)


def written(folder: Path, content: str | bytes, name: str = "predictions.jsonl") -> Path:
    """A file of a log with that content; its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder
