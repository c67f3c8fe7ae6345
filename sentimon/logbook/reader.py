"""The log from its first row to its last: good rows as records, bad ones as what they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from pathlib import Path

from sentimon.errors import StoreError
from sentimon.logbook.record import PredictionRecord
from sentimon.logbook.row import BadLine, RowError, parse_row

LIVE_FILE = "predictions.jsonl"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_log(folder: Path, *, zone: tzinfo | None) -> Iterator[PredictionRecord | BadLine]:
    """Yield each row of the log in `folder`, and each bad line; one pass, one line in memory.

    Sealed files come first, by name, then the live one. Timestamps without a zone are read in
    `zone` (None: local time). Blank lines are passed over.

    Raises:
        StoreError: the folder is not there, or a file cannot be read.
    """
    for path in log_files(folder):
        yield from _read_file(path, zone)


def log_files(folder: Path) -> list[Path]:
    """Return the files of the log in reading order; none where nothing was logged yet.

    Raises:
        StoreError: there is no such folder.
    """
    if not folder.exists():
        raise StoreError(
            f"{folder}: no such folder", hint="name the folder of the log with --logs, or run `sentimon log`"
        )
    if not folder.is_dir():
        raise StoreError(
            f"{folder}: is a file, not a folder", hint="--logs names the folder that holds predictions.jsonl"
        )
    live = folder / LIVE_FILE
    return sorted(folder.glob("predictions-*.jsonl")) + ([live] if live.exists() else [])


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (number from 1, line without its newline) for each line that is not blank.

    Lines end at a newline only: tweets contain U+2028 and other characters that `splitlines` cuts at.

    Raises:
        StoreError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                content = line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
                if content.strip():
                    yield number, content.rstrip(b"\r\n")
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be read: {error.strerror}", hint="check the path and its permissions"
        ) from error


def _read_file(path: Path, zone: tzinfo | None) -> Iterator[PredictionRecord | BadLine]:
    for number, line in numbered_lines(path):
        try:
            yield parse_row(line, zone=zone)
        except RowError as error:
            yield BadLine(path=str(path), line=number, kind=error.kind, reason=error.message)
