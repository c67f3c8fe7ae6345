"""Quality by gold labels as tables: of one evaluation, over time, and of a calibration."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sentimon.labels import by_name, places_named
from sentimon.reporting.plain_text import estimate, minute, number, visible
from sentimon.reporting.table_style import Fitting, class_name, new_table, sentences_of
from sentimon.timestamps import format_moment, in_zone

if TYPE_CHECKING:
    from sentimon.evaluation.calibration_file import Calibration
    from sentimon.evaluation.error_rate_monitor import ErrorRateCheck
    from sentimon.evaluation.quality import Quality
    from sentimon.evaluation.realised_quality import QualityWindow, RealisedQuality
    from sentimon.statistics.intervals import Estimate

QUALITY_COLUMNS = (("Labels", "right"), ("Accuracy", "left"), ("Macro recall", "left"), ("F1", "right"))
"""The headings of `quality_cells`."""


def realised_object(
    quality: RealisedQuality, windows: Sequence[QualityWindow] | None, risk: ErrorRateCheck, *, rows: int
) -> dict[str, Any]:
    """Return what `metrics --quality --json` documents; estimates are `{value, low, high, n}`."""
    content: dict[str, Any] = {"rows": rows, **quality_object(quality)}
    content["risk"] = risk_object(risk)
    if windows is not None:
        content["windows"] = [
            {
                "start": format_moment(one.start),
                "end": format_moment(one.end),
                "complete": one.complete,
                "rows": one.rows,
                **quality_object(one.quality),
            }
            for one in windows
        ]
    return content


def risk_object(risk: ErrorRateCheck) -> dict[str, Any]:
    """Return whether the error rate rose, and on what evidence."""
    return {
        "alarm": risk.alarm,
        "decided": risk.decided,
        "reference": {"of": risk.measure, **risk.reference.to_dict()},
        "current": risk.current.to_dict(),
        "tolerance": risk.tolerance,
        "limit": risk.limit,
        "evidence": risk.evidence,
        "evidence_needed": risk.needed,
    }


def realised_table(
    quality: RealisedQuality,
    windows: Sequence[QualityWindow] | None,
    risk: ErrorRateCheck,
    *,
    rows: int,
    zone: tzinfo | None,
) -> RenderableType:
    """Return the quality per window and in total, and whether the error rate rose.

    Labels are those of all rows; F1 is the mean of the classes'.
    """
    table = Fitting(partial(_windows, quality, windows, rows, zone))
    unfinished = ["* not over yet"] if windows and not all(one.complete for one in windows) else []
    return Group(table, sentences_of(unfinished), Text(), sentences_of(explain_risk(risk, quality)))


def _windows(
    quality: RealisedQuality,
    windows: Sequence[QualityWindow] | None,
    rows: int,
    zone: tzinfo | None,
    narrow: bool,
) -> Table:
    title = "Quality by gold labels" + ("" if windows is None else f", {zone or 'local'} time")
    table = new_table(title, ("Window", "left"), *QUALITY_COLUMNS, narrow=narrow)
    for one in windows or ():
        start = minute(in_zone(one.start, zone), below=narrow) + ("" if one.complete else "*")
        table.add_row(start, *quality_cells(one.quality, one.rows, narrow))
    if windows:
        table.add_section()
    table.add_row("all", *quality_cells(quality, rows, narrow))
    return table


def explain_risk(risk: ErrorRateCheck, quality: RealisedQuality) -> list[str]:
    """Return whether the error rate rose and how rows are weighted, as sentences."""
    sentences = ["Rows count for as many as they were drawn for."] if quality.weighted else []
    if risk.limit is None or risk.current.value is None:
        return [
            *sentences,
            "No verdict on the error rate: too few labels for a reference and for the time since.",
        ]
    since = f"{estimate(risk.current)} of {risk.current.n} labels"
    was = f"{number(risk.reference.value)} of {risk.reference.n} in {risk.measure}"
    if risk.alarm:
        sentences.append(explain_alarm("the error rate", risk))
    elif risk.decided:
        sentences.append(
            f"No alarm: the error rate is {since}, against {was}; nothing shows that it is above "
            f"{number(risk.limit)}."
        )
    else:
        sentences.append(f"No verdict yet: the error rate is {since}, against {was}.")
    odds = f"Evidence {risk.evidence:.3g} to 1, {risk.needed:.3g} raise the alarm"
    return [*sentences, f"{odds}; it may be looked at after every label."]


def explain_alarm(subject: str, risk: ErrorRateCheck) -> str:
    """Return that an error rate rose, and from what to what; `subject` says whose it is."""
    since = f"{estimate(risk.current)} of {risk.current.n} labels"
    was = f"{number(risk.reference.value)} of {risk.reference.n} in {risk.measure}"
    return (
        f"ALARM: {subject} rose by more than {risk.tolerance:g}: {since}, against {was} "
        f"(limit {number(risk.limit)})."
    )


def quality_cells(quality: RealisedQuality, rows: int, narrow: bool) -> tuple[str, ...]:
    """Return the cells of a row of figures: labels of all rows, accuracy, macro recall, F1."""
    # A third interval would not fit 80 columns; it is in --json.
    shown = (estimate(one, below=narrow) for one in (quality.accuracy, quality.macro_recall))
    return f"{quality.n}/{rows}", *shown, number(quality.macro_f1.value)


def quality_object(quality: RealisedQuality) -> dict[str, Any]:
    """Return the quality of labelled rows; estimates are `{value, low, high, n}`."""
    return {
        "labels": quality.n,
        "weighted": quality.weighted,
        "accuracy": quality.accuracy.to_dict(),
        "macro_recall": quality.macro_recall.to_dict(),
        "macro_f1": quality.macro_f1.to_dict(),
    }


def quality_table(quality: Quality, names: Sequence[str], *, title: str) -> RenderableType:
    """Return the overall quality, the quality per class, and the confusion matrix."""
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
    for one in quality.per_class:
        table.add_row(
            class_name(one.sentiment, names),
            str(one.support),
            *(estimate(number, below=narrow) for number in (one.precision, one.recall, one.f1)),
        )
    return table


def _confusion_matrix(quality: Quality, names: Sequence[str]) -> RenderableType:
    columns = ((f"as {name}", "right") for name in names if name)
    table = new_table("Confusion matrix: gold down, predicted across", ("", "left"), *columns)
    for place in places_named(names):
        table.add_row(
            class_name(place, names),
            *(str(count) for _, count in by_name(names, quality.confusion_matrix[place])),
        )
    return table


def calibration_table(found: Calibration, before: Estimate, after: Estimate) -> RenderableType:
    """Return the held-out log loss of each scaling, and the calibration error before and after."""
    table = new_table(
        f"Calibration of {visible(found.model)}, {found.rows} rows",
        ("Scaling", "left"),
        ("Held-out log loss", "right"),
        ("", "left"),
    )
    for kind, loss in found.held_out.items():
        mark = Text("taken", style="bold") if kind == found.calibrator.kind else ""
        table.add_row(kind, f"{loss:.4f}", mark)
    sentences = [
        f"Expected calibration error, on the same rows: {estimate(before)} raw, {estimate(after)} calibrated."
    ]
    if found.calibrator.temperature is not None and found.calibrator.kind != "none":
        side = "less" if found.calibrator.temperature > 1 else "more"
        sentences.append(f"Temperature {found.calibrator.temperature:.3f}: the scores become {side} extreme.")
    return Group(table, Text(), sentences_of(sentences))
