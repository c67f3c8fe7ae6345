"""`sentimon log`: texts scored and kept, or rows scored elsewhere checked and kept."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from sentimon.cli.dataset_options import InputOption, InputOptions, TextOption
from sentimon.cli.engine import EngineOption
from sentimon.cli.inputs import note_unreadable, note_without_text, nothing_to_score, open_input, show_plan
from sentimon.cli.opening import clock, open_workspace
from sentimon.cli.options import (
    ConfigOption,
    DryRunFlag,
    JsonFlag,
    LogsOption,
    ModelOption,
    QuietFlag,
    RevisionOption,
    flag,
    grouped,
)
from sentimon.cli.output import counted, leave, note, show, show_json
from sentimon.errors import ExitCode
from sentimon.workflows.workspace import Workspace

if TYPE_CHECKING:
    from sentimon.ingest.input_file import InputFile
    from sentimon.prediction_log.logged_inputs import LoggedInput
    from sentimon.prediction_log.record import PredictionRecord
    from sentimon.workflows.scoring import LoggedFile


@grouped
def log(
    texts: Annotated[list[str] | None, typer.Argument(metavar="TEXT", help="Texts to score and log.")] = None,
    *,
    are_texts: TextOption = None,
    source: InputOption = None,
    reading: InputOptions,
    logs: LogsOption = None,
    model: ModelOption = None,
    revision: RevisionOption = None,
    engine: EngineOption = None,
    resume: Annotated[
        bool, flag("--resume", help="Go on where a run was stopped; log no file twice. Always so with ray.")
    ] = False,
    again: Annotated[bool, flag("--again", help="Log a file although it was logged before.")] = False,
    dry_run: DryRunFlag = False,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
    config: ConfigOption = None,
) -> None:
    """Score texts and keep them in the log.

    Rows of a file that bring what another model predicted are checked and kept as they are: full scores, a
    class with its probability, or a class alone. Columns are found by their usual names, or named; fields of
    other names are kept. Bad rows are reported and left out, and the exit code is then 1. The same file is
    logged once, unless --again is given.

    Example: sentimon log --input predictions.jsonl --logs logs/
    """
    from sentimon.ingest.input_columns import Need
    from sentimon.prediction_log.resumable_log import job_key
    from sentimon.scoring.scorer import model_name
    from sentimon.workflows.scoring import describe_job, is_file, log_file, mark_of

    flags = {"model.name": model, "model.revision": revision, "logs.dir": logs, "engine.name": engine}
    workspace = open_workspace(config, flags | reading.flags())
    rows = open_input(
        workspace, texts or [], source, need=Need.PREDICTIONS, are_texts=are_texts or [], quiet=quiet
    )
    source = source or rows.named
    with rows:
        if dry_run:
            show_plan(workspace, rows, as_json=as_json)
            return
        if resume or (workspace.settings.engine.name == "ray" and is_file(source)):
            asked = describe_job(workspace.settings, source, "--resume")
            mark = mark_of(workspace, source, again=again, job=job_key(asked["input"]))
            done = log_file(workspace, rows, asked, clock=clock, mark=mark)
        else:
            mark = mark_of(workspace, source, again=again)
            show_each = bool(texts or are_texts) and not quiet and not as_json
            done = _log_all(workspace, rows, mark, show_each=show_each)
    note_without_text(rows)
    if not done.logged and not done.bad_lines and not rows.without_text:
        nothing_to_score(source)
    if not quiet:
        note_unreadable(done.unreadable, model_name(workspace.settings.model))
    _show_done(str(workspace.writer().path), done, as_json=as_json, quiet=quiet)
    leave(ExitCode.FAILURE if done.bad_lines else ExitCode.OK)


def _show_done(path: str, done: LoggedFile, *, as_json: bool, quiet: bool) -> None:
    """Say how many predictions are in the log at `path` now, and what was left out."""
    if as_json:
        counts = {"logged": done.logged, "bad_lines": done.bad_lines, "unreadable": done.unreadable}
        show_json(counts | {"path": path})
    elif not quiet:
        left_out = f"; {counted(done.bad_lines, 'bad line')} left out" if done.bad_lines else ""
        where = " before" if done.already else f" to {path}" if done.logged else ""
        kept = f"; {done.without_scores} without all scores kept as they came" if done.without_scores else ""
        note(f"{counted(done.logged, 'prediction')} logged{where}{kept}{left_out}")


def _log_all(
    workspace: Workspace, rows: InputFile, mark: LoggedInput | None, *, show_each: bool
) -> LoggedFile:
    from sentimon.workflows.scoring import LoggedFile, count_unreadable, log_rows

    logged = bad_lines = lacking = unreadable = 0
    with closing(log_rows(workspace, rows, clock=clock, mark=mark)) as batches:
        for batch in batches:
            logged += len(batch.records)
            bad_lines += batch.bad_lines
            lacking += sum(one.scores is None for one in batch.records)
            unreadable += count_unreadable(batch.records)
            if show_each:
                _show(workspace, batch.records)
    return LoggedFile(
        logged=logged, bad_lines=bad_lines, already=False, without_scores=lacking, unreadable=unreadable
    )


def _show(workspace: Workspace, records: list[PredictionRecord]) -> None:
    from sentimon.reporting.prediction_table import ShownText, predictions_table

    rows = [
        ShownText(
            text=one.text or "",
            scores=one.scores,
            truncated=bool(one.truncated),
            unreadable=bool(one.unreadable),
        )
        for one in records
        if one.scores is not None
    ]
    show(predictions_table(rows, workspace.names, heading=True))
