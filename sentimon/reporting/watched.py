"""What a live view of the log shows, as one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from sentimon.logbook.record import PredictionRecord
from sentimon.logbook.summary import Summary
from sentimon.logbook.windows import Window
from sentimon.monitoring.collecting import Collecting
from sentimon.monitoring.drift import DriftReport
from sentimon.monitoring.monitor import MonitorState


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many rows came in how long."""

    rows: int
    during: timedelta

    @property
    def per_minute(self) -> float:
        """Return the rows a minute, 0.0 where no time has passed."""
        seconds = self.during.total_seconds()
        return 60 * self.rows / seconds if seconds else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The rows newer than the baseline against it, as `drift` compares them."""

    report: DriftReport
    monitor: MonitorState
    """What the monitor of that baseline remembers; a live view never looks in its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The log at one moment."""

    source: str
    """The folder of the log."""
    now: datetime
    zone: tzinfo | None
    """Of the times that are shown; None is local time."""
    confidence_level: float
    whole: Summary
    """The sum over all rows and all bad lines."""
    every: str
    """The length of a window, as it was asked for."""
    windows: Sequence[Window]
    """The latest, without gaps, the newest last; none where nothing was logged yet."""
    pace: Pace | None
    """Of the rows that came while the log was watched; None at the first look."""
    compared: Compared | None
    """None without a baseline."""
    collecting: Collecting | None = None
    """Why there is none, where that of a new model is still to come."""
    problem: str | None = None
    """Why the rows cannot be compared, where there is a baseline."""
    latest: Sequence[PredictionRecord] = ()
    """The last rows of the log, the newest last."""
    trouble: str | None = None
    """Why the log cannot be read any more; all else is then what was last seen."""
