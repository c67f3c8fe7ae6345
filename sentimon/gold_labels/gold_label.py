"""One gold label beside the log: which rows it is for, what it says, when it came, how much it counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from typing import Any

import msgspec

from sentimon.errors import DataError
from sentimon.jsonl import LineError, decode_line, encode
from sentimon.labels import Sentiment
from sentimon.prediction_log.record import line_label
from sentimon.timestamps import format_moment, in_utc

ID = "id"
TEXT_HASH = "text_hash"
ROW_ID = "row_id"
"""Column of a file of labels that holds the id of the logged row; its `id` may be a tool's own number."""
Key = tuple[str, str]
"""Identifies rows: (`id`, the id), or (`text_hash`, the keyed hash of the text as the log keeps it)."""
Hash = Callable[[str], str]


class GoldLabel(msgspec.Struct, frozen=True, kw_only=True):
    """The class that people gave to the rows with one key."""

    key: Key
    label: Sentiment
    timestamp: datetime
    """When the label was given, else when it was imported, in UTC."""
    probability: float | None = None
    """Probability, above 0 to 1, with which the row was drawn for labelling; None where it was not drawn."""
    draw: datetime | None = None
    """When the row was drawn; all rows of one draw share the moment."""

    @property
    def drawn(self) -> bool:
        """Return whether the row was drawn at random with a known probability."""
        return self.probability is not None and self.draw is not None

    def to_line(self) -> bytes:
        """Return the label as one line of the file, without a line feed."""
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


def design_weights(labels: Sequence[GoldLabel]) -> list[float]:
    """Return the weight of each labelled row, >= 0, in the same order; all 1 where none was drawn.

    Each draw by itself gives an unbiased sum over all rows that had been logged by then: a row labelled
    before it counts 1, a row it drew 1 / probability, and a row labelled later in another way 0, because
    nobody knows why it was chosen. The sums of several draws are averaged in proportion to their labels.

    Source: Horvitz & Thompson (1952), J. Am. Stat. Assoc. 47, 663-685.
    """
    sizes = Counter(label.draw for label in labels if label.drawn)
    if not sizes:
        return [1.0] * len(labels)
    total = sum(sizes.values())
    shares = [(draw, size / total) for draw, size in sizes.items() if draw is not None]
    return [sum(share * _in_draw(label, draw) for draw, share in shares) for label in labels]


def _in_draw(label: GoldLabel, draw: datetime) -> float:
    if label.probability is not None and label.draw is not None:
        return 1 / label.probability if label.draw == draw else float(label.draw < draw)
    return float(label.timestamp < draw)
