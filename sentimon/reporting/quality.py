"""The quality of a model as rich tables."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sentimon.evaluation.quality import Quality
from sentimon.labels import Sentiment
from sentimon.reporting.numbers import estimate
from sentimon.reporting.style import Fitting, class_name, new_table
from sentimon.reporting.text import visible


def quality_table(quality: Quality, names: Sequence[str], *, title: str) -> RenderableType:
    """Return the overall numbers, those of each class, and the confusion matrix."""
    overall = new_table(visible(title), ("", "left"), ("Value", "left"))
    for name, one in (
        ("accuracy", quality.accuracy),
        ("macro recall", quality.macro_recall),
        ("macro F1", quality.macro_f1),
        ("weighted F1", quality.weighted_f1),
        ("expected calibration error", quality.calibration_error),
        ("Brier score", quality.brier),
        ("negative log-likelihood", quality.negative_log_likelihood),
    ):
        overall.add_row(name, estimate(one))
    overall.add_row("rows", str(quality.n))
    return Group(
        overall,
        Text(),
        Fitting(partial(_per_class, quality, names)),
        Text(),
        _confusion_matrix(quality, names),
    )


def _per_class(quality: Quality, names: Sequence[str], narrow: bool) -> Table:
    headings = ("Precision", "Recall", "F1")
    columns = (("Class", "left"), ("Rows", "right"), *((one, "left") for one in headings))
    table = new_table("Per class", *columns, narrow=narrow)
    for one in quality.classes:
        table.add_row(
            class_name(one.sentiment, names),
            str(one.support),
            *(estimate(number, below=narrow) for number in (one.precision, one.recall, one.f1)),
        )
    return table


def _confusion_matrix(quality: Quality, names: Sequence[str]) -> RenderableType:
    columns = ((f"as {name}", "right") for name in names)
    table = new_table("Confusion matrix: gold down, predicted across", ("", "left"), *columns)
    for place in Sentiment:
        table.add_row(class_name(place, names), *(str(count) for count in quality.confusion_matrix[place]))
    return table
