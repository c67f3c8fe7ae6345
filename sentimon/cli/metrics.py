"""`sentimon metrics`: what was predicted, how often, how confidently."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentimon.cli.engine import EngineOption
from sentimon.cli.opening import open_workspace
from sentimon.cli.options import (
    ByOption,
    ConfigOption,
    DryRunFlag,
    ExitZeroFlag,
    JsonFlag,
    LogsOption,
    SaveFlag,
    SinceOption,
    TimeZoneOption,
    UntilOption,
    WhereOption,
    flag,
    refuse_narrowed,
)
from sentimon.cli.output import leave, note, show, show_json
from sentimon.cli.plan_reading import show_reading_plan
from sentimon.cli.recording import PrometheusOption, recorded
from sentimon.errors import ExitCode, UsageError
from sentimon.workflows.log_rows import say_trouble

if TYPE_CHECKING:
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.metrics import PeriodMetrics
    from sentimon.workflows.workspace import Workspace

EveryOption = Annotated[
    str | None,
    typer.Option("--every", metavar="DURATION", help="Window length, to show each: 15m, 1h, 6h, 1d, 1w."),
]

QualityFlag = Annotated[bool, flag("--quality", help="Instead: how good they were, by the gold labels.")]
EstimateFlag = Annotated[bool, flag("--estimate", help="Instead: how good, and what mix, without labels.")]
CalibrationOption = Annotated[
    Path | None,
    typer.Option("--calibration", metavar="FILE", help="For --estimate: what `sentimon calibrate` saved."),
]


@recorded
def metrics(
    logs: LogsOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    every: EveryOption = None,
    by: ByOption = None,
    where: WhereOption = None,
    tz: TimeZoneOption = None,
    quality: QualityFlag = False,
    estimate: EstimateFlag = False,
    calibration: CalibrationOption = None,
    save: SaveFlag = False,
    prometheus: PrometheusOption = None,
    as_json: JsonFlag = False,
    exit_zero: ExitZeroFlag = False,
    engine: EngineOption = None,
    dry_run: DryRunFlag = False,
    config: ConfigOption = None,
) -> None:
    """Sum the log up: class counts and shares, mean confidence.

    Each with its interval; per window too with --every, and per slice with --by. With --quality or
    --estimate: how good the predictions were, by gold labels or without; exit code 3 if the error rate
    rose, 4 with too few labels.

    Example: sentimon metrics --logs logs/ --since 7d --every 1d --tz Europe/Rome
    """
    from sentimon.workflows.metrics import measure_period, save_metrics

    flags = {"logs.dir": logs, "metrics.time_zone": tz, "engine.name": engine}
    workspace = open_workspace(config, flags, objects=True, where=where)
    refuse_narrowed(where, {"--save": save, "--prometheus": prometheus})
    if dry_run:
        show_reading_plan(workspace, as_json=as_json)
    period = workspace.period(since, until)
    if quality or estimate or calibration:
        _check_options(quality=quality, estimate=estimate or calibration is not None, every=every, save=save)
        if quality:
            code = _show_quality(workspace, period, every, by, as_json=as_json)
        else:
            code = _show_estimate(workspace, period, calibration, by, as_json=as_json)
        leave(code, exit_zero=exit_zero)
    found = measure_period(workspace, period, every=every, by=by)
    say_trouble(workspace, found.summary)
    if as_json:
        show_json(found.to_dict())
    else:
        _show(workspace, found)
    if save:
        save_metrics(workspace, found)
    if prometheus:
        prometheus.keep_metrics(workspace, found.summary, found.metrics)
        if found.by is not None:
            prometheus.keep_slices(workspace, found.by)
    if not found.metrics.total:
        note("no predictions in that period: log some with `sentimon log`, or choose another period")


def _show(workspace: Workspace, found: PeriodMetrics) -> None:
    from sentimon.reporting.metrics_tables import metrics_table, windows_table

    names, level = workspace.names, found.confidence_level
    show(metrics_table(found.metrics, found.summary, names))
    if found.windows:
        show(windows_table(found.windows, names, zone=workspace.zone, confidence_level=level))
    if found.by is not None:
        from sentimon.reporting.slice_tables import slices_table

        show(slices_table(found.by, names))


def _check_options(*, quality: bool, estimate: bool, every: str | None, save: bool) -> None:
    """Raise UsageError where options do not go together."""
    if quality and estimate:
        raise UsageError("--quality and --estimate exclude each other", hint="ask one after the other")
    if save:
        raise UsageError(
            "--save keeps the plain metrics only", hint="leave out --save, or --quality and --estimate"
        )
    if estimate and every is not None:
        raise UsageError("--estimate is about one period", hint="choose it with --since and --until")


def _show_quality(
    workspace: Workspace, period: Period, every: str | None, by: str | None, *, as_json: bool
) -> ExitCode:
    """Show the quality of the labelled rows; 3 where the error rate rose, 4 with too few labels."""
    from sentimon.reporting.quality_tables import realised_object, realised_table
    from sentimon.reporting.slice_quality_tables import (
        slice_quality_object,
        slice_quality_table,
        slice_risks_object,
        slice_risks_text,
    )
    from sentimon.workflows.quality import measure_quality

    found = measure_quality(workspace, period, every=every, by=by)
    if as_json:
        content = realised_object(found.quality, found.windows, found.risk, rows=found.rows)
        if found.slice_risks is not None:
            content["slice_risks"] = slice_risks_object(found.slice_risks)
        if found.by is not None:
            content["by"] = slice_quality_object(found.by)
        show_json(content)
    else:
        zone = workspace.zone
        show(realised_table(found.quality, found.windows, found.risk, rows=found.rows, zone=zone))
        if found.slice_risks is not None:
            show(slice_risks_text(found.slice_risks))
        if found.by is not None:
            show(slice_quality_table(found.by))
    if not found.labelled:
        note("no logged row of that period is labelled: `sentimon label import` joins labels to the log")
    if found.risk.alarm or (found.slice_risks is not None and found.slice_risks.alarms):
        return ExitCode.FINDING
    return ExitCode.OK if found.risk.decided else ExitCode.NO_VERDICT


def _show_estimate(
    workspace: Workspace, period: Period, calibration: Path | None, by: str | None, *, as_json: bool
) -> ExitCode:
    """Show what the labelled rows say of the others; 4 where that cannot be trusted."""
    from sentimon.reporting.estimate_tables import estimates_object, estimates_table
    from sentimon.reporting.slice_quality_tables import slice_estimates_object, slice_estimates_table
    from sentimon.workflows.quality import estimate_quality

    found = estimate_quality(workspace, period, calibration=calibration, by=by)
    origin, labels = None if calibration is None else str(calibration), workspace.labels
    if as_json:
        content = estimates_object(found.estimates, found.gap, calibration=origin, names=labels)
        if found.by is not None:
            content["by"] = slice_estimates_object(found.by, calibration=origin, names=labels)
        show_json(content)
    else:
        show(estimates_table(found.estimates, found.gap, workspace.names, calibration=origin))
        if found.by is not None:
            show(slice_estimates_table(found.by, workspace.names))
    return ExitCode.OK if found.estimates.learnt else ExitCode.NO_VERDICT
