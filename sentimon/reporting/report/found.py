"""What checks found: incidents and saved results, as tables and in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sentimon.labels import LABELS
from sentimon.reporting.findings import listed, outstanding
from sentimon.reporting.numbers import number
from sentimon.reporting.report.blocks import Block, Column, Paragraph, Table
from sentimon.reporting.report.past import PastIncident, SavedFinding
from sentimon.reporting.report.value import Report

_LATEST = 20
_VERBS = {"class": "share of {}", "confidence": "confidence {}", "words": "texts with {}"}


def when(report: Report, moment: datetime) -> str:
    """Return a moment to the minute, in the zone of the report."""
    return f"{moment.astimezone(report.zone):%Y-%m-%d %H:%M}"


def incidents_in_words(report: Report) -> str:
    """Return from when to when the incidents were."""
    found = report.past.incidents
    if not found:
        return "No incident is known."
    return (
        "Incidents: " + "; ".join(f"{when(report, one.since)} to {_end(report, one)}" for one in found) + "."
    )


def found_blocks(report: Report) -> list[Block]:
    """Return the incidents and the saved checks as tables."""
    blocks: list[Block] = []
    if report.past.incidents:
        blocks.append(
            Table(
                caption=f"Incidents, {report.zone_name} time",
                columns=[Column(name="Since"), Column(name="Until"), Column(name="What had moved")],
                rows=[
                    (when(report, one.since), _end(report, one), _moved(one.findings, report.names))
                    for one in reversed(report.past.incidents)
                ],
            )
        )
    checks = report.past.checks
    if checks:
        latest = "" if len(checks) <= _LATEST else f", the latest {_LATEST} of {len(checks)}"
        blocks.append(
            Table(
                caption=f"Saved checks{latest}",
                columns=[
                    Column(name="When"),
                    Column(name="By"),
                    Column(name="Score", numeric=True),
                    Column(name="Result"),
                ],
                rows=[
                    (
                        when(report, one.timestamp),
                        one.rule,
                        number(one.score),
                        "drift" if one.drifted else "no drift",
                    )
                    for one in reversed(checks[-_LATEST:])
                ],
                folded=True,
            )
        )
    else:
        blocks.append(Paragraph(text="No check was saved: sentimon drift --save keeps them."))
    return blocks


def _end(report: Report, incident: PastIncident) -> str:
    if incident.open:
        return "still open"
    return when(report, incident.seen) + ("" if incident.closed else " (last seen)")


def _moved(findings: Sequence[SavedFinding], names: Sequence[str]) -> str:
    shown = dict(zip(LABELS, names, strict=True))
    parts = []
    for one in outstanding(findings):
        event = shown.get(one.event, one.event) if one.group == "class" else one.event
        what = _VERBS.get(one.group, "{}").format(event)
        parts.append(f"{what}: {number(one.before.value)} to {number(one.after.value)}")
    return listed(parts, len(findings))
