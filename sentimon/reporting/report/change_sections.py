"""The sections on change: baseline against now, what moved, and whether to retrain."""

from __future__ import annotations

from sentimon.labels import places_named
from sentimon.monitoring.finding import Finding
from sentimon.monitoring.retraining_rules import RuleResult
from sentimon.monitoring.text_changes import LENGTH, TextProperty
from sentimon.reporting.plain_text import (
    change,
    estimate,
    interval,
    limit_text,
    number,
    number_against,
    visible,
)
from sentimon.reporting.report.answers import tell_look, tell_retraining
from sentimon.reporting.report.blocks import Block, Chart, Column, Key, Paragraph, Section, Table
from sentimon.reporting.report.charts import change_chart, used_keys
from sentimon.reporting.report.conclusion import Conclusion
from sentimon.reporting.report.report_value import NoWords, Report
from sentimon.reporting.share_sentences import share_of, slice_name
from sentimon.reporting.verdict_sentences import explain_drift
from sentimon.statistics.intervals import Difference, difference_of_shares, normal_quantile, wilson

_COLUMNS = (
    Column(name="Baseline", numeric=True),
    Column(name="Now", numeric=True),
    Column(name="Change", numeric=True),
)
_PROPERTIES = {
    LENGTH: "mean length, characters",
    "links": "with a link",
    "emoji": "with an emoji",
    "non_latin": "mostly non-Latin letters",
    "empty": "empty",
    "truncated": "too long for the model",
}


def change_section(report: Report) -> Section:
    """Return the comparison of the baseline with the rows after it."""
    drift = report.drift
    blocks: list[Block] = [Paragraph(text=" ".join(_look(report)))]
    if drift.share_changes is not None:
        pairs = list(zip(drift.baseline.shares, drift.current.shares, strict=True))
        rows = [(report.names[place], *pairs[place]) for place in reversed(places_named(report.names))]
        if drift.baseline.confidence.n or drift.current.confidence.n:
            rows.append(("confidence", drift.baseline.confidence, drift.current.confidence))
        drawing, frame = change_chart(rows)
        blocks += [
            Chart(
                name="change",
                title="Shares of the classes and mean confidence, in the baseline and now",
                described=" ".join(
                    f"{name}: {estimate(before)} in the baseline, {estimate(now)} now."
                    for name, before, now in rows
                ),
                drawing=drawing,
                size=frame.size,
                legend=used_keys(
                    drawing,
                    [
                        Key(mark="before", meaning="baseline, with its interval"),
                        Key(mark="now", meaning="now, with its interval"),
                    ],
                ),
            ),
            _shares(report),
        ]
    return Section(name="change", title="Baseline against now", blocks=blocks)


def _look(report: Report) -> list[str]:
    """Return what the look says; its verdict only where the report has no other."""
    said = explain_drift(report.drift, report.names)
    if report.conclusion is not Conclusion.DRIFT or report.look_found:
        return said
    return [f"A single look at the newest rows asks for more: {tell_look(report)}", *said[1:]]


def _shares(report: Report) -> Table:
    drift = report.drift
    rows = [
        (
            report.names[place],
            estimate(drift.baseline.shares[place]),
            estimate(drift.current.shares[place]),
            "" if drift.share_changes is None else change(drift.share_changes[place]),
        )
        for place in places_named(report.names)
    ]
    before, now = drift.baseline.confidence, drift.current.confidence
    rows += [
        ("confidence", estimate(before), estimate(now), change(drift.confidence_change)),
        ("rows", str(drift.baseline.total), str(drift.current.total), ""),
        ("score", f"limit {drift.threshold:g}", estimate(drift.score), drift.reason.value),
    ]
    return Table(
        caption="Baseline against the rows compared with it",
        columns=[Column(name="What"), *_COLUMNS],
        rows=rows,
    )


def moved_section(report: Report) -> Section:
    """Return the events that moved, the text properties, and the words that grew."""
    blocks: list[Block] = []
    incident = report.watch.incident
    if incident is not None:
        blocks.append(
            Table(
                caption="Events of the open incident, as they were found",
                columns=[Column(name="Event"), *_COLUMNS],
                rows=[_event(one, report) for one in incident.findings],
            )
        )
    else:
        none = "The monitor has no open incident: it names no share."
        whole = "The monitor, which names the shares that moved, is about the whole log."
        blocks.append(Paragraph(text=whole if report.options.where else none))
    texts = report.drift.texts
    if texts:
        blocks.append(
            Table(
                caption="What the texts are made of; * moved by more than chance",
                columns=[Column(name="Texts"), *_COLUMNS],
                rows=[_property(one) for one in texts],
            )
        )
    if report.words:
        blocks.append(
            Table(
                caption=f"Words in more of the latest {report.latest_texts} texts than in the baseline's",
                columns=[Column(name="Word"), *_COLUMNS[:2]],
                rows=[(one.word, number(one.before), number(one.after)) for one in report.words],
            )
        )
    elif report.latest_texts:
        text = f"No word of the latest {report.latest_texts} texts grew by more than chance."
        blocks.append(Paragraph(text=text))
    else:
        text = f"Words cannot be compared: {report.no_words or NoWords.NO_TEXTS}."
        blocks.append(Paragraph(text=text))
    return Section(name="moved", title="What moved", blocks=blocks)


def _event(finding: Finding, report: Report) -> tuple[str, str, str, str]:
    level = report.confidence_level
    value, low, high = difference_of_shares(finding.before, finding.after, z=normal_quantile(level))
    is_class = finding.group == "class"
    share = share_of(finding.group, report.names[finding.place] if is_class else finding.event)
    return (
        share if finding.where is None else f"{share} in {slice_name(*finding.where)}",
        estimate(wilson(*finding.before, confidence_level=level)),
        estimate(wilson(*finding.after, confidence_level=level)),
        change(Difference(value=value, low=low, high=high)),
    )


def _property(one: TextProperty) -> tuple[str, ...]:
    name = _PROPERTIES.get(one.name, one.name) + (" *" if one.moved else "")
    digits = 1 if one.name == LENGTH else 3
    estimates = (estimate(value, digits=digits) for value in (one.before, one.now))
    return (name, *estimates, change(one.change, digits=digits))


def retraining_section(report: Report) -> Section:
    """Return the decision, and each rule with its value and limit."""
    trigger = report.trigger
    blocks: list[Block] = [
        Paragraph(text=" ".join(tell_retraining(report))),
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
    return Section(name="retraining", title="Retraining", blocks=blocks)


def _rule(rule: RuleResult) -> tuple[str, str, str, str, str]:
    result = {None: "cannot be judged", True: "met", False: "not met"}[rule.met]
    if not rule.applies:
        result = "does not apply"
    return (
        visible(rule.name),
        number_against(rule.value, rule.limit),
        interval(rule.low, rule.high),
        f"{rule.side} {limit_text(rule.limit, rule.value)}",
        result,
    )
