"""`sentimon baseline`: what was normal, saved, shown, and checked on itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from sentimon.cli.engine import EngineOption
from sentimon.cli.later import later_app
from sentimon.cli.opening import open_workspace
from sentimon.cli.options import (
    BaselineOption,
    ConfigOption,
    DryRunFlag,
    ExitZeroFlag,
    JsonFlag,
    LogsOption,
    SinceOption,
    TimeZoneOption,
    UntilOption,
    flag,
)
from sentimon.cli.output import counted, leave, note, show, show_json
from sentimon.cli.plan_reading import show_reading_plan
from sentimon.cli.reading import note_trouble
from sentimon.errors import ExitCode, StoreError, UsageError

app = later_app("baseline")


@app.command()
def create(
    logs: LogsOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    name: Annotated[str, typer.Option("--name", help="Name of the baseline, for reports.")] = "baseline",
    file: BaselineOption = None,
    force: Annotated[bool, flag("--force", help="Overwrite the baseline that is there.")] = False,
    as_json: JsonFlag = False,
    engine: EngineOption = None,
    dry_run: DryRunFlag = False,
    config: ConfigOption = None,
) -> None:
    """Save the rows of a period as the baseline.

    Example: sentimon baseline create --logs logs/ --since 2026-09-07 --until 2026-09-21 --name september
    """
    from sentimon.monitoring.baseline import create_baseline
    from sentimon.prediction_log.output_files import BASELINE
    from sentimon.reporting.json_shapes import baseline_object
    from sentimon.reporting.metrics_tables import baseline_table
    from sentimon.workflows.drift import read_baseline_rows
    from sentimon.workflows.next_baseline import place_baseline

    workspace = open_workspace(config, {"logs.dir": logs, "engine.name": engine}, objects=True)
    if dry_run:
        show_reading_plan(workspace, as_json=as_json)
    path = workspace.baseline_path(file)
    if file is not None or workspace.folder.is_dir():
        workspace.output(path, BASELINE, inputs=(config,))
    if not name.strip():
        raise UsageError("--name is empty", hint="leave it out, or give the baseline a name")
    if path.exists() and not force:
        raise StoreError(f"{path}: there is a baseline already", hint="--force overwrites it")
    summary, vocabulary = read_baseline_rows(workspace, workspace.period(since, until))
    note_trouble(workspace, summary)
    made = create_baseline(
        summary,
        vocabulary,
        name=name,
        source=workspace.source,
        created=workspace.now,
        min_samples=workspace.settings.drift.min_samples,
    )
    if len(made.known_models) > 1:
        note(f"its rows come from {counted(len(made.known_models), 'model')}: a baseline of one says more")
    if place_baseline(workspace.folder, path, made, force=force):
        note("the baseline that was being collected since a switch of models is given up")
    note(f"baseline {name!r} saved to {path}")
    level = workspace.settings.drift.confidence_level
    if as_json:
        show_json(baseline_object(made, confidence_level=level))
    else:
        show(baseline_table(made, workspace.names, confidence_level=level))


@app.command("show")
def show_baseline(
    logs: LogsOption = None,
    file: BaselineOption = None,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Show the class mix, the confidence and the provenance of the baseline.

    Example: sentimon baseline show --logs logs/
    """
    from sentimon.reporting.json_shapes import baseline_object
    from sentimon.reporting.metrics_tables import baseline_table
    from sentimon.workflows.state_files import read_baseline

    workspace = open_workspace(config, {"logs.dir": logs}, objects=True)
    found = read_baseline(workspace.baseline_path(file))
    level = workspace.settings.drift.confidence_level
    if as_json:
        show_json(baseline_object(found, confidence_level=level))
    else:
        show(baseline_table(found, workspace.names, confidence_level=level))


@app.command()
def check(
    logs: LogsOption = None,
    file: BaselineOption = None,
    every: Annotated[str, typer.Option("--every", metavar="DURATION", help="Length of the windows.")] = "1d",
    tz: TimeZoneOption = None,
    as_json: JsonFlag = False,
    exit_zero: ExitZeroFlag = False,
    config: ConfigOption = None,
) -> None:
    """Compare each window of the baseline with the rest of it: a good one is quiet on its own data.

    A baseline keeps its rows per hour; an hour counts to the window that holds its start. Exit code:
    0 quiet, 3 a window departs, 4 no window has enough rows.

    Example: sentimon baseline check --logs logs/ --every 1d
    """
    from sentimon.monitoring.baseline import check_baseline
    from sentimon.reporting.decision_tables import check_table
    from sentimon.reporting.json_shapes import check_object
    from sentimon.workflows.state_files import read_baseline

    workspace = open_workspace(config, {"logs.dir": logs, "metrics.time_zone": tz}, objects=True)
    settings = workspace.settings.drift
    calendar = workspace.calendar(every)
    if calendar.every < timedelta(hours=1):
        raise UsageError(
            f"--every {every} is shorter than an hour", hint="a baseline keeps its rows per hour"
        )
    found = read_baseline(workspace.baseline_path(file))
    checked = check_baseline(
        found,
        calendar,
        threshold=settings.threshold,
        min_samples=settings.min_samples,
        confidence_level=settings.confidence_level,
    )
    if as_json:
        show_json(check_object(checked, found))
    else:
        show(check_table(checked, zone=workspace.zone))
    if not checked.windows:
        leave(ExitCode.NO_VERDICT, exit_zero=exit_zero)
    leave(ExitCode.OK if checked.quiet else ExitCode.FINDING, exit_zero=exit_zero)
