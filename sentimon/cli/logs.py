"""`sentimon logs`: the files of the log themselves."""

from __future__ import annotations

from typing import Annotated

import typer

from sentimon.cli.options import ConfigOption, JsonFlag, LogsOption
from sentimon.cli.session import note, show, show_json, start
from sentimon.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="Show the files of the log, and remove old ones.")


@app.command()
def status(logs: LogsOption = None, as_json: JsonFlag = False, config: ConfigOption = None) -> None:
    """Show each file of the log: size, rows, bad lines, span.

    Example: sentimon logs status --logs logs/
    """
    from sentimon.logbook.reader import read_log_file
    from sentimon.logbook.retention import list_files
    from sentimon.logbook.summary import summarise
    from sentimon.reporting.json_shapes import log_file_object
    from sentimon.reporting.listings import log_files_table

    session = start(config, logs__dir=logs)
    rows = [
        (one, summarise(read_log_file(one.path, zone=session.naive_zone)))
        for one in list_files(session.folder)
    ]
    if as_json:
        show_json({"path": str(session.folder), "files": [log_file_object(*row) for row in rows]})
    else:
        show(log_files_table(rows))


@app.command()
def prune(
    logs: LogsOption = None,
    keep_days: Annotated[
        int | None, typer.Option("--keep-days", help="Remove sealed files older than this.")
    ] = None,
    keep_megabytes: Annotated[
        int | None, typer.Option("--keep-megabytes", help="Remove the oldest until the log fits in this.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be removed, remove nothing.")
    ] = False,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Remove sealed files that are older, or take more room, than the settings allow.

    Example: sentimon logs prune --logs logs/ --keep-days 90 --dry-run
    """
    from sentimon.logbook import retention

    session = start(config, logs__dir=logs, logs__keep_days=keep_days, logs__keep_megabytes=keep_megabytes)
    settings = session.settings.logs
    if not settings.keep_days and not settings.keep_megabytes:
        raise UsageError(
            "nothing says what to keep", hint="give --keep-days or --keep-megabytes, or set them in [logs]"
        )
    gone = retention.plan_prune(retention.list_files(session.folder), settings, now=session.now)
    if not dry_run:
        retention.prune(session.folder, gone)
    size = sum(one.size for one in gone)
    if as_json:
        show_json({"removed": [str(one.path) for one in gone], "bytes": size, "dry_run": dry_run})
        return
    verb = "would be removed" if dry_run else "removed"
    for one in gone:
        note(f"{verb}: {one.path} ({one.size} bytes, last written {one.written:%Y-%m-%d %H:%M} UTC)")
    note(f"{len(gone)} files, {size} bytes {verb}")
