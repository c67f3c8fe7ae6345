"""`sentimon export`: what is known of the log, for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from sentimon.cli.later import later_app
from sentimon.cli.opening import open_workspace
from sentimon.cli.options import (
    BaselineOption,
    ByOption,
    ConfigOption,
    LogsOption,
    QuietFlag,
    SinceOption,
    UntilOption,
    output_option,
)
from sentimon.cli.recording import STDOUT, Recording
from sentimon.config.paths import expanded
from sentimon.workflows.log_rows import say_trouble

if TYPE_CHECKING:
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.workspace import Workspace

app = later_app("export", "Write what is known for other programs: Prometheus.")


@app.callback()
def export() -> None:
    """Have `prometheus` be a command of a group, also where it is the only one."""


@app.command(short_help="Write metrics, drift and the decision.")
def prometheus(
    logs: LogsOption = None,
    output: Annotated[
        Path,
        output_option("Where to write; the file is replaced. (default: stdout)", show_default=False),
    ] = STDOUT,
    file: BaselineOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    by: ByOption = None,
    quiet: QuietFlag = False,
    config: ConfigOption = None,
) -> None:
    """Write metrics, drift and decision for node_exporter's textfile collector.

    The file is replaced in one step; its folder has to be there, its name should end in .prom. Nothing
    is saved and no baseline is made. If it fails, the file says so and keeps the time of the last
    success. Exit code: 0 written, 1 failed.

    Example: sentimon export prometheus --logs logs/ --output /var/lib/node_exporter/shop.prom
    """
    recording = Recording(output if output == STDOUT else expanded(output))
    recording.check(logs, config, file, quiet=quiet)
    with recording.of("export"):
        workspace = open_workspace(config, {"logs.dir": logs}, objects=True)
        path, period = workspace.baseline_path(file), workspace.period(since, until)
        _look(recording, workspace, path, period, by=by, quiet=quiet)


def _look(
    recording: Recording,
    workspace: Workspace,
    path: Path,
    period: Period,
    *,
    by: str | None,
    quiet: bool,
) -> None:
    from sentimon.workflows.drift import BaselineComparison, look_for_drift
    from sentimon.workflows.metrics import measure_period
    from sentimon.workflows.retraining import decide_retraining
    from sentimon.workflows.traffic import check_traffic

    found = measure_period(workspace, period, by=by)
    if not quiet:
        say_trouble(workspace, found.summary)
    recording.keep_metrics(workspace, found.summary, found.metrics)
    if found.by is not None:
        recording.keep_slices(workspace, found.by)
    drift = look_for_drift(workspace, path, period, by=by).result
    if isinstance(drift, BaselineComparison):
        recording.keep_drift(workspace, drift.report, drift.by)
    else:
        recording.keep_monitor(workspace, drift.report)
    recording.keep_retraining(workspace, decide_retraining(workspace, path, period).trigger)
    recording.keep_traffic(check_traffic(workspace, path))
    recording.found_nothing()
