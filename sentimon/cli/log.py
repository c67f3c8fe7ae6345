"""`sentimon log`: texts scored and kept, or rows scored elsewhere checked and kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
    QuietFlag,
    RevisionOption,
)
from sentimon.cli.output import counted, leave, note, show, show_json
from sentimon.cli.progress import watched
from sentimon.cli.session import Session, clock, start

if TYPE_CHECKING:
    from sentimon.jsonl import BadLine
    from sentimon.logbook.record import PredictionRecord
    from sentimon.scoring.inputs import InputRow


def log(
    texts: Annotated[list[str] | None, typer.Argument(metavar="TEXT", help="Texts to score and log.")] = None,
    source: InputOption = None,
    column: ColumnOption = None,
    file_format: FormatOption = None,
    logs: LogsOption = None,
    model: ModelOption = None,
    revision: RevisionOption = None,
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
    session = start(config, {"model.name": model, "model.revision": revision, "logs.dir": logs})
    rows = open_input(texts or [], source, column=column, file_format=file_format)
    bad, kept = BadLines(), _Kept()
    try:
        with session.writer() as writer:
            for records in _chunks(session, rows, bad):
                writer.append(records, now=clock())
                kept.count += len(records)
                if texts and not quiet and not as_json:
                    _show(session, records)
        kept.all = True
    finally:
        if kept.count and not kept.all:
            note(f"{counted(kept.count, 'prediction')} logged before it stopped")
    if not kept.count and not bad.count:
        nothing_to_score(source)
    if as_json:
        show_json({"logged": kept.count, "bad_lines": bad.count, "path": str(writer.path)})
    elif not quiet:
        left_out = f"; {counted(bad.count, 'bad line')} left out" if bad.count else ""
        where = f" to {writer.path}" if kept.count else ""
        note(f"{counted(kept.count, 'prediction')} logged{where}{left_out}")
    leave(bad.exit_code)


@dataclass(slots=True)
class _Kept:
    """How many rows have been kept, and whether these are all."""

    count: int = 0
    all: bool = False


def _chunks(
    session: Session, rows: Iterator[InputRow | BadLine], bad: BadLines
) -> Iterator[list[PredictionRecord]]:
    from sentimon.logbook.intake import take_in
    from sentimon.scoring.scorer import load_scorer

    settings = session.settings.model
    chunks = take_in(
        watched(rows, "rows read"),
        load=lambda: load_scorer(settings),
        clock=clock,
        zone=session.naive_zone,
        buffer_size=settings.buffer_size,
    )
    for chunk in chunks:
        yield list(bad.left_out(chunk))


def _show(session: Session, records: list[PredictionRecord]) -> None:
    from sentimon.reporting.predictions import predictions_table

    rows = [(one.text or "", one.scores, bool(one.truncated)) for one in records]
    show(predictions_table(rows, session.names, heading=True))
