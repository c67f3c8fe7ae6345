"""Decisions as tables: drift, the rules for retraining, and the check of a baseline on its own windows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from functools import partial

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sentimon.labels import places_named
from sentimon.monitoring.baseline import BaselineCheck
from sentimon.monitoring.class_mix_drift import DriftReport
from sentimon.monitoring.drift_decision import Reason
from sentimon.monitoring.retraining_rules import RetrainingTrigger, RuleResult
from sentimon.reporting.plain_text import (
    change,
    estimate,
    explain_intervals,
    interval,
    limit_text,
    minute,
    number,
    number_against,
    visible,
)
from sentimon.reporting.table_style import (
    VERDICT_STYLES,
    Fitting,
    class_name,
    new_table,
    sentences_of,
)
from sentimon.reporting.verdict_sentences import explain_check, explain_drift, explain_trigger
from sentimon.timestamps import in_zone


def drift_table(
    report: DriftReport, names: Sequence[str], *, zone: str = "UTC", confidence_level: float | None = None
) -> RenderableType:
    """Return the baseline next to the current rows, the score with its limit, and the verdict explained.

    With their `confidence_level` the intervals are explained, too.
    """
    sentences = explain_drift(report, [visible(name) for name in names])
    if confidence_level is not None and report.score.value is not None:
        sentences.append(explain_intervals(confidence_level))
    return Group(Fitting(partial(_drift, report, names, zone)), Text(), sentences_of(sentences))


def _drift(report: DriftReport, names: Sequence[str], zone: str, narrow: bool) -> Table:
    table = new_table(
        f"Drift against {_baseline_title(report.baseline_name)}{_season(report, zone)}",
        ("", "left"),
        ("Baseline", "left"),
        ("Now", "left"),
        ("Change", "left"),
        narrow=narrow,
    )
    changes = report.share_changes or (None, None, None)
    for place in places_named(names):
        table.add_row(
            class_name(place, names),
            estimate(report.baseline.shares[place], below=narrow),
            estimate(report.current.shares[place], below=narrow),
            change(changes[place], below=narrow),
        )
    table.add_row(
        "confidence",
        estimate(report.baseline.confidence, below=narrow),
        estimate(report.current.confidence, below=narrow),
        change(report.confidence_change, below=narrow),
    )
    table.add_row("rows", str(report.baseline.total), _rows(report), "")
    table.add_section()
    score = estimate(report.score, below=narrow)
    table.add_row("score", f"limit {report.threshold:g}", score, verdict_text(report.reason))
    return table


def _rows(report: DriftReport) -> str:
    if report.window.since is None:
        return str(report.current.total)
    return f"newest {report.current.total} of {report.after_baseline}"


def trigger_table(trigger: RetrainingTrigger, names: Sequence[str]) -> RenderableType:
    """Return each rule with its value, interval, limit and result, and the decision in sentences."""
    sentences = explain_trigger(trigger, [visible(name) for name in names])
    return Group(Fitting(partial(_rules, trigger)), Text(), sentences_of(sentences))


def _rules(trigger: RetrainingTrigger, narrow: bool) -> Table:
    """Return the rules; in a narrow table the interval is printed under its value."""
    headings = (("Rule", "left"), ("Value", "right"), ("Interval", "left"), ("Limit", "left"), ("", "left"))
    table = new_table("Retraining", *headings[: 2 if narrow else 3], *headings[3:], narrow=narrow)
    for rule in trigger.rules:
        figures = (number_against(rule.value, rule.limit), interval(rule.low, rule.high))
        table.add_row(
            Text(visible(rule.name)),
            *(["\n".join(figures).rstrip()] if narrow else figures),
            f"{rule.side} {limit_text(rule.limit, rule.value)}",
            _met(rule),
        )
    if trigger.cooldown_until is not None:
        until = f"until {minute(trigger.cooldown_until, below=narrow)} UTC"
        table.add_row("cooldown", *[""] * (1 if narrow else 2), until, Text("running"))
    return table


def _baseline_title(name: str | None) -> str:
    return "no baseline" if name is None else f"baseline {visible(name)!r}"


def _season(report: DriftReport, zone: str) -> str:
    if report.season is not None:
        return f" on the same hours of the week, {zone} time"
    return " at the same hours of the day" if report.window.adjusted else ""


def verdict_text(reason: Reason) -> Text:
    """Return the verdict as tables show it; one that is stable though something changed says so."""
    changed = ", changed" if reason is Reason.CHANGED_BELOW_THRESHOLD else ""
    return Text(reason.verdict.value.upper() + changed, style=VERDICT_STYLES[reason.verdict])


def _met(rule: RuleResult) -> Text:
    if not rule.applies:
        return Text("does not apply", style="dim")
    if rule.met is None:
        return Text("cannot be judged", style="yellow")
    return Text("met", style="bold") if rule.met else Text("not met")


def check_table(check: BaselineCheck, *, zone: tzinfo | None) -> RenderableType:
    """Return how far each window of a baseline lies from the rest of it."""
    table = new_table(
        "Each window against the rest", ("Window", "left"), ("Rows", "right"), ("Score", "left"), ("", "left")
    )
    for window in check.windows:
        table.add_row(
            f"{in_zone(window.start, zone):%Y-%m-%d %H:%M}",
            str(window.count),
            f"{number(window.score)} {interval(window.low, window.high)}",
            Text("departs", style="bold red") if window.departs else "",
        )
    return Group(table, Text(), sentences_of(explain_check(check)))
