"""`sentimon label`: gold labels joined to the log, how far they reach, and what to label next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentimon.cli.dataset_options import FormatOption, LabelColumnOption
from sentimon.cli.inputs import open_input
from sentimon.cli.labelled import log_rows, note_lines
from sentimon.cli.later import later_app
from sentimon.cli.options import (
    ConfigOption,
    JsonFlag,
    LogsOption,
    QuietFlag,
    SinceOption,
    TimeZoneOption,
    UntilOption,
    flag,
)
from sentimon.cli.output import counted, leave, note, show, show_json
from sentimon.cli.session import Session, start
from sentimon.errors import ExitCode, UsageError
from sentimon.workflows.log_labels import read_labels, text_hash

if TYPE_CHECKING:
    from sentimon.gold_labels.label_book import Added
    from sentimon.gold_labels.label_import import Inbox

app = later_app("label")


FileArgument = Annotated[
    str, typer.Argument(metavar="FILE", help="Labels: .csv, .tsv, .jsonl or .parquet; - is stdin.")
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="FIELD",
        help="What names the logged row: id, text-hash or text. (default: the first that it has)",
    ),
]
ReplaceFlag = Annotated[bool, flag("--replace", help="Where a row has another label, take the later.")]


@app.command("import")
def import_labels(
    file: FileArgument,
    logs: LogsOption = None,
    key: KeyOption = None,
    label_column: LabelColumnOption = None,
    replace: ReplaceFlag = False,
    file_format: FormatOption = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
    config: ConfigOption = None,
) -> None:
    """Join gold labels to logged predictions, whenever they arrive.

    They are kept in labels.jsonl beside the log, which stays as it is; of a text only its keyed hash. To
    import a file twice changes nothing. Labels for no logged row, and second opinions without
    --replace, are reported and left out, and the exit code is then 1.

    Example: sentimon label import labelled.csv --logs logs/ --key id
    """
    from sentimon.gold_labels.label_book import LABELS_FILE, add_labels
    from sentimon.gold_labels.label_import import address
    from sentimon.prediction_log.windows import Period

    session = start(config, {"logs.dir": logs})
    inbox = _inbox(session, file, key=key, label_column=label_column, file_format=file_format)
    with log_rows(session, Period()) as records:
        arrivals, strangers = address(inbox.labels, records, text_hash(session))
    added = add_labels(
        session.folder,
        arrivals,
        replace=replace,
        zone=session.naive_zone,
        sync=session.settings.logs.fsync != "never",
    )
    for what, lines in (("bad line", inbox.bad_lines), ("unknown", strangers), ("conflict", added.conflicts)):
        note_lines(what, lines)
    left_out = (len(added.conflicts), len(strangers), len(inbox.bad_lines))
    path = session.folder / LABELS_FILE
    if as_json:
        show_json(_content(added, left_out, inbox.without_label) | {"path": str(path)})
    elif not quiet:
        note(f"{_said(added, left_out, inbox.without_label)}; {counted(added.total, 'label')} in {path}")
    leave(ExitCode.FAILURE if any(left_out) else ExitCode.OK)


def _inbox(
    session: Session, file: str, *, key: str | None, label_column: str | None, file_format: str | None
) -> Inbox:
    from sentimon.gold_labels.label_import import KEYS, open_inbox
    from sentimon.ingest.input_row import NO_COLUMN

    if key not in (None, *KEYS):
        raise UsageError(f"--key: unknown key {key!r}", hint=f"use one of: {', '.join(KEYS)}")
    return open_inbox(
        open_input(session, [], file, column=NO_COLUMN, file_format=file_format),
        by=key,
        label_field=label_column,
        now=session.now,
        zone=session.naive_zone,
        hash_text=text_hash(session),
    )


def _content(added: Added, left_out: tuple[int, int, int], without: int) -> dict[str, Any]:
    return {
        "added": added.new,
        "replaced": added.replaced,
        "unchanged": added.unchanged,
        **dict(zip(("conflicts", "unknown", "bad_lines"), left_out, strict=True)),
        "without_label": without,
        "labels": added.total,
    }


def _said(added: Added, left_out: tuple[int, int, int], without: int) -> str:
    parts = [f"{counted(added.new, 'label')} added"]
    parts += [f"{added.replaced} replaced"] if added.replaced else []
    parts += [f"{added.unchanged} known already"] if added.unchanged else []
    parts += [f"{counted(without, 'row')} not labelled yet"] if without else []
    names = ("conflict", "unknown row", "bad line")
    parts += [
        f"{counted(count, name)} left out" for count, name in zip(left_out, names, strict=True) if count
    ]
    return ", ".join(parts)


@app.command()
def status(
    logs: LogsOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    every: Annotated[
        str | None, typer.Option("--every", metavar="DURATION", help="Also per window: 1h, 6h, 1d, 1w.")
    ] = None,
    tz: TimeZoneOption = None,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Show how much of the log is labelled, how late, and whether that is a fair sample.

    Labelled rows are compared with the others by their predicted class and their confidence: where they
    differ by more than chance, plain averages over them say little about the rest.

    Example: sentimon label status --logs logs/ --every 1d
    """
    from sentimon.gold_labels.label_coverage import cover, with_labels
    from sentimon.reporting.label_tables import coverage_object, coverage_table

    session = start(config, {"logs.dir": logs, "metrics.time_zone": tz})
    calendar = None if every is None else session.calendar(every)
    level = session.settings.drift.confidence_level
    finder = read_labels(session).finder(text_hash(session))
    with log_rows(session, session.period(since, until)) as records:
        coverage = cover(
            with_labels(records, finder), calendar=calendar, now=session.now, confidence_level=level
        )
    if as_json:
        show_json(coverage_object(coverage))
    else:
        show(coverage_table(coverage, session.names, zone=session.zone))
    if not coverage.labelled.count:
        note("no logged row of that period is labelled: `sentimon label import` joins labels to the log")


@app.command("next")
def choose_next(
    output: Annotated[Path, typer.Option("--output", metavar="FILE", help="The .csv file to write.")],
    logs: LogsOption = None,
    n: Annotated[int, typer.Option("-n", metavar="N", help="Rows to draw.", min=1, max=1_000_000)] = 100,
    strategy: Annotated[
        str,
        typer.Option("--strategy", metavar="NAME", help="random, uncertain, drifted or diverse."),
    ] = "uncertain",
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the draw.")] = 0,
    since: SinceOption = None,
    until: UntilOption = None,
    force: Annotated[bool, flag("--force", help="Overwrite the file if it is there.")] = False,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Draw unlabelled rows to label next, each with the probability that it was picked.

    uncertain prefers rows of two near scores; drifted those whose class or words became more frequent
    than before the baseline; diverse takes kinds of texts alike often. Every row can be picked, so the
    labels correct for the choice. The CSV goes into Label Studio or Argilla, and back through `label
    import`.

    Example: sentimon label next -n 100 --strategy uncertain --logs logs/ --output to_label.csv
    """
    from sentimon.cli.drawing import draw_unlabelled, sheet_of
    from sentimon.gold_labels.annotation_sheet import write_sheet

    session = start(config, {"logs.dir": logs})
    sheet = sheet_of(session, output, force=force)
    draw = draw_unlabelled(session, session.period(since, until), n=n, strategy=strategy, seed=seed)
    write_sheet(sheet, draw.rows, draw=session.now)
    facts: dict[str, Any] = {"drawn": len(draw.rows), "unlabelled": draw.frame, "strategy": strategy}
    if as_json:
        show_json({**facts, "seed": seed, "path": str(sheet)})
    else:
        note(f"{len(draw.rows)} of {counted(draw.frame, 'unlabelled row')} drawn ({strategy}) into {sheet}")
        if draw.rows:
            note(f"fill in a column `label`, then: sentimon label import {sheet} --logs {session.source}")
    if not draw.rows:
        leave(ExitCode.NO_VERDICT)
