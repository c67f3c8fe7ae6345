"""The sections over time: class mix, confidence, and the drift score with the incidents and saved checks."""

from __future__ import annotations

from collections.abc import Sequence

from sentimon.labels import LABELS, places_named
from sentimon.reporting.plain_text import MISSING, estimate, number
from sentimon.reporting.report.blocks import Block, Chart, Column, Key, Paragraph, Section, Table
from sentimon.reporting.report.charts import Level, Stretch, estimate_chart, mix_chart
from sentimon.reporting.report.moments import when
from sentimon.reporting.report.report_value import Report
from sentimon.reporting.report.saved_checks import PastIncident, SavedFinding
from sentimon.reporting.share_sentences import listed, outstanding, share_of
from sentimon.reporting.verdict_sentences import explain_lacking
from sentimon.statistics.intervals import Estimate

_SHADES = {"incident": "incident", "reference": "rows of the baseline"}
_LATEST = 20
_NO_CONFIDENCE = "No row has a confidence: the classifier gives the class alone."


def mix_section(report: Report) -> Section:
    """Return the class mix over time, and the totals of the period."""
    blocks: list[Block] = []
    if report.windows:
        drawing, frame = mix_chart(report.windows, report.zone, fewest=report.min_samples)
        enough = [one.shares for one in report.windows if one.total >= max(1, report.min_samples)]
        shares = [
            _course(name, [one[place] for one in enough], report.min_samples)
            for place, name in enumerate(report.names)
            if name
        ]
        blocks.append(
            Chart(
                name="mix",
                title=f"Share of each class per window of {report.every}",
                described=" ".join(shares),
                drawing=drawing,
                size=frame.size,
                legend=[
                    Key(mark=f"class{place}", meaning=name)
                    for place, name in reversed(list(enumerate(report.names)))
                    if name
                ]
                + _weak(report, "class1 pale", f"pale: fewer than {report.min_samples} rows"),
            )
        )
    blocks += [_overall(report), *(Paragraph(text=one) for one in explain_lacking(report.metrics))]
    return Section(name="mix", title="Class mix over time", blocks=blocks)


def confidence_section(report: Report) -> Section:
    """Return the mean confidence over time, and the table of all windows."""
    blocks: list[Block] = []
    if report.windows and not report.metrics.confidence.n:
        blocks += [Paragraph(text=_NO_CONFIDENCE), _windows(report)]
    elif report.windows:
        estimates = [one.confidence for one in report.windows]
        sure = [one for one in estimates if one.n >= report.min_samples]
        limits = [one for pair in sure for one in (pair.low, pair.high) if one is not None]
        values = [one.value for one in estimates if one.value is not None]
        lowest = min([report.confidence_threshold, *limits, *values])
        drawing, frame = estimate_chart(
            report.windows,
            estimates,
            report.zone,
            low=max(0.0, int(lowest * 10 - 0.5) / 10),
            high=1.0,
            level=Level(
                value=report.confidence_threshold,
                text=f"retraining below {report.confidence_threshold:g}",
                below=True,
            ),
            fewest=report.min_samples,
        )
        blocks.append(
            Chart(
                name="confidence",
                title=f"Mean confidence per window of {report.every}, with its interval",
                described=_course("Mean confidence", _sure(estimates, report), report.min_samples),
                drawing=drawing,
                size=frame.size,
                legend=[
                    Key(mark="mark", meaning="mean confidence"),
                    Key(mark="band", meaning=f"{report.confidence_level:.0%} interval"),
                    *_weak(report, "weak", f"fewer than {report.min_samples} rows"),
                    Key(mark="limit", meaning="limit (retraining.confidence_threshold)"),
                ],
            )
        )
        blocks.append(_windows(report))
    else:
        blocks.append(Paragraph(text="There are no rows in this period."))
    return Section(name="confidence", title="Confidence over time", blocks=blocks)


def score_section(report: Report) -> Section:
    """Return the drift score per window against the baseline, and the incidents that were found."""
    blocks: list[Block] = []
    if report.windows and report.baseline is not None:
        estimates = [one.score for one in report.windows]
        threshold, shaded = report.drift.threshold, _stretches(report)
        course = _course("Score", _sure(estimates, report), report.min_samples)
        tops = [one.high for one in estimates if one.high is not None and one.n >= report.min_samples]
        values = [one.value for one in estimates if one.value is not None]
        drawing, frame = estimate_chart(
            report.windows,
            estimates,
            report.zone,
            low=0.0,
            high=min(1.0, 1.1 * max([threshold * 1.2, 0.05, *tops, *values])),
            level=Level(value=threshold, text=f"drift above {threshold:g}"),
            stretches=shaded,
            fewest=report.min_samples,
        )
        blocks.append(
            Chart(
                name="score",
                title=f"Drift score per window of {report.every} against the baseline",
                described=f"{course} The limit is {threshold:g}. {incidents_in_words(report)}",
                drawing=drawing,
                size=frame.size,
                legend=[
                    Key(mark="mark", meaning="score"),
                    Key(mark="band", meaning=f"{report.confidence_level:.0%} interval"),
                    *_weak(report, "weak", f"fewer than {report.min_samples} rows: no verdict"),
                    Key(mark="limit", meaning="limit (drift.threshold)"),
                    *(Key(mark=look, meaning=_SHADES[look]) for look in sorted({one.look for one in shaded})),
                ],
            )
        )
    elif report.baseline is None:
        blocks.append(
            Paragraph(text="Without a baseline there is no score: sentimon baseline create makes one.")
        )
    return Section(name="score", title="Score history", blocks=[*blocks, *found_blocks(report)])


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
    return Table(
        caption=f"Per window of {report.every}, {report.zone_name} time; * not over yet",
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
            for one in report.windows
        ],
        folded=True,
    )


def _weak(report: Report, mark: str, meaning: str) -> list[Key]:
    """Return the legend of windows with few rows, if there are any."""
    few = any(0 < one.total < report.min_samples for one in report.windows)
    return [Key(mark=mark, meaning=meaning)] if few else []


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


def _stretches(report: Report) -> list[Stretch]:
    first, last = report.windows[0].start, report.windows[-1].end
    known = report.baseline
    shaded = []
    if known is not None and known.first is not None and known.last is not None:
        shaded.append(Stretch(look="reference", start=known.first, end=known.last))
    shaded += [
        Stretch(look="incident", start=one.since, end=one.until(report.made)) for one in report.past.incidents
    ]
    return [one for one in shaded if one.start < last and one.end > first]


def incidents_in_words(report: Report) -> str:
    """Return the start and end of each incident in a sentence."""
    found = report.past.incidents
    if not found:
        return "No incident is known."
    return (
        "Incidents: " + "; ".join(f"{when(report, one.since)} to {_end(report, one)}" for one in found) + "."
    )


def found_blocks(report: Report) -> list[Block]:
    """Return the incidents and the saved checks as tables."""
    blocks: list[Block] = []
    if report.past.incidents:
        blocks.append(
            Table(
                caption=f"Incidents, {report.zone_name} time",
                columns=[Column(name="Since"), Column(name="Until"), Column(name="What had moved")],
                rows=[
                    (when(report, one.since), _end(report, one), _moved(one.findings, report.names))
                    for one in reversed(report.past.incidents)
                ],
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


def _end(report: Report, incident: PastIncident) -> str:
    if incident.open:
        return "still open"
    return when(report, incident.seen) + ("" if incident.closed else " (last seen)")


def _moved(findings: Sequence[SavedFinding], names: Sequence[str]) -> str:
    shown = dict(zip(LABELS, names, strict=True))
    parts = []
    for one in outstanding(findings):
        event = shown.get(one.event, one.event) if one.group == "class" else one.event
        parts.append(f"{share_of(one.group, event)}: {number(one.before.value)} to {number(one.after.value)}")
    return listed(parts, len(findings))
