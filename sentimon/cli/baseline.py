"""`sentimon baseline`: what was normal, saved, shown, and checked on itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

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
from sentimon.errors import ExitCode

if TYPE_CHECKING:
    from sentimon.monitoring.baseline import Baseline
    from sentimon.workflows.workspace import Workspace

app = later_app("baseline", "Save, show and check the reference that later rows are compared with.")


@app.command(short_help="Save the rows of a period as the baseline.")
def create(
    logs: LogsOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Name of the baseline, for reports.")
    ] = "baseline",
    file: BaselineOption = None,
    force: Annotated[bool, flag("--force", help="Overwrite the baseline if it is there.")] = False,
    as_json: JsonFlag = False,
    engine: EngineOption = None,
    dry_run: DryRunFlag = False,
    config: ConfigOption = None,
) -> None:
    """Save the rows of a period as the baseline.

    Example: sentimon baseline create --logs logs/ --since 2026-09-07 --until 2026-09-21 --name september
    """
    from sentimon.prediction_log.output_files import BASELINE
    from sentimon.workflows.baseline import make_baseline

    workspace = open_workspace(config, {"logs.dir": logs, "engine.name": engine}, objects=True)
    if dry_run:
        show_reading_plan(workspace, as_json=as_json)
    path = workspace.baseline_path(file)
    if file is not None or workspace.folder.is_dir():
        workspace.output(path, BASELINE, inputs=(config,))
    found = make_baseline(workspace, path, workspace.period(since, until), name=name, force=force)
    models = len(found.baseline.known_models)
    if models > 1:
        note(f"its rows come from {counted(models, 'model')}: a baseline of one says more")
    if found.gave_up:
        note("the baseline that was being collected since a switch of models is given up")
    note(f"baseline {name!r} saved to {path}")
    _show(workspace, found.baseline, as_json=as_json)


@app.command(short_help="Add slices by the fields of [segments].")
def extend(
    logs: LogsOption = None,
    file: BaselineOption = None,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Add the slices by the fields of [segments] to the baseline that is there.

    They are told from the rows of the log that it was made of; all of them have to be there still.

    Example: sentimon baseline extend --logs logs/
    """
    from sentimon.workflows.baseline import extend_baseline

    workspace = open_workspace(config, {"logs.dir": logs}, objects=True)
    path = workspace.baseline_path(file)
    found = extend_baseline(workspace, path)
    note(f"baseline {found.name!r} in {path} has its slices by {', '.join(found.fields)}")
    note("for the monitor it is another baseline: its checks and incidents begin anew")
    _show(workspace, found, as_json=as_json)


@app.command("show", short_help="Show its class mix, confidence and origin.")
def show_baseline(
    logs: LogsOption = None,
    file: BaselineOption = None,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Show the class mix, the confidence and the provenance of the baseline.

    Example: sentimon baseline show --logs logs/
    """
    from sentimon.workflows.state_files import read_baseline

    workspace = open_workspace(config, {"logs.dir": logs}, objects=True)
    baseline = read_baseline(workspace.baseline_path(file), workspace.classes)
    _show(workspace, baseline, as_json=as_json)


def _show(workspace: Workspace, baseline: Baseline, *, as_json: bool) -> None:
    level = workspace.settings.drift.confidence_level
    if as_json:
        from sentimon.reporting.json_shapes import baseline_object

        show_json(baseline_object(baseline, confidence_level=level))
    else:
        from sentimon.reporting.metrics_tables import baseline_table

        show(baseline_table(baseline, workspace.names, confidence_level=level))


@app.command(short_help="Check that it is quiet on its own rows.")
def check(
    logs: LogsOption = None,
    file: BaselineOption = None,
    every: Annotated[
        str, typer.Option("--every", metavar="DURATION", help="Window length: 1h, 6h, 1d, 1w.")
    ] = "1d",
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
    from sentimon.reporting.decision_tables import check_table
    from sentimon.reporting.json_shapes import check_object
    from sentimon.workflows.baseline import check_baseline_windows

    workspace = open_workspace(config, {"logs.dir": logs, "metrics.time_zone": tz}, objects=True)
    checked, found = check_baseline_windows(workspace, workspace.baseline_path(file), every=every)
    if as_json:
        show_json(check_object(checked, found))
    else:
        show(check_table(checked, zone=workspace.zone))
    if not checked.windows:
        leave(ExitCode.NO_VERDICT, exit_zero=exit_zero)
    leave(ExitCode.OK if checked.quiet else ExitCode.FINDING, exit_zero=exit_zero)
