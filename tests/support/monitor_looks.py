"""Looks of a monitor."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from sentimon.config.settings import MonitorSettings, Settings
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.monitor_check import advance
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.monitor_report import MonitorReport, monitor_report
from sentimon.monitoring.monitor_state import MonitorState
from tests.support.monitors import NOW, mixed, window
from tests.support.rows import START

SETTINGS = Settings(monitor=MonitorSettings())


@dataclass
class Looks:
    """A monitor that looks once an hour."""

    baseline: Baseline = field(
        default_factory=lambda: Baseline(
            name="[bold]june", created=START, source="logs", summary=mixed(600, 900, 1500)
        )
    )
    state: MonitorState = field(default_factory=MonitorState)
    hour: int = 500_000

    def look(self, *counts: int) -> MonitorReport:
        self.hour += 1
        reference = Reference.of(self.baseline)
        before = self.state
        if not counts:
            return monitor_report(self.baseline, reference, None, SETTINGS, new=12, before=before)
        self.state, look = advance(
            self.state,
            {self.hour: window(*counts, hour=self.hour)},
            reference,
            SETTINGS.monitor,
            now=NOW + timedelta(hours=self.hour - 500_000),
            confidence_level=0.95,
        )
        return monitor_report(self.baseline, reference, look, SETTINGS, new=look.window.rows, before=before)
