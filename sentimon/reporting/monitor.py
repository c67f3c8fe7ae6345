"""The look of a monitor as rich tables: the mix, the events that moved, the words and rows behind them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sentimon.labels import Sentiment
from sentimon.logbook.record import PredictionRecord
from sentimon.monitoring.growth import Growth
from sentimon.monitoring.intervals import Change, difference_of_shares, normal_quantile, wilson
from sentimon.monitoring.looks import Finding
from sentimon.monitoring.monitor_report import MonitorReport
from sentimon.monitoring.reference import Share
from sentimon.reporting.findings import explain_monitor
from sentimon.reporting.numbers import change, estimate, number
from sentimon.reporting.style import VERDICT_STYLES, Fitting, class_name, new_table, sentences_of
from sentimon.reporting.text import visible

_LONGEST = 300


def monitor_table(
    report: MonitorReport,
    names: Sequence[str],
    *,
    words: Sequence[Growth] = (),
    examples: Sequence[PredictionRecord] = (),
) -> RenderableType:
    """Return what a look found; `words` grew, and `examples` are rows of the event that moved most."""
    shown = [visible(name) for name in names]
    parts: list[RenderableType] = [Fitting(partial(_mix, report, names))]
    if report.incident is not None:
        parts += [
            Text(),
            Fitting(partial(_events, report.incident.findings, shown, report.confidence_level)),
        ]
    parts += [Text(), sentences_of(explain_monitor(report, shown))]
    if words:
        grown = ", ".join(
            f"{visible(one.word)} ({number(one.before)} to {number(one.after)})" for one in words
        )
        parts += [Text(f"Words in more texts than before: {grown}.")]
    if examples:
        parts += [Text("Rows of it:"), *(Text("  " + _example(record)) for record in examples)]
    return Group(*parts)


def _mix(report: MonitorReport, names: Sequence[str], narrow: bool) -> Table:
    known, rows = report.baseline.summary, sum(report.counts)
    over = f", over {report.over} checks" if report.over > 1 else ""
    table = new_table(
        f"Monitor of baseline {visible(report.baseline.name)!r}{over}",
        ("", "left"),
        ("Baseline", "left"),
        ("Now", "left"),
        ("Change", "left"),
        narrow=narrow,
    )
    for place in Sentiment:
        before, after = (known.counts[place], known.count), (report.counts[place], rows)
        table.add_row(class_name(place, names), *_shares(before, after, report.confidence_level, narrow))
    table.add_row("rows", str(known.count), str(rows), f"{report.new} new")
    table.add_section()
    verdict = Text(report.verdict.value.upper(), style=VERDICT_STYLES[report.verdict])
    table.add_row("score", "", estimate(report.score, below=narrow), verdict)
    return table


def _events(findings: Sequence[Finding], names: Sequence[str], level: float, narrow: bool) -> Table:
    table = new_table(
        "What moved, as it was found",
        ("Event", "left"),
        ("Baseline", "left"),
        ("Then", "left"),
        ("Change", "left"),
        narrow=narrow,
    )
    for one in findings:
        event = names[one.place] if one.group == "class" else f"{one.group} {one.event}"
        table.add_row(event, *_shares(one.before, one.after, level, narrow))
    return table


def _shares(before: Share, after: Share, level: float, narrow: bool) -> tuple[str, str, str]:
    """Return both shares with their intervals, and the change."""
    if not after[1]:
        return estimate(wilson(*before, confidence_level=level), below=narrow), "", ""
    value, low, high = difference_of_shares(before, after, z=normal_quantile(level))
    return (
        estimate(wilson(*before, confidence_level=level), below=narrow),
        estimate(wilson(*after, confidence_level=level), below=narrow),
        change(Change(value=value, low=low, high=high), below=narrow),
    )


def _example(record: PredictionRecord) -> str:
    text = record.text if record.text is not None else "(text not kept)"
    return f"{record.sentiment.label} {number(record.confidence)}  {visible(text[:_LONGEST])}"
