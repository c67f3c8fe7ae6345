"""The headline of a report: the conclusion, why, since when, and which rows say so."""

from __future__ import annotations

from sentimon.monitoring.drift_decision import Reason
from sentimon.reporting.plain_text import counted, estimate, explain_intervals
from sentimon.reporting.report.answers import asks_for_less, tell_retraining, without_verdict
from sentimon.reporting.report.blocks import Fact, Status
from sentimon.reporting.report.conclusion import TRAFFIC, Conclusion
from sentimon.reporting.report.moments import tell_onset, when, when_saved
from sentimon.reporting.report.report_value import Report
from sentimon.reporting.share_sentences import all_moved
from sentimon.reporting.traffic_sentences import explain_traffic
from sentimon.reporting.verdict_sentences import explain_drift, tell_change
from sentimon.timestamps import start_of_hour


def headline(report: Report) -> Status:
    """Return the conclusion of the report with its reason."""
    conclusion = report.conclusion
    return Status(about="Verdict", word=conclusion.word, tone=conclusion.tone, detail=_why(report))


def _why(report: Report) -> str:
    conclusion, drift = report.conclusion, report.drift
    if conclusion is Conclusion.NO_ROWS:
        return "There are no predictions in this period."
    if conclusion is Conclusion.DRIFT:
        return f"The predictions are no longer what they were in the baseline: {what_moved(report)}."
    if conclusion is Conclusion.RETRAIN:
        return " ".join(tell_retraining(report))
    if report.traffic is not None and conclusion in TRAFFIC.values():
        return " ".join(explain_traffic(report.traffic))
    if conclusion is Conclusion.CHANGED:
        return (
            f"The predictions changed, and by less than you allow (a score of {drift.threshold:g}): "
            f"{tell_change(drift, report.names)}."
        )
    if conclusion is Conclusion.STABLE:
        return (
            "The predictions are what they were in the baseline, as far as so many rows can tell: "
            f"{tell_change(drift, report.names)}."
        )
    return " ".join(without_verdict(explain_drift(drift, report.names)[:1]))


def what_moved(report: Report) -> str:
    """Return which shares moved, from where to where: what the look or the monitor found, or the rule."""
    if report.look_found or report.watch.incident is None:
        return tell_change(report.drift, report.names) or "the rule on drift is met"
    return all_moved(report.watch.incident.findings, report.names)


def facts(report: Report) -> list[Fact]:
    """Return what belongs to the headline: since when, by whom it was found, and which rows were judged."""
    if report.conclusion is Conclusion.NO_ROWS:
        return []
    return [*_since(report), *_found(report), *_rows(report)]


def _since(report: Report) -> list[Fact]:
    if report.conclusion not in (Conclusion.DRIFT, Conclusion.CHANGED):
        return []
    onset = report.onsets.first
    if onset is None:
        return [Fact(name="Began", text="The rows do not tell when: no hour stands out.")]
    told = tell_onset(report, onset)
    return [Fact(name="Began", text=f"{told[:1].upper()}{told[1:]}; {counted(onset.rows, 'row')} since.")]


def _found(report: Report) -> list[Fact]:
    """Return who found the drift, and in a sentence why the other did not."""
    incident = report.watch.incident
    if report.conclusion is not Conclusion.DRIFT:
        return []
    if incident is None:
        who = "A single look at the newest rows." if report.look_found else "The rule for retraining."
        return [Fact(name="Found by", text=who)]
    found = f"on {when_saved(report, incident.since)} {report.zone_name}, check {incident.check}"
    if report.look_found:
        return [Fact(name="Found by", text=f"The monitor ({found}), and a single look at the newest rows.")]
    return [Fact(name="Found by", text=f"The monitor, {found}. {asks_for_less(report)}")]


def _rows(report: Report) -> list[Fact]:
    drift = report.drift
    if drift.reason in (Reason.NO_BASELINE, Reason.TOO_FEW_ROWS) or report.baseline is None:
        return []
    known, rows = report.baseline, f"The {drift.after_baseline} rows after the baseline"
    since = None if drift.window.since is None else start_of_hour(drift.window.since)
    if since is not None:
        rows = (
            f"The newest {drift.current.total} of the {drift.after_baseline} rows after the baseline, those "
            f"since {when(report, since)}, which differ most"
        )
    return [
        Fact(name="Rows", text=f"{rows}; against {known.metrics.total} rows of baseline {known.name!r}."),
        Fact(
            name="How far",
            text=f"{estimate(drift.score)} on a scale from 0 (the same mix) to 1 (all negative against all "
            f"positive); your threshold is {drift.threshold:g}. {explain_intervals(report.confidence_level)}",
        ),
    ]
