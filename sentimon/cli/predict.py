"""`sentimon predict`: texts in, scores out."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from sentimon.cli.engine import EngineOption, chunk_texts, scoring_of
from sentimon.cli.inputs import BadLines, asked_of, note_truncated, nothing_to_score, open_input
from sentimon.cli.options import (
    ColumnOption,
    ConfigOption,
    DryRunFlag,
    FormatOption,
    InputOption,
    JsonFlag,
    LogsOption,
    ModelOption,
    RevisionOption,
    flag,
)
from sentimon.cli.output import counted, leave, note, show, show_json
from sentimon.cli.parts import part_folder, predict_into
from sentimon.cli.plan_scoring import show_plan
from sentimon.cli.progress import watched
from sentimon.cli.session import Session, clock, start
from sentimon.errors import UsageError

if TYPE_CHECKING:
    from sentimon.ingest.input_row import InputRow
    from sentimon.jsonl import BadLine
    from sentimon.prediction_log.record import PredictionRecord
    from sentimon.prediction_log.writer import LogWriter
    from sentimon.scoring.batch_scoring import Answers, Scoring
    from sentimon.scoring.scores import ScoredText


def predict(
    texts: Annotated[list[str] | None, typer.Argument(metavar="TEXT", help="Texts to score.")] = None,
    source: InputOption = None,
    column: ColumnOption = None,
    file_format: FormatOption = None,
    model: ModelOption = None,
    revision: RevisionOption = None,
    log: Annotated[bool, flag("--log", help="Also append the predictions to the log.")] = False,
    logs: LogsOption = None,
    output: Annotated[
        str | None,
        typer.Option("--output", metavar="DIR", help="Write part files there; run again, it goes on."),
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

    With --json one object per line: text, sentiment, confidence, scores, model, truncated. A row without
    a text is reported and left out, and the exit code is then 1. With --output these lines go into part
    files, and a manifest says which are whole: a run that was stopped goes on from there.

    Example: sentimon predict "I love this" "Questo prodotto è ottimo"
    """
    flags = {"model.name": model, "model.revision": revision, "logs.dir": logs, "engine.name": engine}
    session = start(config, flags)
    if logs is not None and not log:
        raise UsageError(
            "--logs says where to log, but --log is not given", hint="add --log, or leave --logs out"
        )
    if log and output is not None:
        hint = "leave one out; `sentimon log --input FILE --resume` goes on after a stop, too"
        raise UsageError("--log and --output exclude each other", hint=hint)
    folder = None if output is None else part_folder(session, output, source)
    longest = session.settings.logs.max_line_bytes
    rows = open_input(texts or [], source, column=column, file_format=file_format, longest=longest)
    if dry_run:
        show_plan(session, rows, as_json=as_json)
        return
    scoring = scoring_of(session.settings, ordered=not unordered)
    if folder is not None:
        asked = asked_of(session.settings, source, "--output", column=column, file_format=file_format)
        # Where the parts are cut depends on it.
        asked |= {"chunk_texts": chunk_texts(session.settings)}
        predict_into(folder, rows, scoring, asked, as_json=as_json)
    writer = session.writer() if log else None
    _predict(session, watched(rows, "texts read"), scoring, writer, source=source, as_json=as_json)


def _predict(
    session: Session,
    rows: Iterable[InputRow | BadLine],
    scoring: Scoring,
    writer: LogWriter | None,
    *,
    source: str | None,
    as_json: bool,
) -> NoReturn:
    from sentimon.scoring.scored_rows import answered, length_of, texts_in
    from sentimon.scoring.scorer import bounded

    bad, total, truncated = BadLines(), 0, 0
    batches = bounded(rows, count=chunk_texts(session.settings), length=length_of)
    with writer or nullcontext():
        for batch, answers in scoring(batches, texts_in):
            chunk = list(bad.left_out(answered(batch, answers)))
            if writer:
                writer.append(_records(answers, chunk), now=clock())
            if chunk:
                _show(session, answers.model, chunk, as_json=as_json, heading=not total)
            total += len(chunk)
            truncated += sum(scored.truncated for _, scored in chunk)
    if not total and not bad.count:
        nothing_to_score(source)
    note_truncated(truncated, total)
    if writer:
        note(f"{counted(total, 'prediction')} logged to {writer.path}")
    leave(bad.exit_code)


def _show(
    session: Session, model: str, chunk: list[tuple[str, ScoredText]], *, as_json: bool, heading: bool
) -> None:
    from sentimon.reporting.prediction_table import prediction_object, predictions_table

    if as_json:
        for text, scored in chunk:
            show_json(prediction_object(text, scored, model=model))
        return
    shown = [(text, scored.scores, scored.truncated) for text, scored in chunk]
    show(predictions_table(shown, session.names, heading=heading))


def _records(answers: Answers, chunk: list[tuple[str, ScoredText]]) -> list[PredictionRecord]:
    from sentimon.prediction_log.record import PredictionRecord

    now = clock()
    return [
        PredictionRecord.of(text, scored, timestamp=now, model=answers.model, revision=answers.revision)
        for text, scored in chunk
    ]
