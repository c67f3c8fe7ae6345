"""What all charts of a report over time show: its windows, the baseline's time, incidents, and the onset."""

from __future__ import annotations

from collections.abc import Sequence

from sentimon.labels import LABELS
from sentimon.monitoring.onset import Onset
from sentimon.reporting.plain_text import number
from sentimon.reporting.report.blocks import Key
from sentimon.reporting.report.charts import Began, Stretch, Timeline
from sentimon.reporting.report.moments import tell_onset, when
from sentimon.reporting.report.report_value import Report
from sentimon.reporting.report.saved_checks import PastIncident, SavedFinding
from sentimon.reporting.share_sentences import listed, outstanding, share_of, slice_name

_MEANINGS = {
    "reference track": "rows of the baseline",
    "incident track": "incident of the monitor",
    "onset": "when it changed, with the interval",
}
INCIDENTS = "incident"
"""Begin of the ids of incidents in the chart of the score."""


def timeline(report: Report, onset: Onset | None, *, named: bool = False) -> Timeline:
    """Return what a chart over time shares with the others; if `named`, links lead to its incidents."""
    return Timeline(
        windows=report.windows,
        zone=report.zone,
        fewest=report.min_samples,
        stretches=stretches(report, named=named),
        began=_began(report, onset),
    )


def stretches(report: Report, *, named: bool = False) -> list[Stretch]:
    """Return the time of the baseline and of each incident, unless it was over before the windows."""
    first, last = report.windows[0].start, report.windows[-1].end
    known, shaded = report.baseline, []
    if known is not None and known.first is not None and known.last is not None:
        text = (
            f"Baseline: {known.metrics.total} rows, {when(report, known.first)} to {when(report, known.last)}"
        )
        shaded.append(Stretch(look="reference", start=known.first, end=known.last, text=text))
    for place, one in enumerate(report.past.incidents):
        text = f"Incident found on {when(report, one.since)}, until {incident_end(report, one)}"
        name = f"{INCIDENTS}-{place + 1}" if named else ""
        end = one.until(report.made)
        shaded.append(Stretch(look="incident", start=one.since, end=end, text=text, name=name))
    # The check that found an incident may come after the last row: then it stands at the end.
    until = max(last, report.made)
    return [
        one for one in shaded if one.end > first and one.start < (until if one.look == "incident" else last)
    ]


def _began(report: Report, onset: Onset | None) -> Began | None:
    if onset is None or onset.began is None or onset.earliest is None or onset.latest is None:
        return None
    if not report.windows[0].start <= onset.began < report.windows[-1].end:
        return None
    text = f"The {_subject(report, onset)} changed {tell_onset(report, onset)}"
    label = f"{_subject(report, onset)} changed"
    return Began(at=onset.began, first=onset.earliest, last=onset.latest, text=text, label=label)


def _subject(report: Report, onset: Onset) -> str:
    """Return what changed."""
    if report.traffic is not None and onset is report.traffic.onset:
        return "number of rows"
    return "confidence" if onset is report.onsets.confidence else "class mix"


def time_keys() -> list[Key]:
    """Return the entries of a legend for what all charts over time share."""
    return [Key(mark=mark, meaning=meaning) for mark, meaning in _MEANINGS.items()]


def told_times(report: Report, onset: Onset | None) -> str:
    """Return when the baseline was and when the change began, in sentences."""
    known, said = report.baseline, []
    if known is not None and known.first is not None and known.last is not None:
        said.append(f"The baseline is of {when(report, known.first)} to {when(report, known.last)}.")
    if onset is not None:
        said.append(f"The {_subject(report, onset)} changed {tell_onset(report, onset)}.")
    return " ".join(said)


def incident_end(report: Report, incident: PastIncident) -> str:
    """Return when an incident ended, as far as that is known."""
    if incident.open:
        return "still open"
    return when(report, incident.seen) + ("" if incident.closed else " (last seen)")


def tell_findings(findings: Sequence[SavedFinding], names: Sequence[str]) -> str:
    """Return which shares had moved, from where to where."""
    shown = dict(zip(LABELS, names, strict=True))
    parts = []
    for one in outstanding(findings):
        event = shown.get(one.event, one.event) if one.group == "class" else one.event
        where = "".join(f" in {slice_name(*pair)}" for pair in (one.where or {}).items())
        said = f"{number(one.before.value)} to {number(one.after.value)}"
        parts.append(f"{share_of(one.group, event)}{where}: {said}")
    return listed(parts, len(findings))
