"""`RetrainingManager`: the decision on new predictions, and the history of decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from sentimon.compat.drift_detector import DriftDetector
from sentimon.compat.label_names import DisplayNames
from sentimon.compat.prediction_logger import PredictionLog, records_of
from sentimon.compat.saved_results import History, content_of, entry_of
from sentimon.config import load_settings
from sentimon.config.paths import expanded
from sentimon.prediction_log.history import TRIGGERS_FILE
from sentimon.timestamps import time_zone
from sentimon.workflows.given_rows import GivenRows
from sentimon.workflows.retraining import decide_retraining
from sentimon.workflows.workspace import Workspace


@dataclass
class RetrainingTrigger:
    """A decision; every rule with its value, interval and limit is in `details["rules"]`."""

    timestamp: str
    triggered: bool
    reason: str
    confidence_threshold_met: bool
    drift_threshold_met: bool
    min_samples_met: bool
    recommended_action: str
    details: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return all fields and details as one dictionary."""
        return content_of(self)


class RetrainingManager:
    """Decides whether the model needs retraining."""

    def __init__(
        self,
        min_samples_for_retraining: int | None = None,
        confidence_threshold: float | None = None,
        drift_detector: DriftDetector | None = None,
        metrics_dir: str | Path = "logs",
    ) -> None:
        given = {
            "retraining.min_samples_for_retraining": min_samples_for_retraining,
            "retraining.confidence_threshold": confidence_threshold,
        }
        folder = expanded(metrics_dir)
        flags = {key: value for key, value in given.items() if value is not None}
        self._loaded = load_settings(flags=flags | {"logs.dir": str(folder)})
        settings = self._loaded.settings
        self._rules = settings.retraining
        self._naming = DisplayNames(names=settings.labels.names)
        self._zone = time_zone(settings.logs.naive_time_zone)
        self.drift_detector = drift_detector or DriftDetector(metrics_dir=metrics_dir)
        self.trigger_file = folder / TRIGGERS_FILE
        self._history = History(self.trigger_file, self._naming)

    @property
    def min_samples_for_retraining(self) -> int:
        """Return the fewest new predictions that allow a trigger to fire."""
        return self._rules.min_samples_for_retraining

    @property
    def confidence_threshold(self) -> float:
        """Return the mean confidence below which retraining is recommended."""
        return self._rules.confidence_threshold

    def evaluate_retraining_need(self, logs: Sequence[PredictionLog]) -> RetrainingTrigger:
        """Return the decision on those of `logs` that are later than the last saved trigger that fired.

        It is the decision of `sentimon retrain-check` on the same rows, with the labels beside the log in
        `metrics_dir`, and with the monitor where the settings choose it; its state is not saved.

        Raises:
            DataError: a prediction is invalid.
            StoreError: the history or the baseline cannot be read.
        """
        records = records_of(logs, self._naming, self._zone)
        # The comparison uses the settings of the detector that was given.
        settings = msgspec.structs.replace(self._loaded.settings, drift=self.drift_detector.settings)
        workspace = Workspace(
            loaded=replace(self._loaded, settings=settings),
            now=datetime.now(UTC),
            given=GivenRows(records),
        )
        decision = decide_retraining(workspace, self.drift_detector.baseline_file, whole=True)
        return entry_of(RetrainingTrigger, decision.entry)

    def save_trigger(self, trigger: RetrainingTrigger) -> None:
        """Append `trigger` to the history."""
        self._history.append(trigger)

    def get_trigger_history(self) -> list[RetrainingTrigger]:
        """Return all saved triggers, the oldest first."""
        return self._history.read(RetrainingTrigger)

    def get_last_triggered(self) -> RetrainingTrigger | None:
        """Return the latest saved trigger that fired, None where none has."""
        fired = [trigger for trigger in self.get_trigger_history() if trigger.triggered]
        return fired[-1] if fired else None

    def get_retraining_statistics(self) -> dict[str, Any]:
        """Return `total_evaluations`, `triggered_count`, `trigger_rate`, `last_triggered` and `reasons`.

        `last_triggered` is the time of the latest trigger that fired; `reasons` counts the causes of
        those that fired.
        """
        history = self.get_trigger_history()
        fired = [trigger for trigger in history if trigger.triggered]
        return {
            "total_evaluations": len(history),
            "triggered_count": len(fired),
            "trigger_rate": len(fired) / len(history) if history else 0.0,
            "last_triggered": fired[-1].timestamp if fired else None,
            "reasons": dict(Counter(_cause(trigger) for trigger in fired).most_common()),
        }

    def clear_triggers(self) -> None:
        """Remove the history."""
        self._history.clear()


def _cause(trigger: RetrainingTrigger) -> str:
    causes = {
        "low confidence": trigger.confidence_threshold_met,
        "drift": trigger.drift_threshold_met,
        "error rate": bool(trigger.details.get("error_rate_met")),
        "error rate of a slice": bool(trigger.details.get("slice_error_rate_met")),
    }
    return " and ".join(cause for cause, met in causes.items() if met)
