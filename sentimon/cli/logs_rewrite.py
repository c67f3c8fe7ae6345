"""`sentimon logs repair` and `sentimon logs erase`: the log rewritten without what should not be in it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from sentimon.cli.asking import YesFlag, ask_before
from sentimon.cli.labelled import forget_unnamed
from sentimon.cli.options import ConfigOption, JsonFlag, LogsOption, flag
from sentimon.cli.output import counted, leave, note, show, show_json
from sentimon.cli.progress import watched
from sentimon.cli.session import Session, start
from sentimon.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

    from sentimon.prediction_log.maintenance.erasure import Erasure, ErasureOrder
    from sentimon.prediction_log.maintenance.repair import RepairedFile

DryRunFlag = Annotated[bool, flag("--dry-run", help="Say what would be done, change nothing.")]
IdsOption = Annotated[
    list[str] | None,
    typer.Option("--id", metavar="ID", help="Rows with this id; may be given again."),
]
HashesOption = Annotated[
    list[str] | None,
    typer.Option("--text-hash", metavar="HASH", help="Rows with this text_hash; may be given again."),
]
ContainsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--contains",
        metavar="TEXT",
        help="Rows with this in their text or in a field that is not ours, in any case; may be given again.",
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
    from sentimon.prediction_log.maintenance.repair import find_bad_lines, needs_repair, repair_log

    session = start(config, {"logs.dir": logs})
    folder, zone, longest = session.folder, session.naive_zone, session.settings.logs.max_line_bytes
    with _lines_read() as tick:
        found = find_bad_lines(folder, zone=zone, longest=longest, tick=tick)
    files = [one for one in found.values() if needs_repair(one)]
    if files and not dry_run:
        ask_before(_repair_asked(session, files), yes=yes)
        with _lines_read() as tick:
            files = repair_log(folder, found, now=session.now, zone=zone, longest=longest, tick=tick)
    if as_json:
        show_json(_repair_object(session, files, dry_run=dry_run))
    else:
        _show_repair(session, files, dry_run=dry_run)
    leave(ExitCode.FINDING if files and dry_run else ExitCode.OK)


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
    from sentimon.prediction_log.maintenance.erasure import erase as erase_from
    from sentimon.prediction_log.maintenance.erasure import find_erasure, unsearched_files

    _check_values({"--id": ids, "--text-hash": text_hashes, "--contains": contains})
    session = start(config, {"logs.dir": logs})
    order = _order(session, ids, text_hashes, contains, drop_rows=drop_rows)
    with _lines_read() as tick:
        erasure = find_erasure(session.folder, order, tick=tick)
    if erasure.any and not dry_run:
        ask_before(_erasure_asked(session, erasure), yes=yes)
    if not dry_run:
        forget = session.forget_index
        with _lines_read() as tick:
            erasure = erase_from(session.folder, erasure, order, forget_index=forget, tick=tick)
        forget_unnamed(session)
    unsearched = unsearched_files(session.folder)
    if as_json:
        show_json(_erasure_object(session, order, erasure, unsearched, dry_run=dry_run))
    else:
        _show_erasure(erasure, dry_run=dry_run)
    for path in unsearched:
        note(f"not searched: {path}, which a repair kept; remove it when you can")
    for place in erasure.unsearched:
        note(f"not searched: {place}, which is too long; `sentimon logs repair` moves it out of the log")


def _repair_asked(session: Session, files: Sequence[RepairedFile]) -> str:
    moved = counted(sum(one.bad_count for one in files), "bad line")
    damaged = sum(one.damaged for one in files)
    shortened = f", and {counted(damaged, 'damaged file')} cut before the damage" if damaged else ""
    return f"{moved} of {counted(len(files), 'file')} moved to {_quarantine(session)}{shortened}"


def _erasure_asked(session: Session, erasure: Erasure) -> str:
    counts = erasure.counts
    removed = counts["bad_lines_removed"] + counts["quarantine_entries_removed"]
    rows = counted(counts["rows_erased"], "row")
    return f"{rows} erased and {counted(removed, 'bad line')} removed in {session.folder}, for good"


@contextmanager
def _lines_read() -> Iterator[Callable[[], object]]:
    """Give what is to be called with each line, for the progress bar."""
    lines = cast("Generator[None, None, None]", watched(repeat(None), "lines read"))
    try:
        yield partial(next, lines)
    finally:
        lines.close()


def _repair_object(session: Session, files: Sequence[RepairedFile], *, dry_run: bool) -> dict[str, Any]:
    return {
        "path": str(session.folder),
        "dry_run": dry_run,
        "bad_lines": sum(one.bad_count for one in files),
        "quarantine": str(_quarantine(session)),
        "files": [
            {
                "path": str(one.path),
                "bad_lines": one.bad_count,
                "kinds": dict(sorted(one.bad.items())),
                "damaged": one.damaged,
                "kept_as": None if one.kept_as is None else str(one.kept_as),
            }
            for one in files
        ],
    }


def _show_repair(session: Session, files: Sequence[RepairedFile], *, dry_run: bool) -> None:
    from sentimon.reporting.table_style import new_table

    if not files:
        note("nothing to repair: every line of the log is a good row")
        return
    table = new_table("Bad lines", ("File", "left"), ("Lines", "right"), ("Kinds", "left"), ("", "left"))
    for one in files:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(one.bad.items()))
        table.add_row(_name(one.path), str(one.bad_count), kinds, "damaged" if one.damaged else "")
    show(table)
    moved = sum(one.bad_count for one in files)
    if moved:
        verb = "would be moved" if dry_run else "moved"
        note(f"{counted(moved, 'bad line')} {verb} to {_quarantine(session)}")
    for one in files:
        if one.damaged:
            kept = f"kept as {one.kept_as}" if one.kept_as else "would be kept beside it"
            note(f"{one.path}: the rows before the damage stay; the original {kept}")


def _quarantine(session: Session) -> Path:
    from sentimon.prediction_log.maintenance.quarantine import QUARANTINE_FILE

    return session.folder / QUARANTINE_FILE


def _check_values(options: dict[str, list[str] | None]) -> None:
    if not any(options.values()):
        raise UsageError(
            "nothing says what to erase", hint=f"give one or more of {', '.join(options)}; see --help"
        )
    for option, values in options.items():
        if not all(value.strip() for value in values or ()):
            raise UsageError(f"{option} is empty: that would match everything", hint="give it a value")


def _order(
    session: Session,
    ids: list[str] | None,
    text_hashes: list[str] | None,
    contains: list[str] | None,
    *,
    drop_rows: bool,
) -> ErasureOrder:
    from sentimon.prediction_log.maintenance.erasure import ErasureOrder
    from sentimon.prediction_log.maintenance.erasure_criteria import ErasureCriteria

    criteria = ErasureCriteria.of(ids=ids or (), text_hashes=text_hashes or (), contains=contains or ())
    return ErasureOrder(
        criteria=criteria,
        drop_rows=drop_rows,
        now=session.now,
        zone=session.naive_zone,
        longest=session.settings.logs.max_line_bytes,
    )


def _erasure_object(
    session: Session, order: ErasureOrder, erasure: Erasure, unsearched: Sequence[Path], *, dry_run: bool
) -> dict[str, Any]:
    return {
        "path": str(session.folder),
        "dry_run": dry_run,
        "drop_rows": order.drop_rows,
        **erasure.counts,
        "files": [
            {"path": str(one.path), "rows_erased": one.rows, "bad_lines_removed": one.bad_lines}
            for one in erasure.files
        ],
        "leftovers_removed": [str(path) for path in erasure.leftovers],
        "not_searched": [*(str(path) for path in unsearched), *erasure.unsearched],
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
