"""The sections at the end: bad lines, settings, and how each number is computed."""

from __future__ import annotations

from sentimon.labels import Sentiment
from sentimon.reporting.report.blocks import Block, Column, Paragraph, Section, Table
from sentimon.reporting.report.report_value import Report

_METHODS = (
    ("share", "Rows of a class among all rows; Wilson's score interval at level {level:g}."),
    (
        "mean confidence",
        "The mean of each row's highest score; Student's t interval. Sums are exact integers.",
    ),
    ("window", "A stretch of the calendar of {zone}; one without rows stays a gap."),
    (
        "drift score",
        "Wasserstein-1 (earth mover's) distance of two class mixes with {scale}: 0 is the same mix, 1 is all "
        "negative against all positive.",
    ),
    (
        "interval of the score",
        "From Newcombe's intervals of the changes of the negative and the positive share, which cover "
        "together (Bonferroni).",
    ),
    ("change", "Share now minus share before; Newcombe's interval. Each covers by itself."),
    (
        "conclusion",
        "The first that holds: drift (the monitor has an open incident, or a look at the newest rows finds a "
        "score above {threshold:g} by more than chance, or the rule on drift is met); retraining "
        "recommended; no new rows, fewer or more; changed, below the threshold; stable; no verdict.",
    ),
    (
        "rows compared",
        "Of those newer than the baseline's last row the newest that differ most, with the search paid for; "
        "or those of the period where it was chosen. Fewer than {min_samples} on either side give no "
        "verdict.",
    ),
    (
        "incident",
        "Opened by the monitor where a share moved by more than chance (Fisher's exact test, its level "
        "shared among all checks) and may have moved by {delta:g}; closed once the shares are back. Dated by "
        "the check that found it. This report makes no check in the monitor's place.",
    ),
    (
        "change began",
        "The most probable hour of a change point in the counts per hour, and an interval that holds the "
        "true one at level {level:g}.",
    ),
    (
        "words",
        "Share of texts that hold a word, ranked by the log-likelihood ratio; only growth beyond chance "
        "among all words (5 %, Bonferroni).",
    ),
    (
        "quality",
        "Predictions against gold labels: Wilson's intervals; macro recall and F1 are means over the "
        "classes.",
    ),
    (
        "calibration curve",
        "Rows sorted by confidence, in up to 15 groups of equal size: the share that was right over the mean "
        "confidence.",
    ),
    (
        "retraining",
        "Recommended with enough new rows and either a low mean confidence or drift; new are the rows after "
        "the baseline and after the last saved trigger that fired.",
    ),
)


def bad_lines_section(report: Report) -> Section:
    """Return the number of bad lines per kind, and the first of them with path and line."""
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
    """Return every setting with its origin, the ones that are not defaults first."""
    columns = [Column(name="Key"), Column(name="Value"), Column(name="From")]
    rows = [(one.key, one.value, one.origin) for one in report.settings if not _of_no_class(one.key, report)]
    chosen = [row for row in rows if row[2] != "default"]
    blocks: list[Block] = []
    if chosen:
        blocks.append(Table(caption="Settings that were chosen", columns=columns, rows=chosen))
    else:
        blocks.append(Paragraph(text="Nothing was set: every setting has its default."))
    defaults = [row for row in rows if row[2] == "default"]
    blocks.append(Table(caption="Settings at their defaults", columns=columns, rows=defaults, folded=True))
    return Section(name="settings", title="Settings", blocks=blocks)


def _of_no_class(key: str, report: Report) -> bool:
    """Return whether a setting names a class that there is not."""
    return key == "labels.neutral" and not report.names[Sentiment.NEUTRAL]


def methods_section(report: Report) -> Section:
    """Return how each number is computed."""
    values = {
        "level": report.confidence_level,
        "zone": report.zone_name,
        "threshold": report.drift.threshold,
        "min_samples": report.min_samples,
        "delta": report.delta,
        "scale": "negative at 0, neutral at 0.5 and positive at 1"
        if report.names[Sentiment.NEUTRAL]
        else "negative at 0 and positive at 1",
    }
    rows = [(number, how.format_map(values)) for number, how in _METHODS]
    columns = [Column(name="Number"), Column(name="How")]
    table = Table(caption="Each number", columns=columns, rows=rows)
    return Section(name="methods", title="How the numbers are computed", blocks=[table])
