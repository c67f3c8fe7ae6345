"""A report as a story: the verdict, the answers behind it, then every section."""

from __future__ import annotations

from sentimon.monitoring.class_mix_drift import DriftReport
from sentimon.monitoring.drift_decision import Verdict
from sentimon.reporting.plain_text import estimate, number
from sentimon.reporting.report.appendix_sections import bad_lines_section, methods_section, settings_section
from sentimon.reporting.report.blocks import Status, Story, Tone
from sentimon.reporting.report.change_sections import change_section, moved_section, retraining_section
from sentimon.reporting.report.quality_section import quality_section
from sentimon.reporting.report.report_value import Report
from sentimon.reporting.report.time_sections import confidence_section, mix_section, score_section, when
from sentimon.reporting.share_sentences import all_moved
from sentimon.reporting.verdict_sentences import explain_collecting, explain_drift, explain_trigger
from sentimon.timestamps import format_moment, from_microseconds

_TONES = {Verdict.DRIFT: Tone.FINDING, Verdict.STABLE: Tone.WELL, Verdict.NO_VERDICT: Tone.UNKNOWN}


def tell(report: Report) -> Story:
    """Return the story of a report, which HTML and Markdown share."""
    sections = (
        mix_section,
        confidence_section,
        score_section,
        change_section,
        moved_section,
        quality_section,
        retraining_section,
        bad_lines_section,
        settings_section,
        methods_section,
    )
    return Story(
        title="Sentiment monitoring report",
        about=_about(report),
        verdict=headline(report),
        answers=answers(report),
        sections=[section(report) for section in sections],
        footer=f"Made by sentimon {report.version} at {format_moment(report.made)}. Nothing in this file is "
        "loaded from elsewhere.",
    )


def _about(report: Report) -> str:
    summary, known = report.summary, report.baseline
    rows = f"{summary.count} predictions"
    if summary.first is not None and summary.last is not None:
        first, last = (when(report, from_microseconds(one)) for one in (summary.first, summary.last))
        rows += f" from {first} to {last} {report.zone_name} time"
    against = "no baseline" if known is None else f"baseline {known.name!r} of {when(report, known.created)}"
    return f"{rows}, logged in {report.source}; against {against}."


def headline(report: Report) -> Status:
    """Return the verdict of the whole report."""
    if not report.summary.count:
        return Status(
            about="Verdict",
            word="No verdict",
            tone=Tone.UNKNOWN,
            detail="There are no predictions in this period.",
        )
    retrain = report.trigger.due
    if report.verdict is Verdict.DRIFT:
        detail = "The predictions are no longer what they were in the baseline"
        detail += ", and retraining is recommended." if retrain else "."
        return Status(about="Verdict", word="Drift", tone=Tone.FINDING, detail=detail)
    if retrain:
        return Status(
            about="Verdict",
            word="Retraining recommended",
            tone=Tone.FINDING,
            detail="The class mix holds, but a rule for retraining is met.",
        )
    if report.verdict is Verdict.STABLE:
        return Status(about="Verdict", word="Stable", tone=Tone.WELL, detail=_stable(report.drift))
    return Status(about="Verdict", word="No verdict", tone=Tone.UNKNOWN, detail=_unknown(report))


def _unknown(report: Report) -> str:
    if report.drift.collecting is not None:
        return explain_collecting(report.drift.collecting)
    missing = "there is no baseline to compare with" if report.baseline is None else "there are too few rows"
    return f"Whether the predictions changed cannot be said: {missing}."


def _stable(drift: DriftReport) -> str:
    moved_surely = drift.score.low is not None and drift.score.low > 0
    surely = ", which is more than chance but" if moved_surely else ","
    return (
        f"The class mix is {estimate(drift.score)} from the baseline's{surely} within the limit "
        f"{drift.threshold:g}; no rule for retraining is met."
    )


def answers(report: Report) -> list[Status]:
    """Return one answer each on drift, the monitor, retraining, labels and the log."""
    return [
        _drift(report),
        _monitor(report),
        _retraining(report),
        *([_labels(report)] if report.labelled is not None else []),
        _log(report),
    ]


def _drift(report: Report) -> Status:
    verdict = report.drift.verdict
    return Status(
        about="Drift score",
        word=verdict.value.capitalize(),
        tone=_TONES[verdict],
        detail=explain_drift(report.drift, report.names)[0],
    )


def _monitor(report: Report) -> Status:
    incident, checks = report.watch.incident, report.watch.checks
    if incident is not None:
        found = all_moved(incident.findings, report.names)
        since = f"{incident.since[:16].replace('T', ' ')} UTC"
        detail = f"Drift since {since}, check {incident.check}: {found} when it was found."
        return Status(about="Monitor", word="Open incident", tone=Tone.FINDING, detail=detail)
    if not checks:
        detail = "It has not looked at this log yet: sentimon drift --monitor, from cron, is its look."
        return Status(about="Monitor", word="Not used", tone=Tone.UNKNOWN, detail=detail)
    detail = f"No incident is open after check {checks}."
    return Status(about="Monitor", word="Quiet", tone=Tone.WELL, detail=detail)


def _retraining(report: Report) -> Status:
    trigger = report.trigger
    if trigger.due:
        word, tone = "Recommended", Tone.FINDING
    elif trigger.decided:
        word, tone = "Not needed", Tone.WELL
    else:
        word, tone = "No verdict", Tone.UNKNOWN
    return Status(
        about="Retraining", word=word, tone=tone, detail=" ".join(explain_trigger(trigger, report.names))
    )


def _labels(report: Report) -> Status:
    labelled = report.labelled
    if labelled is None or labelled.quality.accuracy.value is None:
        return Status(about="Accuracy", word="No labels", tone=Tone.UNKNOWN, detail="No row is labelled.")
    quality = labelled.quality
    return Status(
        about="Accuracy",
        word=number(quality.accuracy.value),
        tone=Tone.PLAIN,
        detail=f"{estimate(quality.accuracy)} of {quality.n} labelled rows are right; "
        f"macro recall {estimate(quality.macro_recall)}.",
    )


def _log(report: Report) -> Status:
    bad, rows = report.summary.bad_count, report.summary.count
    if not bad:
        return Status(about="Log", word="Readable", tone=Tone.WELL, detail=f"{rows} rows, no bad line.")
    lines = "1 bad line was" if bad == 1 else f"{bad} bad lines were"
    return Status(about="Log", word="Bad lines", tone=Tone.FINDING, detail=f"{rows} rows; {lines} left out.")
