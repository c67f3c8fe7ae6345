"""A monitor that looks at new rows again and again: what it remembers, and what it says at each look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import sub
from typing import Annotated, Any

import msgspec
from msgspec.structs import replace

from sentimon.config.settings import MonitorSettings
from sentimon.monitoring.incident import Incident, has_recovered
from sentimon.monitoring.monitor_look import Finding, findings
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.watched_events import Counted, Window, total
from sentimon.timestamps import format_moment, hour_of

_MOST_CHECKS = 10**9
LATE_HOURS = 48
"""How late a row may come and still be judged."""


class MonitorState(msgspec.Struct, frozen=True, kw_only=True):
    """What a monitor remembers between two looks."""

    checks: Annotated[int, msgspec.Meta(ge=0, le=_MOST_CHECKS)] = 0
    """How many looks there were since the baseline was made."""
    windows: tuple[Window, ...] = ()
    """The rows of each look since the last alarm, the newest last; no more than are looked back on."""
    seen: Mapping[int, Window] = msgspec.field(default_factory=dict)
    """What was judged of the latest hours, by hour since 1970: a row that comes late is told from those."""
    latest: int | None = None
    """The latest hour that was judged."""
    incident: Incident | None = None

    def horizon(self, now: datetime) -> int | None:
        """Return the first hour whose rows may still be new; None before the first look."""
        # What a wrong clock judged once does not hide what comes now.
        return None if self.latest is None else min(self.latest, hour_of(now)) - LATE_HOURS


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look found."""

    check: int
    window: Window
    """The new rows."""
    windows: tuple[Window, ...]
    """The rows of the looks since the last alarm that are looked back on, these included."""
    alarms: tuple[Finding, ...]
    """Events that moved by more than chance and by as much as matters, the clearest of each event."""
    warnings: tuple[Finding, ...]
    """Events that moved by more than chance, but not by enough."""
    incident: Incident | None
    """The one that is open after the look, or was closed by it."""
    opened: bool
    closed: bool

    @property
    def drifting(self) -> bool:
        """Return whether an incident is open."""
        return self.incident is not None and not self.closed


def fits(state: MonitorState, reference: Reference) -> bool:
    """Return whether a state is one of a monitor of `reference`."""
    shape = [len(group.events) for group in reference.groups]
    windows = (*state.windows, *state.seen.values())
    events = {
        (group.name, event, place) for group in reference.groups for place, event in enumerate(group.events)
    }
    found = () if state.incident is None else state.incident.findings
    return (
        all([len(one.counts) for one in window.groups] == shape for window in windows)
        and all(_is_possible(one) for window in windows for one in window.groups)
        and all(
            sum(window.groups[0].counts) == window.rows == sum(window.hours.values()) for window in windows
        )
        and events.issuperset((one.group, one.event, one.place) for one in found)
        and all(0 <= count <= n > 0 for one in found for count, n in (one.before, one.after))
    )


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


def advance(
    state: MonitorState,
    hours: Mapping[int, Window],
    reference: Reference,
    settings: MonitorSettings,
    *,
    now: datetime,
    confidence_level: float,
) -> tuple[MonitorState, Look]:
    """Return (the state after a look at the new rows of `hours`, what the look found).

    `hours` holds all rows from the horizon on, and at least one that is new; see `new_rows`.
    """
    window = total(new_rows(state, hours).values())
    check = state.checks + 1
    windows = (*state.windows, window)[-(1 << (settings.look_backs - 1)) :]
    found = strongest(findings(reference, windows, check, settings))
    alarms = tuple(one for one in found if one.matters(settings.delta, confidence_level=confidence_level))
    incident = _incident(state.incident, alarms, check, now)
    opened = incident is not None and state.incident is None
    closed = (
        incident is not None
        and not alarms
        and has_recovered(incident, reference, windows, settings, confidence_level=confidence_level)
    )
    look = Look(
        check=check,
        window=window,
        windows=windows,
        alarms=alarms,
        warnings=tuple(one for one in found if one not in alarms),
        incident=incident,
        opened=opened,
        closed=closed,
    )
    after = MonitorState(
        checks=check,
        windows=() if opened or closed else windows,
        incident=None if closed else incident,
        **_judged(state, hours, now),
    )
    return after, look


def told(state: MonitorState) -> MonitorState:
    """Return the state with its incident marked as one that a trigger has fired on."""
    return state if state.incident is None else replace(state, incident=replace(state.incident, told=True))


def strongest(found: Iterable[Finding]) -> list[Finding]:
    """Return the clearest finding of each event, the clearest first."""
    ranked = sorted(found, key=lambda one: (one.p_value / one.limit, -abs(one.difference), one.key))
    best: dict[tuple[str, int], Finding] = {}
    for one in ranked:
        best.setdefault(one.key, one)
    return list(best.values())


def _without(window: Window, known: Window) -> Window:
    """Return what of the rows of an hour was not known.

    Where an erasure took rows away, what came is counted by class alone, as far as it shows.
    """
    classes, *others = map(_left, window.groups, known.groups)
    lost = min(classes.counts) < 0
    if lost:
        gained = tuple(max(0, count) for count in classes.counts)
        classes = Counted(sum(gained), gained)
    kept = (one if _is_possible(one) and not lost else Counted(0, (0,) * len(one.counts)) for one in others)
    return Window(groups=(classes, *kept), hours=dict.fromkeys(window.hours, classes.n))


def _left(now: Counted, then: Counted) -> Counted:
    return Counted(now.n - then.n, tuple(map(sub, now.counts, then.counts)))


def _is_possible(one: Counted) -> bool:
    return all(0 <= count <= one.n for count in one.counts)


def _judged(state: MonitorState, hours: Mapping[int, Window], now: datetime) -> dict[str, Any]:
    """Return the fields of the state that say which rows were judged."""
    # An hour in the future is the mistake of a clock: it must not hide what comes until then.
    present = hour_of(now)
    latest = min(present, max(max(hours), max(hours) if state.latest is None else state.latest))
    kept = {hour: window for hour, window in hours.items() if hour >= latest - LATE_HOURS}
    return {"latest": latest, "seen": kept}


def _incident(
    before: Incident | None, alarms: tuple[Finding, ...], check: int, now: datetime
) -> Incident | None:
    """Return the incident that is open after a look that may have found something."""
    if before is None:
        since = format_moment(now)
        return Incident(since=since, check=check, findings=alarms) if alarms else None
    known = {one.key for one in before.findings}
    more = tuple(one for one in alarms if one.key not in known)
    return replace(before, checks=before.checks + 1, findings=before.findings + more)
