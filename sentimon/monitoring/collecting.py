"""The baseline of a model that has just begun to serve: what it is to be made of, and how far that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from heapq import nsmallest

import msgspec

from sentimon.errors import StoreError
from sentimon.logbook.record import PredictionRecord
from sentimon.logbook.summary import ModelKey

FORMAT = 1


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The baseline that is to come: of so many rows of one model, later than a moment."""

    format: int = FORMAT
    name: str
    """Of the baseline: the version that serves."""
    revision: str
    since: datetime
    rows: int
    asked: int
    """Rows that somebody asked for; 0 where only a baseline from earlier is taken up again."""
    replaces: str | None
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


def decode_wanted(content: bytes, *, origin: str) -> Wanted:
    """Return what a file holds; `origin` names the file in errors.

    Raises:
        StoreError: it names no baseline to come, or is of another format.
    """
    try:
        wanted = msgspec.json.decode(content, type=Wanted)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error)
    else:
        if wanted.format == FORMAT:
            return wanted
        reason = f"is of format {wanted.format}, this version reads {FORMAT}"
    raise StoreError(
        f"{origin}: names no baseline to come: {reason}",
        hint="remove it, and make a baseline with `sentimon baseline create`",
    )
