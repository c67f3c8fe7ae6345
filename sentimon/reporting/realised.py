"""Quality as the labels show it, over time, and whether the error rate rose: table, sentences, JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from functools import partial
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sentimon.evaluation.realised import QualityWindow, RealisedQuality
from sentimon.evaluation.risk import Risk
from sentimon.logbook.moments import format_moment
from sentimon.reporting.numbers import estimate, minute, number
from sentimon.reporting.style import Fitting, new_table, sentences_of

_COLUMNS = (("Labels", "right"), ("Accuracy", "left"), ("Macro recall", "left"), ("F1", "right"))


def realised_object(
    quality: RealisedQuality, windows: Sequence[QualityWindow] | None, risk: Risk, *, rows: int
) -> dict[str, Any]:
    """Return what `metrics --quality --json` documents; estimates are `{value, low, high, n}`."""
    content: dict[str, Any] = {"rows": rows, **_quality(quality)}
    content["risk"] = {
        "alarm": risk.alarm,
        "decided": risk.decided,
        "reference": {"of": risk.measure, **risk.reference.to_dict()},
        "current": risk.current.to_dict(),
        "tolerance": risk.tolerance,
        "limit": risk.limit,
        "evidence": risk.evidence,
        "evidence_needed": risk.needed,
    }
    if windows is not None:
        content["windows"] = [
            {
                "start": format_moment(one.start),
                "end": format_moment(one.end),
                "complete": one.complete,
                "rows": one.rows,
                **_quality(one.quality),
            }
            for one in windows
        ]
    return content


def realised_table(
    quality: RealisedQuality,
    windows: Sequence[QualityWindow] | None,
    risk: Risk,
    *,
    rows: int,
    zone: tzinfo | None,
) -> RenderableType:
    """Return the quality per window and as a whole, and in words whether the error rate rose.

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
    table = new_table(title, ("Window", "left"), *_COLUMNS, narrow=narrow)
    for one in windows or ():
        start = minute(one.start.astimezone(zone), below=narrow) + ("" if one.complete else "*")
        _add(table, start, one.rows, one.quality, narrow)
    if windows:
        table.add_section()
    _add(table, "all", rows, quality, narrow)
    return table


def explain_risk(risk: Risk, quality: RealisedQuality) -> list[str]:
    """Return in sentences whether the error rate rose, and how the rows count."""
    sentences = ["Rows count for as many as they were drawn for."] if quality.weighted else []
    if risk.limit is None or risk.current.value is None:
        return [
            *sentences,
            "No verdict on the error rate: too few labels for a reference and for the time since.",
        ]
    since = f"{estimate(risk.current)} of {risk.current.n} labels"
    was = f"{number(risk.reference.value)} of {risk.reference.n} in {risk.measure}"
    if risk.alarm:
        sentences.append(
            f"ALARM: the error rate rose by more than {risk.tolerance:g}: {since}, against {was} "
            f"(limit {number(risk.limit)})."
        )
    elif risk.decided:
        sentences.append(
            f"No alarm: the error rate is {since}, against {was}; nothing shows that it is above "
            f"{number(risk.limit)}."
        )
    else:
        sentences.append(f"No verdict yet: the error rate is {since}, against {was}.")
    odds = f"Evidence {risk.evidence:.3g} to 1, {risk.needed:.3g} raise the alarm"
    return [*sentences, f"{odds}; it may be looked at after every label."]


def _add(table: Table, name: str, rows: int, quality: RealisedQuality, narrow: bool) -> None:
    # A third interval would not fit 80 columns; it is in --json.
    shown = (estimate(one, below=narrow) for one in (quality.accuracy, quality.macro_recall))
    table.add_row(name, f"{quality.n}/{rows}", *shown, number(quality.macro_f1.value))


def _quality(quality: RealisedQuality) -> dict[str, Any]:
    return {
        "labels": quality.n,
        "weighted": quality.weighted,
        "accuracy": quality.accuracy.to_dict(),
        "macro_recall": quality.macro_recall.to_dict(),
        "macro_f1": quality.macro_f1.to_dict(),
    }
