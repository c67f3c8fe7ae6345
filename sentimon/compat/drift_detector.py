"""`DriftDetector`: predictions against a baseline file, and the history of reports."""

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
from sentimon.config.settings import DriftSettings
from sentimon.files import is_there
from sentimon.monitoring.baseline import Baseline, create_baseline
from sentimon.monitoring.vocabulary import vocabulary_of
from sentimon.prediction_log.history import DRIFT_FILE
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import Summary, summarise
from sentimon.reporting.json_shapes import baseline_object, drift_object
from sentimon.timestamps import time_zone
from sentimon.workflows.drift import compare_with_baseline
from sentimon.workflows.given_rows import GivenRows
from sentimon.workflows.state_files import BASELINE_FILE, add_baseline, read_baseline, save_baseline
from sentimon.workflows.workspace import Workspace


@dataclass
class DriftReport:
    """A comparison; with too few predictions for a verdict the numbers are 0.0, and `details` says so."""

    timestamp: str
    drift_detected: bool
    drift_score: float
    drift_threshold: float
    baseline_distribution: dict[str, float]
    current_distribution: dict[str, float]
    average_confidence_change: float
    recommendations: list[str]
    details: dict[str, Any] = field(default_factory=dict)
    """`verdict`, the score with its interval, both sample sizes; see `sentimon drift --json`."""

    def to_dict(self) -> dict[str, Any]:
        """Return all fields and details as one dictionary."""
        return content_of(self)


class DriftDetector:
    """Compares predictions with the baseline in `baseline_file`."""

    def __init__(
        self,
        baseline_file: str | Path | None = None,
        drift_threshold: float | None = None,
        metrics_dir: str | Path = "logs",
    ) -> None:
        folder = expanded(metrics_dir)
        given = {} if drift_threshold is None else {"drift.threshold": drift_threshold}
        self._loaded = load_settings(flags={"logs.dir": str(folder)} | given)
        settings = self._loaded.settings
        self._settings = settings.drift
        self._classes = settings.labels.present
        self._naming = DisplayNames(names=settings.labels.names)
        self._zone = time_zone(settings.logs.naive_time_zone)
        self.baseline_file = folder / BASELINE_FILE if baseline_file is None else expanded(baseline_file)
        self.drift_report_file = folder / DRIFT_FILE
        self._history = History(self.drift_report_file, self._naming)

    @property
    def drift_threshold(self) -> float:
        """Return the score above which it is drift."""
        return self._settings.threshold

    def set_baseline(self, logs: Sequence[PredictionLog]) -> None:
        """Make `logs` the baseline, in place of the one that is there.

        Raises:
            NoVerdictError: there are no predictions in `logs`.
            DataError: one of them is no valid prediction.
        """
        records = list(records_of(logs, self._naming, self._zone))
        save_baseline(self.baseline_file, self._made(summarise(records), records))

    def get_baseline(self) -> dict[str, Any] | None:
        """Return the baseline, None where there is none.

        Keys: `distribution` (shares, 0 .. 1), `total_samples`, `average_confidence`, and what
        `sentimon baseline show --json` prints.

        Raises:
            StoreError: the file is no baseline.
        """
        found = self.load_baseline()
        if found is None:
            return None
        content = baseline_object(found, confidence_level=self._settings.confidence_level)
        distribution = {name: share["value"] for name, share in content["shares"].items()}
        legacy = {"distribution": distribution, "total_samples": content["total_predictions"]}
        return self._naming.shown(content | legacy)

    def load_baseline(self) -> Baseline | None:
        """Return the baseline as a `Baseline`, None where there is none.

        Raises:
            StoreError: the file is no baseline, or one of other classes.
        """
        return read_baseline(self.baseline_file, self._classes) if is_there(self.baseline_file) else None

    def detect_drift(self, logs: Sequence[PredictionLog]) -> DriftReport:
        """Return how `logs` compare with the baseline.

        Without a baseline, `logs` become the baseline and nothing is compared, as the report says; unless
        `drift.create_baseline` is false.

        Raises:
            DataError: a prediction is invalid.
        """
        now = datetime.now(UTC)
        records = list(records_of(logs, self._naming, self._zone))
        found = compare_with_baseline(self._workspace(records, now), self.baseline_file, whole=True)
        missing = found.baseline is None and found.report.collecting is None
        created = missing and found.summary.count > 0 and self._settings.create_baseline
        if created and not add_baseline(self.baseline_file, self._made(found.summary, records)):
            # Another program has created one in the meantime.
            created = False
            found = compare_with_baseline(self._workspace(records, now), self.baseline_file, whole=True)
        content = drift_object(found.report, timestamp=now, names=self._naming.names)
        if created:
            content["recommendations"] = ["There was no baseline: these predictions are it from now on."]
        for name in ("drift_score", "average_confidence_change"):
            content[name] = 0.0 if content[name] is None else content[name]
        for name in ("baseline_distribution", "current_distribution"):
            content[name] = {key: share for key, share in content[name].items() if share is not None}
        return entry_of(DriftReport, content)

    @property
    def settings(self) -> DriftSettings:
        """Return the settings of the comparison."""
        return self._settings

    def _workspace(self, records: Sequence[PredictionRecord], now: datetime) -> Workspace:
        return Workspace(loaded=self._loaded, now=now, given=GivenRows(records))

    def _made(self, summary: Summary, records: Sequence[PredictionRecord]) -> Baseline:
        return create_baseline(
            summary,
            vocabulary_of(records),
            name="baseline",
            source=str(self.baseline_file.parent),
            created=datetime.now(UTC),
            min_samples=1,
            classes=self._classes,
        )

    def save_drift_report(self, report: DriftReport) -> None:
        """Append `report` to the history."""
        self._history.append(report)

    def get_drift_history(self) -> list[DriftReport]:
        """Return all saved reports, the oldest first."""
        return self._history.read(DriftReport)

    def clear_drift_reports(self) -> None:
        """Remove the history."""
        self._history.clear()
