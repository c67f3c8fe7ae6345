"""`sentimon retrain-check`: should the model be retrained."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from sentimon.cli.engine import EngineOption
from sentimon.cli.notify import OnTriggerOption, WebhookOption, tell, tell_services
from sentimon.cli.opening import open_workspace
from sentimon.cli.options import (
    BaselineOption,
    ConfigOption,
    DryRunFlag,
    ExitZeroFlag,
    JsonFlag,
    LogsOption,
    QuietFlag,
    SaveFlag,
    SinceOption,
    ThresholdOption,
    UntilOption,
)
from sentimon.cli.output import leave, note, show, show_json, show_sentences
from sentimon.cli.plan_reading import show_reading_plan
from sentimon.cli.recording import PrometheusOption, Recording, recorded
from sentimon.errors import ExitCode
from sentimon.workflows.log_rows import say_trouble

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.workflows.retraining import RetrainingDecision
    from sentimon.workflows.workspace import Workspace


@recorded
def retrain_check(
    logs: LogsOption = None,
    file: BaselineOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    threshold: ThresholdOption = None,
    save: SaveFlag = False,
    on_trigger: OnTriggerOption = None,
    webhook: WebhookOption = None,
    prometheus: PrometheusOption = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
    exit_zero: ExitZeroFlag = False,
    engine: EngineOption = None,
    dry_run: DryRunFlag = False,
    config: ConfigOption = None,
) -> None:
    """Decide whether the model needs retraining.

    It does where there are enough new rows, and their mean confidence is low, they have drifted, or the
    error rate of the labelled rows has risen (`sentimon label`). New are the rows after the baseline and
    after the last saved trigger that fired. From 2,000 baseline rows
    on, drift is judged by a monitor that stays sure however often it looks, and fires once while drift
    lasts. After a `promote` that asked for a baseline nothing is decided until its rows are logged; then it
    makes it. Exit code: 0 no, 3 yes, 4 no verdict.

    Example: sentimon retrain-check --logs logs/ --save -q
    """
    from sentimon.workflows.next_baseline import collect_baseline
    from sentimon.workflows.retraining import check_retraining

    flags = {"logs.dir": logs, "drift.threshold": threshold, "notify.webhook": webhook}
    workspace = open_workspace(config, flags | {"engine.name": engine}, objects=True)
    if dry_run:
        show_reading_plan(workspace, as_json=as_json)
    path = workspace.baseline_path(file)
    collect_baseline(workspace, path)
    show_decision = partial(_show, workspace, path, prometheus, as_json=as_json, quiet=quiet)
    decision = check_retraining(
        workspace, path, workspace.period(since, until), save=save, show=show_decision
    )
    trigger = decision.trigger
    if prometheus:
        prometheus.keep_retraining(workspace, trigger)
    if trigger.triggered:
        # After all that is remembered of it: nothing that hangs or fails can take it back.
        tell(workspace, decision.entry, command=on_trigger)
    if save:
        tell_services(workspace, decision, config=config, file=file)
    if trigger.triggered:
        leave(ExitCode.FINDING, exit_zero=exit_zero)
    leave(ExitCode.OK if trigger.decided else ExitCode.NO_VERDICT, exit_zero=exit_zero)


def _show(
    workspace: Workspace,
    path: Path,
    prometheus: Recording | None,
    decision: RetrainingDecision,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    from sentimon.workflows.traffic_notes import tell_of_traffic

    traffic = decision.traffic
    if quiet and traffic is not None:
        tell_of_traffic(workspace, path, traffic)
    if prometheus:
        prometheus.keep_traffic(traffic)
    if decision.last is not None and decision.last.doubt is not None:
        # Said also where quiet is asked for: it may hold back what would fire.
        last = decision.last
        note(f"{last.doubt}: taken for a trigger that fired at {last.timestamp:%Y-%m-%d %H:%M} UTC")
        note("mend that line, or remove it if none fired then")
    if decision.trigger.triggered or not quiet:
        for line in decision.unreadable:
            note(f"bad line: {line}")
        say_trouble(workspace, decision.summary)
        if as_json:
            show_json(decision.entry)
        else:
            # Not loaded where no table is shown: that is a tenth of the command's time.
            from sentimon.reporting.decision_tables import trigger_table
            from sentimon.reporting.traffic_sentences import explain_trouble

            show(trigger_table(decision.trigger, workspace.names))
            show_sentences(explain_trouble(traffic))
    # Shown before it is saved: one that nobody could be told of fires again.
    sys.stdout.flush()
