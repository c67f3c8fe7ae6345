"""What a live view knows of the log: asked of the index anew only where the folder has changed."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sentimon.errors import DataError, SentimonError, StoreError
from sentimon.reporting.live_view import Compared, Pace, Watched

if TYPE_CHECKING:
    from sentimon.cli.session import Session
    from sentimon.logbook.rollup.index import Index
    from sentimon.logbook.rollup.latest import Memory
    from sentimon.logbook.rollup.sums import Sums
    from sentimon.logbook.summary import Summary
    from sentimon.logbook.windows import Calendar, Period, Window
    from sentimon.monitoring.baseline import Baseline
    from sentimon.monitoring.collecting import Collecting

_ROWS = 100
"""Last rows that are known; few terminals are higher."""
_PACE_OVER = timedelta(minutes=5)
_DAWN = datetime.min.replace(tzinfo=UTC)
State = tuple[object, ...]


@dataclass(slots=True, kw_only=True)
class Watcher:
    """Follows the log of a session; `look` is what it sees now."""

    session: Session
    every: str
    calendar: Calendar
    windows: int
    """The most windows to know."""
    path: Path
    """Of the baseline, which need not be there."""
    _folder: State | None = None
    """The state of the folder before the last answer."""
    _seen: Watched | None = None
    _baseline: tuple[State, Baseline] | None = None
    _ends: Memory = field(default_factory=dict)
    _counts: deque[tuple[datetime, int]] = field(default_factory=deque)
    """(When, how many rows there were) at the looks of the last minutes."""

    def look(self, now: datetime, *, index: Index) -> Watched:
        """Return the log as it is `now`.

        Where nothing in the folder has changed it costs a look at the folder. What cannot be read any
        more is said in the answer, which is then the last one.

        Raises:
            SentimonError: the log cannot be read, at the first look.
        """
        before = (_state_of(self.session.folder, self.path), self.calendar.start_of(now))
        if self._seen is None or before != self._folder:
            try:
                self._seen, self._folder = self._ask(now, index), before
            except SentimonError as error:
                if self._seen is None:
                    raise
                return replace(self._seen, now=now, trouble=error.message)
        self._seen = replace(self._seen, now=now, pace=self._pace(now, self._seen.whole.count))
        return self._seen

    def _ask(self, now: datetime, index: Index) -> Watched:
        baseline, problem = None, None
        try:
            baseline = self._read_baseline()
        except StoreError as error:
            problem = error.message
        watched = index.ask(partial(self._answer, baseline=baseline, now=now))
        return watched if problem is None else replace(watched, problem=problem)

    def _answer(self, sums: Sums, *, baseline: Baseline | None, now: datetime) -> Watched:
        from sentimon.logbook.rollup.latest import latest_rows
        from sentimon.logbook.windows import Period

        whole = sums.summary(Period())
        period = self._period(whole, now)
        compared, collecting, problem = None, None, None
        try:
            collecting = self._collecting(sums)
            if baseline is not None and collecting is None:
                compared = self._compare(sums, baseline, period, now)
        except (DataError, StoreError) as error:
            problem = error.message
        return Watched(
            source=self.session.source,
            now=now,
            zone=self.session.zone,
            confidence_level=self.session.settings.drift.confidence_level,
            whole=whole,
            every=self.every,
            windows=self._windows(sums, period, now) if whole.count else [],
            pace=None,
            compared=compared,
            collecting=collecting,
            problem=problem,
            latest=latest_rows(sums, _ROWS, self._ends),
        )

    def _period(self, whole: Summary, now: datetime) -> Period:
        """Return the latest windows: up to now, or to the last row where that is further back than these."""
        from sentimon.logbook.moments import from_microseconds
        from sentimon.logbook.windows import Period

        last = now if whole.last is None else min(now, from_microseconds(whole.last))
        span = (self.windows - 1) * self.calendar.every
        end = now if now - last < span else last
        # What is dated in the future must not push the present out of sight.
        until = self.calendar.after(self.calendar.start_of(end))
        return Period(since=self.calendar.start_of(end - span) if end - _DAWN > span else None, until=until)

    def _windows(self, sums: Sums, period: Period, now: datetime) -> list[Window]:
        """Return the windows of a period, also the empty ones at its end."""
        from sentimon.logbook.summary import Summary
        from sentimon.logbook.windows import Window

        found, _ = sums.windows(period, self.calendar, now=now)
        while found and period.until is not None and found[-1].end < period.until:
            start = found[-1].end
            end = self.calendar.after(start)
            found.append(Window(start=start, end=end, complete=end <= now, summary=Summary()))
        return found[-self.windows :]

    def _compare(self, sums: Sums, baseline: Baseline, period: Period, now: datetime) -> Compared:
        from sentimon.api.monitors import peek_monitor
        from sentimon.cli.reading import newer
        from sentimon.monitoring.drift import detect_drift

        session = replace(self.session, now=now)
        summary = sums.summary(newer(session, period, baseline.last))
        return Compared(
            report=detect_drift(baseline, summary, session.settings.drift),
            monitor=peek_monitor(session.folder, self.path),
        )

    def _collecting(self, sums: Sums) -> Collecting | None:
        from sentimon.api.succession import wanted_at
        from sentimon.logbook.windows import Period
        from sentimon.monitoring.collecting import count_rows

        wanted = wanted_at(self.path)
        if wanted is None:
            return None
        return count_rows(wanted, sums.summary(Period(after=wanted.since)).models)

    def _read_baseline(self) -> Baseline | None:
        """Return the baseline, read again only where its file has changed."""
        from sentimon.api.stores import read_baseline

        state = _file_state(self.path)
        if state is None:
            self._baseline = None
            return None
        if self._baseline is None or self._baseline[0] != state:
            self._baseline = (state, read_baseline(self.path))
        return self._baseline[1]

    def _pace(self, now: datetime, rows: int) -> Pace | None:
        """Return how many rows came in the last minutes; None at the first look, or where rows went away."""
        if self._counts and rows < self._counts[-1][1]:
            self._counts.clear()
        self._counts.append((now, rows))
        while now - self._counts[0][0] > _PACE_OVER:
            self._counts.popleft()
        begun, before = self._counts[0]
        return None if begun == now else Pace(rows=rows - before, during=now - begun)


def quiet_index(session: Session, now: datetime) -> Index:
    """Return the index of the log at another time, which shows no progress: the screen is taken."""
    from msgspec.structs import replace as changed

    from sentimon.engine.processes import run_units

    run: Callable[..., Iterator[object]] = partial(run_units, workers=session.settings.engine.workers)
    return changed(session.index, now=now, run=run)


def _state_of(folder: Path, baseline: Path) -> State:
    """Return what differs once anything in the folder, or the baseline or one to come, has changed."""
    from sentimon.api.stores import next_path

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
