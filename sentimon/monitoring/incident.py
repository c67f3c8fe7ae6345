"""Drift that goes on: opened by an alarm, reported once, closed when the shares have recovered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from sentimon.config.settings import MonitorSettings
from sentimon.monitoring.finding import Finding
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.onset import Onset
from sentimon.monitoring.shift_tests import look_backs
from sentimon.monitoring.watched_events import EventWindow
from sentimon.statistics.intervals import wilson
from sentimon.timestamps import format_moment


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """Drift that an alarm has opened and that goes on until the shares have recovered."""

    since: str
    """When the alarm was raised, RFC 3339."""
    check: int
    """Number of the check that raised it."""
    checks: int = 1
    """Checks since then, that one included."""
    findings: tuple[Finding, ...]
    """The events that moved, as first found; at each check the most significant come first."""
    told: bool = False
    """Whether a retraining trigger has fired on it."""
    onset: Onset | None = None
    """When the change began that moved most, as a check first saw it; None while that is not known."""


def has_recovered(
    incident: Incident,
    reference: Reference,
    windows: Sequence[EventWindow],
    settings: MonitorSettings,
    *,
    confidence_level: float,
) -> bool:
    """Return whether every share that raised the alarm is back, over some of the newest `windows` together.

    To be back takes more than not raising an alarm: the share is within delta / 2 of the baseline's, and its
    Wilson interval lies within delta. So a share that varies around delta does not open and close incidents
    again and again. The sampling error of the baseline plays no part.
    """
    names = [group.name for group in reference.groups]
    of_all = [one for one in incident.findings if one.where is None]
    places = [(names.index(finding.group), finding.place) for finding in of_all]
    return any(
        all(_is_back(reference, sums, place, settings.delta, confidence_level) for place in places)
        for _, sums in look_backs(windows, settings.look_backs)
    )


def slice_has_recovered(
    finding: Finding,
    reference: Reference,
    windows: Sequence[EventWindow],
    settings: MonitorSettings,
    *,
    confidence_level: float,
) -> bool:
    """Return whether the share of a slice that raised an alarm is back, as `has_recovered` says of all rows.

    `reference` and `windows`, the newest last, are those of the slice; without rows it is not back.
    """
    place = (0, finding.place)
    return bool(windows) and any(
        _is_back(reference, sums, place, settings.delta, confidence_level)
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
    """Return the incident that is open after a check: a new one, the known one updated, or None."""
    if before is None:
        since = format_moment(now)
        return Incident(since=since, check=check, findings=alarms) if alarms else None
    known = {one.key for one in before.findings}
    more = tuple(one for one in alarms if one.key not in known)
    return replace(before, checks=before.checks + 1, findings=before.findings + more)
