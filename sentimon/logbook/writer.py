"""Records into the log."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sentimon.jsonl import encode
from sentimon.logbook.files import append_lines
from sentimon.logbook.reader import LIVE_FILE
from sentimon.logbook.record import PredictionRecord


def append_records(folder: Path, records: Iterable[PredictionRecord]) -> int:
    """Append `records` to the live file of the log in `folder`, made if need be; return their number.

    Either all are kept or none.

    Raises:
        StoreError: the log cannot be written.
    """
    return append_records_to(folder / LIVE_FILE, records)


def append_records_to(path: Path, records: Iterable[PredictionRecord]) -> int:
    """Append `records` to the file at `path`, as `append_records` does."""
    lines = [encode(record.to_dict()) for record in records]
    append_lines(path, lines)
    return len(lines)
