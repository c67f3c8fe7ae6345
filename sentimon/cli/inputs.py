"""Where the texts of a command come from, and what is said of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sentimon.cli.output import counted, note, show, show_json
from sentimon.config.paths import expanded
from sentimon.errors import UsageError

if TYPE_CHECKING:
    from sentimon.ingest.input_columns import Need
    from sentimon.ingest.input_file import InputFile
    from sentimon.ingest.understanding import Understanding
    from sentimon.scoring.scored_rows import Row
    from sentimon.workflows.workspace import Workspace


def open_input(
    workspace: Workspace,
    texts: Sequence[str],
    source: str | None,
    *,
    need: Need,
    are_texts: Sequence[str] = (),
    quiet: bool = False,
) -> InputFile:
    """Return the rows of a command: its arguments, the file or stdin that `--input` names, or piped stdin.

    `are_texts` are texts even if they are names of files. A file stays open until the `with` block of the
    rows ends. What is not certain of it is said, unless `quiet`.

    Raises:
        UsageError: none of them is given, both texts and a file, or a text is the name of a file.
        StoreError: the file is missing or cannot be read.
        DataError: it is not certain what the columns of the file hold.
    """
    from sentimon.ingest.input_file import open_input_file, open_input_stream, text_arguments

    context = workspace.input_context(need)
    if texts or are_texts:
        if source is not None:
            raise UsageError(
                "texts and --input exclude each other", hint="give the texts, or a file, not both"
            )
        source = _file_instead(texts)
        if source is None:
            return text_arguments([*texts, *are_texts], context)
    if source not in (None, "-"):
        found = open_input_file(expanded(str(source)), context)
    elif sys.stdin is None or (source is None and sys.stdin.isatty()):
        raise no_text()
    else:
        found = open_input_stream(sys.stdin.buffer, context)
    said = [*([_format_of(found)] if sys.stderr.isatty() else []), *found.notes]
    if said and not quiet:
        note(f"{found.table.path}: {'; '.join(said)}")
    return found


def _format_of(file: InputFile) -> str:
    """Return what the file is read as, in a few words: for people who watch."""
    table = file.table
    parts = (table.file_format, table.encoding, table.compression, repr(table.separator or ""))
    return ", ".join(one for one in parts if one not in ("", "''"))


def _file_instead(texts: Sequence[str]) -> str | None:
    """Return the file that the one text names, if the user says that it is meant; None: texts are texts.

    Raises:
        UsageError: a text names a file, and there is no terminal to ask on.
    """
    from sentimon.cli.asking import can_ask, confirmed

    for text in texts:
        if not _is_file_name(text):
            continue
        if len(texts) == 1 and can_ask() and confirmed(f"{text} is a file. Read the rows in it?"):
            return text
        if not can_ask():
            raise UsageError(
                f"{text} is a file, and was given as a text",
                hint=f"--input {text} reads the file; --text {text} scores its name",
            )
    return None


def _is_file_name(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        # Too long for a name, or no name at all.
        return False


def note_without_text(rows: InputFile) -> None:
    """Say how many rows were left out because they have no text."""
    if rows.without_text:
        note(f"{rows.table.path}: {counted(rows.without_text, 'row')} without a text left out")


def no_text() -> UsageError:
    """Return the error for a command that was given nothing to score."""
    return UsageError("no text given", hint="give texts as arguments, --input FILE, or pipe them in")


def nothing_to_score(source: str | None) -> None:
    """Say that `--input` held no rows, which is no mistake: a night may be quiet.

    Raises:
        UsageError: nothing was named to read from.
    """
    if source is None:
        raise no_text()
    note(f"{'stdin' if source == '-' else source}: no rows")


def note_truncated(truncated: int, total: int) -> None:
    """Say how many of the texts the model could not read to their end."""
    if truncated:
        note(f"{truncated} of {counted(total, 'text')} longer than the model reads: the end was not seen")


def note_unreadable(unreadable: int, model: str, *, total: int | None = None) -> None:
    """Say how many of the texts are in letters that the model does not know, and what to do."""
    if unreadable:
        from sentimon.reporting.prediction_table import explain_unreadable

        note(explain_unreadable(unreadable, model, total=total))


def show_plan(
    workspace: Workspace, rows: InputFile | Iterable[Row], *, data: str | None = None, as_json: bool
) -> None:
    """Print how the input is understood, and what scoring it would take.

    Rows that bring what another model predicted need no scoring, where that is to be logged. `data` is the
    file of labelled texts that `rows` come from.
    """
    from sentimon.ingest.input_columns import Need
    from sentimon.ingest.input_file import InputFile
    from sentimon.ingest.understanding import InputObserver
    from sentimon.reporting.dry_run import plan_object, plan_table
    from sentimon.reporting.input_tables import understanding_object, understanding_table
    from sentimon.workflows.scoring import is_file
    from sentimon.workflows.scoring_plan import plan_scoring

    found = None
    if isinstance(rows, InputFile):
        observer = InputObserver(rows)
        plan = plan_scoring(workspace, observer, need=rows.need)
        found = observer.understanding()
    else:
        plan = plan_scoring(workspace, rows, need=Need.TEXTS)
        if is_file(data):
            found = understood(workspace, str(data), need=Need.LABELLED)
    if as_json:
        show_json(plan_object(plan) | ({} if found is None else {"input": understanding_object(found)}))
        return
    if found is not None:
        show(understanding_table(found))
    show(plan_table(plan))


def show_labelled(workspace: Workspace, source: str, *, need: Need, as_json: bool) -> None:
    """Print how a file of labels or labelled texts is understood; nothing is done with it.

    Raises:
        UsageError: it is a data set on the hub, which has no columns to be found out.
        DataError: it is not certain what the columns hold, or what the labels mean.
    """
    found = understood(workspace, source, need=need)
    from sentimon.reporting.input_tables import understanding_object, understanding_table

    show_json(understanding_object(found)) if as_json else show(understanding_table(found))


def understood(workspace: Workspace, source: str, *, need: Need) -> Understanding:
    """Return how a file of labels or labelled texts is understood.

    Raises:
        UsageError: it is no file.
        DataError: it is not certain what the columns hold, or what the labels mean.
    """
    from sentimon.ingest.understanding import InputObserver

    with open_input(workspace, [], source, need=need, quiet=True) as file:
        observer = InputObserver(file, workspace.input_context(need).label_coding(file.class_names))
        for _ in workspace.progress(observer, "rows read"):
            pass
        return observer.understanding()
