"""The rows of a log by the slices of traffic that they belong to."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec

from sentimon.errors import StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sentimon.monitoring.baseline import Baseline
    from sentimon.monitoring.slice_comparison import FieldComparison
    from sentimon.monitoring.slice_metrics import FieldMetrics
    from sentimon.monitoring.slice_windows import SlicesOverTime
    from sentimon.prediction_log.slice_fields import SliceField
    from sentimon.prediction_log.slices import Slices
    from sentimon.prediction_log.summary import Counts
    from sentimon.prediction_log.windows import Period
    from sentimon.statistics.mix_decomposition import DesignEffect
    from sentimon.workflows.drift import BaselineComparison
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


def check_some_row_has(
    workspace: Workspace,
    field: SliceField,
    slices: Slices,
    *,
    origin: str = "--by",
    rows: str = "that period",
) -> None:
    """Raise UsageError where there are rows, and none has the field: its name may be mistyped.

    `slices` are the sums over `rows` by its values.

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
        f"{origin}: no row of {rows} has the field {field.name}",
        hint=f"the fields of the latest rows: {fields}; or use @length, @script, @model, @language",
    )


def narrowed_log(workspace: Workspace, where: Sequence[str]) -> Workspace:
    """Return the log of those rows alone for which the conditions of `--where` hold.

    Raises:
        UsageError: one is no condition, or no row of the log has its field.
        StoreError: the log cannot be read.
    """
    from sentimon.prediction_log.slice_fields import MISSING, parse_conditions
    from sentimon.prediction_log.windows import Period

    conditions = parse_conditions(where, origin="--where")
    fields = [one.field for one in conditions if one.field.derived is None]
    latest = workspace.latest_rows(_LATEST, {}) if fields else []
    for field in fields:
        # Mostly the latest rows have it; the others are read only where they do not.
        if all(field.value(row, row.extra) == MISSING for row in latest):
            slices = workspace.slices(Period(), field)
            check_some_row_has(workspace, field, slices, origin="--where", rows="the log")
    return workspace.narrowed(conditions)


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


def compare_by(workspace: Workspace, compared: BaselineComparison, by: str) -> FieldComparison | None:
    """Return the rows that were judged compared with the baseline by the values of the field `by`.

    What the baseline does not hold of the field is told from its rows, where they are in the log still.
    All intervals are at the level of the comparison. None where there is nothing to compare.

    Raises:
        UsageError: rows cannot be divided by it, or no row has it.
        StoreError: the log cannot be read, or the baseline says nothing of the field and its rows are gone.
    """
    if compared.baseline is None or not compared.report.current.total:
        return None
    field = field_named(by)
    log = workspace.divided_by(field)
    after = log.slices(compared.judged, field)
    check_some_row_has(workspace, field, after)
    return _compared(workspace, compared, field, slices_of_baseline(log, compared.baseline, field), after)


def _compared(
    workspace: Workspace, compared: BaselineComparison, field: SliceField, before: Slices, after: Slices
) -> FieldComparison:
    from sentimon.monitoring.slice_comparison import compare_slices

    settings = workspace.settings
    return compare_slices(
        field.name,
        before,
        after,
        most=settings.segments.most_values,
        threshold=settings.drift.threshold,
        min_samples=settings.drift.min_samples,
        confidence_level=compared.report.window.level(settings.drift.confidence_level),
        effects=_effects(workspace, compared, field),
    )


def _effects(
    workspace: Workspace, compared: BaselineComparison, field: SliceField
) -> tuple[DesignEffect, DesignEffect]:
    """Return by how much the rows of both sides vary more than independent ones; 1 where nothing tells it."""
    from sentimon.prediction_log.slices import OTHER
    from sentimon.statistics.mix_decomposition import DesignEffect
    from sentimon.statistics.slice_dispersion import design_effects

    history = None if compared.baseline is None else compared.baseline.fields.get(field.name)
    if compared.baseline is None or history is None or history.slices.too_many:
        return DesignEffect(), DesignEffect()
    after: dict[str, dict[int, Counts]] = {}
    for hour, slices in workspace.divided_by(field).slice_hours(compared.judged, field).items():
        for value, tally in slices.told_apart(list(history.values)).tallies.items():
            after.setdefault(value if value in history.hourly else OTHER, {})[hour] = tally.counts
    return design_effects(dict(history.hours(compared.baseline.summary.hours)), after)


_MOST_SPANS = 30
_MOST_SLICES = 12
"""Spans of time and slices that a chart has room for."""


def slices_of(
    workspace: Workspace, period: Period, compared: BaselineComparison, every: str, field: SliceField
) -> SlicesOverTime:
    """Return the rows in `period` by the values of a field, over time and against the baseline.

    Where the baseline says nothing of the field, and its rows are gone, they are not compared.

    Raises:
        StoreError: the log cannot be read.
    """
    from sentimon.monitoring.slice_metrics import measure_slices
    from sentimon.monitoring.slice_windows import slices_over_time
    from sentimon.prediction_log.slices import Slices

    settings, level = workspace.settings, workspace.settings.drift.confidence_level
    most, fewest, calendar = (
        settings.segments.most_values,
        settings.drift.min_samples,
        workspace.calendar(every),
    )
    windows = workspace.slice_windows(period, field, calendar)
    comparison = None
    if compared.baseline is not None and compared.report.current.total:
        before = Slices()
        with contextlib.suppress(StoreError):
            before = slices_of_baseline(workspace, compared.baseline, field)
        if before.count:
            after = workspace.slices(compared.judged, field)
            comparison = _compared(workspace, compared, field, before, after)
    return slices_over_time(
        measure_slices(
            field.name,
            workspace.slices(period, field),
            most=most,
            min_samples=fewest,
            confidence_level=level,
        ),
        comparison,
        [((start, calendar.after(start)), found) for start, found in windows.items()],
        most_spans=_MOST_SPANS,
        most_slices=_MOST_SLICES,
    )


def say_lacking_fields(workspace: Workspace, baseline: Baseline | None) -> None:
    """Say so where a baseline does not hold the slices of a field of the settings."""
    if baseline is None or workspace.where:
        return
    lacking = [name for name in workspace.settings.segments.fields if name not in baseline.fields]
    if lacking:
        workspace.say(
            f"baseline {baseline.name!r} does not hold its slices by {', '.join(lacking)}: "
            "`sentimon baseline extend` adds them"
        )


def known_baseline(workspace: Workspace, path: Path) -> Baseline:
    """Return the baseline at `path`; where the workspace is of some rows alone, that of these rows.

    Raises:
        StoreError: it is missing, unreadable or of other classes, or not all rows that it was made of are in
            the log still, to tell those of the slice.
    """
    from dataclasses import replace

    from sentimon.workflows.state_files import read_baseline

    baseline = read_baseline(path, workspace.classes)
    if not workspace.where:
        return baseline
    check_rows_of_baseline(workspace, baseline, "cannot be narrowed by --where")
    summary = workspace.summary(rows_of_baseline(baseline))
    conditions = ", ".join(map(str, workspace.where))
    return replace(
        baseline,
        name=f"{baseline.name}, {conditions}",
        summary=msgspec.structs.replace(summary, bad={}, bad_lines=()),
        vocabulary=None,
        fields={},
    )


def slices_of_baseline(log: Workspace, baseline: Baseline, field: SliceField) -> Slices:
    """Return the rows of a baseline by the values of a field.

    Raises:
        StoreError: the baseline does not hold them, and its rows are not all in the log any more.
    """
    if field.name in baseline.fields:
        return baseline.fields[field.name].slices
    if not log.where:
        check_rows_of_baseline(log, baseline, f"says nothing of {field.name}")
    return log.slices(rows_of_baseline(baseline), field)


def check_rows_of_baseline(log: Workspace, baseline: Baseline, lack: str) -> None:
    """Raise StoreError unless the log has just the rows that a baseline was made of, in its period.

    Raises:
        StoreError: it has fewer, or others; `lack` says why they would be needed.
    """
    if log.whole.summary(rows_of_baseline(baseline)).hours != baseline.summary.hours:
        raise StoreError(
            f"baseline {baseline.name!r} {lack}, and the log does not have just the rows that it was made of",
            hint="`sentimon baseline create --force` makes a new one, with its slices by [segments] fields",
        )


def rows_of_baseline(baseline: Baseline) -> Period:
    """Return the period from the first to the last row of a baseline."""
    from sentimon.prediction_log.windows import Period
    from sentimon.timestamps import from_microseconds

    first, last = baseline.summary.first or 0, baseline.summary.last or 0
    return Period(since=from_microseconds(first), until=from_microseconds(last + 1))
