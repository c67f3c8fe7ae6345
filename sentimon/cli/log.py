"""`sentimon log`: texts scored and kept, or rows scored elsewhere checked and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from sentimon.cli.engine import EngineOption, chunk_texts, scoring_of
from sentimon.cli.inputs import BadLines, asked_of, is_file, nothing_to_score, open_input
from sentimon.cli.options import (
    ColumnOption,
    ConfigOption,
    DryRunFlag,
    FormatOption,
    InputOption,
    JsonFlag,
    LogsOption,
    ModelOption,
    QuietFlag,
    RevisionOption,
    flag,
)
from sentimon.cli.output import counted, leave, note, show, show_json
from sentimon.cli.plan_scoring import show_plan
from sentimon.cli.progress import watched
from sentimon.cli.session import Session, clock, start
from sentimon.cli.steps import Kept, log_in_steps
from sentimon.errors import ExitCode

if TYPE_CHECKING:
    from sentimon.ingest.input_row import InputRow
    from sentimon.jsonl import BadLine
    from sentimon.prediction_log.record import PredictionRecord


def log(
    texts: Annotated[list[str] | None, typer.Argument(metavar="TEXT", help="Texts to score and log.")] = None,
    source: InputOption = None,
    column: ColumnOption = None,
    file_format: FormatOption = None,
    logs: LogsOption = None,
    model: ModelOption = None,
    revision: RevisionOption = None,
    engine: EngineOption = None,
    resume: Annotated[
        bool, flag("--resume", help="Go on where a run was stopped; log no file twice. Always so with ray.")
    ] = False,
    dry_run: DryRunFlag = False,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
    config: ConfigOption = None,
) -> None:
    """Score texts and keep them in the log.

    Rows of a file that bring their scores are checked and kept as they are. A row of JSON may have
    text, scores, timestamp, id, model, revision, sentiment, confidence; other fields are kept. Bad rows
    are reported and left out, and the exit code is then 1.

    Example: sentimon log --input predictions.jsonl --logs logs/
    """
    flags = {"model.name": model, "model.revision": revision, "logs.dir": logs, "engine.name": engine}
    session = start(config, flags)
    longest = session.settings.logs.max_line_bytes
    rows = open_input(texts or [], source, column=column, file_format=file_format, longest=longest)
    if dry_run:
        show_plan(session, rows, as_json=as_json)
        return
    shown = texts and not quiet and not as_json
    if resume or (session.settings.engine.name == "ray" and is_file(source)):
        asked = asked_of(session.settings, source, "--resume", column=column, file_format=file_format)
        kept = log_in_steps(session, rows, asked)
    else:
        kept = _log(session, rows, show_each=_show if shown else None)
    if not kept.logged and not kept.bad_lines:
        nothing_to_score(source)
    path = str(session.writer().path)
    if as_json:
        show_json({"logged": kept.logged, "bad_lines": kept.bad_lines, "path": path})
    elif not quiet:
        left_out = f"; {counted(kept.bad_lines, 'bad line')} left out" if kept.bad_lines else ""
        where = " before" if kept.already else f" to {path}" if kept.logged else ""
        note(f"{counted(kept.logged, 'prediction')} logged{where}{left_out}")
    leave(ExitCode.FAILURE if kept.bad_lines else ExitCode.OK)


def _log(
    session: Session,
    rows: Iterator[InputRow | BadLine],
    *,
    show_each: Callable[[Session, list[PredictionRecord]], None] | None,
) -> Kept:
    from sentimon.prediction_log.intake import take_in

    bad, kept, every = BadLines(), 0, False
    try:
        with session.writer() as writer:
            for _, became in take_in(
                watched(rows, "rows read"),
                score=scoring_of(session.settings),
                clock=clock,
                zone=session.naive_zone,
                size=chunk_texts(session.settings),
            ):
                records = list(bad.left_out(became))
                writer.append(records, now=clock())
                kept += len(records)
                if show_each:
                    show_each(session, records)
        every = True
    finally:
        if kept and not every:
            note(f"{counted(kept, 'prediction')} logged before it stopped")
    return Kept(logged=kept, bad_lines=bad.count)


def _show(session: Session, records: list[PredictionRecord]) -> None:
    from sentimon.reporting.prediction_table import predictions_table

    rows = [(one.text or "", one.scores, bool(one.truncated)) for one in records]
    show(predictions_table(rows, session.names, heading=True))
