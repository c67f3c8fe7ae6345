"""Drift that goes on: opened by an alarm, told once, closed when the shares are back."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sentimon.config.settings import MonitorSettings
from sentimon.monitoring.events import Window
from sentimon.monitoring.intervals import difference_of_shares, normal_quantile
from sentimon.monitoring.looks import Finding, difference, look_backs
from sentimon.monitoring.reference import Reference


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
    windows: Sequence[Window],
    settings: MonitorSettings,
    *,
    confidence_level: float,
) -> bool:
    """Return whether the shares that alarmed are back, over some of the newest `windows` together.

    Back is more than not to alarm: each change is at most half of delta, and its interval lies within
    delta. So what wavers about delta does not open and close incidents again and again.
    """
    names = [group.name for group in reference.groups]
    places = [(names.index(finding.group), finding.place) for finding in incident.findings]
    z = normal_quantile(confidence_level)
    return any(
        all(_is_back(reference, sums, place, settings.delta, z) for place in places)
        for _, sums in look_backs(windows, settings.look_backs)
    )


def _is_back(reference: Reference, sums: Window, place: tuple[int, int], delta: float, z: float) -> bool:
    group, event = place
    counted = sums.groups[group]
    if not counted.n:
        return False
    before, after = reference.expected(group, event, sums.clock), (counted.counts[event], counted.n)
    _, low, high = difference_of_shares(before, after, z=z)
    return abs(difference(before, after)) <= delta / 2 and -delta < low and high < delta
