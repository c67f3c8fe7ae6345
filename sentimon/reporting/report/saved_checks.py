"""The checks and incidents of the past, read from the saved drift reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

import msgspec
from msgspec.structs import replace

from sentimon.errors import DataError
from sentimon.monitoring.incident import Incident
from sentimon.timestamps import parse_moment


class _Share(msgspec.Struct, frozen=True):
    value: float | None = None


class SavedFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A share that had moved when a check was saved."""

    group: str
    event: str
    before: _Share = _Share()
    after: _Share = _Share()
    where: dict[str, str] | None = None
    """The slice, as {field: value}; None: all rows."""


class _SavedIncident(msgspec.Struct, frozen=True, kw_only=True):
    since: str
    findings: tuple[SavedFinding, ...] = ()


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    timestamp: str
    drift_detected: bool = False
    drift_score: float | None = None
    rule: str = "score"
    closed: bool = False
    incident: _SavedIncident | None = None


class SavedCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One saved result of `sentimon drift`."""

    timestamp: datetime
    rule: str
    """`score` or `monitor`."""
    score: float | None
    drifted: bool


class PastIncident(msgspec.Struct, frozen=True, kw_only=True):
    """An incident of the monitor with its start and end."""

    since: datetime
    seen: datetime
    """The time of the last saved check that mentions it."""
    closed: bool
    """Whether that check closed it."""
    open: bool
    """Whether it is the open incident of the monitor."""
    findings: Sequence[SavedFinding]

    def until(self, now: datetime) -> datetime:
        """Return the last moment at which it is known to last."""
        return max(now, self.since) if self.open else max(self.seen, self.since)


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """All saved checks and incidents, the earliest first."""

    checks: Sequence[SavedCheck] = ()
    incidents: Sequence[PastIncident] = ()
    unreadable: int = 0
    """The number of saved entries that are no checks."""


def recall(
    entries: Iterable[Mapping[str, Any]],
    incident: Incident | None,
    zone: tzinfo | None,
    *,
    unreadable: int = 0,
) -> Past:
    """Return the checks and incidents in saved drift reports, and the open `incident`.

    Naive timestamps are read in `zone` (None: local time). An entry that is no drift report is counted,
    with the `unreadable` ones.
    """
    checks: list[SavedCheck] = []
    incidents: dict[datetime, PastIncident] = {}
    for given in entries:
        try:
            entry = msgspec.convert(given, type=_Entry)
            moment, since = _moments(entry, zone)
        except (msgspec.ValidationError, DataError):
            unreadable += 1
            continue
        checks.append(
            SavedCheck(
                timestamp=moment, rule=entry.rule, score=entry.drift_score, drifted=entry.drift_detected
            )
        )
        if entry.incident is not None and since is not None:
            incidents[since] = PastIncident(
                since=since,
                seen=moment,
                closed=entry.closed,
                open=False,
                findings=entry.incident.findings,
            )
    if incident is not None:
        now_open = _open(incident, zone)
        known = incidents.get(now_open.since, now_open)
        incidents[now_open.since] = replace(known, open=True, closed=False, findings=now_open.findings)
    return Past(
        checks=tuple(sorted(checks, key=lambda one: one.timestamp)),
        incidents=tuple(incident for _, incident in sorted(incidents.items())),
        unreadable=unreadable,
    )


def _moments(entry: _Entry, zone: tzinfo | None) -> tuple[datetime, datetime | None]:
    since = None if entry.incident is None else parse_moment(entry.incident.since, zone)[0]
    return parse_moment(entry.timestamp, zone)[0], since


def _open(incident: Incident, zone: tzinfo | None) -> PastIncident:
    since = parse_moment(incident.since, zone)[0]
    findings = tuple(
        SavedFinding(
            group=one.group,
            event=one.event,
            before=_Share(one.before[0] / one.before[1]),
            after=_Share(one.after[0] / one.after[1]),
            where=None if one.where is None else dict([one.where]),
        )
        for one in incident.findings
    )
    return PastIncident(since=since, seen=since, closed=False, open=True, findings=findings)
