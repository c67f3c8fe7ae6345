"""`sentimon report`: all that is known of a log, in one file for people."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentimon.cli.opening import command_options, open_workspace
from sentimon.cli.options import (
    BaselineOption,
    ByOption,
    ConfigOption,
    ExitZeroFlag,
    ExplainFlag,
    JsonFlag,
    LogsOption,
    ModelOption,
    QuietFlag,
    SinceOption,
    ThresholdOption,
    TimeZoneOption,
    UntilOption,
    WhereOption,
    output_option,
)
from sentimon.cli.output import leave, note, show_json
from sentimon.errors import DataError, ExitCode, UsageError
from sentimon.workflows.log_rows import say_trouble

if TYPE_CHECKING:
    from sentimon.reporting.report.blocks import Story
    from sentimon.reporting.report.report_value import Labelled, Report
    from sentimon.workflows.workspace import Workspace

_FILE = Path("report.html")
_HTML = (".html", ".htm")
_MARKDOWN = (".md", ".markdown")
ReportFileOption = Annotated[
    Path | None,
    output_option("Where to write; the file is replaced: .html or .md. (default: report.html)"),
]
WindowsOption = Annotated[
    str | None,
    typer.Option("--every", metavar="DURATION", help="Window length: 1h, 6h, 1d, 1w. (default: by the rows)"),
]
EvaluateOption = Annotated[
    str | None,
    typer.Option("--evaluate", metavar="FILE", help="Labelled texts that the model is measured on."),
]
NowOption = Annotated[
    str | None,
    typer.Option("--now", metavar="TIME", help="The moment of the report. (default: this one)"),
]


def report(
    logs: LogsOption = None,
    output: ReportFileOption = None,
    file: BaselineOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    every: WindowsOption = None,
    by: ByOption = None,
    explain: ExplainFlag = False,
    where: WhereOption = None,
    evaluate: EvaluateOption = None,
    model: ModelOption = None,
    tz: TimeZoneOption = None,
    threshold: ThresholdOption = None,
    now: NowOption = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
    exit_zero: ExitZeroFlag = False,
    config: ConfigOption = None,
) -> None:
    """Write all that is known of a log into one file for people: HTML or Markdown.

    The verdict first, then class mix, confidence and drift score over time, what moved, quality where
    there are gold labels, retraining, bad lines, settings, and how each number is computed. The file loads
    nothing and opens from disk. It only reads: the monitor remembers nothing of it. With --json the report
    is printed as one object, and written only where --output names a file. Exit code: 0 written; with
    --json that of what it concludes: 0 stable, 3 a finding, 4 no verdict.

    Example: sentimon report --logs logs/ --since 90d --output report.html
    """
    from sentimon.prediction_log.output_files import REPORT
    from sentimon.reporting.report.story import tell
    from sentimon.workflows.report import ReportRequest, build_report

    # All that is read is kept until the file is written, and then the process ends: nothing to be found.
    gc.disable()
    output = output if output is not None or as_json else _FILE
    form = _form_of(output)
    flags = {"logs.dir": logs, "metrics.time_zone": tz, "drift.threshold": threshold, "model.name": model}
    workspace = _at(open_workspace(config, flags, objects=True, where=where), now)
    period = workspace.period(since, until)
    asked = ReportRequest(
        period=period,
        baseline=workspace.baseline_path(file),
        every=every,
        by=by,
        explain=explain,
        options=command_options(workspace, config, file),
    )
    target = None if output is None else workspace.output(output, REPORT, inputs=(config, file, evaluate))
    labelled = None if evaluate is None else _scored(workspace, evaluate)
    value = build_report(workspace, asked, labelled)
    if target is not None:
        target.write(_written(tell(value), form))
    if not quiet:
        say_trouble(workspace, value.summary)
        if target is not None:
            note(f"report of {value.summary.count} predictions written to {target}")
    if as_json:
        _print(value, exit_zero=exit_zero)


def _form_of(output: Path | None) -> str:
    """Return the ending that says what the report is written as; empty where no file is written.

    Raises:
        UsageError: it says neither HTML nor Markdown.
    """
    form = "" if output is None else output.suffix.lower()
    if output is not None and form not in (*_HTML, *_MARKDOWN):
        raise UsageError(f"--output {output}: is neither HTML nor Markdown", hint="end it in .html or .md")
    return form


def _print(value: Report, *, exit_zero: bool) -> None:
    """Print the report as one object, and end with the exit code of its conclusion."""
    from sentimon.reporting.report.report_object import report_object

    show_json(report_object(value))
    if value.conclusion.is_finding:
        leave(ExitCode.FINDING, exit_zero=exit_zero)
    leave(ExitCode.OK if value.conclusion.is_decided else ExitCode.NO_VERDICT, exit_zero=exit_zero)


def _scored(workspace: Workspace, file: str) -> Labelled:
    """Return the quality on the labelled texts of `file`, which the model scores now."""
    from sentimon.workflows.evaluation import score_all
    from sentimon.workflows.labelled_texts import read_labelled
    from sentimon.workflows.report import measure_labelled

    rows = read_labelled(workspace, file)
    judged = score_all(workspace, [row.text for row in rows])
    labels = [row.label for row in rows]
    return measure_labelled(workspace, f"{file}, scored by {judged.model}", judged.scores, labels)


def _written(story: Story, form: str) -> bytes:
    if form in _MARKDOWN:
        from sentimon.reporting.report.rendering import to_markdown

        return to_markdown(story).encode()
    from sentimon.reporting.report.rendering import to_html

    return to_html(story).encode()


def _at(workspace: Workspace, now: str | None) -> Workspace:
    from sentimon.timestamps import parse_bound

    if now is None:
        return workspace
    try:
        return replace(workspace, now=parse_bound(now, now=workspace.now, zone=workspace.zone))
    except DataError as error:
        raise UsageError(f"--now: {error.message}", hint=error.hint) from error
