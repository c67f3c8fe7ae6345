"""What the monitor remembers between two checks, and the file that holds it: one state per baseline."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec.structs import replace

from sentimon.errors import DataError
from sentimon.jsonl import decode_file
from sentimon.monitoring.incident import Incident
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.watched_events import Window, is_possible
from sentimon.timestamps import hour_of, parse_moment

FORMAT = 1
_MOST = 8
"""Monitors that are remembered; those used longest ago are forgotten."""

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
        and all(is_possible(one) for window in windows for one in window.groups)
        and all(
            sum(window.groups[0].counts) == window.rows == sum(window.hours.values()) for window in windows
        )
        and events.issuperset((one.group, one.event, one.place) for one in found)
        and all(0 <= count <= n > 0 for one in found for count, n in (one.before, one.after))
    )


def told(state: MonitorState) -> MonitorState:
    """Return the state with its incident marked as one that a trigger has fired on."""
    return state if state.incident is None else replace(state, incident=replace(state.incident, told=True))


class _File(msgspec.Struct, frozen=True):
    format: int
    monitors: dict[str, MonitorState]


_decode_file = msgspec.json.Decoder(_File).decode


def decode_monitors(content: bytes, *, origin: str) -> dict[str, MonitorState]:
    """Return the states that a file holds, by baseline; `origin` names the file in errors.

    Raises:
        StoreError: it holds none, or is of another format.
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
    """Return the file of the latest of `monitors`, the one used last at the end."""
    latest = dict(list(monitors.items())[-_MOST:])
    return msgspec.json.encode(_File(FORMAT, latest)) + b"\n"
