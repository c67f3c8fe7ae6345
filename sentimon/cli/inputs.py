"""Where the texts of a command come from, and how bad ones among them are reported."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sentimon.cli.output import counted, note
from sentimon.config.paths import expanded
from sentimon.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from sentimon.config import Settings
    from sentimon.ingest.input_row import InputRow
    from sentimon.jsonl import BadLine

T = TypeVar("T")


def open_input(
    texts: Sequence[str],
    source: str | None,
    *,
    column: str | None,
    file_format: str | None,
    longest: int,
) -> Iterator[InputRow | BadLine]:
    """Return the rows of a command: its arguments, the file or stdin that `--input` names, or piped stdin.

    Raises:
        UsageError: none of them is given, or both texts and a file.
    """
    from sentimon.ingest.input_row import texts_of
    from sentimon.ingest.tables import FORMATS, read_file, read_stream

    if file_format is not None and file_format not in FORMATS:
        raise UsageError(
            f"--format: unknown format {file_format!r}", hint=f"use one of: {', '.join(FORMATS)}"
        )
    if texts:
        if source is not None:
            raise UsageError(
                "texts and --input exclude each other", hint="give the texts, or a file, not both"
            )
        return texts_of(texts)
    if source not in (None, "-"):
        return read_file(expanded(str(source)), column=column, file_format=file_format, longest=longest)
    if sys.stdin is None or (source is None and sys.stdin.isatty()):
        raise no_text()
    return read_stream(sys.stdin.buffer, column=column, file_format=file_format, longest=longest)


def is_file(source: str | None) -> bool:
    """Return whether `--input` names a file, which can be read again; stdin and a pipe cannot."""
    return source not in (None, "-") and expanded(str(source)).is_file()


def asked_of(
    settings: Settings, source: str | None, option: str, *, column: str | None, file_format: str | None
) -> dict[str, Any]:
    """Return what a job is asked to do, for whoever goes on with it: the file, and what is done to it.

    Raises:
        UsageError: `option` asks for a job, and the input is no file, which alone can be read again.
    """
    from sentimon.ingest.input_row import TEXT_COLUMN
    from sentimon.scoring.scorer import model_name

    if source is None or not is_file(source):
        raise UsageError(
            f"{option} needs --input with a file", hint="only a file can be read again after a stop"
        )
    path = expanded(source)
    status = path.stat()
    return {
        "input": os.fsencode(path.absolute()).decode(errors="replace"),
        "bytes": status.st_size,
        "modified_ns": status.st_mtime_ns,
        "column": column or TEXT_COLUMN,
        "format": file_format,
        "model": model_name(settings.model),
        "revision": settings.model.revision,
        "label_map": dict(settings.model.label_map),
    }


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


@dataclass(slots=True)
class BadLines:
    """The bad lines that a command has met: each is said at once, on stderr, and counted."""

    count: int = 0

    def report(self, line: BadLine) -> None:
        """Say and count one bad line."""
        self.count += 1
        note(f"bad line: {line}")

    def left_out(self, rows: Iterable[T | BadLine]) -> Iterator[T]:
        """Yield the good rows, and report the others."""
        from sentimon.jsonl import BadLine

        for row in rows:
            if isinstance(row, BadLine):
                self.report(row)
            else:
                yield row

    @property
    def exit_code(self) -> ExitCode:
        """Return failure where there was any."""
        return ExitCode.FAILURE if self.count else ExitCode.OK
