"""`sentimon logs`: the files of the log themselves."""

from __future__ import annotations

from typing import Annotated

import typer

from sentimon.cli import logs_query, logs_rewrite, logs_verify
from sentimon.cli.asking import YesFlag, ask_before
from sentimon.cli.options import ConfigOption, JsonFlag, LogsOption, flag, where_examples_are
from sentimon.cli.output import counted, leave, note, show, show_json
from sentimon.cli.session import start
from sentimon.errors import ExitCode, UsageError

app = typer.Typer(
    no_args_is_help=True,
    help="Look into the log: its files and rows; check, repair, shorten, erase.",
    epilog=where_examples_are("logs"),
)


@app.command()
def status(logs: LogsOption = None, as_json: JsonFlag = False, config: ConfigOption = None) -> None:
    """Show each file of the log: size, rows, bad lines, span; and its index.

    A file that cannot be read is shown as such, and the exit code is then 1.

    Example: sentimon logs status --logs logs/
    """
    from sentimon.reporting.json_shapes import index_object, log_file_object, lost_file_object
    from sentimon.reporting.log_tables import log_files_table

    session = start(config, {"logs.dir": logs}, objects=True)
    rows, lost = session.readable_files()
    if as_json:
        files = [log_file_object(*row) for row in rows]
        unreadable = [lost_file_object(error) for error in lost]
        index = index_object(session.index_file)
        show_json({"path": session.source, "files": files, "unreadable": unreadable, "index": index})
    else:
        show(log_files_table(rows, session.index_file, lost))
    for error in lost:
        note(f"error: {error.message}")
        note(f"hint: {error.hint}")
    leave(ExitCode.FAILURE if lost else ExitCode.OK)


@app.command()
def prune(
    logs: LogsOption = None,
    keep_days: Annotated[
        int | None, typer.Option("--keep-days", help="Remove sealed files older than this.")
    ] = None,
    keep_megabytes: Annotated[
        int | None, typer.Option("--keep-megabytes", help="Remove the oldest until the log fits in this.")
    ] = None,
    dry_run: Annotated[bool, flag("--dry-run", help="Say what would be removed, remove nothing.")] = False,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Remove sealed files that are older, or take more room, than the settings allow.

    It says how many, and asks; --yes is for where nobody can be asked, as in cron.

    Example: sentimon logs prune --logs logs/ --keep-days 90 --dry-run
    """
    from sentimon.prediction_log.folder import list_files
    from sentimon.prediction_log.maintenance.retention import plan_prune, remove_files
    from sentimon.prediction_log.rotation import compress_left_over

    flags = {"logs.keep_days": keep_days, "logs.keep_megabytes": keep_megabytes}
    session = start(config, {"logs.dir": logs, **flags})
    settings = session.settings.logs
    if not settings.keep_days and not settings.keep_megabytes:
        raise UsageError(
            "nothing says what to keep", hint="give --keep-days or --keep-megabytes, or set them in [logs]"
        )
    gone = plan_prune(list_files(session.folder), settings, now=session.now)
    size = sum(one.size for one in gone)
    if gone and not dry_run:
        ask_before(f"{counted(len(gone), 'file')} of {session.folder}, {size} bytes, removed", yes=yes)
        remove_files(session.folder, gone)
    if not dry_run:
        compress_left_over(session.folder, settings.compression)
    if as_json:
        show_json({"removed": [str(one.path) for one in gone], "bytes": size, "dry_run": dry_run})
        return
    verb = "would be removed" if dry_run else "removed"
    for one in gone:
        note(f"{verb}: {one.path} ({one.size} bytes, last written {one.written:%Y-%m-%d %H:%M} UTC)")
    note(f"{counted(len(gone), 'file')}, {size} bytes {verb}")


app.command()(logs_verify.verify)
app.command()(logs_rewrite.repair)
app.command()(logs_rewrite.erase)
app.command()(logs_query.query)
