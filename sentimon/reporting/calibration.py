"""A calibration as a table: what was tried, what was taken, and what it does."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from sentimon.evaluation.calibration_file import Calibration
from sentimon.monitoring.intervals import Estimate
from sentimon.reporting.numbers import estimate
from sentimon.reporting.style import new_table, sentences_of
from sentimon.reporting.text import visible


def calibration_table(found: Calibration, before: Estimate, after: Estimate) -> RenderableType:
    """Return the log loss of each way on rows held out, and the calibration error before and after."""
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
