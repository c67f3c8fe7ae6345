"""The log as a live view shows it: read anew only where something in its folder has changed."""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sentimon.errors import DataError, SentimonError, StoreError
from sentimon.reporting.live_view import Compared, Pace, Watched

if TYPE_CHECKING:
    from sentimon.monitoring.monitor_state import MonitorState
    from sentimon.prediction_log.index.logged_rows import LatestRowsCache
    from sentimon.prediction_log.summary import Summary
    from sentimon.prediction_log.windows import Calendar, Period, Window
    from sentimon.workflows.workspace import Workspace

_ROWS = 100
"""Last rows that are known; few terminals are higher."""
_PACE_OVER = timedelta(minutes=5)
_DAWN = datetime.min.replace(tzinfo=UTC)
State = tuple[object, ...]


@dataclass(slots=True, kw_only=True)
class Watcher:
    """Follows a log; `look` is what it sees now."""

    every: str
    calendar: Calendar
    windows: int
    """The most windows to know."""
    path: Path
    """Of the baseline, which need not be there."""
    by: str | None = None
    """A field whose slices are shown."""
    _folder: State | None = None
    """The state of the folder before the last answer."""
    _seen: Watched | None = None
    _ends: LatestRowsCache = field(default_factory=dict)
    _counts: deque[tuple[datetime, int]] = field(default_factory=deque)
    """(When, how many rows there were) at the looks of the last minutes."""

    def look(self, workspace: Workspace) -> Watched:
        """Return the log as it is at the time of `workspace`.

        Where nothing in the folder has changed it costs a look at the folder. What cannot be read any
        more is said in the answer, which is then the last one.

        Raises:
            SentimonError: the log cannot be read, at the first look.
        """
        now = workspace.now
        before = (_state_of(workspace.folder, self.path), self.calendar.start_of(now))
        if self._seen is None or before != self._folder:
            try:
                self._seen, self._folder = workspace.ask(self._answer), before
            except SentimonError as error:
                if self._seen is None:
                    raise
                return replace(self._seen, now=now, trouble=error.message)
        self._seen = replace(self._seen, now=now, pace=self._pace(now, self._seen.whole.count))
        return self._seen

    def _answer(self, log: Workspace) -> Watched:
        from sentimon.prediction_log.windows import Period
        from sentimon.workflows.drift import compare_with_baseline
        from sentimon.workflows.slices import measure_by
        from sentimon.workflows.traffic import check_traffic

        whole = log.summary(Period())
        period = self._period(whole, log.now)
        compared, collecting, problem, traffic = None, None, None, None
        try:
            found = compare_with_baseline(log, self.path)
            collecting = found.report.collecting
            traffic = check_traffic(log, self.path, compared=found)
            if found.baseline is not None:
                compared = Compared(report=found.report, monitor=_remembered(log, self.path))
        except (DataError, StoreError) as error:
            problem = error.message
        return Watched(
            source=log.described,
            now=log.now,
            zone=log.zone,
            confidence_level=log.settings.drift.confidence_level,
            whole=whole,
            every=self.every,
            windows=self._windows(log, period) if whole.count else [],
            pace=None,
            compared=compared,
            collecting=collecting,
            problem=problem,
            traffic=traffic,
            latest=log.latest_rows(_ROWS, self._ends),
            by=None if self.by is None or not whole.count else measure_by(log, period, self.by),
        )

    def _period(self, whole: Summary, now: datetime) -> Period:
        """Return the latest windows: up to now, or to the last row where that is further back than these."""
        from sentimon.prediction_log.windows import Period
        from sentimon.timestamps import from_microseconds

        last = now if whole.last is None else min(now, from_microseconds(whole.last))
        span = (self.windows - 1) * self.calendar.every
        end = now if now - last < span else last
        # What is dated in the future must not push the present out of sight.
        until = self.calendar.after(self.calendar.start_of(end))
        return Period(since=self.calendar.start_of(end - span) if end - _DAWN > span else None, until=until)

    def _windows(self, log: Workspace, period: Period) -> list[Window]:
        """Return the windows of a period, also the empty ones at its end."""
        from sentimon.prediction_log.summary import Summary
        from sentimon.prediction_log.windows import Window

        found, _ = log.windows(period, self.calendar)
        while found and period.until is not None and found[-1].end < period.until:
            start = found[-1].end
            end = self.calendar.after(start)
            found.append(Window(start=start, end=end, complete=end <= log.now, summary=Summary()))
        return found[-self.windows :]

    def _pace(self, now: datetime, rows: int) -> Pace | None:
        """Return how many rows came in the last minutes; None at the first look, or where rows went away."""
        if self._counts and rows < self._counts[-1][1]:
            self._counts.clear()
        self._counts.append((now, rows))
        while now - self._counts[0][0] > _PACE_OVER:
            self._counts.popleft()
        begun, before = self._counts[0]
        return None if begun == now else Pace(rows=rows - before, during=now - begun)


def _remembered(log: Workspace, path: Path) -> MonitorState | None:
    from sentimon.workflows.monitor_file import peek_monitor
    from sentimon.workflows.state_files import read_baseline_file

    return None if log.where else peek_monitor(log.folder, read_baseline_file(path))


def _state_of(folder: Path, baseline: Path) -> State:
    """Return what differs once anything in the folder, or the baseline or one to come, has changed."""
    from sentimon.workflows.state_files import next_path

    found = []
    try:
        with os.scandir(folder) as entries:
            # What the index does to its own folder is no news.
            found = sorted(
                (entry.name, _file_state(Path(entry.path))) for entry in entries if entry.is_file()
            )
    except OSError as error:
        return (str(error),)
    return (*found, _file_state(baseline), _file_state(next_path(baseline)))


def _file_state(path: Path) -> State | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
