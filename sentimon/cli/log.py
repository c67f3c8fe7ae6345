"""`sentimon log`: texts scored and kept, or rows scored elsewhere checked and kept."""

from __future__ import annotations

from typing import Annotated

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
from sentimon.cli.session import clock, start


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
    from sentimon.logbook.intake import take_in
    from sentimon.reporting.predictions import predictions_table
    from sentimon.scoring.scorer import load_scorer

    session = start(config, {"model.name": model, "model.revision": revision, "logs.dir": logs})
    settings = session.settings.model
    rows = open_input(texts or [], source, column=column, file_format=file_format)
    bad, total = BadLines(), 0
    chunks = take_in(
        watched(rows, "rows read"),
        load=lambda: load_scorer(settings),
        clock=clock,
        zone=session.naive_zone,
        buffer_size=settings.buffer_size,
    )
    finished = False
    try:
        with session.writer() as writer:
            for chunk in chunks:
                records = list(bad.left_out(chunk))
                total += len(writer.append(records, now=clock()))
                if texts and not quiet and not as_json:
                    shown = [(one.text or "", one.scores, bool(one.truncated)) for one in records]
                    show(predictions_table(shown, session.names, heading=True))
        finished = True
    finally:
        if not finished and total:
            note(f"{counted(total, 'prediction')} logged before it stopped")
    if not total and not bad.count:
        nothing_to_score(source)
    if as_json:
        show_json({"logged": total, "bad_lines": bad.count, "path": str(writer.path)})
    elif not quiet:
        left_out = f"; {counted(bad.count, 'bad line')} left out" if bad.count else ""
        note(f"{counted(total, 'prediction')} logged to {writer.path}{left_out}")
    leave(bad.exit_code)
