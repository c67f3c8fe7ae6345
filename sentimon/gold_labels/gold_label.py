"""One gold label beside the log: which rows it is for, what it says, when it came, how it was drawn."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any

import msgspec

from sentimon.errors import DataError
from sentimon.jsonl import LineError, decode_line, encode
from sentimon.labels import Sentiment
from sentimon.prediction_log.record import PredictionRecord, line_label
from sentimon.timestamps import format_moment, in_utc

ID = "id"
TEXT_HASH = "text_hash"
ROW_ID = "row_id"
"""Field of a file of labels that names the id of the logged row, whatever its `id` is."""
Key = tuple[str, str]
"""What tells rows apart: (`id`, the id), or (`text_hash`, the keyed hash of the text as the log keeps it)."""
Hash = Callable[[str], str]


class GoldLabel(msgspec.Struct, frozen=True, kw_only=True):
    """The class that people gave to the rows with a key."""

    key: Key
    label: Sentiment
    timestamp: datetime
    """When the label was given, or else imported, in UTC."""
    probability: float | None = None
    """With which the row was drawn for labelling, above 0 to 1; None where no one drew it."""
    draw: datetime | None = None
    """When it was drawn; labels of one draw share it."""

    @property
    def drawn(self) -> bool:
        """Return whether the row was drawn at random with a known probability."""
        return self.probability is not None and self.draw is not None

    def to_line(self) -> bytes:
        """Return the label as the file holds it."""
        kind, value = self.key
        row: dict[str, Any] = {"timestamp": format_moment(self.timestamp), kind: value}
        row["label"] = self.label.label
        if self.probability is not None:
            row["probability"] = self.probability
        if self.draw is not None:
            row["draw"] = format_moment(self.draw)
        return encode(row)


class _Row(msgspec.Struct, kw_only=True):
    timestamp: datetime
    label: str
    id: str | int | None = None
    text_hash: str | None = None
    probability: float | None = None
    draw: datetime | None = None


_decode_row = msgspec.json.Decoder(_Row).decode


def parse_label_line(line: bytes | LineError, *, zone: tzinfo | None) -> GoldLabel:
    """Return the label on one line of the file; naive timestamps are read in `zone` (None: local).

    Raises:
        LineError: the line is no valid JSON or no valid label.
    """
    row = decode_line(line, _decode_row)
    if row.id is not None:
        key = (ID, str(row.id))
    elif row.text_hash is not None:
        key = (TEXT_HASH, row.text_hash)
    else:
        raise LineError("key", "neither id nor text_hash says which rows it is for")
    if row.probability is not None and not 0 < row.probability <= 1:
        raise LineError("probability", f"probability is {row.probability}, not above 0 to 1")
    try:
        return GoldLabel(
            key=key,
            label=line_label(row.label),
            timestamp=in_utc(row.timestamp, zone),
            probability=row.probability,
            draw=None if row.draw is None else in_utc(row.draw, zone),
        )
    except DataError as error:
        raise error if isinstance(error, LineError) else LineError("timestamp", error.message) from error


def keys_of(record: PredictionRecord, hash_text: Hash) -> list[Key]:
    """Return the keys of a row, the surest first: its id, then the hash of its text as far as it is kept."""
    keys = [] if record.id is None else [(ID, record.id)]
    if record.text_hash is not None:
        keys.append((TEXT_HASH, record.text_hash))
    elif record.text is not None:
        keys.append((TEXT_HASH, hash_text(record.text)))
    return keys
