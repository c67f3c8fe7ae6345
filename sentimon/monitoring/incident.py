"""Drift that goes on: opened by an alarm, reported once, closed when the shares have recovered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from sentimon.config.settings import MonitorSettings
from sentimon.monitoring.finding import Finding
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.shift_tests import look_backs
from sentimon.monitoring.watched_events import EventWindow
from sentimon.statistics.intervals import wilson
from sentimon.timestamps import format_moment


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """Drift from the check that found it on."""

    since: str
    """When the alarm was raised, RFC 3339."""
    check: int
    """The number of that check."""
    checks: int = 1
    """How many there were since, that one included."""
    findings: tuple[Finding, ...]
    """The events that moved, as they were found; the strongest of each group first."""
    told: bool = False
    """Whether a retraining trigger has fired on it."""


def has_recovered(
    incident: Incident,
    reference: Reference,
    windows: Sequence[EventWindow],
    settings: MonitorSettings,
    *,
    confidence_level: float,
) -> bool:
    """Return whether the shares that alarmed are back, over some of the newest `windows` together.

    Back is more than not to alarm: each share is within half of delta of the baseline's, and so many rows
    say so that its own interval lies within delta. So what wavers about delta does not open and close
    incidents again and again; how well the baseline is known plays no part.
    """
    names = [group.name for group in reference.groups]
    places = [(names.index(finding.group), finding.place) for finding in incident.findings]
    return any(
        all(_is_back(reference, sums, place, settings.delta, confidence_level) for place in places)
        for _, sums in look_backs(windows, settings.look_backs)
    )


def _is_back(
    reference: Reference, sums: EventWindow, place: tuple[int, int], delta: float, level: float
) -> bool:
    group, event = place
    counted = sums.groups[group]
    if not counted.n:
        return False
    expected, m = reference.expected(group, event, sums.clock)
    share = wilson(counted.counts[event], counted.n, confidence_level=level)
    if share.value is None or share.low is None or share.high is None:
        return False
    usual = expected / m
    return abs(share.value - usual) <= delta / 2 and usual - delta < share.low and share.high < usual + delta


def update_incident(
    before: Incident | None, alarms: tuple[Finding, ...], check: int, now: datetime
) -> Incident | None:
    """Return the incident that is open after a look that may have found something."""
    if before is None:
        since = format_moment(now)
        return Incident(since=since, check=check, findings=alarms) if alarms else None
    known = {one.key for one in before.findings}
    more = tuple(one for one in alarms if one.key not in known)
    return replace(before, checks=before.checks + 1, findings=before.findings + more)
