"""The sections over time: class mix, confidence, and the drift score with the incidents and saved checks."""

from __future__ import annotations

from collections.abc import Sequence

from sentimon.labels import places_named
from sentimon.reporting.plain_text import MISSING, estimate, number
from sentimon.reporting.report.blocks import Block, Chart, Column, Key, Paragraph, Section, Table
from sentimon.reporting.report.charts import Level, estimate_chart, mix_chart, rows_chart, used_keys
from sentimon.reporting.report.moments import when
from sentimon.reporting.report.report_value import Report
from sentimon.reporting.report.timeline import (
    INCIDENTS,
    incident_end,
    stretches,
    tell_findings,
    time_keys,
    timeline,
    told_times,
)
from sentimon.reporting.traffic_sentences import explain_traffic
from sentimon.reporting.verdict_sentences import explain_lacking
from sentimon.statistics.intervals import Estimate

_LATEST = 20
_MOST_LISTED = 300
"""Windows that the table of windows holds; sentimon metrics --every prints all."""
_NO_CONFIDENCE = "No row has a confidence: the classifier gives the class alone."


def mix_section(report: Report) -> Section:
    """Return the class mix over time, and the totals of the period."""
    blocks: list[Block] = []
    if report.windows:
        onset, known = report.onsets.mix, report.baseline
        usual = [] if known is None else [one.value or 0.0 for one in known.metrics.shares]
        drawing, frame = mix_chart(timeline(report, onset), report.names, usual)
        enough = [one.shares for one in report.windows if one.total >= max(1, report.min_samples)]
        shares = [
            _course(name, [one[place] for one in enough], report.min_samples)
            + (f" In the baseline: {number(usual[place])}." if usual else "")
            for place, name in enumerate(report.names)
            if name
        ]
        places = [place for place in reversed(range(len(report.names))) if report.names[place]]
        weak = f"pale: fewer than {report.min_samples} rows"
        keys = [
            *(Key(mark=f"class{place}", meaning=report.names[place]) for place in places),
            *_first_used(drawing, [Key(mark=f"class{place} pale", meaning=weak) for place in places]),
            Key(mark="known", meaning="shares in the baseline"),
            *time_keys(),
        ]
        blocks.append(
            Chart(
                name="mix",
                title=f"Share of each class per window of {report.every}",
                described=" ".join([*shares, told_times(report, onset)]).strip(),
                drawing=drawing,
                size=frame.size,
                legend=used_keys(drawing, keys),
            )
        )
    blocks += [_overall(report), *(Paragraph(text=one) for one in explain_lacking(report.metrics))]
    return Section(name="mix", title="Class mix over time", blocks=blocks)


def _first_used(drawing: str, keys: Sequence[Key]) -> list[Key]:
    """Return the first entry whose mark is in the drawing: in which colour it is shown."""
    return used_keys(drawing, keys)[:1]


def confidence_section(report: Report) -> Section:
    """Return the mean confidence over time, and the table of all windows."""
    blocks: list[Block] = []
    if report.windows and not report.metrics.confidence.n:
        blocks += [Paragraph(text=_NO_CONFIDENCE), _windows(report)]
    elif report.windows:
        blocks += [_confidence_chart(report), _windows(report)]
    else:
        blocks.append(Paragraph(text="There are no rows in this period."))
    return Section(name="confidence", title="Confidence over time", blocks=blocks)


def _confidence_chart(report: Report) -> Chart:
    onset = report.onsets.confidence or report.onsets.mix
    estimates = [one.confidence for one in report.windows]
    sure = [one for one in estimates if one.n >= report.min_samples]
    limits = [one for pair in sure for one in (pair.low, pair.high) if one is not None]
    values = [one.value for one in estimates if one.value is not None]
    usual = None if report.baseline is None else report.baseline.metrics.confidence.value
    levels = [
        Level(
            value=report.confidence_threshold,
            text=f"retraining below {report.confidence_threshold:g}",
            below=True,
        )
    ]
    if usual is not None:
        levels.append(Level(value=usual, text=f"baseline {number(usual)}", look="known"))
    lowest = min([report.confidence_threshold, *limits, *values, *(one.value for one in levels)])
    drawing, frame = estimate_chart(
        timeline(report, onset),
        estimates,
        low=max(0.0, int(lowest * 10 - 0.5) / 10),
        high=1.0,
        levels=levels,
    )
    course = _course("Mean confidence", _sure(estimates, report), report.min_samples)
    known = "" if usual is None else f" In the baseline: {number(usual)}."
    keys = [
        *_estimate_keys(report, drawing, "mean confidence", f"fewer than {report.min_samples} rows"),
        Key(mark="limit", meaning="limit (retraining.confidence_threshold)"),
        Key(mark="known", meaning="mean confidence of the baseline"),
        *time_keys(),
    ]
    return Chart(
        name="confidence",
        title=f"Mean confidence per window of {report.every}, with its interval",
        described=f"{course}{known} {told_times(report, onset)}".strip(),
        drawing=drawing,
        size=frame.size,
        legend=used_keys(drawing, keys),
    )


def _estimate_keys(report: Report, drawing: str, what: str, weak: str) -> list[Key]:
    """Return the entries of an estimate with its interval: as points, or where they are many as a line."""
    shown = _first_used(drawing, [Key(mark="mark", meaning=what), Key(mark="line", meaning=what)])
    interval = Key(mark="band", meaning=f"{report.confidence_level:.0%} interval")
    return [*shown, interval, Key(mark="weak", meaning=weak)]


def score_section(report: Report) -> Section:
    """Return the drift score per window against the baseline, and the incidents that were found."""
    blocks: list[Block] = []
    if report.windows and report.baseline is not None:
        blocks.append(_score_chart(report))
    elif report.baseline is None:
        blocks.append(
            Paragraph(text="Without a baseline there is no score: sentimon baseline create makes one.")
        )
    return Section(name="score", title="Score history", blocks=[*blocks, *found_blocks(report)])


def _score_chart(report: Report) -> Chart:
    onset, threshold = report.onsets.mix, report.drift.threshold
    estimates = [one.score for one in report.windows]
    course = _course("Score", _sure(estimates, report), report.min_samples)
    tops = [one.high for one in estimates if one.high is not None and one.n >= report.min_samples]
    values = [one.value for one in estimates if one.value is not None]
    drawing, frame = estimate_chart(
        timeline(report, onset, named=True),
        estimates,
        low=0.0,
        high=min(1.0, 1.1 * max([threshold * 1.2, 0.05, *tops, *values])),
        levels=[Level(value=threshold, text=f"drift above {threshold:g}")],
    )
    keys = [
        *_estimate_keys(report, drawing, "score", f"fewer than {report.min_samples} rows: no verdict"),
        Key(mark="limit", meaning="limit (drift.threshold)"),
        *time_keys(),
    ]
    times = told_times(report, onset)
    return Chart(
        name="score",
        title=f"Drift score per window of {report.every} against the baseline",
        described=f"{course} The limit is {threshold:g}. {times} {incidents_in_words(report)}",
        drawing=drawing,
        size=frame.size,
        legend=used_keys(drawing, keys),
    )


def traffic_section(report: Report) -> Section:
    """Return the rows per window, whether rows still come, and as many as in the baseline."""
    said = ["The report is about a time that is over: whether rows still come is not told."]
    if report.traffic is not None:
        said = explain_traffic(report.traffic)
    charts = [_rows_chart(report)] if report.windows else []
    return Section(name="traffic", title="Traffic", blocks=[Paragraph(text=" ".join(said)), *charts])


def _rows_chart(report: Report) -> Chart:
    onset = None if report.traffic is None else report.traffic.onset
    usual = _usual_rows(report)
    drawing, frame = rows_chart(timeline(report, onset), usual)
    rows = [one.total for one in report.windows]
    known = "" if usual is None else f" In the baseline: {usual:.0f} in the mean."
    course = (
        f"Rows: {rows[0]} in the first window, {rows[-1]} in the last; fewest {min(rows)}, most {max(rows)}."
    )
    keys = [
        Key(mark="rows", meaning="rows"),
        Key(mark="rows pale", meaning="not over yet"),
        Key(mark="known", meaning="mean of the baseline"),
        *time_keys(),
    ]
    return Chart(
        name="rows",
        title=f"Rows per window of {report.every}",
        described=f"{course}{known} {told_times(report, onset)}".strip(),
        drawing=drawing,
        size=frame.size,
        legend=used_keys(drawing, keys),
    )


def _usual_rows(report: Report) -> float | None:
    """Return how many rows of the baseline came in as long as a window is; None where it is shorter."""
    known = report.baseline
    if known is None or known.first is None or known.last is None:
        return None
    long, span = report.windows[0].end - report.windows[0].start, known.last - known.first
    return known.metrics.total * (long / span) if span >= long else None


def _overall(report: Report) -> Table:
    metrics = report.metrics
    rows = [
        (
            report.names[place],
            str(metrics.counts[place]),
            estimate(metrics.shares[place]),
            estimate(metrics.confidence_by_class[place]),
        )
        for place in places_named(report.names)
    ]
    return Table(
        caption="All rows of the period",
        columns=[
            Column(name="Class"),
            Column(name="Rows", numeric=True),
            Column(name="Share", numeric=True),
            Column(name="Mean confidence", numeric=True),
        ],
        rows=[*rows, ("all", str(metrics.total), "", estimate(metrics.confidence))],
    )


def _windows(report: Report) -> Table:
    shown = report.windows[-_MOST_LISTED:]
    latest = "" if shown == report.windows else f", the latest {len(shown)} of {len(report.windows)}"
    return Table(
        caption=f"Per window of {report.every}{latest}, {report.zone_name} time; * not over yet",
        columns=[
            Column(name="Window"),
            Column(name="Rows", numeric=True),
            *(Column(name=name, numeric=True) for name in report.names if name),
            Column(name="Confidence", numeric=True),
            Column(name="Score", numeric=True),
        ],
        rows=[
            (
                when(report, one.start) + ("" if one.complete else "*"),
                str(one.total),
                *(
                    number(one.shares[place]) if one.total else MISSING
                    for place in places_named(report.names)
                ),
                estimate(one.confidence),
                estimate(one.score),
            )
            for one in shown
        ],
        folded=True,
    )


def _sure(estimates: Sequence[Estimate], report: Report) -> list[float]:
    return [one.value for one in estimates if one.value is not None and one.n >= report.min_samples]


def _course(what: str, values: Sequence[float], fewest: int) -> str:
    """Describe the `values` of the windows with enough rows: first, last, lowest, highest."""
    if not values:
        return f"{what}: no window has {fewest} rows."
    return (
        f"{what}: {number(values[0])} in the first window of {fewest} rows or more, {number(values[-1])} in "
        f"the last; lowest {number(min(values))}, highest {number(max(values))}."
    )


def incidents_in_words(report: Report) -> str:
    """Return the start and end of each incident in a sentence."""
    found = report.past.incidents
    if not found:
        return "No incident is known."
    return (
        "Incidents: "
        + "; ".join(f"{when(report, one.since)} to {incident_end(report, one)}" for one in found)
        + "."
    )


def _link(report: Report, place: int) -> str:
    """Return the id of an incident in the chart, "" where it lies outside."""
    name = f"{INCIDENTS}-{place + 1}"
    drawn = report.windows and report.baseline is not None
    return name if drawn and name in {one.name for one in stretches(report, named=True)} else ""


def found_blocks(report: Report) -> list[Block]:
    """Return the incidents and the saved checks as tables."""
    blocks: list[Block] = []
    if report.past.incidents:
        blocks.append(
            Table(
                caption=f"Incidents, {report.zone_name} time",
                columns=[Column(name="Since"), Column(name="Until"), Column(name="What had moved")],
                rows=[
                    (
                        when(report, one.since),
                        incident_end(report, one),
                        tell_findings(one.findings, report.names),
                    )
                    for one in reversed(report.past.incidents)
                ],
                links=[_link(report, place) for place in reversed(range(len(report.past.incidents)))],
            )
        )
    checks = report.past.checks
    if checks:
        latest = "" if len(checks) <= _LATEST else f", the latest {_LATEST} of {len(checks)}"
        blocks.append(
            Table(
                caption=f"Saved checks{latest}",
                columns=[
                    Column(name="When"),
                    Column(name="By"),
                    Column(name="Score", numeric=True),
                    Column(name="Result"),
                ],
                rows=[
                    (
                        when(report, one.timestamp),
                        one.rule,
                        number(one.score),
                        "drift" if one.drifted else "no drift",
                    )
                    for one in reversed(checks[-_LATEST:])
                ],
                folded=True,
            )
        )
    else:
        blocks.append(Paragraph(text="No check was saved: sentimon drift --save keeps them."))
    return blocks
