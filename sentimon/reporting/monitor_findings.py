"""What the monitor found, in sentences and as the object behind `--json`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sentimon.labels import by_name, names_of
from sentimon.monitoring.drift_decision import Reason
from sentimon.monitoring.finding import Finding, ValueChange, ValueFinding
from sentimon.monitoring.incident import Incident
from sentimon.monitoring.monitor_report import DetectableShift, MonitorReport
from sentimon.monitoring.vocabulary import Growth
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.slices import MOST_VALUES
from sentimon.reporting.plain_text import counted, estimate, number, visible
from sentimon.reporting.share_sentences import all_moved, slice_name
from sentimon.reporting.verdict_sentences import explain_onset, explain_sides
from sentimon.statistics.intervals import difference_of_shares, normal_quantile, wilson
from sentimon.timestamps import format_moment


def monitor_object(
    report: MonitorReport,
    *,
    timestamp: datetime,
    words: Iterable[Growth] = (),
    examples: Iterable[PredictionRecord] = (),
    names: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return the result of a check; numbers that need more rows are null."""
    look, level, rows = report.look, report.confidence_level, sum(report.counts)
    shares = [wilson(count, rows, confidence_level=level) for count in report.counts]
    known = report.baseline.summary
    names = names_of(report.baseline.classes) if names is None else names
    return {
        "timestamp": format_moment(timestamp),
        "rule": "monitor",
        "verdict": report.verdict.value,
        "reason": report.reason.value,
        "drift_detected": report.drifting,
        "drift_score": report.score.value,
        "baseline_distribution": {name: count / known.count for name, count in by_name(names, known.counts)},
        "current_distribution": {name: one.value for name, one in by_name(names, shares)},
        "recommendations": explain_monitor(report, names),
        "score": report.score.to_dict(),
        "score_over_checks": report.over,
        "shares": {name: one.to_dict() for name, one in by_name(names, shares)},
        "baseline_name": report.baseline.name,
        "baseline_samples": known.count,
        "new_samples": report.new,
        "min_samples": report.min_samples,
        "check": None if look is None else look.check,
        "opened": report.opened,
        "closed": report.closed,
        "alarms": [finding_object(one, level) for one in (() if look is None else look.alarms)],
        "warnings": [finding_object(one, level) for one in report.warnings],
        "incident": None if report.incident is None else incident_object(report.incident, level),
        "detectable_shift": {
            "this_check": _detectable(report.in_this),
            "all_checks": _detectable(report.in_all),
            "samples_needed": report.needed,
        },
        "design_effect": {"value": report.reference.design_effect, "divided": report.reference.divided},
        "daily_amplitudes": {name: wave.amplitude for name, wave in by_name(names, report.reference.waves)},
        "grown_words": [{"word": one.word, "before": one.before, "after": one.after} for one in words],
        "examples": [record.to_dict() for record in examples],
        "values": [value_object(one) for one in report.values],
        "crowded_hours": dict(report.crowded),
    }


def finding_object(finding: Finding, confidence_level: float) -> dict[str, Any]:
    """Return a share that moved: its value before and after, and the evidence."""
    z = normal_quantile(confidence_level)
    value, low, high = difference_of_shares(finding.before, finding.after, z=z)
    return {
        "group": finding.group,
        "event": finding.event,
        "where": None if finding.where is None else {finding.where[0]: finding.where[1]},
        "direction": "up" if value > 0 else "down",
        "before": wilson(*finding.before, confidence_level=confidence_level).to_dict(),
        "after": wilson(*finding.after, confidence_level=confidence_level).to_dict(),
        "difference": {"value": value, "low": low, "high": high},
        "checks": finding.windows,
        "p_value": finding.p_value,
        "p_limit": finding.limit,
    }


def value_object(one: ValueFinding) -> dict[str, Any]:
    """Return a value of a field that is new or vanished, and the evidence."""
    return {
        "field": one.field,
        "value": one.value,
        "change": one.change.value,
        "baseline_share": one.baseline_share,
        "share": one.share,
        "p_value": one.p_value,
        "p_limit": one.limit,
    }


def incident_object(incident: Incident, confidence_level: float) -> dict[str, Any]:
    """Return an incident: when it began, its checks, and the shares that moved."""
    return {
        "since": incident.since,
        "since_check": incident.check,
        "checks": incident.checks,
        "told": incident.told,
        "onset": None if incident.onset is None else incident.onset.to_dict(),
        "findings": [finding_object(one, confidence_level) for one in incident.findings],
    }


def explain_monitor(report: MonitorReport, names: Sequence[str]) -> list[str]:
    """Return the result of a check as sentences, the most important first."""
    sentences = [_verdict(report, names)]
    if report.incident is not None and report.drifting:
        sentences += explain_onset("The change", report.incident.onset)
    sentences += [_explain_value(one) for one in report.values]
    sentences += [_explain_crowded(field, hours) for field, hours in report.crowded.items()]
    if report.look is not None and report.score.value is not None:
        sentences.append(
            f"The mix of the newest {report.score.n} rows is {estimate(report.score)} from the baseline, on "
            "a scale from 0 (the same) to 1 (all negative against all positive)."
        )
    if report.drifting and report.score.value is not None and report.score.value <= report.threshold:
        sentences.append(
            f"`sentimon drift` without --monitor asks for more: a score above {report.threshold:g}. The "
            f"monitor asks that any share moves by {report.delta:g}."
        )
    if not report.drifting and report.in_this is not None and report.in_all is not None:
        sentences.append(_sensitivity(report.in_this, report.in_all))
    if report.reference.divided:
        sentences.append(
            f"Rows of an hour are alike: in the baseline, shares waver {report.reference.design_effect:.2f} "
            "times as much as independent rows would, and counts are divided by that."
        )
    sentences += _whose_confidence(report)
    if report.small:
        sentences.append(
            f"The baseline has {report.reference.rows} rows: with {report.small} or more, over whole days, "
            "the monitor finds smaller changes."
        )
    return sentences


def _explain_value(one: ValueFinding) -> str:
    name, share = slice_name(one.field, one.value), number(one.share)
    if one.change is ValueChange.NEW:
        return f"New: {name} is not in the baseline, and now {share} of the rows."
    rows = round(one.after[1])
    return f"Gone: {name}, {number(one.baseline_share)} of the baseline, is none of the newest {rows} rows."


def _explain_crowded(field: str, hours: int) -> str:
    many = counted(hours, "hour")
    return (
        f"Not watched by {visible(field)}: {many} with more than {MOST_VALUES} of its values, too many to "
        "tell apart."
    )


def _whose_confidence(report: MonitorReport) -> list[str]:
    """Return how many rows of the baseline, and of the check, have a confidence, where some have none."""
    names = [group.name for group in report.reference.groups]
    place = names.index("confidence")
    known = report.reference.groups[place].reference
    window = None if report.look is None else report.look.window
    if window is None or not window.rows:
        return []
    watched = "is watched on the rows that have one" if known.n else "is not watched"
    now = (window.groups[place].n, window.rows)
    return explain_sides(watched, (known.n, report.reference.rows), now)


def _verdict(report: MonitorReport, names: Sequence[str]) -> str:
    incident = report.incident
    if incident is None:
        return _without_incident(report, names)
    since = f"{incident.since[:16].replace('T', ' ')} UTC"
    if report.closed:
        return f"Recovered: the drift found on {since} is over, after {incident.checks} checks."
    found = all_moved(incident.findings, names)
    if report.opened and report.look is not None:
        if incident.check == report.look.check:
            return f"Drift: {found}."
        return f"Drift, found at check {incident.check} of {report.look.check}: {found} then."
    return f"Still drifting, found on {since} at check {incident.check}: {found} then."


def _without_incident(report: MonitorReport, names: Sequence[str]) -> str:
    if report.look is None:
        return (
            f"No verdict: {report.new} new rows, at least {report.min_samples} are needed; "
            "they wait for the next check."
        )
    check = f"check {report.look.check}"
    if report.reason is Reason.TOO_FEW_TO_TELL:
        return (
            f"No verdict: no share has moved by more than chance ({check}), but so few rows could hide a "
            f"change as large as your threshold {report.threshold:g}.{_needed(report)}"
        )
    if report.warnings:
        found = all_moved(report.warnings, names)
        return f"Stable, changed below monitor.delta {report.delta:g}: {found} ({check})."
    return f"Stable: no share has moved by {report.delta:g} and more than chance ({check})."


def _needed(report: MonitorReport) -> str:
    if report.needed is None or report.look is None:
        return " The baseline has too few rows to show one at all."
    more = report.needed - sum(window.rows for window in report.look.windows)
    if more <= 0:
        return " The next checks, which look back further, would show it."
    return f" About {more} more rows would show it."


def _sensitivity(in_this: DetectableShift, in_all: DetectableShift) -> str:
    alone = f"To be seen in the newest {in_this.rows} rows, a class share has to move by {_shift(in_this)}"
    if in_all.rows == in_this.rows:
        return f"{alone}."
    return f"{alone}; in the {in_all.rows} rows that the monitor looked back on, by {_shift(in_all)}."


def _shift(one: DetectableShift) -> str:
    return "more than it can" if one.shift is None else f"{one.shift:.3f}"


def _detectable(one: DetectableShift | None) -> dict[str, float | int | None] | None:
    return None if one is None else {"rows": one.rows, "shift": one.shift}
