"""`MetricsTracker`: class mix and confidence of some predictions, and their history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sentimon.compat.label_names import DisplayNames
from sentimon.compat.prediction_logger import PredictionLog, records_of
from sentimon.compat.saved_results import History, content_of, entry_of
from sentimon.config import load_settings
from sentimon.config.paths import expanded
from sentimon.monitoring.prediction_metrics import measure
from sentimon.prediction_log.history import METRICS_FILE
from sentimon.prediction_log.summary import Summary, summarise
from sentimon.prediction_log.windows import Calendar, summarise_windows
from sentimon.reporting.json_shapes import metrics_object
from sentimon.timestamps import format_moment, time_zone


@dataclass
class SentimentMetrics:
    """Class mix and confidence of some predictions; without any, the mean confidence is 0.0."""

    timestamp: str
    total_predictions: int
    sentiment_distribution: dict[str, int]
    sentiment_percentages: dict[str, float]
    average_confidence: float
    confidence_by_sentiment: dict[str, float]
    details: dict[str, Any] = field(default_factory=dict)
    """Shares and confidences with their intervals; see `sentimon metrics --json`."""

    def to_dict(self) -> dict[str, Any]:
        """Return all fields and details as one dictionary."""
        return content_of(self)


class MetricsTracker:
    """Computes metrics, and keeps their history in a folder."""

    def __init__(self, metrics_dir: str | Path = "logs", metrics_file: str = METRICS_FILE) -> None:
        self._settings = load_settings().settings
        self._naming = DisplayNames(names=self._settings.labels.names)
        self._zone = time_zone(self._settings.logs.naive_time_zone)
        self.metrics_dir = expanded(metrics_dir)
        self.metrics_file = self.metrics_dir / metrics_file
        self._history = History(self.metrics_file, self._naming)

    def calculate_metrics(self, logs: Sequence[PredictionLog]) -> SentimentMetrics:
        """Return the metrics of `logs`.

        Raises:
            DataError: one of them is no valid prediction.
        """
        return self._of(summarise(records_of(logs, self._naming, self._zone)), datetime.now(UTC))

    def save_metrics(self, metrics: SentimentMetrics) -> None:
        """Append `metrics` to the history."""
        self._history.append(metrics)

    def get_metrics_history(self) -> list[SentimentMetrics]:
        """Return all saved metrics, the oldest first."""
        return self._history.read(SentimentMetrics)

    def get_metrics_over_time(
        self, logs: Sequence[PredictionLog], window_hours: int = 1
    ) -> list[tuple[str, SentimentMetrics]]:
        """Return (start of the window, its metrics) for each window from the first to the last prediction.

        Windows are aligned to the calendar of `metrics.time_zone`; empty ones are included.

        Raises:
            DataError: a prediction is invalid, or `window_hours` does not fit the calendar.
        """
        records = records_of(logs, self._naming, self._zone)
        calendar = Calendar.of(_hours(window_hours), time_zone(self._settings.metrics.time_zone))
        windows, _ = summarise_windows(records, calendar, now=datetime.now(UTC))
        return [(format_moment(window.start), self._of(window.summary, window.start)) for window in windows]

    def clear_metrics(self) -> None:
        """Remove the history."""
        self._history.clear()

    def _of(self, summary: Summary, timestamp: datetime) -> SentimentMetrics:
        measured = measure(summary, confidence_level=self._settings.drift.confidence_level)
        content = metrics_object(measured, timestamp=timestamp, names=self._naming.names)
        # The named fields hold numbers alone, for callers that format them; the details keep the nulls.
        for name in ("sentiment_percentages", "confidence_by_sentiment"):
            content[name] = {key: value for key, value in content[name].items() if value is not None}
        content["average_confidence"] = measured.confidence.value or 0.0
        return entry_of(SentimentMetrics, content)


def _hours(count: float) -> str:
    whole_days, rest = divmod(count, 24)
    return f"{count:g}h" if rest else f"{whole_days:g}d"
