"""The section on labelled rows: quality, confusion matrix and calibration curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sentimon.labels import by_name, places_named
from sentimon.reporting.plain_text import estimate, number
from sentimon.reporting.report.blocks import Block, Chart, Column, Key, Paragraph, Section, Table
from sentimon.reporting.report.charts import calibration_chart, used_keys
from sentimon.reporting.report.report_value import Labelled, Report

if TYPE_CHECKING:
    from sentimon.evaluation.quality import Quality


def quality_section(report: Report) -> Section:
    """Return the quality of the labelled rows, or that there are none."""
    labelled = report.labelled
    if labelled is None or not labelled.quality.n:
        text = (
            "There are no gold labels: sentimon label import joins them to the log, "
            "--evaluate FILE names a file of them."
        )
        blocks: list[Block] = [Paragraph(text=text)]
    else:
        blocks = [Paragraph(text=f"{labelled.quality.n} labelled rows, from {labelled.source}.")]
        if labelled.drawn:
            text = (
                "Some rows were drawn for labelling with known probabilities; here each counts once. "
                "sentimon metrics --quality weighs them."
            )
            blocks.append(Paragraph(text=text))
        blocks += [
            _overall(labelled.quality),
            _matrix(labelled.quality, report.names),
            _per_class(labelled.quality, report.names),
            *_calibration(labelled),
        ]
    return Section(name="quality", title="Quality by gold labels", blocks=blocks)


def _overall(quality: Quality) -> Table:
    named = (
        ("accuracy", quality.accuracy),
        ("macro recall", quality.macro_recall),
        ("macro F1", quality.macro_f1),
        ("expected calibration error", quality.calibration_error),
        ("Brier score", quality.brier),
    )
    return Table(
        caption="Quality of the labelled rows",
        columns=[Column(name="Measure"), Column(name="Value", numeric=True)],
        rows=[(name, estimate(one)) for name, one in named],
    )


def _matrix(quality: Quality, names: Sequence[str]) -> Table:
    """Return the confusion matrix: counts and their shares of the gold class."""
    rows = []
    for place in places_named(names):
        counts = [count for _, count in by_name(names, quality.confusion_matrix[place])]
        total = sum(counts)
        cells = (f"{count} ({number(count / total)})" if total else "0" for count in counts)
        rows.append((f"gold {names[place]}", *cells, str(total)))
    return Table(
        caption="Confusion matrix: rows, and their share of the gold class",
        columns=[
            Column(name="Gold"),
            *(Column(name=f"as {name}", numeric=True) for name in names if name),
            Column(name="Rows", numeric=True),
        ],
        rows=rows,
    )


def _per_class(quality: Quality, names: Sequence[str]) -> Table:
    return Table(
        caption="Per class",
        columns=[
            Column(name="Class"),
            *(Column(name=name, numeric=True) for name in ("Precision", "Recall", "F1")),
        ],
        rows=[
            (names[one.sentiment], estimate(one.precision), estimate(one.recall), estimate(one.f1))
            for one in quality.per_class
        ],
    )


def _calibration(labelled: Labelled) -> list[Block]:
    """Return the calibration curve, and how many labelled rows it is over where some have no confidence."""
    sure, full, rows = labelled.quality.calibration_error.n, labelled.quality.brier.n, labelled.quality.n
    if not sure:
        return [Paragraph(text="No labelled row has a confidence, so there is no calibration to show.")]
    blocks: list[Block] = [_curve(labelled)]
    if full < rows:
        text = (
            f"Of {rows} labelled rows, {sure} have a confidence and {full} the scores of all classes: "
            "the calibration is over the former, the Brier score over the latter."
        )
        blocks.append(Paragraph(text=text))
    return blocks


def _curve(labelled: Labelled) -> Chart:
    drawing, frame = calibration_chart(labelled.curve)
    points = (f"{number(one.confidence)}: {estimate(one.accuracy)}" for one in labelled.curve)
    return Chart(
        name="calibration",
        title="Calibration: how often predictions of a confidence were right",
        described=f"Share that was right, by mean confidence. {'; '.join(points)}.",
        drawing=drawing,
        size=frame.size,
        legend=used_keys(
            drawing,
            [
                Key(mark="mark", meaning="rows of about the same confidence, with the interval"),
                Key(mark="limit", meaning="where confidence says what it means"),
            ],
        ),
    )
