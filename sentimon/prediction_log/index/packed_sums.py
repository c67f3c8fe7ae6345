"""What a part of a file of the log holds, as programs pass it on and the index keeps it."""

from __future__ import annotations

from array import array
from collections.abc import Mapping

import msgspec

from sentimon.prediction_log.index.cells import WIDTHS, Cells, Stretch
from sentimon.prediction_log.summary import (
    CONFIDENCE_BINS,
    POLARITY_BINS,
    Counts,
    GrowingSummary,
    GrowingTally,
)
from sentimon.scoring.scores import SCALE

MOST_STRETCHES = 64
"""Of one cell; nearer ones are then taken together."""
_TYPES = ("B", "H", "I", "Q")
"""Of the numbers in a histogram, the smallest that hold them."""
_FEW = 16
"""Rows whose bins take less room one by one than all bins."""


class PackedTally(msgspec.Struct, array_like=True, frozen=True):
    """A GrowingTally."""

    count: int
    confidence: int
    squares: tuple[int, int]
    """Millions of millionths squared, and the rest: a sum can be beyond 64 bits."""
    polarity: int
    confidence_histogram: bytes | dict[int, int]
    polarity_histogram: bytes | dict[int, int]


class Packed(msgspec.Struct, array_like=True, frozen=True):
    """A GrowingSummary, without its bad lines."""

    classes: tuple[PackedTally, PackedTally, PackedTally]
    hours: dict[int, Counts]
    models: list[tuple[str | None, str | None, int]]
    properties: dict[str, int]
    first: int | None
    last: int | None


class BadLines(msgspec.Struct, array_like=True, frozen=True):
    """The bad lines of a part: how many of each kind, and the first few as (number, kind, reason)."""

    kinds: Mapping[str, int] = {}
    first: list[tuple[int, str, str]] = []


class PackedCell(msgspec.Struct, array_like=True, frozen=True):
    """The rows of so many hours from one on."""

    width: int
    hour: int
    sums: bytes
    stretches: list[Stretch]
    """None of a cell that is a sum of others, which say it."""


class Part(msgspec.Struct, array_like=True, frozen=True):
    """What was read from one byte of a file to another, both the begin of a line or the end of the file."""

    begin: int
    end: int
    checksum: int
    """CRC-32 of the bytes."""
    lines: int
    cells: list[PackedCell]
    total: bytes
    """The sum over all cells, packed."""
    bad: BadLines
    """Numbered from 1 at the begin of the part."""
    damage: str | None
    """Why the rest of the compressed file cannot be read."""


def pack_cells(cells: Cells) -> tuple[list[PackedCell], bytes]:
    """Return (the cells, each an hour, and then those of all longer widths; the sum over all, packed).

    Each is there once, in the order of its width and hour.
    """
    packed = [
        PackedCell(1, hour, pack(cell.sums), few_stretches(cell.stretches))
        for hour, cell in sorted(cells.items())
    ]
    sums = {hour: cell.sums for hour, cell in cells.items()}
    for width in WIDTHS[1:]:
        sums = _widened(sums, width)
        packed += [PackedCell(width, hour, pack(one), []) for hour, one in sorted(sums.items())]
    total = GrowingSummary()
    for one in sums.values():
        total.include(one)
    return packed, pack(total)


def _widened(sums: Mapping[int, GrowingSummary], width: int) -> dict[int, GrowingSummary]:
    wide: dict[int, GrowingSummary] = {}
    for hour, one in sums.items():
        wide.setdefault(hour - hour % width, GrowingSummary()).include(one)
    return wide


def pack(sums: GrowingSummary) -> bytes:
    """Return `sums`, without its bad lines, as bytes."""
    negative, neutral, positive = (_pack_tally(tally) for tally in sums.classes)
    packed = Packed(
        classes=(negative, neutral, positive),
        hours=sums.hours,
        models=[(model, revision, count) for (model, revision), count in sums.models.items()],
        properties=sums.properties,
        first=sums.first,
        last=sums.last,
    )
    return msgspec.msgpack.encode(packed)


_decode = msgspec.msgpack.Decoder(Packed).decode


def unpack(content: bytes) -> GrowingSummary:
    """Return the sums that `pack` made `content` of.

    Raises:
        msgspec.MsgspecError: it made none of it.
    """
    packed = _decode(content)
    sums = GrowingSummary()
    negative, neutral, positive = (_unpack_tally(tally) for tally in packed.classes)
    sums.classes = (negative, neutral, positive)
    sums.hours = packed.hours
    sums.models = {(model, revision): count for model, revision, count in packed.models}
    sums.properties = packed.properties
    sums.first, sums.last = packed.first, packed.last
    return sums


def few_stretches(stretches: list[Stretch]) -> list[Stretch]:
    """Return the stretches in order, at most MOST_STRETCHES that cover them all."""
    if len(stretches) == 1:
        return stretches
    gap = 0
    while True:
        merged: list[Stretch] = []
        for begin, end in sorted(stretches):
            if merged and begin <= merged[-1][1] + gap:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((begin, end))
        if len(merged) <= MOST_STRETCHES:
            return merged
        gap = 4 * gap + 65_536


def _pack_tally(tally: GrowingTally) -> PackedTally:
    return PackedTally(
        count=tally.count,
        confidence=tally.confidence,
        squares=divmod(tally.confidence_squares, SCALE),
        polarity=tally.polarity,
        confidence_histogram=_pack_histogram(tally.confidence_histogram),
        polarity_histogram=_pack_histogram(tally.polarity_histogram),
    )


def _unpack_tally(packed: PackedTally) -> GrowingTally:
    millions, rest = packed.squares
    return GrowingTally(
        count=packed.count,
        confidence=packed.confidence,
        confidence_squares=millions * SCALE + rest,
        polarity=packed.polarity,
        confidence_histogram=_unpack_histogram(packed.confidence_histogram, CONFIDENCE_BINS),
        polarity_histogram=_unpack_histogram(packed.polarity_histogram, POLARITY_BINS),
    )


def _pack_histogram(histogram: array[int]) -> bytes | dict[int, int]:
    counts = histogram.tolist()
    if sum(counts) <= _FEW:
        return {place: rows for place, rows in enumerate(counts) if rows}
    try:
        return bytes(counts)
    except ValueError:
        most = max(counts)
        return array(next(one for one in _TYPES if most < 256 ** array(one).itemsize), counts).tobytes()


def _unpack_histogram(content: bytes | dict[int, int], bins: int) -> array[int]:
    if isinstance(content, dict):
        histogram = array("q", bytes(8 * bins))
        for place, rows in content.items():
            histogram[place] = rows
        return histogram
    width = len(content) // bins
    return array("q", array(next(one for one in _TYPES if array(one).itemsize == width), content).tolist())
