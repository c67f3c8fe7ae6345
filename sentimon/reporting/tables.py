"""What was found, as rich tables: metrics, windows, drift, the decision on retraining.

Every user text goes through `visible` and is never read as markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from rich.console import Group, RenderableType
from rich.text import Text

from sentimon.labels import Sentiment
from sentimon.logbook.summary import Summary
from sentimon.logbook.windows import Window
from sentimon.monitoring.drift import DriftReport, Verdict
from sentimon.monitoring.metrics import Metrics, measure
from sentimon.monitoring.retraining import RetrainingTrigger, RuleResult
from sentimon.reporting.numbers import bar, beside, change, estimate, interval, limit_text, number, sparkline
from sentimon.reporting.style import STYLES, VERDICT_STYLES, class_name, new_table, sentences_of, span_of
from sentimon.reporting.text import visible
from sentimon.reporting.words import explain_drift, explain_trigger

_BAR_WIDTH = 20
_MOST_MARKS = 60


def metrics_table(metrics: Metrics, summary: Summary, names: Sequence[str]) -> RenderableType:
    """Return the class mix and the confidence of some rows."""
    table = new_table(
        f"Predictions {span_of(summary)}",
        ("Class", "left"),
        ("Rows", "right"),
        ("Share", "left"),
        ("", "left"),
        ("Mean confidence", "left"),
    )
    for place in Sentiment:
        share = metrics.shares[place]
        table.add_row(
            class_name(place, names),
            str(metrics.counts[place]),
            estimate(share),
            Text(bar(share.value, _BAR_WIDTH), style=STYLES[place]),
            estimate(metrics.confidence_by_class[place]),
        )
    table.add_section()
    table.add_row("all", str(metrics.total), "", "", estimate(metrics.confidence))
    return table


def windows_table(
    windows: Sequence[Window],
    names: Sequence[str],
    *,
    zone: tzinfo | None,
    confidence_level: float,
) -> RenderableType:
    """Return the class mix and the confidence per window, with a sparkline per class above."""
    measured = [measure(window.summary, confidence_level=confidence_level) for window in windows]
    columns = (
        ("Window", "left"),
        ("Rows", "right"),
        *((name, "right") for name in names),
        ("Confidence", "left"),
    )
    table = new_table(f"Per window, {zone or 'local'} time", *columns)
    for window, metrics in zip(windows, measured, strict=True):
        start = f"{window.start.astimezone(zone):%Y-%m-%d %H:%M}"
        table.add_row(
            start if window.complete else start + "*",
            str(metrics.total),
            *(number(share.value) for share in metrics.shares),
            estimate(metrics.confidence),
        )
    unfinished = [] if all(window.complete for window in windows) else ["* not over yet"]
    return Group(Text(), _sparklines(measured, names), table, sentences_of(unfinished))


def drift_table(report: DriftReport, names: Sequence[str], *, zone: str = "UTC") -> RenderableType:
    """Return baseline and present side by side, the score with its limit, and the verdict in words."""
    table = new_table(
        f"Drift against {_baseline_title(report.baseline_name)}{_season(report, zone)}",
        ("", "left"),
        ("Baseline", "left"),
        ("Now", "left"),
        ("Change", "left"),
    )
    changes = report.share_changes or (None, None, None)
    for place in Sentiment:
        table.add_row(
            class_name(place, names),
            estimate(report.baseline.shares[place]),
            estimate(report.current.shares[place]),
            change(changes[place]),
        )
    before, now = report.baseline.confidence, report.current.confidence
    table.add_row("confidence", estimate(before), estimate(now), change(report.confidence_change))
    table.add_row("rows", str(report.baseline.total), str(report.current.total), "")
    table.add_section()
    table.add_row("score", f"limit {report.threshold:g}", estimate(report.score), _verdict(report.verdict))
    return Group(table, Text(), sentences_of(explain_drift(report, [visible(name) for name in names])))


def trigger_table(trigger: RetrainingTrigger) -> RenderableType:
    """Return every rule with its value, interval, limit and whether it is met, and the decision in words."""
    table = new_table(
        "Retraining",
        ("Rule", "left"),
        ("Value", "right"),
        ("Interval", "left"),
        ("Limit", "left"),
        ("", "left"),
    )
    for rule in trigger.rules:
        limit = f"{rule.side} {limit_text(rule.limit)}"
        table.add_row(
            rule.name, beside(rule.value, rule.limit), interval(rule.low, rule.high), limit, _met(rule)
        )
    if trigger.cooldown_until is not None:
        table.add_row(
            "cooldown", "", "", f"until {trigger.cooldown_until:%Y-%m-%d %H:%M} UTC", Text("running")
        )
    return Group(table, Text(), sentences_of(explain_trigger(trigger)))


def _sparklines(measured: Sequence[Metrics], names: Sequence[str]) -> RenderableType:
    shown = measured[-_MOST_MARKS:]
    width = max(len(name) for name in names)
    lines = [
        Text.assemble(
            visible(names[place]).ljust(width) + "  ",
            (sparkline([metrics.shares[place].value for metrics in shown]), STYLES[place]),
        )
        for place in Sentiment
    ]
    scale = f"share per window, 0 to 1{f', the latest {_MOST_MARKS}' if len(shown) < len(measured) else ''}"
    return Group(*lines, Text(" " * width + "  " + scale, style="dim"), Text())


def _baseline_title(name: str | None) -> str:
    return "no baseline" if name is None else f"baseline {visible(name)!r}"


def _season(report: DriftReport, zone: str) -> str:
    return "" if report.season is None else f" on the same hours of the week, {zone} time"


def _verdict(verdict: Verdict) -> Text:
    return Text(verdict.value.upper(), style=VERDICT_STYLES[verdict])


def _met(rule: RuleResult) -> Text:
    if rule.met is None:
        return Text("cannot be judged", style="yellow")
    return Text("met", style="bold") if rule.met else Text("not met")
