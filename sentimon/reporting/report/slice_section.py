"""The section on slices: where the predictions moved, and why the whole moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sentimon.labels import places_named
from sentimon.monitoring.explained_change import ExplainedChange
from sentimon.monitoring.slice_comparison import FieldComparison
from sentimon.monitoring.slice_metrics import FieldMetrics
from sentimon.monitoring.slice_windows import SlicesOverTime
from sentimon.reporting.plain_text import change, estimate, number
from sentimon.reporting.report.blocks import Block, Chart, Column, Key, Paragraph, Section, Table
from sentimon.reporting.report.charts import used_keys
from sentimon.reporting.report.report_value import Report
from sentimon.reporting.report.slice_charts import cells_chart, slices_chart
from sentimon.reporting.search_tables import explain_search, largest_change, slice_title
from sentimon.reporting.slice_sentences import explain_slices


def slices_section(report: Report) -> Section:
    """Return, by each field that divides the rows, why the whole moved, and the slices over time."""
    blocks: list[Block] = [] if report.explained is None else _search(report, report.explained)
    for number_of_field, found in enumerate(report.slices):
        blocks += _field(report, found, number_of_field)
    if not blocks:
        text = (
            "The rows are not divided: --by FIELD, or [segments] fields, shows them by channel or language."
        )
        blocks.append(Paragraph(text=text))
    return Section(name="slices", title="Slices of the traffic", blocks=blocks)


def _search(report: Report, found: ExplainedChange) -> list[Block]:
    """Return the slices that account for the change, and what was searched."""
    blocks: list[Block] = [Paragraph(text=" ".join(explain_search(found, report.names)))]
    if found.search is not None and found.search.found:
        place = largest_change(found.search)
        name = report.names[place]
        columns = ("Slice", "Rows", f"Share of {name}", "Accounts for", "p")
        rows = [
            (
                slice_title(one),
                f"{one.rows[0]} / {one.rows[1]}",
                " / ".join(number(None if shares is None else shares[place]) for shares in one.shares),
                change(one.contribution[place]),
                f"{one.p_value:.3f}",
            )
            for one in found.search.found
        ]
        blocks.append(
            Table(
                caption=f"Slices that account for the change of {name}, in the baseline / now",
                columns=[Column(name=one, numeric=at > 0) for at, one in enumerate(columns)],
                rows=rows,
            )
        )
    return blocks


def _field(report: Report, found: SlicesOverTime, number_of_field: int) -> list[Block]:
    comparison, field = found.comparison, found.metrics.field
    place = _moved_most(report, comparison)
    name = report.names[place]
    usual = {} if comparison is None else _usual(comparison, place)
    blocks: list[Block] = []
    if comparison is not None:
        blocks.append(Paragraph(text=" ".join(explain_slices(comparison, report.names))))
    if found.spans and found.counts:
        fewest = max(1, report.min_samples // 2)
        drawing, size = slices_chart(found, place, usual=usual, fewest=fewest, zone=report.zone)
        blocks.append(
            Chart(
                name=f"slices-{number_of_field}",
                title=f"Share of {name} by {field}, on one scale",
                described=_told(found, place, usual),
                drawing=drawing,
                size=size,
                legend=used_keys(
                    drawing,
                    [
                        Key(mark="mark", meaning=f"share of {name}"),
                        Key(mark="weak", meaning=f"fewer than {fewest} rows"),
                        Key(mark="known", meaning="in the baseline"),
                    ],
                ),
            )
        )
        if usual:
            blocks.append(_cells(report, found, place, usual, number_of_field, fewest))
    blocks.append(
        _table(report, found.metrics) if comparison is None else _changes(report, comparison, place)
    )
    return blocks


def _cells(
    report: Report,
    found: SlicesOverTime,
    place: int,
    usual: Mapping[str, float],
    number_of_field: int,
    fewest: int,
) -> Chart:
    name = report.names[place]
    drawing, size = cells_chart(found, place, usual=usual, fewest=fewest, zone=report.zone)
    return Chart(
        name=f"cells-{number_of_field}",
        title=f"Share of {name} by {found.metrics.field} against the baseline of each",
        described="A larger square is a larger change; the table below has the numbers.",
        drawing=drawing,
        size=size,
        legend=used_keys(
            drawing,
            [
                Key(mark="rise", meaning=f"more {name} than in its baseline"),
                Key(mark="fall", meaning=f"less {name}"),
                Key(mark="weak", meaning=f"fewer than {fewest} rows"),
            ],
        ),
    )


def _moved_most(report: Report, comparison: FieldComparison | None) -> int:
    places = places_named(report.names)
    if comparison is None:
        return int(places[0])
    return int(max(places, key=lambda one: abs(comparison.shares[one].whole.value)))


def _usual(comparison: FieldComparison, place: int) -> dict[str, float]:
    return {
        one.value: one.before.counts[place] / one.before.count
        for one in comparison.slices
        if one.before.count
    }


def _told(found: SlicesOverTime, place: int, usual: Mapping[str, float]) -> str:
    sentences = []
    for value, spans in found.counts.items():
        known = [one for one in spans if sum(one)]
        if known:
            first, last = (one[place] / sum(one) for one in (known[0], known[-1]))
            before = f", {number(usual[value])} in the baseline" if value in usual else ""
            sentences.append(f"{value}: {number(first)} at first, {number(last)} at last{before}.")
    return " ".join(sentences)


def _table(report: Report, metrics: FieldMetrics) -> Table:
    names = [name for name in report.names if name]
    rows: list[Sequence[str]] = [
        (
            one.value,
            str(one.total),
            estimate(one.of_all),
            *(estimate(one.shares[place]) for place in places_named(report.names)),
            estimate(one.confidence),
        )
        for one in metrics.slices
    ]
    columns = ("Value", "Rows", "Share of all", *names, "Mean confidence")
    return Table(
        caption=f"By {metrics.field}",
        columns=[Column(name=one, numeric=place > 0) for place, one in enumerate(columns)],
        rows=rows,
    )


def _changes(report: Report, comparison: FieldComparison, place: int) -> Table:
    parts = {one.value: one for one in comparison.shares[place].slices}
    name = report.names[place]
    rows: list[Sequence[str]] = []
    for one in comparison.slices:
        part = parts.get(one.value)
        means = (None, None) if part is None else part.means
        old, new = one.of_all
        rows.append(
            (
                one.value,
                f"{one.before.count} / {one.after.count}",
                f"{number(old.value)} / {number(new.value)}",
                f"{number(means[0])} / {number(means[1])}",
                change(None if part is None else part.mix),
                change(None if part is None else part.within),
                one.state.value,
            )
        )
    total = comparison.shares[place]
    sums = (
        sum(one.before.count for one in comparison.slices),
        sum(one.after.count for one in comparison.slices),
    )
    rows.append(
        (
            "all",
            f"{sums[0]} / {sums[1]}",
            "",
            f"{number(total.before)} / {number(total.after)}",
            change(total.mix),
            change(total.within),
            "",
        )
    )
    columns = (
        "Value", "Rows", "Share of all", f"Share of {name}", "Adds by traffic", "Adds by itself", "Verdict",
    )  # fmt: skip
    return Table(
        caption=f"By {comparison.field}, in the baseline / now: what each slice adds to the change of {name}",
        columns=[Column(name=one, numeric=0 < number_of < 6) for number_of, one in enumerate(columns)],
        rows=rows,
    )
