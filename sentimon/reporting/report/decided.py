"""The parts of a report on what follows, what could not be read, and what was set."""

from __future__ import annotations

from sentimon.monitoring.retraining import RuleResult
from sentimon.reporting.numbers import beside, interval, limit_text
from sentimon.reporting.report.blocks import Block, Column, Paragraph, Section, Table
from sentimon.reporting.report.value import Report
from sentimon.reporting.words import explain_trigger


def retraining_section(report: Report) -> Section:
    """Return every rule with its value and its limit, and the decision."""
    trigger = report.trigger
    blocks: list[Block] = [
        Paragraph(text=" ".join(explain_trigger(trigger))),
        Table(
            caption="Rules for retraining",
            columns=[
                Column(name="Rule"),
                Column(name="Value", numeric=True),
                Column(name="Interval", numeric=True),
                Column(name="Limit"),
                Column(name="Result"),
            ],
            rows=[_rule(one) for one in trigger.rules],
        ),
    ]
    if trigger.cooldown_until is not None:
        until = f"{trigger.cooldown_until:%Y-%m-%d %H:%M} UTC"
        blocks.append(Paragraph(text=f"After the last trigger that fired, none fires until {until}."))
    return Section(name="retraining", title="Retraining", blocks=blocks)


def bad_lines_section(report: Report) -> Section:
    """Return how many lines hold no row, of which kinds, and where the first of them stand."""
    summary = report.summary
    blocks: list[Block] = []
    if summary.bad_count:
        blocks += [
            Table(
                caption="Bad lines by kind; they stay in the log and count for nothing",
                columns=[Column(name="Kind"), Column(name="Lines", numeric=True)],
                rows=[(kind, str(count)) for kind, count in sorted(summary.bad.items())],
            ),
            Table(
                caption="The first bad lines",
                columns=[Column(name="Where"), Column(name="Reason")],
                rows=[(f"{one.path}:{one.line}", one.reason) for one in summary.bad_lines],
            ),
        ]
    else:
        blocks.append(Paragraph(text="Every line of the log holds a row."))
    naive = summary.properties.get("naive_timestamp", 0)
    if naive:
        text = f"Timestamps that name no time zone: {naive}, read as logs.naive_time_zone says."
        blocks.append(Paragraph(text=text))
    if report.past.unreadable:
        text = f"Saved drift reports that could not be read: {report.past.unreadable}."
        blocks.append(Paragraph(text=text))
    return Section(name="bad-lines", title="Bad lines", blocks=blocks)


def settings_section(report: Report) -> Section:
    """Return every setting with where it came from, those that somebody chose first."""
    columns = [Column(name="Key"), Column(name="Value"), Column(name="From")]
    rows = [(one.key, one.value, one.origin) for one in report.settings]
    chosen = [row for row in rows if row[2] != "default"]
    blocks: list[Block] = []
    if chosen:
        blocks.append(Table(caption="Settings that were chosen", columns=columns, rows=chosen))
    else:
        blocks.append(Paragraph(text="Nothing was set: every setting has its default."))
    defaults = [row for row in rows if row[2] == "default"]
    blocks.append(Table(caption="Settings at their defaults", columns=columns, rows=defaults, folded=True))
    return Section(name="settings", title="Settings", blocks=blocks)


def _rule(rule: RuleResult) -> tuple[str, str, str, str, str]:
    result = {None: "cannot be judged", True: "met", False: "not met"}[rule.met]
    return (
        rule.name,
        beside(rule.value, rule.limit),
        interval(rule.low, rule.high),
        f"{rule.side} {limit_text(rule.limit, rule.value)}",
        result,
    )
