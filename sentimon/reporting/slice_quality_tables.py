"""Quality by slice of the traffic, measured or estimated, as tables and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sentimon.evaluation.slice_error_rates import SliceErrorRates
from sentimon.evaluation.slice_quality import FieldEstimates, FieldEvaluation, FieldQuality, SliceEstimate
from sentimon.labels import LABELS, by_name
from sentimon.prediction_log.slices import OTHER
from sentimon.reporting.estimate_tables import estimates_object, reasons
from sentimon.reporting.plain_text import MISSING, counted, estimate, visible
from sentimon.reporting.quality_tables import (
    QUALITY_COLUMNS,
    explain_alarm,
    quality_cells,
    quality_object,
    risk_object,
)
from sentimon.reporting.slice_sentences import explain_others
from sentimon.reporting.table_style import Fitting, new_table, sentences_of, short_name
from sentimon.statistics.intervals import Estimate

_SHORT = 8
"""The width of a class name at the head of a narrow column."""


def slice_quality_table(found: FieldQuality) -> RenderableType:
    """Return the quality of the labelled rows of each slice, and what is to be known of it."""
    few = ["* too few labels for a verdict"] if any(one.few for one in found.slices) else []
    sentences = [*few, *_explain_others(found, [(one.value, one.rows) for one in found.slices])]
    return Group(Text(), Fitting(partial(_quality, found)), sentences_of(sentences))


def _quality(found: FieldQuality, narrow: bool) -> Table:
    table = new_table(f"By {visible(found.field)}", ("Value", "left"), *QUALITY_COLUMNS, narrow=narrow)
    for one in found.slices:
        value = Text(visible(one.value) + ("*" if one.few else ""))
        table.add_row(value, *quality_cells(one.quality, one.rows, narrow))
    return table


def slice_quality_object(found: FieldQuality) -> dict[str, Any]:
    """Return the quality of each slice; estimates are `{value, low, high, n}`."""
    return _object(
        found,
        [
            {
                "value": one.value,
                "rows": one.rows,
                **quality_object(one.quality),
                "error_rate": _error_rate(one.quality.accuracy).to_dict(),
                "too_few_labels": one.few,
            }
            for one in found.slices
        ],
    )


def slice_risks_text(found: SliceErrorRates) -> RenderableType:
    """Return the slices whose error rate rose, or that there is none, as sentences."""
    sentences = [explain_alarm(f"the error rate of {visible(one.name)}", one.check) for one in found.alarms]
    judged = len(found.decided)
    if judged and not sentences:
        sentences.append(f"No alarm of a slice: {counted(judged, 'slice')} judged.")
    lacking = len(found.slices) - judged + found.few
    if lacking:
        sentences.append(f"No verdict on {counted(lacking, 'slice')}: too few labels.")
    return sentences_of(sentences)


def slice_risks_object(found: SliceErrorRates) -> dict[str, Any]:
    """Return whether the error rate of each slice with enough labels rose, as that of all rows is shown."""
    return {
        "alarm": bool(found.alarms),
        "too_few_labels": found.few,
        "slices": [
            {"field": one.field, "value": one.value, **risk_object(one.check)} for one in found.slices
        ],
    }


def _error_rate(accuracy: Estimate) -> Estimate:
    if accuracy.value is None or accuracy.low is None or accuracy.high is None:
        return accuracy
    return Estimate(value=1 - accuracy.value, low=1 - accuracy.high, high=1 - accuracy.low, n=accuracy.n)


def slice_evaluation_table(found: FieldEvaluation) -> RenderableType:
    """Return the quality of a model in each slice of labelled texts, and what is to be known of it."""
    few = ["* too few labels for a verdict"] if any(one.few for one in found.slices) else []
    sentences = [*few, *_explain_others(found, [(one.value, one.quality.n) for one in found.slices])]
    return Group(Text(), Fitting(partial(_evaluation, found)), sentences_of(sentences))


def _evaluation(found: FieldEvaluation, narrow: bool) -> Table:
    table = new_table(
        f"By {visible(found.field)}",
        ("Value", "left"),
        ("Rows", "right"),
        ("Accuracy", "left"),
        ("Macro recall", "left"),
        ("Macro F1", "left"),
        narrow=narrow,
    )
    for one in found.slices:
        figures = (one.quality.accuracy, one.quality.macro_recall, one.quality.macro_f1)
        table.add_row(
            Text(visible(one.value) + ("*" if one.few else "")),
            str(one.quality.n),
            *(estimate(figure, below=narrow) for figure in figures),
        )
    return table


def slice_evaluation_object(found: FieldEvaluation) -> dict[str, Any]:
    """Return the quality of a model in each slice, as that on all texts is."""
    return _object(
        found,
        [{"value": one.value, "too_few_labels": one.few, **one.quality.to_dict()} for one in found.slices],
    )


def slice_estimates_table(found: FieldEstimates, names: Sequence[str]) -> RenderableType:
    """Return the estimated accuracy and class mix of each slice, and why some have none."""
    sentences = [f"{visible(one.value)}: {_impossible(one)}" for one in found.slices if _impossible(one)]
    if any(_is_borrowed(one) for one in found.slices):
        sentences.insert(0, "+ learnt from the labels of all rows: its own are too few of some class")
    sentences += _explain_others(found, [(one.value, one.rows) for one in found.slices])
    return Group(Text(), Fitting(partial(_estimates, found, names)), sentences_of(sentences))


def _is_borrowed(one: SliceEstimate) -> bool:
    """Return whether there are estimates that are learnt from other slices, too."""
    return one.estimates is not None and one.estimates.learnt is not None and not one.own_labels


def _estimates(found: FieldEstimates, names: Sequence[str], narrow: bool) -> Table:
    table = new_table(
        f"By {visible(found.field)}, estimated without labels",
        ("Value", "left"),
        ("Rows", "right"),
        ("Accuracy", "left"),
        *((short_name(name, _SHORT) if narrow else name, "left") for name in names if name),
        narrow=narrow,
    )
    for one in found.slices:
        cells = [MISSING] * (len(table.columns) - 2)
        if one.estimates is not None and one.estimates.learnt is not None:
            mix = (share for _, share in by_name(names, one.estimates.best))
            shown = (one.estimates.learnt.accuracy, *mix)
            cells = [estimate(each, below=narrow, digits=2) for each in shown]
        table.add_row(Text(visible(one.value) + ("+" if _is_borrowed(one) else "")), str(one.rows), *cells)
    return table


def _impossible(one: SliceEstimate) -> str:
    """Return why there is no estimate for a slice, as sentences; empty where there is one."""
    if one.estimates is None:
        return f"{one.lacking}."
    return " ".join(reasons(one.estimates.trust))


def slice_estimates_object(
    found: FieldEstimates, *, calibration: str | None, names: Sequence[str] = LABELS
) -> dict[str, Any]:
    """Return the estimates for each slice, as those for all rows are; null where there are none."""
    return _object(
        found,
        [
            {
                "value": one.value,
                "rows": one.rows,
                "too_few_rows": one.few,
                "learnt_from": "own labels" if one.own_labels else "all labels",
                "lacking": one.lacking,
                "estimates": None
                if one.estimates is None
                else estimates_object(one.estimates, one.gap, calibration=calibration, names=names),
            }
            for one in found.slices
        ],
    )


def _object(
    found: FieldQuality | FieldEvaluation | FieldEstimates, slices: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "field": found.field,
        "values": found.values,
        "too_many_values": found.values is None,
        "slices": slices,
    }


def _explain_others(
    found: FieldQuality | FieldEvaluation | FieldEstimates, slices: Sequence[tuple[str, int]]
) -> list[str]:
    others = sum(rows for value, rows in slices if value == OTHER)
    return explain_others(found.field, found.values, len(slices), others)
