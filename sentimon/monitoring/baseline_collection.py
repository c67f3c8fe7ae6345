"""The baseline of a model that has just begun to serve: what it is to be made of, and how far that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from heapq import nsmallest
from typing import Annotated

import msgspec

from sentimon.errors import DataError
from sentimon.jsonl import decode_file
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import ModelKey

FORMAT = 1
MOST_ROWS = 1 << 53


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The baseline that is to come: of so many rows of one model, later than a moment."""

    format: int = FORMAT
    name: str
    """Of the baseline: the version that serves."""
    revision: str
    since: Annotated[datetime, msgspec.Meta(tz=True)]
    rows: Annotated[int, msgspec.Meta(ge=1, le=MOST_ROWS)]
    asked: Annotated[int, msgspec.Meta(ge=0, le=MOST_ROWS)]
    """Rows that somebody asked for; 0 where only a baseline from earlier is taken up again."""
    replaces: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")] | None
    """SHA-256 of the baseline that lay there then, in hexadecimal; None where there was none."""
    again: str | None = None
    """The file of a baseline of that model from earlier, which is taken up again after those rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collecting:
    """How far the rows of a baseline to come are."""

    wanted: Wanted
    found: int
    """Rows of that model so far."""
    others: int
    """Rows since then that are of another model, or do not say of which: they do not count."""

    @property
    def ready(self) -> bool:
        """Return whether there are enough."""
        return self.found >= self.wanted.rows


def count_rows(wanted: Wanted, models: Mapping[ModelKey, int]) -> Collecting:
    """Return how far a baseline is; `models` are the rows since then per (model, revision)."""
    found = sum(count for (_, revision), count in models.items() if revision == wanted.revision)
    return Collecting(wanted=wanted, found=found, others=sum(models.values()) - found)


def first_rows(wanted: Wanted, rows: Iterable[PredictionRecord]) -> list[PredictionRecord]:
    """Return the rows that make it up, the earliest first, whatever the order they come in."""
    own = (row for row in rows if row.revision == wanted.revision and row.timestamp > wanted.since)
    return nsmallest(wanted.rows, own, key=lambda row: row.timestamp)


def encode_wanted(wanted: Wanted) -> bytes:
    """Return the file of `wanted`."""
    return msgspec.json.encode(wanted) + b"\n"


_decode_file = msgspec.json.Decoder(Wanted).decode


def decode_wanted(content: bytes, *, origin: str) -> Wanted:
    """Return what a file holds; `origin` names the file in errors.

    Raises:
        StoreError: it names no baseline to come, or is of another format.
    """
    hint = "remove it, and make a baseline with `sentimon baseline create`"
    return decode_file(content, _from_content, origin=origin, what="record of a baseline to come", hint=hint)


def _from_content(content: bytes) -> Wanted:
    wanted = _decode_file(content)
    if wanted.format != FORMAT:
        raise DataError(f"is of format {wanted.format}, this version reads {FORMAT}")
    return wanted
