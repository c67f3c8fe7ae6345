"""Records into the log."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from sentimon.logbook.files import append_lines
from sentimon.logbook.reader import LIVE_FILE
from sentimon.logbook.record import PredictionRecord


def append_records(folder: Path, records: Iterable[PredictionRecord]) -> int:
    """Append `records` to the live file of the log in `folder`, made if need be; return their number.

    Either all are kept or none.

    Raises:
        StoreError: the log cannot be written.
    """
    lines = [encode(record.to_dict()) for record in records]
    append_lines(folder / LIVE_FILE, lines)
    return len(lines)


def encode(value: object) -> bytes:
    """Return `value` as one line of strict JSON in UTF-8; not-a-number and infinity become null."""
    return msgspec.json.encode(value)
