"""How each number of a report is computed, in a sentence each."""

from __future__ import annotations

from sentimon.reporting.report.blocks import Column, Section, Table
from sentimon.reporting.report.value import Report

_METHODS = (
    ("share", "Rows of a class among all rows; Wilson's score interval at level {level:g}."),
    (
        "mean confidence",
        "The mean of each row's highest score; Student's t interval. Sums are exact integers.",
    ),
    ("window", "A stretch of the calendar of {zone}; one without rows stays a gap."),
    (
        "drift score",
        "Wasserstein-1 (earth mover's) distance of two class mixes with negative at 0, neutral at 0.5 and "
        "positive at 1: 0 is the same mix, 1 is all negative against all positive.",
    ),
    (
        "interval of the score",
        "From Newcombe's intervals of the changes of the negative and the positive share, which cover "
        "together (Bonferroni).",
    ),
    ("change", "Share now minus share before; Newcombe's interval. Each covers by itself."),
    (
        "verdict",
        "Drift where the monitor has an open incident, or the score is above {threshold:g}; no verdict below "
        "{min_samples} rows on either side.",
    ),
    (
        "rows compared",
        "Those newer than the baseline's last row, or those of the period where its start was chosen.",
    ),
    (
        "incident",
        "Opened by the monitor where a share moved by more than chance (Fisher's exact test, its level "
        "shared among all checks) and may have moved by {delta:g}; closed once the shares are back. Dated by "
        "the check that found it. This report makes no check in the monitor's place.",
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


def methods_section(report: Report) -> Section:
    """Return each number with how it comes about."""
    values = {
        "level": report.confidence_level,
        "zone": report.zone_name,
        "threshold": report.drift.threshold,
        "min_samples": report.min_samples,
        "delta": report.delta,
    }
    rows = [(number, how.format_map(values)) for number, how in _METHODS]
    columns = [Column(name="Number"), Column(name="How")]
    table = Table(caption="Each number", columns=columns, rows=rows)
    return Section(name="methods", title="How the numbers are computed", blocks=[table])
