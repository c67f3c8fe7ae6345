"""`PredictionLogger`: predictions into the log, and back as a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

from sentimon.compat.label_names import DisplayNames
from sentimon.config import load_settings
from sentimon.config.paths import expanded
from sentimon.errors import DataError
from sentimon.jsonl import BadLine
from sentimon.labels import TWO_CLASSES, by_name, places_named
from sentimon.prediction_log.durable_files import errors_named, remove_file
from sentimon.prediction_log.extra_fields import checked_extra
from sentimon.prediction_log.folder import LIVE_FILE, list_files
from sentimon.prediction_log.maintenance.retention import remove_files
from sentimon.prediction_log.reader import read_log, read_log_file
from sentimon.prediction_log.record import PredictionRecord, agreed_confidence, parse_scores
from sentimon.prediction_log.writer import LogWriter
from sentimon.timestamps import format_moment, parse_moment, time_zone


@dataclass
class PredictionLog:
    """One prediction, with the class names of the configuration; `timestamp` is RFC 3339.

    `confidence` and `scores` are None in rows of a classifier that gave none.
    """

    timestamp: str
    text: str | None
    sentiment: str
    confidence: float | None
    scores: dict[str, float] | None

    def to_dict(self) -> dict[str, object]:
        """Return the five fields."""
        return asdict(self)


class PredictionLogger:
    """The log in a folder, which is created if it is missing."""

    def __init__(self, log_dir: str | Path = "logs", log_file: str = LIVE_FILE) -> None:
        settings = load_settings().settings
        self.log_dir = expanded(log_dir)
        self.log_file = self.log_dir / log_file
        with errors_named(self.log_dir):
            self.log_dir.mkdir(parents=True, exist_ok=True)
        self._naming = DisplayNames(names=settings.labels.names)
        self._zone = time_zone(settings.logs.naive_time_zone)
        self._settings = settings.logs
        self._classes = settings.labels.present

    def log_prediction(
        self, text: str, sentiment_scores: Mapping[str, float], *, extra: Mapping[str, Any] | None = None
    ) -> PredictionLog:
        """Append one prediction, made now, and return it as it was stored.

        `extra` are further fields of the row, such as {"channel": "app"}: the rows can be divided by them.

        Raises:
            DataError: the scores are not one number per class that sum to 1, or a further field has the name
                of one of ours or is no JSON.
            StoreError: the log cannot be written.
        """
        if not isinstance(text, str):
            raise DataError(f"the text is not text but {text!r:.60}")
        numbers = {name: float(score) for name, score in sentiment_scores.items()}
        scores = parse_scores(numbers, parse=self._naming.parse, classes=self._classes)
        record = PredictionRecord(
            timestamp=datetime.now(UTC),
            text=text,
            sentiment=scores.label,
            confidence=scores.confidence,
            scores=scores,
            extra={} if extra is None else checked_extra(extra),
        )
        with LogWriter(self.log_dir, self._settings, file=self.log_file.name) as writer:
            (stored,) = writer.append([record], now=record.timestamp)
        return self._shown(stored)

    def load_logs(self) -> list[PredictionLog]:
        """Return all predictions of the log, in the order of its files; bad lines are left out.

        Raises:
            StoreError: the log cannot be read.
        """
        if self._is_log:
            rows = read_log(self.log_dir, zone=self._zone, longest=self._settings.max_line_bytes)
        elif self.log_file.exists():
            rows = read_log_file(self.log_file, zone=self._zone, longest=self._settings.max_line_bytes)
        else:
            return []
        return [self._shown(row) for row in rows if not isinstance(row, BadLine)]

    def get_logs_count(self) -> int:
        """Return the number of predictions in the log."""
        return len(self.load_logs())

    def clear_logs(self) -> None:
        """Remove all predictions.

        Raises:
            StoreError: a file may not be removed.
        """
        if self._is_log:
            remove_files(self.log_dir, list_files(self.log_dir))
        else:
            remove_file(self.log_file)

    @property
    def _is_log(self) -> bool:
        return self.log_file.name == LIVE_FILE

    def _shown(self, record: PredictionRecord) -> PredictionLog:
        names = self._naming.names
        return PredictionLog(
            timestamp=format_moment(record.timestamp),
            text=record.text,
            sentiment=names[record.sentiment] or record.sentiment.label,
            confidence=record.confidence,
            scores=None if record.scores is None else dict(by_name(names, record.scores.vector)),
        )


def records_of(
    logs: Iterable[PredictionLog], naming: DisplayNames, zone: tzinfo | None
) -> Iterator[PredictionRecord]:
    """Yield the record of each prediction; naive timestamps are read in `zone` (None: local time).

    Raises:
        DataError: one of them is no valid prediction; the message says which, counted from 1.
    """
    for number, log in enumerate(logs, start=1):
        try:
            yield _record_of(log, naming, zone)
        except DataError as error:
            raise DataError(f"prediction {number}: {error.message}", hint=error.hint) from error


def _record_of(log: PredictionLog, naming: DisplayNames, zone: tzinfo | None) -> PredictionRecord:
    for name, value in (("timestamp", log.timestamp), ("sentiment", log.sentiment), ("text", log.text or "")):
        if not isinstance(value, str):
            raise DataError(f"its {name} is not text but {value!r:.60}")
    timestamp, naive = parse_moment(log.timestamp, zone)
    sentiment = naming.parse(log.sentiment)
    classes = places_named(naming.names)
    if sentiment not in classes:
        raise DataError(f"its sentiment is {sentiment.label}, a class that is not there with {TWO_CLASSES}")
    scores = None if log.scores is None else parse_scores(log.scores, parse=naming.parse, classes=classes)
    confidence = agreed_confidence(sentiment, log.confidence, scores, classes=classes)
    return PredictionRecord(
        timestamp=timestamp,
        naive=naive,
        text=log.text,
        sentiment=sentiment,
        confidence=confidence,
        scores=scores,
    )
