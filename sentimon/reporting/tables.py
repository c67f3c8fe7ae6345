"""What was found, as rich tables: metrics, windows, drift, the decision on retraining.

Every user text goes through `visible` and is never read as markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.table import Table
from rich.text import Text

from sentimon.labels import Sentiment
from sentimon.logbook.summary import Summary
from sentimon.logbook.windows import Window
from sentimon.monitoring.drift import DriftReport, Verdict
from sentimon.monitoring.metrics import Metrics, measure
from sentimon.monitoring.retraining import RetrainingTrigger, RuleResult
from sentimon.reporting.numbers import (
    bar,
    beside,
    change,
    estimate,
    interval,
    limit_text,
    minute,
    number,
    sparkline,
)
from sentimon.reporting.style import (
    STYLES,
    VERDICT_STYLES,
    Fitting,
    class_name,
    new_table,
    sentences_of,
    short_name,
    span_of,
)
from sentimon.reporting.text import visible
from sentimon.reporting.words import explain_drift, explain_trigger

_BAR_WIDTH = 20
_MOST_MARKS = 60
_SHORT = 8
"""Cells of a class name that heads a narrow column."""


def metrics_table(metrics: Metrics, summary: Summary, names: Sequence[str]) -> RenderableType:
    """Return the class mix and the confidence of some rows."""
    return Fitting(partial(_metrics, metrics, summary, names))


def _metrics(metrics: Metrics, summary: Summary, names: Sequence[str], narrow: bool) -> Table:
    table = new_table(
        f"Predictions {span_of(summary)}",
        ("Class", "left"),
        ("Rows", "right"),
        ("Share", "left"),
        ("", "left"),
        ("Mean confidence", "left"),
        narrow=narrow,
    )
    for place in Sentiment:
        share = metrics.shares[place]
        table.add_row(
            class_name(place, names),
            str(metrics.counts[place]),
            estimate(share, below=narrow),
            Text(bar(share.value, _BAR_WIDTH // (1 + narrow)), style=STYLES[place]),
            estimate(metrics.confidence_by_class[place], below=narrow),
        )
    table.add_section()
    table.add_row("all", str(metrics.total), "", "", estimate(metrics.confidence, below=narrow))
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
    table = Fitting(partial(_windows, windows, measured, names, zone))
    unfinished = [] if all(window.complete for window in windows) else ["* not over yet"]
    return Group(Text(), _Sparklines(measured, names), table, sentences_of(unfinished))


def _windows(
    windows: Sequence[Window],
    measured: Sequence[Metrics],
    names: Sequence[str],
    zone: tzinfo | None,
    narrow: bool,
) -> Table:
    table = new_table(
        f"Per window, {zone or 'local'} time",
        ("Window", "left"),
        ("Rows", "right"),
        *((short_name(name, _SHORT) if narrow else name, "right") for name in names),
        ("Confidence", "left"),
        narrow=narrow,
    )
    for window, metrics in zip(windows, measured, strict=True):
        start = minute(window.start.astimezone(zone), below=narrow)
        table.add_row(
            start if window.complete else start + "*",
            str(metrics.total),
            *(number(share.value) for share in metrics.shares),
            estimate(metrics.confidence, below=narrow),
        )
    return table


def drift_table(report: DriftReport, names: Sequence[str], *, zone: str = "UTC") -> RenderableType:
    """Return baseline and present side by side, the score with its limit, and the verdict in words."""
    table = Fitting(partial(_drift, report, names, zone))
    return Group(table, Text(), sentences_of(explain_drift(report, [visible(name) for name in names])))


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
    for place in Sentiment:
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
    table.add_row("rows", str(report.baseline.total), str(report.current.total), "")
    table.add_section()
    score = estimate(report.score, below=narrow)
    table.add_row("score", f"limit {report.threshold:g}", score, _verdict(report.verdict))
    return table


def trigger_table(trigger: RetrainingTrigger) -> RenderableType:
    """Return every rule with its value, interval, limit and whether it is met, and the decision in words."""
    return Group(Fitting(partial(_rules, trigger)), Text(), sentences_of(explain_trigger(trigger)))


def _rules(trigger: RetrainingTrigger, narrow: bool) -> Table:
    """Return the rules; narrow, an interval stands under its value."""
    headings = (("Rule", "left"), ("Value", "right"), ("Interval", "left"), ("Limit", "left"), ("", "left"))
    table = new_table("Retraining", *headings[: 2 if narrow else 3], *headings[3:], narrow=narrow)
    for rule in trigger.rules:
        figures = (beside(rule.value, rule.limit), interval(rule.low, rule.high))
        table.add_row(
            rule.name,
            *(["\n".join(figures).rstrip()] if narrow else figures),
            f"{rule.side} {limit_text(rule.limit, rule.value)}",
            _met(rule),
        )
    if trigger.cooldown_until is not None:
        until = f"until {minute(trigger.cooldown_until, below=narrow)} UTC"
        table.add_row("cooldown", *[""] * (1 if narrow else 2), until, Text("running"))
    return table


@dataclass(frozen=True, slots=True)
class _Sparklines:
    """The share of each class per window as a line each: the latest, as many as the terminal has room for."""

    measured: Sequence[Metrics]
    names: Sequence[str]

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield the lines, and their scale."""
        names = [visible(name) for name in self.names]
        width = max(map(cell_len, names)) + 2
        most = max(1, min(_MOST_MARKS, options.max_width - width))
        shown = self.measured[-most:]
        for place in Sentiment:
            line = sparkline([metrics.shares[place].value for metrics in shown])
            yield Text.assemble(set_cell_size(names[place], width), (line, STYLES[place]))
        scale = f"share per window, 0 to 1{f', the latest {most}' if len(shown) < len(self.measured) else ''}"
        yield Text(" " * width + scale, style="dim")
        yield Text()


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
