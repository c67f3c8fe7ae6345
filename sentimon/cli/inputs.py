"""Where the texts of a command come from, and what is said of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sentimon.cli.output import counted, note, show, show_json
from sentimon.config.paths import expanded
from sentimon.errors import UsageError

if TYPE_CHECKING:
    from sentimon.ingest.tables import OpenRows
    from sentimon.scoring.scored_rows import Row
    from sentimon.workflows.workspace import Workspace


def open_input(
    workspace: Workspace,
    texts: Sequence[str],
    source: str | None,
    *,
    column: str | None,
    file_format: str | None,
) -> OpenRows:
    """Return the rows of a command: its arguments, the file or stdin that `--input` names, or piped stdin.

    A file stays open until the `with` block of the rows ends.

    Raises:
        UsageError: none of them is given, or both texts and a file.
    """
    from sentimon.ingest.input_row import texts_of
    from sentimon.ingest.tables import FORMATS, OpenRows, read_file, read_stream

    longest = workspace.settings.logs.max_line_bytes
    if file_format is not None and file_format not in FORMATS:
        raise UsageError(
            f"--format: unknown format {file_format!r}", hint=f"use one of: {', '.join(FORMATS)}"
        )
    if texts:
        if source is not None:
            raise UsageError(
                "texts and --input exclude each other", hint="give the texts, or a file, not both"
            )
        return OpenRows(texts_of(texts))
    if source not in (None, "-"):
        return read_file(expanded(str(source)), column=column, file_format=file_format, longest=longest)
    if sys.stdin is None or (source is None and sys.stdin.isatty()):
        raise no_text()
    return read_stream(sys.stdin.buffer, column=column, file_format=file_format, longest=longest)


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


def show_plan(workspace: Workspace, rows: Iterable[Row], *, as_json: bool) -> None:
    """Print what scoring these rows would take; those that bring their scores need none."""
    from sentimon.reporting.dry_run import plan_object, plan_table
    from sentimon.workflows.scoring_plan import plan_scoring

    plan = plan_scoring(workspace, rows)
    show_json(plan_object(plan)) if as_json else show(plan_table(plan))
