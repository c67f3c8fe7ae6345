"""The answers behind the headline of a report, one each on a subject; none contradicts the conclusion."""

from __future__ import annotations

from collections.abc import Sequence

from sentimon.monitoring.drift_decision import Reason, Verdict
from sentimon.monitoring.traffic import TrafficReport, TrafficVerdict
from sentimon.reporting.plain_text import counted, estimate, limit_text, number, number_against, visible
from sentimon.reporting.report.blocks import Status, Tone
from sentimon.reporting.report.conclusion import TRAFFIC, Conclusion
from sentimon.reporting.report.moments import when, when_saved
from sentimon.reporting.report.report_value import Report
from sentimon.reporting.share_sentences import all_moved
from sentimon.reporting.traffic_sentences import explain_traffic
from sentimon.reporting.verdict_sentences import explain_drift, explain_trigger, tell_change


def answers(report: Report) -> list[Status]:
    """Return one answer each on the class mix, the monitor, retraining, traffic, labels and the log."""
    return [
        _class_mix(report),
        _monitor(report),
        _retraining(report),
        *([] if report.traffic is None else [_traffic(report.traffic)]),
        *([_labels(report)] if report.labelled is not None else []),
        _log(report),
    ]


def _class_mix(report: Report) -> Status:
    """Return what one look at the newest rows says by itself."""
    drift, conclusion = report.drift, report.conclusion
    word, tone = drift.reason.value.capitalize(), conclusion.quiet_tone
    if drift.reason is Reason.CHANGED:
        word, tone = "Drift", Tone.FINDING
    elif drift.reason is Reason.UNCHANGED and conclusion is Conclusion.STABLE:
        word = "Stable"
    elif drift.verdict is Verdict.NO_VERDICT:
        tone = Tone.UNKNOWN
    return Status(about="Class mix", word=word, tone=tone, detail=tell_look(report), link="change")


def tell_look(report: Report) -> str:
    """Return what a look at the newest rows sees, with the score and the threshold but without a verdict."""
    drift = report.drift
    if drift.reason in (Reason.NO_BASELINE, Reason.TOO_FEW_ROWS):
        return without_verdict(explain_drift(drift, report.names))[0]
    rows = f"the newest {drift.current.total} of " if drift.window.since is not None else "the "
    return (
        f"In {rows}{drift.after_baseline} rows after the baseline, {tell_change(drift, report.names)}. The "
        f"score is {estimate(drift.score)}, your threshold {drift.threshold:g}."
    )


def without_verdict(sentences: Sequence[str]) -> list[str]:
    """Return sentences without the verdict that the first of them begins with, and which others may share.

    >>> without_verdict(["No verdict: there is no baseline.", "Make one."])
    ['There is no baseline.', 'Make one.']
    """
    verdict, colon, rest = sentences[0].partition(": ")
    said = rest if colon and verdict in ("Drift", "Stable", "No verdict", "No retraining needed") else ""
    return [said[:1].upper() + said[1:] if said else sentences[0], *sentences[1:]]


def _monitor(report: Report) -> Status:
    """Return whether the monitor has an open incident, and where it asks for less than the look."""
    incident, checks, conclusion = report.watch.incident, report.watch.checks, report.conclusion
    if incident is not None:
        found = f"Found on {when_saved(report, incident.since)} {report.zone_name} by check {incident.check}"
        detail = f"{found}: {all_moved(incident.findings, report.names)}."
        if not report.look_found:
            detail += f" {asks_for_less(report)}"
        return Status(about="Monitor", word="Open incident", tone=Tone.FINDING, detail=detail, link="score")
    if report.options.where:
        detail = "The monitor is about the whole log, and this report about a part of it."
        return Status(about="Monitor", word="Not asked", tone=Tone.PLAIN, detail=detail, link="score")
    if not checks:
        detail = "It has not looked at this log yet: sentimon drift --monitor, from cron, is its look."
        return Status(about="Monitor", word="Not used", tone=Tone.UNKNOWN, detail=detail, link="score")
    detail = f"No incident is open after check {checks}."
    if conclusion is Conclusion.DRIFT:
        detail += " It needs more evidence than a single look, as it may look as often as you like."
    return Status(
        about="Monitor", word="No incident", tone=conclusion.quiet_tone, detail=detail, link="score"
    )


def asks_for_less(report: Report) -> str:
    """Return why the monitor can find drift where a single look does not."""
    return (
        f"It asks that any share moves by {report.delta:g} and by more than chance; a single look asks for a "
        f"score above {report.drift.threshold:g}."
    )


def _retraining(report: Report) -> Status:
    trigger, conclusion = report.trigger, report.conclusion
    if trigger.due:
        word, tone = "Recommended", Tone.FINDING
    elif report.trigger_stands:
        word = "Trigger fired"
        tone = Tone.FINDING if conclusion.tone is Tone.FINDING else conclusion.quiet_tone
    elif trigger.decided:
        word, tone = "No rule is met", conclusion.quiet_tone
    else:
        word, tone = "No verdict", Tone.UNKNOWN
    detail = " ".join(tell_retraining(report))
    return Status(about="Retraining", word=word, tone=tone, detail=detail, link="retraining")


def tell_retraining(report: Report) -> list[str]:
    """Return the decision on retraining in sentences, with the trigger that fired last."""
    trigger, fired = report.trigger, tell_trigger(report)
    if trigger.due:
        return [*explain_trigger(trigger, report.names), *fired]
    if report.trigger_stands:
        rows, needed = counted(trigger.samples.n, "new prediction"), limit_text(trigger.samples.limit)
        return [*fired, f"Since then there are {rows}; at least {needed} are needed to decide anew."]
    if trigger.decided:
        return [_no_rule(report), *fired]
    return [*without_verdict(explain_trigger(trigger, report.names)), *fired]


def _no_rule(report: Report) -> str:
    """Return the limit of each rule, none of which is met, and by which rows."""
    trigger = report.trigger
    rules = ", ".join(
        f"{visible(one.name)} {number_against(one.value, one.limit)} (retraining if {one.side} "
        f"{limit_text(one.limit, one.value)})"
        for one in trigger.rules[1:]
        if one.applies and one.met is False
    )
    after = "the baseline" if report.last_trigger is None else "the last trigger"
    return f"No rule is met by the {counted(trigger.samples.n, 'row')} after {after}: {rules}."


def tell_trigger(report: Report) -> list[str]:
    """Return when the last trigger fired, and until when no other does; nothing where none fired."""
    last, until = report.last_trigger, report.trigger.cooldown_until
    if last is None:
        return []
    fired = f"A trigger fired on {when(report, last.timestamp)} {report.zone_name}"
    if last.doubt is not None:
        fired = (
            f"A trigger may have fired on {when(report, last.timestamp)} {report.zone_name} "
            f"({last.doubt.path}:{last.doubt.line} cannot be read)"
        )
    if until is None:
        return [f"{fired}."]
    return [f"{fired}; no other fires before {when(report, until)} (retraining.cooldown)."]


def _traffic(traffic: TrafficReport) -> Status:
    """Return whether rows come, and as many as usual."""
    if traffic.verdict in TRAFFIC:
        word, tone = TRAFFIC[traffic.verdict].word, Tone.FINDING
    elif traffic.verdict is TrafficVerdict.STABLE:
        word, tone = "As usual", Tone.WELL
    else:
        word, tone = "No verdict", Tone.UNKNOWN
    detail = " ".join(explain_traffic(traffic))
    return Status(about="Traffic", word=word, tone=tone, detail=detail, link="traffic")


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
        link="quality",
    )


def _log(report: Report) -> Status:
    bad, rows = report.summary.bad_count, report.summary.count
    if not bad:
        detail = f"{rows} rows, no bad line."
        return Status(about="Log", word="Readable", tone=Tone.WELL, detail=detail, link="bad-lines")
    lines = "1 bad line was" if bad == 1 else f"{bad} bad lines were"
    return Status(
        about="Log",
        word="Bad lines",
        tone=Tone.FINDING,
        detail=f"{rows} rows; {lines} left out.",
        link="bad-lines",
    )
