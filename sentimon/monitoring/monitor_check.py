"""One check of the monitor: test the new rows, raise alarms, open or close the incident, keep the state."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any

import msgspec

from sentimon.config.settings import MonitorSettings
from sentimon.monitoring.finding import (
    Finding,
    ValueChange,
    ValueFinding,
    most_significant,
    most_significant_values,
)
from sentimon.monitoring.incident import Incident, has_recovered, slice_has_recovered, update_incident
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.monitor_rows import new_rows
from sentimon.monitoring.monitor_state import LATE_HOURS, MonitorState
from sentimon.monitoring.onset import Onset
from sentimon.monitoring.shift_tests import find_shifts
from sentimon.monitoring.slice_rows import SegmentRows, new_slices
from sentimon.monitoring.slice_shifts import SegmentState, SliceState, check_slices, whole_settings
from sentimon.monitoring.watched_events import EventWindow, sum_windows
from sentimon.timestamps import hour_of


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorCheck:
    """The result of one check."""

    check: int
    """Number of the check since the baseline was made: 1, 2, ..."""
    window: EventWindow
    """The new rows."""
    windows: tuple[EventWindow, ...]
    """The rows of the checks since the last alarm that this one looks back on, the new rows included."""
    alarms: tuple[Finding, ...]
    """Events that moved by more than chance, and by an amount that may reach delta; one finding per event."""
    warnings: tuple[Finding, ...]
    """Events that moved by more than chance, but surely by less than delta."""
    values: tuple[ValueFinding, ...]
    """Values of declared fields that are new or vanished, and were not told before."""
    incident: Incident | None
    """The incident that is open after the check, or that the check closed."""
    opened: bool
    closed: bool

    @property
    def drifting(self) -> bool:
        """Return whether an incident is open."""
        return self.incident is not None and not self.closed


FEWEST_OF_A_DAY = 200
"""A first check judges days one by one; those with fewer rows are judged with the days after them."""
_MOST_FIRST_CHECKS = 64
_DAY = 24


def first_checks(hours: Mapping[int, EventWindow]) -> list[int]:
    """Return the last hour of each check that a first look at some hours, at least one, is made of.

    It is one check a day, counted from the first hour: as if the monitor had looked daily. A day with
    fewer than FEWEST_OF_A_DAY rows is judged with the next ones, and of many days several are one check.
    """
    first = min(hours)
    days: dict[int, list[int]] = {}
    for hour in sorted(hours):
        days.setdefault((hour - first) // _DAY, []).append(hour)
    together = math.ceil(len(days) / _MOST_FIRST_CHECKS)
    ends: list[int] = []
    rows = 0
    for number, day in enumerate(days.values(), start=1):
        rows += sum(hours[hour].rows for hour in day)
        if number % together == 0 and rows >= FEWEST_OF_A_DAY:
            ends.append(day[-1])
            rows = 0
    # What is left at the end is too little for a check of its own.
    return [*ends[:-1], max(hours)]


def check_new_rows(
    state: MonitorState,
    hours: Mapping[int, EventWindow],
    reference: Reference,
    settings: MonitorSettings,
    *,
    now: datetime,
    confidence_level: float,
    slices: SegmentRows | None = None,
) -> tuple[MonitorState, MonitorCheck]:
    """Return what `advance` returns; the first look at a log judges one day after the other.

    So a change of the last days is not lost among all the days before. The checks of the days spend their
    parts of alpha like any others.
    """
    level = confidence_level
    if state.checks:
        return advance(state, hours, reference, settings, now=now, confidence_level=level, slices=slices)
    looks = []
    for end in first_checks(hours):
        horizon = min(hours) if state.latest is None else state.latest - LATE_HOURS
        part = {hour: window for hour, window in hours.items() if horizon <= hour <= end}
        some = None if slices is None else slices.until(part)
        state, look = advance(state, part, reference, settings, now=now, confidence_level=level, slices=some)
        looks.append(look)
    window, values = sum_windows(one.window for one in looks), [one.values for one in looks]
    return state, replace(look, window=window, opened=look.drifting, values=tuple(chain(*values)))


def advance(
    state: MonitorState,
    hours: Mapping[int, EventWindow],
    reference: Reference,
    settings: MonitorSettings,
    *,
    now: datetime,
    confidence_level: float,
    slices: SegmentRows | None = None,
) -> tuple[MonitorState, MonitorCheck]:
    """Return (the state after a check of the new rows in `hours`, the result of the check).

    `hours` holds all rows from the horizon of the state on, by hour since 1970, with at least one new row;
    see `new_rows`. With `slices` those of the same hours are tested, too, and alpha is shared with them. An
    alarm opens an incident; an incident without a new alarm closes once `has_recovered`.
    Opening and closing both start the look-backs anew.
    """
    new = new_rows(state, hours)
    window = sum_windows(new.values())
    check = state.checks + 1
    windows = (*state.windows, window)[-(1 << (settings.look_backs - 1)) :]
    segments, rows = state.segments, dict[str, Mapping[str, EventWindow]]()
    in_slices, values = list[Finding](), list[ValueFinding]()
    if slices is not None:
        rows |= new_slices(state.seen_slices, slices, new)
        segments, in_slices, values = check_slices(segments, slices.reference, windows, rows, check, settings)
    whole = whole_settings(settings, 0 if slices is None else len(slices.reference.fields))
    found = most_significant([*find_shifts(reference, windows, check, whole), *in_slices])
    news = _not_told(state, values)
    alarms = tuple(
        one for one in found if one.reaches_delta(settings.delta, confidence_level=confidence_level)
    )
    incident = update_incident(state.incident, alarms, check, now)
    opened = incident is not None and state.incident is None
    closed = (
        incident is not None
        and not alarms
        and has_recovered(incident, reference, windows, settings, confidence_level=confidence_level)
        and _slices_recovered(incident, segments, slices, settings, confidence_level)
    )
    look = MonitorCheck(
        check=check,
        window=window,
        windows=windows,
        alarms=alarms,
        warnings=tuple(one for one in found if one not in alarms),
        values=tuple(news),
        incident=incident,
        opened=opened,
        closed=closed,
    )
    after = MonitorState(
        checks=check,
        windows=() if opened or closed else windows,
        incident=None if closed else incident,
        segments=segments.restarted() if opened or closed else segments,
        told_values=_told_values(state, rows, news),
        **_judged(state, hours, slices, now),
    )
    return after, look


def _not_told(state: MonitorState, found: Sequence[ValueFinding]) -> list[ValueFinding]:
    """Return the new and the vanished values that were not told before."""
    return [one for one in most_significant_values(found) if one.key not in state.told_values]


def _told_values(
    state: MonitorState, rows: Mapping[str, Mapping[str, EventWindow]], values: Sequence[ValueFinding]
) -> tuple[tuple[str, str, ValueChange], ...]:
    """Return which new or vanished values are told after a check; one that came back can vanish again."""
    kept = [
        (field, value, change)
        for field, value, change in state.told_values
        if change is not ValueChange.VANISHED or value not in rows.get(field, {})
    ]
    return (*kept, *(one.key for one in values))


def _slices_recovered(
    incident: Incident,
    segments: SegmentState,
    slices: SegmentRows | None,
    settings: MonitorSettings,
    level: float,
) -> bool:
    """Return whether the share of each slice that raised the alarm is back, or is not watched any more."""
    watched = {} if slices is None else {field.name: field.slices for field in slices.reference.fields}
    for finding in incident.findings:
        if finding.where is None:
            continue
        name, value = finding.where
        one = watched.get(name, {}).get(value)
        if one is None:
            continue
        state = segments.slices.get(name, {}).get(value, SliceState())
        windows = (*state.windows, *([state.waiting] if state.waiting else []))
        if not slice_has_recovered(finding, one.reference, windows, settings, confidence_level=level):
            return False
    return True


def _judged(
    state: MonitorState, hours: Mapping[int, EventWindow], slices: SegmentRows | None, now: datetime
) -> dict[str, Any]:
    """Return the fields of the state that say which rows were checked."""
    # An hour in the future is a wrong clock: it must not hide the rows that come until then.
    present = hour_of(now)
    latest = min(present, max(max(hours), max(hours) if state.latest is None else state.latest))
    kept = {hour: window for hour, window in hours.items() if hour >= latest - LATE_HOURS}
    seen_slices = {} if slices is None else slices.until(kept).hours
    return {"latest": latest, "seen": kept, "seen_slices": seen_slices}


def with_onset(
    state: MonitorState, look: MonitorCheck, onset: Onset | None
) -> tuple[MonitorState, MonitorCheck]:
    """Return both with the onset of the incident that is open after the check."""
    if look.incident is None:
        return state, look
    incident = msgspec.structs.replace(look.incident, onset=onset)
    return msgspec.structs.replace(state, incident=incident), replace(look, incident=incident)
