"""The monitor as tables: one check, and a simulation of how often and how late it raises an alarm."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sentimon.labels import places_named
from sentimon.monitoring.finding import Finding
from sentimon.monitoring.monitor_reference import Proportion
from sentimon.monitoring.monitor_report import MonitorReport
from sentimon.monitoring.vocabulary import Growth
from sentimon.prediction_log.record import PredictionRecord
from sentimon.reporting.decision_tables import verdict_text
from sentimon.reporting.monitor_findings import explain_monitor
from sentimon.reporting.plain_text import MISSING, change, estimate, explain_intervals, number, visible
from sentimon.reporting.share_sentences import slice_name
from sentimon.reporting.table_style import Fitting, class_name, new_table, sentences_of
from sentimon.statistics.intervals import Difference, difference_of_shares, normal_quantile, wilson

if TYPE_CHECKING:
    from sentimon.monitoring.simulation import Result

_LONGEST = 300
_QUANTILES = (0.5, 0.9)


def monitor_table(
    report: MonitorReport,
    names: Sequence[str],
    *,
    words: Sequence[Growth] = (),
    examples: Sequence[PredictionRecord] = (),
) -> RenderableType:
    """Return the result of a check, the `words` that grew, and `examples` of the event that moved most."""
    shown = [visible(name) for name in names]
    parts: list[RenderableType] = [Fitting(partial(_mix, report, names))]
    if report.incident is not None:
        parts += [
            Text(),
            Fitting(partial(_events, report.incident.findings, shown, report.confidence_level)),
        ]
    sentences = explain_monitor(report, shown)
    if report.score.value is not None:
        sentences.append(explain_intervals(report.confidence_level))
    parts += [Text(), sentences_of(sentences)]
    if words:
        grown = ", ".join(
            f"{visible(one.word)} ({number(one.before)} to {number(one.after)})" for one in words
        )
        parts += [Text(f"Words in more texts than before: {grown}.")]
    if examples:
        parts += [
            Text("Examples (class, confidence, text):"),
            *(Text("  " + _example(record)) for record in examples),
        ]
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
    for place in places_named(names):
        before, after = (known.counts[place], known.count), (report.counts[place], rows)
        table.add_row(class_name(place, names), *_shares(before, after, report.confidence_level, narrow))
    table.add_row("rows", str(known.count), str(rows), f"{report.new} new")
    table.add_section()
    score = estimate(report.score, below=narrow)
    table.add_row("score", "", score, verdict_text(report.reason))
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
        if one.where is not None:
            event += f" in {slice_name(*one.where)}"
        table.add_row(event, *_shares(one.before, one.after, level, narrow))
    return table


def _shares(before: Proportion, after: Proportion, level: float, narrow: bool) -> tuple[str, str, str]:
    """Return the share before, the share after and the change, each with its interval."""
    if not after[1]:
        return estimate(wilson(*before, confidence_level=level), below=narrow), "", ""
    value, low, high = difference_of_shares(before, after, z=normal_quantile(level))
    return (
        estimate(wilson(*before, confidence_level=level), below=narrow),
        estimate(wilson(*after, confidence_level=level), below=narrow),
        change(Difference(value=value, low=low, high=high), below=narrow),
    )


def _example(record: PredictionRecord) -> str:
    text = record.text if record.text is not None else "(text not kept)"
    return f"{record.sentiment.label} {number(record.confidence)}  {visible(text[:_LONGEST])}"


def simulation_object(
    results: Sequence[Result], *, every: timedelta, confidence_level: float, seed: int
) -> dict[str, Any]:
    """Return for each scenario how many runs raised a false or a true alarm, and how late."""
    return {
        "every_seconds": int(every.total_seconds()),
        "seed": seed,
        "scenarios": [_scenario(result, confidence_level) for result in results],
    }


def _scenario(result: Result, confidence_level: float) -> dict[str, Any]:
    scenario = result.scenario
    content: dict[str, Any] = {
        "shift": scenario.shift,
        "rows_a_check": scenario.rows,
        "checks": scenario.checks,
        "runs": len(result.outcomes),
        "quiet_checks": scenario.change,
        "false_alarm": result.false_alarms(confidence_level).to_dict(),
    }
    if not scenario.shift:
        return content
    median, most = (result.delay(quantile) for quantile in _QUANTILES)
    return content | {
        "found": result.found(confidence_level).to_dict(),
        "median_delay_checks": median,
        "median_delay_rows": None if median is None else median * scenario.rows,
        "delay_90_checks": most,
        "delay_90_rows": None if most is None else most * scenario.rows,
    }


def simulation_table(
    results: Sequence[Result], *, every: timedelta, confidence_level: float
) -> RenderableType:
    """Return a table with one line per scenario, and its explanation."""
    table = Fitting(partial(_scenarios, results, every, confidence_level))
    return Group(table, Text(), sentences_of(_sentences(results)))


def _scenarios(results: Sequence[Result], every: timedelta, level: float, narrow: bool) -> Table:
    first = results[0].scenario
    table = new_table(
        f"The monitor on {first.checks} checks of {first.rows} rows, {len(results[0].outcomes)} runs of each",
        ("Shift", "right"),
        ("Any false alarm", "left"),
        ("Found", "left"),
        ("Half after", "left"),
        ("90 % after", "left"),
        narrow=narrow,
    )
    for result in results:
        shift = result.scenario.shift
        table.add_row(
            f"{shift:g}" if shift else "none",
            estimate(result.false_alarms(level), below=narrow),
            estimate(result.found(level), below=narrow) if shift else "",
            *(_delay(result.delay(quantile), first.rows, every) if shift else "" for quantile in _QUANTILES),
        )
    return table


def _delay(checks: int | None, rows: int, every: timedelta) -> str:
    if checks is None:
        return MISSING
    hours = checks * every.total_seconds() / 3600
    return f"{checks * rows}, {hours:.1f} h" if hours < 48 else f"{checks * rows}, {hours / 24:.1f} d"


def _sentences(results: Sequence[Result]) -> list[str]:
    false = sum(one.false for one in results[0].outcomes)
    runs = len(results[0].outcomes)
    return [
        f"Where nothing happens, {false} of {runs} runs raise an alarm.",
        "A shift moves that share of the rows from one class to another, half-way through a run; rows and "
        "time until it is found count from there.",
    ]
