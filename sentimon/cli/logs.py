"""`sentimon logs`: the files of the log themselves."""

from __future__ import annotations

from typing import Annotated

import typer

from sentimon.cli import logs_query, logs_rewrite
from sentimon.cli.asking import YesFlag, ask_before
from sentimon.cli.later import later_app
from sentimon.cli.opening import open_workspace
from sentimon.cli.options import ConfigOption, JsonFlag, LogsOption, QuietFlag, flag
from sentimon.cli.output import counted, leave, note, show, show_json
from sentimon.errors import ExitCode
from sentimon.workflows.log_rows import say_trouble

app = later_app("logs", "Look into the log: its files and rows; check, repair, shorten, erase.")


@app.command(short_help="Show each file: size, rows, bad lines, span.")
def status(logs: LogsOption = None, as_json: JsonFlag = False, config: ConfigOption = None) -> None:
    """Show each file of the log: size, rows, bad lines, span; and its index.

    A file that cannot be read is shown as such, and the exit code is then 1.

    Example: sentimon logs status --logs logs/
    """
    from sentimon.reporting.json_shapes import index_object, log_file_object, lost_file_object
    from sentimon.reporting.log_tables import log_files_table

    workspace = open_workspace(config, {"logs.dir": logs}, objects=True)
    rows, lost = workspace.readable_files()
    if as_json:
        files = [log_file_object(*row) for row in rows]
        unreadable = [lost_file_object(error) for error in lost]
        index = index_object(workspace.index_file)
        show_json({"path": workspace.source, "files": files, "unreadable": unreadable, "index": index})
    else:
        show(log_files_table(rows, workspace.index_file, lost))
    for error in lost:
        note(f"error: {error.message}")
        note(f"hint: {error.hint}")
    leave(ExitCode.FAILURE if lost else ExitCode.OK)


@app.command(short_help="Remove old sealed files.")
def prune(
    logs: LogsOption = None,
    keep_days: Annotated[
        int | None, typer.Option("--keep-days", metavar="DAYS", help="Remove sealed files older than this.")
    ] = None,
    keep_megabytes: Annotated[
        int | None,
        typer.Option("--keep-megabytes", metavar="MB", help="Remove the oldest until the log fits in this."),
    ] = None,
    dry_run: Annotated[bool, flag("--dry-run", help="Only say what would be removed.")] = False,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
    config: ConfigOption = None,
) -> None:
    """Remove sealed files that are older, or take more room, than the settings allow.

    It says how many, and asks; --yes is for where nobody can be asked, as in cron.

    Example: sentimon logs prune --logs logs/ --keep-days 90 --dry-run
    """
    from sentimon.workflows.log_maintenance import find_prunable, prune_log

    flags = {"logs.keep_days": keep_days, "logs.keep_megabytes": keep_megabytes}
    workspace = open_workspace(config, {"logs.dir": logs, **flags})
    gone = find_prunable(workspace)
    size = sum(one.size for one in gone)
    if not dry_run:
        if gone:
            ask_before(f"{counted(len(gone), 'file')} of {workspace.folder}, {size} bytes, removed", yes=yes)
        prune_log(workspace, gone)
    if as_json:
        show_json({"removed": [str(one.path) for one in gone], "bytes": size, "dry_run": dry_run})
        return
    if quiet and not gone:
        return
    verb = "would be removed" if dry_run else "removed"
    for one in gone:
        note(f"{verb}: {one.path} ({one.size} bytes, last written {one.written:%Y-%m-%d %H:%M} UTC)")
    note(f"{counted(len(gone), 'file')}, {size} bytes {verb}")


@app.command(short_help="Read the whole log, and check every line.")
def verify(
    logs: LogsOption = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
    config: ConfigOption = None,
) -> None:
    """Read the whole log, and tell whether every line is good and the index says what the files say.

    An index that says something else is removed, to be made anew. Exit code: 0 all is well, 3 there are
    bad lines or the index was wrong.

    Example: sentimon logs verify --logs logs/
    """
    from sentimon.reporting.json_shapes import verified_object
    from sentimon.reporting.log_tables import verified_table
    from sentimon.workflows.log_maintenance import forget_index, verify_log

    workspace = open_workspace(config, {"logs.dir": logs})
    found = verify_log(workspace)
    if quiet and found.sound and not found.strays:
        return
    if as_json:
        folder, indexed = workspace.folder, found.indexed
        show_json(verified_object(folder, found.files, found.misread, found.strays, indexed=indexed))
    else:
        show(verified_table(found.files, found.misread, indexed=found.indexed))
    say_trouble(workspace, found.summary)
    for path in found.strays:
        note(f"not part of the log: {path}")
    if found.misread:
        forget_index(workspace)
        wrong = counted(len(found.misread), "file")
        note(f"the index was wrong about {wrong} and is removed; a new one makes itself")
    if found.summary.bad_count:
        note("`sentimon logs repair` moves bad lines out of the log")
    leave(ExitCode.OK if found.sound else ExitCode.FINDING)


app.command(short_help="Move bad lines out of the log.")(logs_rewrite.repair)
app.command(short_help="Erase what people wrote, and who they are.")(logs_rewrite.erase)
app.command(short_help="Show rows by time, class, confidence, text.")(logs_query.query)
