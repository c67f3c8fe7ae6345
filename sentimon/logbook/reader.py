"""The log from its first row to its last: good rows as records, bad ones as what they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from pathlib import Path

from sentimon.errors import StoreError
from sentimon.jsonl import BadLine, LineError, file_lines
from sentimon.logbook.record import PredictionRecord
from sentimon.logbook.row import parse_row

LIVE_FILE = "predictions.jsonl"


def read_log(folder: Path, *, zone: tzinfo | None) -> Iterator[PredictionRecord | BadLine]:
    """Yield each row of the log in `folder`, and each bad line; one pass, one line in memory.

    Sealed files come first, by name, then the live one. Timestamps without a zone are read in
    `zone` (None: local time). Blank lines are passed over.

    Raises:
        StoreError: the folder is not there, or a file cannot be read.
    """
    for path in log_files(folder):
        yield from read_log_file(path, zone=zone)


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


def read_log_file(path: Path, *, zone: tzinfo | None) -> Iterator[PredictionRecord | BadLine]:
    """Yield each row and each bad line of one file of a log, as `read_log` does.

    Raises:
        StoreError: the file cannot be read.
    """
    for number, line in file_lines(path):
        try:
            yield parse_row(line, zone=zone)
        except LineError as error:
            yield error.at(str(path), number)
