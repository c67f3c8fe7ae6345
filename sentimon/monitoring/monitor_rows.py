"""Which rows are new to a check: rows counted by hour, less those that earlier checks have counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import sub

from msgspec.structs import replace

from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.monitor_state import MonitorState
from sentimon.monitoring.watched_events import Counted, Window, is_possible, total
from sentimon.prediction_log.summary import GrowingSummary, Summary


class HourlyRows:
    """The rows of some hours by event, and the sum over those of some of them.

    What is kept of an hour is small: a first look is at all hours of a log, and those of years are many.
    """

    def __init__(self, reference: Reference, seen: Mapping[int, Window]) -> None:
        """Start without rows; an hour that is not among those `seen` before is new as a whole."""
        self._reference = reference
        self._windows: dict[int, Window] = {}
        self._new = GrowingSummary()
        self._seen = {hour: GrowingSummary() for hour in seen}

    def add(self, hour: int, sums: GrowingSummary) -> None:
        """Add rows of one hour since 1970, UTC."""
        window, known = self._reference.window(sums.summary()), self._windows.get(hour)
        self._windows[hour] = window if known is None else total((known, window))
        self._seen.get(hour, self._new).include(sums)

    def rows(self) -> dict[int, int]:
        """Return the number of rows of each hour that has any."""
        return {hour: window.rows for hour, window in self._windows.items()}

    def windows(self, words: Mapping[int, Counted] | None) -> dict[int, Window]:
        """Return the rows of each hour that has any; `words` are their texts, None where no group asks."""
        if words is None:
            return self._windows
        return {
            hour: replace(window, groups=(*window.groups, words[hour]))
            for hour, window in self._windows.items()
        }

    def summary(self, hours: Iterable[int], trouble: Summary) -> Summary:
        """Return the sum over the rows of all new hours, those of the others among `hours`, and `trouble`."""
        whole = GrowingSummary()
        whole.include(self._new)
        for hour in self._seen.keys() & set(hours):
            whole.include(self._seen[hour])
        return whole.summary() + trouble


def new_rows(state: MonitorState, hours: Mapping[int, Window]) -> dict[int, Window]:
    """Return the rows that were not judged yet, by hour; `hours` holds all from the horizon on.

    Of an hour that lost rows since, to an erasure or a repair, those count that show.
    """
    new = {}
    for hour, window in hours.items():
        known = state.seen.get(hour)
        left = window if known is None else _without(window, known)
        if left.rows > 0:
            new[hour] = left
    return new


def _without(window: Window, known: Window) -> Window:
    """Return what of the rows of an hour was not known.

    Where an erasure took rows away, what came is counted by class alone, as far as it shows.
    """
    classes, *others = map(_left, window.groups, known.groups)
    lost = min(classes.counts) < 0
    if lost:
        gained = tuple(max(0, count) for count in classes.counts)
        classes = Counted(sum(gained), gained)
    kept = (one if is_possible(one) and not lost else Counted(0, (0,) * len(one.counts)) for one in others)
    return Window(groups=(classes, *kept), hours=dict.fromkeys(window.hours, classes.n))


def _left(now: Counted, then: Counted) -> Counted:
    return Counted(now.n - then.n, tuple(map(sub, now.counts, then.counts)))
