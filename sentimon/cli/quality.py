"""`sentimon metrics --quality`: how good the predictions were by their gold labels, and did it get worse."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from sentimon.cli.labelled import log_rows
from sentimon.cli.output import leave, note, show, show_json
from sentimon.errors import ExitCode, UsageError
from sentimon.workflows.log_labels import read_labels, risk_since_baseline, text_hash
from sentimon.workflows.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.prediction_log.windows import Period


def answer_instead(
    workspace: Workspace,
    period: Period,
    *,
    quality: bool,
    estimate: bool,
    calibration: Path | None,
    every: str | None,
    save: bool,
    as_json: bool,
    exit_zero: bool,
) -> NoReturn:
    """Answer `metrics --quality` or `metrics --estimate`, and end the command.

    Raises:
        UsageError: options that do not go together.
    """
    if quality and (estimate or calibration is not None):
        raise UsageError("--quality and --estimate exclude each other", hint="ask one after the other")
    if save:
        raise UsageError(
            "--save keeps the plain metrics only", hint="leave out --save, or --quality and --estimate"
        )
    if quality:
        leave(show_quality(workspace, period, every=every, as_json=as_json), exit_zero=exit_zero)
    if every is not None:
        raise UsageError("--estimate is about one period", hint="choose it with --since and --until")
    from sentimon.cli.estimate import show_estimate

    code = show_estimate(workspace, period, calibration=calibration, as_json=as_json)
    leave(code, exit_zero=exit_zero)


def show_quality(workspace: Workspace, period: Period, *, every: str | None, as_json: bool) -> ExitCode:
    """Show the quality of the labelled rows of `period`, per window where `every` asks for it.

    Returned is the exit code: 0 without an alarm, 3 where the error rate rose, 4 with too few labels.
    """
    from sentimon.evaluation.realised_quality import judge, realise, realise_windows
    from sentimon.gold_labels.label_coverage import with_labels
    from sentimon.reporting.quality_tables import realised_object, realised_table

    calendar = None if every is None else workspace.calendar(every)
    level = workspace.settings.drift.confidence_level
    book = read_labels(workspace)
    with log_rows(workspace, period) as records:
        judged, counts = judge(with_labels(records, book.finder(text_hash(workspace))), calendar)
    quality = realise(judged, confidence_level=level)
    windows = None
    if calendar is not None:
        windows = realise_windows(judged, counts, calendar, now=workspace.now, confidence_level=level)
    risk = risk_since_baseline(workspace, book, judged, workspace.baseline_path(None))
    rows = sum(counts.values())
    if as_json:
        show_json(realised_object(quality, windows, risk, rows=rows))
    else:
        show(realised_table(quality, windows, risk, rows=rows, zone=workspace.zone))
    if not judged:
        note("no logged row of that period is labelled: `sentimon label import` joins labels to the log")
    if risk.alarm:
        return ExitCode.FINDING
    return ExitCode.OK if risk.decided else ExitCode.NO_VERDICT
