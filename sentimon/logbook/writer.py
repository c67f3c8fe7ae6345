"""Records into the log."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sentimon.jsonl import encode
from sentimon.logbook.files import append_lines
from sentimon.logbook.privacy import Privacy
from sentimon.logbook.reader import LIVE_FILE
from sentimon.logbook.record import PredictionRecord


def append_records(
    folder: Path, records: Iterable[PredictionRecord], *, privacy: Privacy, file: str = LIVE_FILE
) -> list[PredictionRecord]:
    """Append `records` to a file of the log in `folder`, made if need be; return them as they were stored.

    Either all are kept or none.

    Raises:
        StoreError: the log cannot be written.
    """
    stored = [privacy.apply(record) for record in records]
    append_lines(folder / file, [encode(record.to_dict()) for record in stored])
    return stored
