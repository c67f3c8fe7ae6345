"""`sentimon predict`: texts in, scores out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from sentimon.cli.inputs import BadLines, nothing_to_score, open_input
from sentimon.cli.options import (
    ColumnOption,
    ConfigOption,
    FormatOption,
    InputOption,
    JsonFlag,
    LogsOption,
    ModelOption,
    RevisionOption,
    flag,
)
from sentimon.cli.output import counted, leave, note, show, show_json
from sentimon.cli.progress import watched
from sentimon.cli.session import Session, clock, start
from sentimon.errors import UsageError

if TYPE_CHECKING:
    from sentimon.jsonl import BadLine
    from sentimon.logbook.record import PredictionRecord
    from sentimon.scoring.inputs import InputRow
    from sentimon.scoring.scorer import Scorer
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
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Score texts: arguments, a file, or stdin.

    With --json one object per line: text, sentiment, confidence, scores, model, truncated. A row without
    a text is reported and left out, and the exit code is then 1.

    Example: sentimon predict "I love this" "Questo prodotto è ottimo"
    """
    from sentimon.scoring.scorer import bounded, load_scorer, score_stream

    session = start(config, {"model.name": model, "model.revision": revision, "logs.dir": logs})
    if logs is not None and not log:
        raise UsageError(
            "--logs says where to log, but --log is not given", hint="add --log, or leave --logs out"
        )
    rows = open_input(texts or [], source, column=column, file_format=file_format)
    size = session.settings.model.buffer_size
    scorer = load_scorer(session.settings.model)
    bad, total, truncated = BadLines(), 0, 0
    predictions = score_stream(scorer, _texts(watched(rows, "texts read"), bad), buffer_size=size)
    with session.writer() if log else nullcontext() as writer:
        for chunk in bounded(predictions, count=size, length=lambda one: len(one[0])):
            if writer:
                writer.append(_records(scorer, chunk), now=clock())
            _show(session, scorer, chunk, as_json=as_json, heading=not total)
            total += len(chunk)
            truncated += sum(scored.truncated for _, scored in chunk)
    if not total and not bad.count:
        nothing_to_score(source)
    if truncated:
        note(f"{truncated} of {counted(total, 'text')} longer than the model reads: the end was not seen")
    if log:
        note(f"{counted(total, 'prediction')} logged to {session.writer().path}")
    leave(bad.exit_code)


def _texts(rows: Iterable[InputRow | BadLine], bad: BadLines) -> Iterator[str]:
    for row in bad.left_out(rows):
        if row.text is None:
            bad.report(row.bad("field", "has no text"))
        else:
            yield row.text


def _show(
    session: Session, scorer: Scorer, chunk: list[tuple[str, ScoredText]], *, as_json: bool, heading: bool
) -> None:
    from sentimon.reporting.predictions import prediction_object, predictions_table

    if as_json:
        for text, scored in chunk:
            show_json(prediction_object(text, scored, model=scorer.model))
        return
    shown = [(text, scored.scores, scored.truncated) for text, scored in chunk]
    show(predictions_table(shown, session.names, heading=heading))


def _records(scorer: Scorer, chunk: list[tuple[str, ScoredText]]) -> list[PredictionRecord]:
    from sentimon.logbook.record import PredictionRecord

    now, model, revision = clock(), scorer.model, scorer.revision
    return [
        PredictionRecord.of(text, scored, timestamp=now, model=model, revision=revision)
        for text, scored in chunk
    ]
