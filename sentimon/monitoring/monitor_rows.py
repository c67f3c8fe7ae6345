"""Which rows are new to a check: rows counted by hour, less those that earlier checks have counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import sub

from msgspec.structs import replace

from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.monitor_state import MonitorState
from sentimon.monitoring.watched_events import Counted, EventWindow, is_possible, sum_windows
from sentimon.prediction_log.summary import GrowingSummary, Summary


class HourlyRows:
    """Event counts of the rows of each hour, and the sum over the rows of some of the hours.

    Little is kept per hour: the first check reads all hours of a log, which may be those of years.
    """

    def __init__(self, reference: Reference, seen: Mapping[int, EventWindow]) -> None:
        """Start without rows; `seen` are the hours checked before, every other hour is new as a whole."""
        self._reference = reference
        self._windows: dict[int, EventWindow] = {}
        self._new = GrowingSummary()
        self._seen = {hour: GrowingSummary() for hour in seen}

    def add(self, hour: int, sums: GrowingSummary) -> None:
        """Add rows of one hour since 1970, UTC."""
        window, known = self._reference.window(sums.summary()), self._windows.get(hour)
        self._windows[hour] = window if known is None else sum_windows((known, window))
        self._seen.get(hour, self._new).include(sums)

    def rows(self) -> dict[int, int]:
        """Return the number of rows of each hour that has any."""
        return {hour: window.rows for hour, window in self._windows.items()}

    def windows(self, words: Mapping[int, Counted] | None) -> dict[int, EventWindow]:
        """Return the event counts of each hour that has rows.

        `words` adds the counts of new words by hour; None where the reference has no such group.
        """
        if words is None:
            return self._windows
        return {
            hour: replace(window, groups=(*window.groups, words[hour]))
            for hour, window in self._windows.items()
        }

    def summary(self, hours: Iterable[int], trouble: Summary) -> Summary:
        """Return the sum over the rows of new hours, of those other `hours`, and of `trouble` (bad lines)."""
        whole = GrowingSummary()
        whole.include(self._new)
        for hour in self._seen.keys() & set(hours):
            whole.include(self._seen[hour])
        return whole.summary() + trouble


def new_rows(state: MonitorState, hours: Mapping[int, EventWindow]) -> dict[int, EventWindow]:
    """Return the event counts of the rows that no check has seen, by hour.

    `hours` holds all rows from the horizon on. Of an hour that has lost rows since, to an erasure or
    a repair, only a class that grew counts as new.
    """
    new = {}
    for hour, window in hours.items():
        known = state.seen.get(hour)
        left = window if known is None else _without(window, known)
        if left.rows > 0:
            new[hour] = left
    return new


def _without(window: EventWindow, known: EventWindow) -> EventWindow:
    """Return the rows of an hour beyond those that are `known`.

    Where an erasure took rows away, only the classes that grew are counted, and no other event.
    """
    classes, *others = map(_left, window.groups, known.groups)
    lost = min(classes.counts) < 0
    if lost:
        gained = tuple(max(0, count) for count in classes.counts)
        classes = Counted(sum(gained), gained)
    kept = (one if is_possible(one) and not lost else Counted(0, (0,) * len(one.counts)) for one in others)
    return EventWindow(groups=(classes, *kept), hours=dict.fromkeys(window.hours, classes.n))


def _left(now: Counted, then: Counted) -> Counted:
    return Counted(now.n - then.n, tuple(map(sub, now.counts, then.counts)))
