"""A baseline that is still being collected: which rows it will be made of, and how many there are so far."""

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


class PendingBaseline(msgspec.Struct, frozen=True, kw_only=True):
    """A baseline that will be made of the first `rows` rows of one model after `since`."""

    format: int = FORMAT
    name: str
    """Name of the baseline: the version of the model that serves."""
    revision: str
    since: Annotated[datetime, msgspec.Meta(tz=True)]
    rows: Annotated[int, msgspec.Meta(ge=1, le=MOST_ROWS)]
    asked: Annotated[int, msgspec.Meta(ge=0, le=MOST_ROWS)]
    """Number of rows that a person asked for; 0 where an earlier baseline is used again."""
    replaces: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")] | None
    """SHA-256, in hexadecimal, of the baseline file that it replaces; None where there was none."""
    again: str | None = None
    """The file of an earlier baseline of that model, which is used again after those rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineProgress:
    """How many rows of a baseline that is being collected have come."""

    wanted: PendingBaseline
    found: int
    """Number of rows of that model so far."""
    others: int
    """Number of rows since then that name another model or none; they do not count."""

    @property
    def ready(self) -> bool:
        """Return whether there are enough."""
        return self.found >= self.wanted.rows


def baseline_progress(wanted: PendingBaseline, models: Mapping[ModelKey, int]) -> BaselineProgress:
    """Return the progress of a baseline; `models` holds the rows since then per (model, revision)."""
    found = sum(count for (_, revision), count in models.items() if revision == wanted.revision)
    return BaselineProgress(wanted=wanted, found=found, others=sum(models.values()) - found)


def collected_rows(wanted: PendingBaseline, rows: Iterable[PredictionRecord]) -> list[PredictionRecord]:
    """Return the rows of the baseline, the earliest first, whatever the order of `rows`."""
    own = (row for row in rows if row.revision == wanted.revision and row.timestamp > wanted.since)
    return nsmallest(wanted.rows, own, key=lambda row: row.timestamp)


def encode_pending_baseline(wanted: PendingBaseline) -> bytes:
    """Return the content of the file of `wanted`."""
    return msgspec.json.encode(wanted) + b"\n"


_decode_file = msgspec.json.Decoder(PendingBaseline).decode


def decode_pending_baseline(content: bytes, *, origin: str) -> PendingBaseline:
    """Return the pending baseline in a file; `origin` names the file in errors.

    Raises:
        StoreError: the content is no pending baseline, or is of another format.
    """
    hint = "remove it, and make a baseline with `sentimon baseline create`"
    return decode_file(content, _from_content, origin=origin, what="record of a baseline to come", hint=hint)


def _from_content(content: bytes) -> PendingBaseline:
    wanted = _decode_file(content)
    if wanted.format != FORMAT:
        raise DataError(f"is of format {wanted.format}, this version reads {FORMAT}")
    return wanted
