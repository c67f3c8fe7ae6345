"""`sentimon log`: texts scored and kept, or rows scored elsewhere checked and kept."""

from __future__ import annotations

from typing import Annotated

import typer

from sentimon.cli.inputs import BadLines, no_text, open_input
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
from sentimon.cli.progress import watched
from sentimon.cli.session import leave, note, show, show_json, start


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

    session = start(config, model__name=model, model__revision=revision, logs__dir=logs)
    settings = session.settings.model
    rows = open_input(texts or [], source, column=column, file_format=file_format)
    bad, total = BadLines(), 0
    chunks = take_in(
        watched(rows, "rows read"),
        load=lambda: load_scorer(settings),
        now=session.now,
        zone=session.naive_zone,
        buffer_size=settings.buffer_size,
    )
    finished = False
    try:
        with session.writer() as writer:
            for chunk in chunks:
                records = list(bad.left_out(chunk))
                total += len(writer.append(records, now=session.now))
                if texts and not quiet and not as_json:
                    shown = [(one.text or "", one.scores, bool(one.truncated)) for one in records]
                    show(predictions_table(shown, session.names, heading=True))
        finished = True
    finally:
        if not finished and total:
            note(f"{total} predictions had been logged before it stopped")
    if not total and not bad.count:
        raise no_text()
    if as_json:
        show_json({"logged": total, "bad_lines": bad.count, "path": str(writer.path)})
    elif not quiet:
        note(f"{total} predictions logged to {writer.path}; {bad.count} bad lines left out")
    leave(bad.exit_code)
