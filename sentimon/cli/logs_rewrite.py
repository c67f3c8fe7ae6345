"""`sentimon logs repair` and `sentimon logs erase`: the log rewritten without what should not be in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentimon.cli.asking import YesFlag, ask_before
from sentimon.cli.opening import open_workspace
from sentimon.cli.options import ConfigOption, JsonFlag, LogsOption, flag
from sentimon.cli.output import counted, leave, note, show, show_json
from sentimon.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

    from sentimon.prediction_log.maintenance.erasure import Erasure
    from sentimon.workflows.log_maintenance import LogErasure, LogRepair
    from sentimon.workflows.workspace import Workspace

DryRunFlag = Annotated[bool, flag("--dry-run", help="Only say what would be done.")]
IdsOption = Annotated[
    list[str] | None,
    typer.Option("--id", metavar="ID", help="Only rows with this id; may be given again."),
]
HashesOption = Annotated[
    list[str] | None,
    typer.Option("--text-hash", metavar="HASH", help="Only rows with this text_hash; may be given again."),
]
ContainsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--contains",
        metavar="TEXT",
        help="Only rows with this in their text or a field that is not ours, any case; may be given again.",
    ),
]
DropFlag = Annotated[bool, flag("--drop-rows", help="Remove the rows as a whole, also from the statistics.")]


def repair(
    logs: LogsOption = None,
    dry_run: DryRunFlag = False,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Move bad lines out of the log, into quarantine.jsonl beside it.

    Good rows stay as they are, byte for byte. Of a damaged compressed file the rows before the damage
    stay, and the original is kept as NAME.damaged. It says how many, and asks; --yes is for where
    nobody can be asked. With --dry-run the exit code is 3 where there is something to repair.

    Example: sentimon logs repair --logs logs/ --dry-run
    """
    from sentimon.workflows.log_maintenance import find_repair, repair_log

    workspace = open_workspace(config, {"logs.dir": logs})
    found = find_repair(workspace)
    if found.files and not dry_run:
        ask_before(_repair_asked(found), yes=yes)
        found = repair_log(workspace, found)
    if as_json:
        show_json(_repair_object(workspace, found, dry_run=dry_run))
    else:
        _show_repair(found, dry_run=dry_run)
    leave(ExitCode.FINDING if found.files and dry_run else ExitCode.OK)


def erase(
    ids: IdsOption = None,
    text_hashes: HashesOption = None,
    contains: ContainsOption = None,
    drop_rows: DropFlag = False,
    dry_run: DryRunFlag = False,
    yes: YesFlag = False,
    logs: LogsOption = None,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Erase what people wrote, and who they are, from the log, its quarantine and its labels.

    Meant is each row that fits any one of --id, --text-hash and --contains. It keeps its time, class,
    scores and model, so that metrics and drift stay as they are; its text, id, text_hash and all other
    fields go. Bad lines that match are removed as a whole. It says how many, and asks; --yes is for where
    nobody can be asked. erasures.jsonl records when and how many, never what was looked for. Not reached
    are backups, snapshots of the file system, copies of the log, and NAME.damaged files.

    Example: sentimon logs erase --logs logs/ --id order-4711 --contains "Mario Rossi" --dry-run
    """
    from sentimon.workflows.log_maintenance import erase_rows, find_erasure

    criteria = {"--id": ids or [], "--text-hash": text_hashes or [], "--contains": contains or []}
    _check_values(criteria)
    workspace = open_workspace(config, {"logs.dir": logs})
    id_values, hashes, parts = criteria.values()
    found = find_erasure(workspace, ids=id_values, text_hashes=hashes, contains=parts, drop_rows=drop_rows)
    if not dry_run:
        if found.erasure.any:
            ask_before(_erasure_asked(workspace, found.erasure), yes=yes)
        found = erase_rows(workspace, found)
    if as_json:
        show_json(_erasure_object(workspace, found, dry_run=dry_run))
    else:
        _show_erasure(found.erasure, dry_run=dry_run)
    for path in found.unsearched:
        note(f"not searched: {path}, which a repair kept; remove it when you can")
    for place in found.erasure.unsearched:
        note(f"not searched: {place}, which is too long; `sentimon logs repair` moves it out of the log")


def _repair_asked(found: LogRepair) -> str:
    files = found.files
    moved = counted(found.bad_count, "bad line")
    damaged = sum(one.damaged for one in files)
    shortened = f", and {counted(damaged, 'damaged file')} cut before the damage" if damaged else ""
    return f"{moved} of {counted(len(files), 'file')} moved to {found.quarantine}{shortened}"


def _erasure_asked(workspace: Workspace, erasure: Erasure) -> str:
    counts = erasure.counts
    removed = counts["bad_lines_removed"] + counts["quarantine_entries_removed"]
    rows = counted(counts["rows_erased"], "row")
    return f"{rows} erased and {counted(removed, 'bad line')} removed in {workspace.folder}, for good"


def _repair_object(workspace: Workspace, found: LogRepair, *, dry_run: bool) -> dict[str, Any]:
    return {
        "path": str(workspace.folder),
        "dry_run": dry_run,
        "bad_lines": found.bad_count,
        "quarantine": str(found.quarantine),
        "files": [
            {
                "path": str(one.path),
                "bad_lines": one.bad_count,
                "kinds": dict(sorted(one.bad.items())),
                "damaged": one.damaged,
                "kept_as": None if one.kept_as is None else str(one.kept_as),
            }
            for one in found.files
        ],
    }


def _show_repair(found: LogRepair, *, dry_run: bool) -> None:
    from sentimon.reporting.table_style import new_table

    if not found.files:
        note("nothing to repair: every line of the log is a good row")
        return
    table = new_table("Bad lines", ("File", "left"), ("Lines", "right"), ("Kinds", "left"), ("", "left"))
    for one in found.files:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(one.bad.items()))
        table.add_row(_name(one.path), str(one.bad_count), kinds, "damaged" if one.damaged else "")
    show(table)
    if found.bad_count:
        verb = "would be moved" if dry_run else "moved"
        note(f"{counted(found.bad_count, 'bad line')} {verb} to {found.quarantine}")
    for one in found.files:
        if one.damaged:
            kept = f"kept as {one.kept_as}" if one.kept_as else "would be kept beside it"
            note(f"{one.path}: the rows before the damage stay; the original {kept}")


def _check_values(options: Mapping[str, Sequence[str]]) -> None:
    if not any(options.values()):
        raise UsageError(
            "nothing says what to erase", hint=f"give one or more of {', '.join(options)}; see --help"
        )
    for option, values in options.items():
        if not all(value.strip() for value in values):
            raise UsageError(f"{option} is empty: that would match everything", hint="give it a value")


def _erasure_object(workspace: Workspace, found: LogErasure, *, dry_run: bool) -> dict[str, Any]:
    erasure = found.erasure
    return {
        "path": str(workspace.folder),
        "dry_run": dry_run,
        "drop_rows": found.order.drop_rows,
        **erasure.counts,
        "files": [
            {"path": str(one.path), "rows_erased": one.rows, "bad_lines_removed": one.bad_lines}
            for one in erasure.files
        ],
        "leftovers_removed": [str(path) for path in erasure.leftovers],
        "not_searched": [*(str(path) for path in found.unsearched), *erasure.unsearched],
    }


def _show_erasure(erasure: Erasure, *, dry_run: bool) -> None:
    from sentimon.prediction_log.maintenance.quarantine import QUARANTINE_FILE
    from sentimon.reporting.table_style import new_table

    if not erasure.any:
        note("nothing matches: no file was changed")
        return
    table = new_table("Erased", ("File", "left"), ("Rows", "right"), ("Bad lines", "right"))
    for one in erasure.files:
        table.add_row(_name(one.path), str(one.rows), str(one.bad_lines))
    if erasure.quarantine_entries:
        table.add_row(QUARANTINE_FILE, "", str(erasure.quarantine_entries))
    for path in erasure.leftovers:
        table.add_row(_name(path), "removed", "")
    show(table)
    counts = erasure.counts
    removed = counts["bad_lines_removed"] + counts["quarantine_entries_removed"]
    verb = "would be " if dry_run else ""
    note(
        f"{counted(counts['rows_erased'], 'row')} {verb}erased, {counted(removed, 'bad line')} {verb}removed"
    )


def _name(path: Path) -> RenderableType:
    from rich.text import Text

    from sentimon.reporting.plain_text import visible

    return Text(visible(path.name), overflow="fold")
