"""`sentimon metrics`: what was predicted, how often, how confidently."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentimon.cli.engine import EngineOption
from sentimon.cli.opening import open_workspace
from sentimon.cli.options import (
    ConfigOption,
    DryRunFlag,
    ExitZeroFlag,
    JsonFlag,
    LogsOption,
    SaveFlag,
    SinceOption,
    TimeZoneOption,
    UntilOption,
    flag,
)
from sentimon.cli.output import note, show, show_json
from sentimon.cli.plan_reading import show_reading_plan
from sentimon.cli.reading import note_trouble
from sentimon.cli.recording import PrometheusOption, recorded
from sentimon.workflows.workspace import Workspace

if TYPE_CHECKING:
    from sentimon.monitoring.prediction_metrics import Metrics
    from sentimon.prediction_log.summary import Summary
    from sentimon.prediction_log.windows import Period, Window

EveryOption = Annotated[
    str | None, typer.Option("--every", metavar="DURATION", help="Also per window: 15m, 1h, 6h, 1d, 1w.")
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

    Each with its interval; per window too with --every. With --quality or --estimate: how good the
    predictions were, by gold labels or without; exit code 3 if the error rate rose, 4 with too few labels.

    Example: sentimon metrics --logs logs/ --since 7d --every 1d --tz Europe/Rome
    """
    from sentimon.monitoring.prediction_metrics import measure
    from sentimon.prediction_log.history import METRICS_FILE, append_entry
    from sentimon.reporting.json_shapes import metrics_object, summary_object, window_object

    workspace = open_workspace(
        config, {"logs.dir": logs, "metrics.time_zone": tz, "engine.name": engine}, objects=True
    )
    if dry_run:
        show_reading_plan(workspace, as_json=as_json)
    if quality or estimate or calibration:
        from sentimon.cli.quality import answer_instead

        answer_instead(
            workspace,
            workspace.period(since, until),
            quality=quality,
            estimate=estimate,
            calibration=calibration,
            every=every,
            save=save,
            as_json=as_json,
            exit_zero=exit_zero,
        )
    level = workspace.settings.drift.confidence_level
    windows, summary = _read(workspace, workspace.period(since, until), every)
    note_trouble(workspace, summary)
    measured = measure(summary, confidence_level=level)
    content = metrics_object(measured, timestamp=workspace.now) | summary_object(summary)
    if windows is not None:
        content["windows"] = [window_object(window, confidence_level=level) for window in windows]
    if as_json:
        show_json(content)
    else:
        _show(workspace, measured, summary, windows)
    if save:
        append_entry(workspace.folder / METRICS_FILE, _to_keep(content))
    if prometheus:
        prometheus.keep_metrics(workspace, summary, measured)
    if not measured.total:
        note("no predictions in that period: log some with `sentimon log`, or choose another period")


def _show(workspace: Workspace, measured: Metrics, summary: Summary, windows: list[Window] | None) -> None:
    from sentimon.reporting.metrics_tables import metrics_table, windows_table

    show(metrics_table(measured, summary, workspace.names))
    if windows:
        level = workspace.settings.drift.confidence_level
        show(windows_table(windows, workspace.names, zone=workspace.zone, confidence_level=level))


def _read(workspace: Workspace, period: Period, every: str | None) -> tuple[list[Window] | None, Summary]:
    """Return (the windows, where they are asked for; the sum over the rows in `period` and all bad lines)."""
    if every is None:
        return None, workspace.summary(period)
    calendar = workspace.calendar(every)
    return workspace.windows(period, calendar)


def _to_keep(content: dict[str, Any]) -> dict[str, Any]:
    # Where a bad line stood says nothing later, and what it said may be erased from the log.
    trouble = {name: value for name, value in content["bad_lines"].items() if name != "first"}
    return content | {"bad_lines": trouble}
