"""One check of the monitor: test the new rows, raise alarms, open or close the incident, keep the state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sentimon.config.settings import MonitorSettings
from sentimon.monitoring.finding import Finding, strongest
from sentimon.monitoring.incident import Incident, has_recovered, update_incident
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.monitor_rows import new_rows
from sentimon.monitoring.monitor_state import LATE_HOURS, MonitorState
from sentimon.monitoring.shift_tests import findings
from sentimon.monitoring.watched_events import Window, total
from sentimon.timestamps import hour_of


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
    incident = update_incident(state.incident, alarms, check, now)
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


def _judged(state: MonitorState, hours: Mapping[int, Window], now: datetime) -> dict[str, Any]:
    """Return the fields of the state that say which rows were judged."""
    # An hour in the future is the mistake of a clock: it must not hide what comes until then.
    present = hour_of(now)
    latest = min(present, max(max(hours), max(hours) if state.latest is None else state.latest))
    kept = {hour: window for hour, window in hours.items() if hour >= latest - LATE_HOURS}
    return {"latest": latest, "seen": kept}
