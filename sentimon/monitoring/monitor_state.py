"""What the monitor remembers between two checks, and the file that holds it: one state per baseline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec.structs import replace

from sentimon.errors import DataError
from sentimon.jsonl import decode_file
from sentimon.monitoring.finding import ValueChange
from sentimon.monitoring.incident import Incident
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.slice_rows import HoursOfFields
from sentimon.monitoring.slice_shifts import SegmentState
from sentimon.monitoring.watched_events import EventWindow, is_possible
from sentimon.timestamps import hour_of, parse_moment

FORMAT = 1
_MOST = 8
"""Monitors that the file keeps; the least recently used ones are dropped."""

_MOST_CHECKS = 10**9
LATE_HOURS = 48
"""How many hours late a row may come and still be checked."""


class MonitorState(msgspec.Struct, frozen=True, kw_only=True):
    """What the monitor remembers between two checks."""

    checks: Annotated[int, msgspec.Meta(ge=0, le=_MOST_CHECKS)] = 0
    """Checks since the baseline was made."""
    windows: tuple[EventWindow, ...] = ()
    """The rows of each check since the last alarm that the next one looks back on, the newest last."""
    seen: Mapping[int, EventWindow] = msgspec.field(default_factory=dict)
    """The rows of the latest hours that were checked, by hour since 1970: what exceeds them came late."""
    latest: int | None = None
    """The latest hour that was checked."""
    incident: Incident | None = None
    segments: SegmentState = SegmentState()
    """What is remembered of slices."""
    seen_slices: HoursOfFields = msgspec.field(default_factory=dict)
    """The rows of slices of the latest hours that were checked."""
    told_values: tuple[tuple[str, str, ValueChange], ...] = ()
    """(field, value, change) of each new or vanished value that was told."""

    def horizon(self, now: datetime) -> int | None:
        """Return the first hour, since 1970, whose rows may still be new; None before the first check."""
        # After a wrong clock once wrote rows of the future, the rows of today are still new.
        return None if self.latest is None else min(self.latest, hour_of(now)) - LATE_HOURS


def fits(state: MonitorState, reference: Reference) -> bool:
    """Return whether a state belongs to a monitor with this `reference`: same events, possible counts."""
    shape = [len(group.events) for group in reference.groups]
    windows = (*state.windows, *state.seen.values())
    events = {
        (group.name, event, place) for group in reference.groups for place, event in enumerate(group.events)
    }
    incident = state.incident
    findings = () if incident is None else incident.findings
    found = [one for one in findings if one.where is None]
    return (
        all([len(one.counts) for one in window.groups] == shape for window in windows)
        and all(is_possible(one) for window in windows for one in window.groups)
        and all(
            sum(window.groups[0].counts) == window.rows == sum(window.hours.values()) for window in windows
        )
        and all(_is_of_classes(one) for one in _slice_windows(state.segments))
        and events.issuperset((one.group, one.event, one.place) for one in found)
        and all(0 <= count <= n > 0 for one in findings for count, n in (one.before, one.after))
    )


def _slice_windows(segments: SegmentState) -> Iterator[EventWindow]:
    for values in segments.slices.values():
        for one in values.values():
            yield from one.windows
            yield from () if one.waiting is None else (one.waiting,)


def _is_of_classes(window: EventWindow) -> bool:
    if [len(one.counts) for one in window.groups] != [3]:
        return False
    (classes,) = window.groups
    return sum(classes.counts) == classes.n == sum(window.hours.values())


def told(state: MonitorState) -> MonitorState:
    """Return the state with its incident marked: a retraining trigger has fired on it."""
    return state if state.incident is None else replace(state, incident=replace(state.incident, told=True))


class _File(msgspec.Struct, frozen=True):
    format: int
    monitors: dict[str, MonitorState]


_decode_file = msgspec.json.Decoder(_File).decode


def decode_monitors(content: bytes, *, origin: str) -> dict[str, MonitorState]:
    """Return the states in a file, keyed by baseline; `origin` names the file in errors.

    Raises:
        StoreError: the file holds no states, or is of another format.
    """
    hint = "`sentimon drift --reset` starts anew"
    return decode_file(content, _from_content, origin=origin, what="state of a monitor", hint=hint)


def _from_content(content: bytes) -> dict[str, MonitorState]:
    file = _decode_file(content)
    if file.format != FORMAT:
        raise DataError(f"is of format {file.format}, this version reads {FORMAT}")
    for state in file.monitors.values():
        if state.incident is not None:
            parse_moment(state.incident.since, UTC)
    return file.monitors


def encode_monitors(monitors: Mapping[str, MonitorState]) -> bytes:
    """Return the file of the most recently used of `monitors`, which come in the order of their use."""
    latest = dict(list(monitors.items())[-_MOST:])
    return msgspec.json.encode(_File(FORMAT, latest)) + b"\n"
