"""The baseline of a log: made of the rows of a period, made where there is none, and checked on itself."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sentimon.errors import NoVerdictError, ReadOnlyError, StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sentimon.monitoring.baseline import Baseline, BaselineCheck
    from sentimon.monitoring.slice_history import FieldHistory
    from sentimon.monitoring.vocabulary import Vocabulary
    from sentimon.prediction_log.summary import Summary
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.workspace import Workspace

_NAME = "baseline"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBaseline:
    """A baseline that was just made of the rows of a period."""

    baseline: Baseline
    summary: Summary
    """The sum over its rows, and over all bad lines."""
    gave_up: bool
    """Whether another that was being collected since a switch of models is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstBaseline:
    """What a log without a baseline got: one of the rows at hand, or none."""

    made: Baseline | None
    notes: tuple[str, ...]
    """What people should know of it."""
    urgent: bool
    """Whether they should know it even where they asked for quiet."""


def make_baseline(
    workspace: Workspace,
    path: Path | None = None,
    period: Period | None = None,
    *,
    name: str = _NAME,
    force: bool = False,
) -> NewBaseline:
    """Save the rows of `period` as the baseline at `path`, and return it.

    `force` replaces the baseline that is there.

    Raises:
        UsageError: the name is empty.
        StoreError: there is a baseline already, the log cannot be read, or the file cannot be written.
        NoVerdictError: there are too few rows.
    """
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.log_rows import say_trouble
    from sentimon.workflows.next_baseline import place_baseline

    path = path or workspace.baseline_path(None)
    if not name.strip():
        raise UsageError("--name is empty", hint="leave it out, or give the baseline a name")
    if path.exists() and not force:
        raise StoreError(f"{path}: there is a baseline already", hint="--force overwrites it")
    found = read_baseline_rows(workspace, period or Period())
    say_trouble(workspace, found.summary)
    made = _created(workspace, found, name)
    gave_up = place_baseline(workspace.folder, path, made, force=force)
    return NewBaseline(baseline=made, summary=found.summary, gave_up=gave_up)


def make_first_baseline(workspace: Workspace, path: Path, period: Period) -> FirstBaseline:
    """Make the rows of `period` the baseline of a log that has none, where the settings want that.

    Where there are too few rows, or the folder may only be read, none is made. Of many programs that do
    so at once one does.

    Raises:
        StoreError: the log cannot be read, or the file cannot be written.
    """
    from sentimon.workflows.state_files import add_baseline

    if not workspace.settings.drift.create_baseline:
        return _none(f"{path}: there is no baseline; make one with `sentimon baseline create`")
    found = read_baseline_rows(workspace, period)
    try:
        made = _created(workspace, found, _NAME)
    except NoVerdictError as error:
        return _none(f"{path}: there is no baseline, and none was made: {error.message}")
    try:
        alone = add_baseline(path, made)
    except ReadOnlyError as error:
        return _none(f"there is no baseline, and none was made: {error.message}", urgent=True)
    if not alone:
        return _none(
            f"{path}: another program made a baseline meanwhile; nothing was compared with it yet",
            urgent=True,
        )
    # From now on these rows are what is normal.
    notes = (
        f"THERE WAS NO BASELINE: the {made.summary.count} rows at hand are it from now on, in {path}.",
        "Nothing was compared. If these rows are not normal, run `sentimon baseline create --force`.",
    )
    return FirstBaseline(made=made, notes=notes, urgent=True)


def _none(note: str, *, urgent: bool = False) -> FirstBaseline:
    return FirstBaseline(made=None, notes=(note,), urgent=urgent)


def _created(workspace: Workspace, found: BaselineRows, name: str) -> Baseline:
    from sentimon.monitoring.baseline import create_baseline

    return create_baseline(
        found.summary,
        found.vocabulary,
        name=name,
        source=workspace.source,
        created=workspace.now,
        min_samples=workspace.settings.drift.min_samples,
        classes=workspace.classes,
        fields=found.fields,
    )


def extend_baseline(workspace: Workspace, path: Path | None = None) -> Baseline:
    """Add the slices by the fields of the settings to the baseline at `path`, and return it.

    They are told from the rows of the log that it was made of, which must be there still.

    Raises:
        UsageError: the settings name no field, or one that no row has, or what tells one is not installed.
        StoreError: the baseline or the log cannot be read, its rows are not in the log, or it cannot be
            written.
    """
    from dataclasses import replace

    from sentimon.workflows.next_baseline import place_baseline
    from sentimon.workflows.state_files import read_baseline

    path = path or workspace.baseline_path(None)
    if not workspace.fields:
        raise UsageError(
            "segments.fields names no field to extend the baseline by",
            hint='set [segments] fields, such as ["channel"]',
        )
    baseline = read_baseline(path, workspace.classes)
    fields = workspace.ask(lambda log: _fields_of(log, baseline))
    extended = replace(baseline, fields={**baseline.fields, **fields})
    place_baseline(workspace.folder, path, extended, force=True)
    return extended


def _fields_of(log: Workspace, baseline: Baseline) -> dict[str, FieldHistory]:
    from sentimon.prediction_log.slice_fields import SliceField
    from sentimon.workflows.slices import check_rows_of_baseline, check_some_row_has, rows_of_baseline

    check_rows_of_baseline(log, baseline, "cannot be extended")
    found = field_histories(log, rows_of_baseline(baseline))
    for name, history in found.items():
        check_some_row_has(log, SliceField(name), history.slices, origin="segments.fields")
    return found


def field_histories(log: Workspace, period: Period) -> dict[str, FieldHistory]:
    """Return the rows in `period` by the values of each field of the settings, as a baseline holds them."""
    if not log.fields:
        return {}
    from sentimon.monitoring.slice_history import field_history

    most = log.settings.segments.most_values
    return {field.name: field_history(log.slice_hours(period, field), most=most) for field in log.fields}


def check_baseline_windows(
    workspace: Workspace, path: Path, *, every: str = "1d"
) -> tuple[BaselineCheck, Baseline]:
    """Return how each window of the baseline at `path` compares with the rest of it, and the baseline.

    A good one is quiet on its own data.

    Raises:
        UsageError: the windows do not fit the calendar, or are shorter than an hour.
        StoreError: the baseline cannot be read.
    """
    from sentimon.monitoring.baseline import check_baseline
    from sentimon.workflows.state_files import read_baseline

    settings, calendar = workspace.settings.drift, workspace.calendar(every)
    if calendar.every < timedelta(hours=1):
        raise UsageError(
            f"--every {every} is shorter than an hour", hint="a baseline keeps its rows per hour"
        )
    baseline = read_baseline(path, workspace.classes)
    checked = check_baseline(
        baseline,
        calendar,
        threshold=settings.threshold,
        min_samples=settings.min_samples,
        confidence_level=settings.confidence_level,
    )
    return checked, baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineRows:
    """What a baseline is made of."""

    summary: Summary
    """The sum over its rows, and over all bad lines."""
    vocabulary: Vocabulary | None
    """The words of the latest texts."""
    fields: Mapping[str, FieldHistory]
    """Its rows by the values of each field of the settings."""


def read_baseline_rows(workspace: Workspace, period: Period) -> BaselineRows:
    """Return what a baseline of the rows in `period` is made of."""
    from sentimon.monitoring.vocabulary import MOST_TEXTS, vocabulary_of

    def question(log: Workspace) -> BaselineRows:
        summary, fields = log.summary(period), field_histories(log, period)
        with ExitStack() as stack:
            rows = log.rows(latest(period, summary, MOST_TEXTS), stack)
            vocabulary = vocabulary_of(log.progress(rows, "texts read"))
        return BaselineRows(summary=summary, vocabulary=vocabulary, fields=fields)

    return workspace.ask(question)


def latest(period: Period, summary: Summary, rows: int) -> Period:
    """Return the part of `period`, of whole hours, that holds so many of the latest rows in `summary`."""
    from msgspec.structs import replace

    from sentimon.timestamps import start_of_hour

    found = 0
    for hour, counts in sorted(summary.hours.items(), reverse=True):
        found += sum(counts)
        if found >= rows:
            starts = [one for one in (start_of_hour(hour), period.since) if one is not None]
            return replace(period, since=max(starts, default=None))
    return period
