"""The rows of a log by the slices of traffic that they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentimon.errors import UsageError

if TYPE_CHECKING:
    from sentimon.monitoring.slice_metrics import FieldMetrics
    from sentimon.prediction_log.slice_fields import SliceField
    from sentimon.prediction_log.slices import Slices
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.workspace import Workspace

_LATEST = 100
_NAMED = 12
"""Latest rows whose fields are named to a user who named one that is not there, and how many fields."""


def field_named(name: str, *, origin: str = "--by") -> SliceField:
    """Return the field that a user names; `origin` is the option that names it.

    Raises:
        UsageError: rows cannot be divided by it.
    """
    from sentimon.prediction_log.slice_fields import check_fields

    (field,) = check_fields([name], origin=origin)
    return field


def check_some_row_has(workspace: Workspace, field: SliceField, slices: Slices) -> None:
    """Raise UsageError where there are rows, and none has the field: its name may be mistyped.

    Raises:
        UsageError: no row has it; the hint names the fields that the latest rows have.
    """
    from sentimon.prediction_log.slice_fields import MISSING
    from sentimon.reporting.plain_text import visible

    if set(slices.tallies) != {MISSING}:
        return
    found = sorted({name for row in workspace.latest_rows(_LATEST, {}) for name in row.extra})
    fields = ", ".join(map(visible, found[:_NAMED])) or "none but sentimon's own"
    raise UsageError(
        f"--by: no row of that period has the field {field.name}",
        hint=f"the fields of the latest rows: {fields}; or use @length, @script, @model, @language",
    )


def measure_by(workspace: Workspace, period: Period, by: str) -> FieldMetrics:
    """Return class mix and confidence of the rows in `period` by the values of the field `by`.

    Raises:
        UsageError: rows cannot be divided by it, or no row has it.
        StoreError: the log cannot be read.
    """
    from sentimon.monitoring.slice_metrics import measure_slices

    field, settings = field_named(by), workspace.settings
    slices = workspace.divided_by(field).slices(period, field)
    check_some_row_has(workspace, field, slices)
    return measure_slices(
        by,
        slices,
        most=settings.segments.most_values,
        min_samples=settings.drift.min_samples,
        confidence_level=settings.drift.confidence_level,
    )
