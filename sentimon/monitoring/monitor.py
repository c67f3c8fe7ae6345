"""A monitor that looks at new rows again and again: what it remembers, and what it says at each look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import add, sub
from typing import Any

import msgspec
from msgspec.structs import replace

from sentimon.config.settings import MonitorSettings
from sentimon.logbook.moments import format_moment, hour_of
from sentimon.monitoring.events import Counted, Window
from sentimon.monitoring.incidents import Incident, has_recovered
from sentimon.monitoring.looks import Finding, findings
from sentimon.monitoring.reference import HOURS_OF_DAY, Reference

LATE_HOURS = 48
"""How late a row may come and still be judged."""


class MonitorState(msgspec.Struct, frozen=True, kw_only=True):
    """What a monitor remembers between two looks."""

    checks: int = 0
    """How many looks there were since the baseline was made."""
    windows: tuple[Window, ...] = ()
    """The rows of each look since the last alarm, the newest last; no more than are looked back on."""
    seen: Mapping[int, Window] = msgspec.field(default_factory=dict)
    """What was judged of the latest hours, by hour since 1970: a row that comes late is told from those."""
    latest: int | None = None
    """The latest hour that was judged."""
    incident: Incident | None = None

    @property
    def horizon(self) -> int | None:
        """Return the first hour whose rows may still be new; None before the first look."""
        return None if self.latest is None else self.latest - LATE_HOURS


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
        and all(len(window.clock) == HOURS_OF_DAY for window in windows)
        and events.issuperset((one.group, one.event, one.place) for one in found)
    )


def new_rows(state: MonitorState, hours: Mapping[int, Window]) -> dict[int, Window]:
    """Return the rows that were not judged yet, by hour; `hours` holds all from the horizon on.

    An hour that lost rows since, to an erasure or a repair, has no new ones.
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
    best: dict[tuple[str, str], Finding] = {}
    for one in ranked:
        best.setdefault(one.key, one)
    return list(best.values())


def total(windows: Iterable[Window]) -> Window:
    """Return the sum of at least one window."""
    return reduce(add, windows)


def _without(window: Window, known: Window) -> Window:
    """Return what of a window was not known; nothing of a group that holds less than was known."""
    clock = _left(Counted(sum(window.clock), window.clock), Counted(sum(known.clock), known.clock))
    return Window(tuple(map(_left, window.groups, known.groups)), clock.counts)


def _left(now: Counted, then: Counted) -> Counted:
    left = Counted(now.n - then.n, tuple(map(sub, now.counts, then.counts)))
    possible = all(0 <= count <= left.n for count in left.counts)
    return left if possible else Counted(0, (0,) * len(now.counts))


def _judged(state: MonitorState, hours: Mapping[int, Window], now: datetime) -> dict[str, Any]:
    """Return the fields of the state that say which rows were judged."""
    # An hour in the future is the mistake of a clock: it must not hide what comes until then.
    latest = min(max(hours), hour_of(now))
    latest = latest if state.latest is None else max(latest, state.latest)
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
