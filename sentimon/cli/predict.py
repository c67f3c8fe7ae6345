"""`sentimon predict`: texts in, scores out."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from sentimon.cli.dataset_options import InputOption, InputOptions, TextOption
from sentimon.cli.engine import EngineOption
from sentimon.cli.inputs import (
    note_truncated,
    note_unreadable,
    note_without_text,
    nothing_to_score,
    open_input,
    show_plan,
)
from sentimon.cli.opening import clock, open_workspace
from sentimon.cli.options import (
    ConfigOption,
    DryRunFlag,
    JsonFlag,
    LogsOption,
    ModelOption,
    RevisionOption,
    flag,
    grouped,
    output_option,
)
from sentimon.cli.output import counted, leave, note, show, show_json
from sentimon.errors import ExitCode, UsageError
from sentimon.workflows.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sentimon.engine.part_files import Manifest
    from sentimon.ingest.input_file import InputFile
    from sentimon.workflows.scoring import ScoredBatch


@grouped
def predict(
    texts: Annotated[list[str] | None, typer.Argument(metavar="TEXT", help="Texts to score.")] = None,
    *,
    are_texts: TextOption = None,
    source: InputOption = None,
    reading: InputOptions,
    model: ModelOption = None,
    revision: RevisionOption = None,
    log: Annotated[bool, flag("--log", help="Also append the predictions to the log.")] = False,
    logs: LogsOption = None,
    output: Annotated[
        str | None,
        output_option("Where to write part files: a folder; run again, it goes on."),
    ] = None,
    engine: EngineOption = None,
    unordered: Annotated[
        bool, flag("--unordered", help="Give out what is done first, not in the order of the input.")
    ] = False,
    dry_run: DryRunFlag = False,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Score texts: arguments, a file, or stdin.

    With --json one object per line: text, sentiment, confidence, scores, model, truncated; of a text with
    letters that the model does not know also unknown, and unreadable. Rows without a text are left out and
    counted; a bad row is reported, and the exit code is then 1. With --output these lines go into part files,
    and a manifest says which are whole: a run that was stopped goes on from there.

    Example: sentimon predict "I love this" "Questo prodotto è ottimo"
    """
    from sentimon.ingest.input_columns import Need
    from sentimon.workflows.scoring import describe_job, output_folder, score_to_part_files

    flags = {"model.name": model, "model.revision": revision, "logs.dir": logs, "engine.name": engine}
    workspace = open_workspace(config, flags | reading.flags())
    _check_options(log=log, logs=logs, output=output)
    folder = None if output is None else output_folder(workspace, output, source)
    with open_input(workspace, texts or [], source, need=Need.TEXTS, are_texts=are_texts or []) as rows:
        if dry_run:
            show_plan(workspace, rows, as_json=as_json)
        elif folder is not None:
            asked = describe_job(workspace.settings, source or rows.named, "--output")
            manifest = score_to_part_files(workspace, folder, rows, asked, ordered=not unordered)
            _show_parts(folder, manifest, as_json=as_json)
            note_without_text(rows)
            leave(ExitCode.FAILURE if manifest.sum_of("bad_lines") else ExitCode.OK)
        else:
            bad_lines = _score_and_show(
                workspace, rows, source or rows.named, log=log, ordered=not unordered, as_json=as_json
            )
            leave(ExitCode.FAILURE if bad_lines else ExitCode.OK)


def _score_and_show(
    workspace: Workspace, rows: InputFile, source: str | None, *, log: bool, ordered: bool, as_json: bool
) -> int:
    """Print the predictions as they come, logged where that is asked for; return the bad lines left out."""
    from sentimon.workflows.scoring import log_scored, score_rows

    batches = score_rows(workspace, rows, ordered=ordered)
    if log:
        batches = log_scored(workspace, batches, clock=clock)
    with closing(batches):
        scored, bad_lines = _show_batches(workspace, batches, as_json=as_json)
    note_without_text(rows)
    if not scored and not bad_lines and not rows.without_text:
        nothing_to_score(source)
    if log:
        note(f"{counted(scored, 'prediction')} logged to {workspace.writer().path}")
    return bad_lines


def _check_options(*, log: bool, logs: str | None, output: str | None) -> None:
    if logs is not None and not log:
        raise UsageError(
            "--logs says where to log, but --log is not given", hint="add --log, or leave --logs out"
        )
    if log and output is not None:
        hint = "leave one out; `sentimon log --input FILE --resume` goes on after a stop, too"
        raise UsageError("--log and --output exclude each other", hint=hint)


def _show_batches(workspace: Workspace, batches: Iterator[ScoredBatch], *, as_json: bool) -> tuple[int, int]:
    """Print the predictions as they come, and return (how many they are, the bad lines left out)."""
    from sentimon.reporting.prediction_table import ShownText, prediction_object, predictions_table

    scored = bad_lines = truncated = unreadable = 0
    model = ""
    for batch in batches:
        if as_json:
            for text, one in batch.texts:
                show_json(prediction_object(text, one, model=batch.model))
        elif batch.texts:
            shown = [
                ShownText(text=text, scores=one.scores, truncated=one.truncated, unreadable=one.unreadable)
                for text, one in batch.texts
            ]
            show(predictions_table(shown, workspace.names, heading=not scored))
        scored += len(batch.texts)
        bad_lines += batch.bad_lines
        truncated += batch.truncated
        unreadable += batch.unreadable
        model = batch.model or model
    note_truncated(truncated, scored)
    note_unreadable(unreadable, model, total=scored)
    return scored, bad_lines


def _show_parts(folder: Path, manifest: Manifest, *, as_json: bool) -> None:
    fields = ("predictions", "bad_lines", "truncated", "unreadable")
    sums = {field: manifest.sum_of(field) for field in fields}
    if as_json:
        show_json(sums | {"parts": len(manifest.parts), "path": str(folder)})
        return
    note_truncated(sums["truncated"], sums["predictions"])
    note_unreadable(sums["unreadable"], manifest.model, total=sums["predictions"])
    bad = f"; {counted(sums['bad_lines'], 'bad line')} left out" if sums["bad_lines"] else ""
    total = counted(sums["predictions"], "prediction")
    note(f"{total} in {counted(len(manifest.parts), 'part')} in {folder}{bad}")
