"""`sentimon logs query`: the rows of the log that fit a question."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentimon.cli.opening import open_workspace
from sentimon.cli.options import (
    ConfigOption,
    JsonFlag,
    LogsOption,
    SinceOption,
    TimeZoneOption,
    UntilOption,
    WhereOption,
    flag,
    output_option,
)
from sentimon.cli.output import counted, note, show, show_lines
from sentimon.errors import UsageError
from sentimon.workflows.log_rows import say_trouble

if TYPE_CHECKING:
    from sentimon.prediction_log.output_files import OutputFile
    from sentimon.prediction_log.record import PredictionRecord
    from sentimon.prediction_log.row_filter import MatchingRows
    from sentimon.workflows.workspace import Workspace

_TABLE_ROWS = 20

SentimentOption = Annotated[
    list[str] | None,
    typer.Option("--sentiment", metavar="LABEL", help="Only rows of this class; may be given again."),
]
MinConfidenceOption = Annotated[
    float | None,
    typer.Option("--min-confidence", metavar="SHARE", help="Only rows at least this sure, 0..1."),
]
MaxConfidenceOption = Annotated[
    float | None, typer.Option("--max-confidence", metavar="SHARE", help="Only rows at most this sure, 0..1.")
]
ContainsOption = Annotated[
    str | None,
    typer.Option("--contains", metavar="TEXT", help="Only rows whose text has this in it, in any case."),
]
IdOption = Annotated[str | None, typer.Option("--id", metavar="ID", help="Only rows with this id.")]
ModelOption = Annotated[
    str | None, typer.Option("--model", metavar="MODEL", help="Only rows that this model predicted.")
]
LimitOption = Annotated[
    int | None,
    typer.Option(
        "--limit", "-n", metavar="N", help=f"At most so many rows. (default: {_TABLE_ROWS} in a table)"
    ),
]
NewestFlag = Annotated[bool, flag("--newest", help="The newest rows first, instead of in log order.")]
OutputOption = Annotated[
    Path | None,
    output_option("Where to write the rows: a .jsonl or .parquet file."),
]
ForceFlag = Annotated[bool, flag("--force", help="Overwrite the file if it is there.")]


def query(
    logs: LogsOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    sentiment: SentimentOption = None,
    min_confidence: MinConfidenceOption = None,
    max_confidence: MaxConfidenceOption = None,
    contains: ContainsOption = None,
    row_id: IdOption = None,
    model: ModelOption = None,
    where: WhereOption = None,
    limit: LimitOption = None,
    newest: NewestFlag = False,
    output: OutputOption = None,
    force: ForceFlag = False,
    tz: TimeZoneOption = None,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Show the rows of a period by class, confidence and text, or write them to a file.

    With --json one row per line, as the log holds it; reading stops at --limit.

    Example: sentimon logs query --logs logs/ --since 7d --sentiment negative --max-confidence 0.6
    """
    from sentimon.workflows.log_query import find_rows, row_filter

    flags = {"logs.dir": logs, "metrics.time_zone": tz}
    workspace = open_workspace(config, flags, objects=True, where=where)
    wanted = row_filter(
        workspace,
        sentiments=sentiment,
        min_confidence=min_confidence,
        max_confidence=max_confidence,
        contains=contains,
        row_id=row_id,
        model=model,
    )
    _check(limit=limit, newest=newest, streams=as_json or output is not None)
    target = _target(workspace, output, force=force, as_json=as_json)
    with ExitStack() as stack:
        matches = find_rows(workspace, workspace.period(since, until), wanted, stack)
        records = _newest(matches, limit) if newest else matches
        if as_json:
            show_lines(record.to_dict() for record in islice(records, limit))
        elif target:
            _write(target, records, matches, limit)
        else:
            _show(workspace, records, matches, limit or _TABLE_ROWS)
    _note(workspace, matches)


def _newest(matches: MatchingRows, limit: int | None) -> list[PredictionRecord]:
    from sentimon.prediction_log.row_filter import newest_rows

    return newest_rows(matches, limit or _TABLE_ROWS)


def _show(
    workspace: Workspace, records: Iterable[PredictionRecord], matches: MatchingRows, limit: int
) -> None:
    from sentimon.reporting.log_tables import rows_table

    shown = list(islice(records, limit))
    _read_on(matches)
    if shown:
        show(rows_table(shown, workspace.names, zone=workspace.zone, total=matches.summary.count))


def _write(
    target: OutputFile, records: Iterable[PredictionRecord], matches: MatchingRows, limit: int | None
) -> None:
    from sentimon.prediction_log.row_export import export_rows

    written = export_rows(target, islice(records, limit))
    _read_on(matches)
    note(f"{written:,} of {matches.summary.count:,} rows that match written to {target}")


def _read_on(matches: MatchingRows) -> None:
    """Read the rest of the log, to count what else matches."""
    for _ in matches:
        pass


def _note(workspace: Workspace, matches: MatchingRows) -> None:
    say_trouble(workspace, matches.summary)
    if matches.unsearched:
        note(f"{counted(matches.unsearched, 'row')} could not be searched: the text was not kept (logs.text)")
    if matches.without_confidence:
        note(f"{counted(matches.without_confidence, 'row')} without a confidence left out")
    if not matches.summary.count:
        note("no rows match: leave an option out, or choose another period")


def _check(*, limit: int | None, newest: bool, streams: bool) -> None:
    if limit is not None and limit < 1:
        raise UsageError(f"--limit is {limit}: that leaves no row", hint="give 1 or more, or leave it out")
    if newest and limit is None and streams:
        raise UsageError(
            "--newest needs --limit with --json and --output: so many rows are held in memory",
            hint="add for instance --limit 1000",
        )


def _target(workspace: Workspace, output: Path | None, *, force: bool, as_json: bool) -> OutputFile | None:
    """Return the file to write, where there is to be one."""
    if output is None:
        if force:
            raise UsageError(
                "--force overwrites the file of --output, which is not given", hint="add --output"
            )
        return None
    from sentimon.prediction_log.output_files import ROWS
    from sentimon.prediction_log.row_export import check_export

    if as_json:
        raise UsageError(
            "--json and --output exclude each other", hint="the ending of --output says the format"
        )
    check_export(output)
    return workspace.output(output, ROWS, force=force)
