"""Values as rich tables; every user text goes through `visible` and is never read as markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sentimon.labels import Sentiment
from sentimon.logbook.moments import from_microseconds
from sentimon.logbook.retention import LogFile
from sentimon.logbook.summary import Summary
from sentimon.logbook.windows import Window
from sentimon.monitoring.baseline import Baseline, BaselineCheck
from sentimon.monitoring.drift import DriftReport, Verdict
from sentimon.monitoring.metrics import Metrics, measure
from sentimon.monitoring.retraining import RetrainingTrigger, RuleResult
from sentimon.reporting.numbers import MISSING, bar, change, estimate, interval, number, sparkline
from sentimon.reporting.text import visible
from sentimon.reporting.words import explain_check, explain_drift, explain_trigger

STYLES = ("red", "", "green")
"""Colour of each class, in Sentiment order; the words say the same without colour."""
_BAR_WIDTH = 20
_MOST_MARKS = 60


def metrics_table(metrics: Metrics, summary: Summary, names: Sequence[str]) -> RenderableType:
    """Return the class mix and the confidence of some rows."""
    table = new_table(
        f"Predictions {_span(summary)}",
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
    zone_name: str,
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
    table = new_table(f"Per window, {zone_name} time", *columns)
    for window, metrics in zip(windows, measured, strict=True):
        start = f"{window.start.astimezone(zone):%Y-%m-%d %H:%M}"
        table.add_row(
            start if window.complete else start + "*",
            str(metrics.total),
            *(number(share.value) for share in metrics.shares),
            estimate(metrics.confidence),
        )
    unfinished = [] if all(window.complete for window in windows) else ["* not over yet"]
    return Group(Text(), _sparklines(measured, names), table, _sentences(unfinished))


def drift_table(report: DriftReport, names: Sequence[str]) -> RenderableType:
    """Return baseline and present side by side, the score with its limit, and the verdict in words."""
    table = new_table(
        f"Drift against baseline {visible(report.baseline_name)!r}",
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
    return Group(table, Text(), _sentences(explain_drift(report, [visible(name) for name in names])))


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
    signs = ("at least", "below", "above")
    for rule, sign in zip(trigger.rules, signs, strict=True):
        value = (
            MISSING
            if rule.value is None
            else (str(rule.n) if rule is trigger.samples else number(rule.value))
        )
        limit = MISSING if rule.limit is None else f"{sign} {rule.limit:g}"
        table.add_row(rule.name, value, interval(rule.low, rule.high), limit, _met(rule))
    if trigger.cooldown_until is not None:
        table.add_row(
            "cooldown", "", "", f"until {trigger.cooldown_until:%Y-%m-%d %H:%M} UTC", Text("running")
        )
    return Group(table, Text(), _sentences(explain_trigger(trigger)))


def baseline_table(baseline: Baseline, names: Sequence[str], *, confidence_level: float) -> RenderableType:
    """Return the class mix of a baseline and where it came from."""
    metrics = measure(baseline.summary, confidence_level=confidence_level)
    models = [f"{model or 'unnamed model'}@{revision or '?'}" for model, revision in baseline.summary.models]
    facts = [
        f"Baseline {visible(baseline.name)!r}, made {baseline.created:%Y-%m-%d %H:%M} UTC from the log in "
        f"{visible(baseline.source)}, of {visible(', '.join(sorted(models)))};",
        f"{len(baseline.summary.hours)} hours with rows.",
    ]
    return Group(metrics_table(metrics, baseline.summary, names), Text(), _sentences(facts))


def check_table(check: BaselineCheck, *, zone: tzinfo | None) -> RenderableType:
    """Return how far each window of a baseline lies from the rest of it."""
    table = new_table(
        "Each window against the rest", ("Window", "left"), ("Rows", "right"), ("Score", "left"), ("", "left")
    )
    for window in check.windows:
        table.add_row(
            f"{window.start.astimezone(zone):%Y-%m-%d %H:%M}",
            str(window.count),
            f"{number(window.score)} {interval(window.low, window.high)}",
            Text("departs", style="bold red") if window.departs else "",
        )
    return Group(table, Text(), _sentences(explain_check(check)))


def log_files_table(rows: Sequence[tuple[LogFile, Summary]]) -> RenderableType:
    """Return the files of a log with what each holds, and all together."""
    columns = (
        ("File", "left"),
        ("Bytes", "right"),
        ("Rows", "right"),
        ("Bad", "right"),
        ("Rows are", "left"),
    )
    table = new_table("Files of the log", *columns)
    for file, summary in rows:
        name = Text(visible(file.path.name), overflow="fold")
        table.add_row(name, str(file.size), str(summary.count), str(summary.bad_count), _span(summary))
    table.add_section()
    whole = sum((summary for _, summary in rows), start=Summary())
    size = sum(file.size for file, _ in rows)
    table.add_row("all", str(size), str(whole.count), str(whole.bad_count), _span(whole))
    return table


def settings_table(rows: Iterable[tuple[str, object, str]]) -> RenderableType:
    """Return every setting with its value and where it came from."""
    table = new_table("Settings", ("Key", "left"), ("Value", "left"), ("From", "left"))
    for key, value, origin in rows:
        table.add_row(
            key, Text(visible(_toml(value)), overflow="fold"), Text(visible(origin), overflow="fold")
        )
    return table


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def new_table(title: str, *columns: tuple[str, str]) -> Table:
    """Return an empty table in the one look of all; a column is (heading, left or right)."""
    # Narrow gaps and no frame: the widest table, with three intervals, fits 80 columns.
    table = Table(
        title=Text(title, style="bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for heading, justify in columns:
        table.add_column(Text(visible(heading)), justify="right" if justify == "right" else "left")
    return table


def class_name(place: Sentiment, names: Sequence[str]) -> Text:
    """Return the name of a class in its colour."""
    return Text(visible(names[place]), style=STYLES[place])


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


def _verdict(verdict: Verdict) -> Text:
    styles = {Verdict.DRIFT: "bold red", Verdict.STABLE: "bold green", Verdict.NO_VERDICT: "bold yellow"}
    return Text(verdict.value.upper(), style=styles[verdict])


def _met(rule: RuleResult) -> Text:
    if rule.met is None:
        return Text("cannot be judged", style="yellow")
    return Text("met", style="bold") if rule.met else Text("not met")


def _sentences(sentences: Iterable[str]) -> RenderableType:
    return Group(*(Text(sentence) for sentence in sentences))


def _span(summary: Summary) -> str:
    if summary.first is None or summary.last is None:
        return "(none)"
    first, last = from_microseconds(summary.first), from_microseconds(summary.last)
    return f"from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
