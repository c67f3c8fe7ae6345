"""Sums in few bytes, as processes pass them on and the index stores them."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from sentimon.prediction_log.index.cells import WIDTHS, ByteRange, CellTable, TimeCell
from sentimon.prediction_log.summary import (
    CONFIDENCE_BINS,
    POLARITY_BINS,
    Counts,
    GrowingSummary,
    GrowingTally,
)
from sentimon.scoring.scores import SCALE

if TYPE_CHECKING:
    from sentimon.prediction_log.slices import GrowingSlices

MOST_RANGES = 64
"""Most ranges of one cell; if there are more, the nearest are merged."""
_TYPES = ("B", "H", "I", "Q")
"""Types of the numbers of a histogram; the smallest that holds them is used."""
_FEW = 16
"""A histogram of so few rows is stored as its non-empty bins."""


class PackedTally(msgspec.Struct, array_like=True, frozen=True):
    """The packed form of a GrowingTally."""

    count: int
    confidence: int
    squares: tuple[int, int]
    """The sum of squares divided by SCALE, and the rest: it can exceed 64 bits."""
    polarity: int
    confidence_histogram: bytes | dict[int, int]
    polarity_histogram: bytes | dict[int, int]


class PackedSummary(msgspec.Struct, array_like=True, frozen=True):
    """The packed form of a GrowingSummary, without its bad lines."""

    classes: tuple[PackedTally, PackedTally, PackedTally]
    hours: dict[int, Counts]
    models: list[tuple[str | None, str | None, int]]
    properties: dict[str, int]
    first: int | None
    last: int | None


class BadLineCounts(msgspec.Struct, array_like=True, frozen=True):
    """How many bad lines of each kind a part has, and the first few as (line number, kind, reason)."""

    kinds: Mapping[str, int] = {}
    first: list[tuple[int, str, str]] = []


class PackedCell(msgspec.Struct, array_like=True, frozen=True):
    """The packed sum over the rows of `width` hours from `hour` on."""

    width: int
    hour: int
    sums: bytes
    ranges: list[ByteRange]
    """Where its rows are; empty in a cell wider than an hour, whose hours tell."""
    slices: dict[str, bytes] = {}
    """For each field that divides the rows, by its name, the packed sums over the slices."""


class PartialSum(msgspec.Struct, array_like=True, frozen=True):
    """The sums over the lines of a part of a file, which begins and ends where lines do."""

    begin: int
    end: int
    checksum: int
    """CRC-32 of the bytes."""
    lines: int
    cells: list[PackedCell]
    total: bytes
    """The packed sum over all cells."""
    bad: BadLineCounts
    """The line numbers count from 1 at `begin`."""
    damage: str | None
    """Why the rest of the compressed file cannot be read; None if it can."""


def pack_cells(cells: CellTable) -> tuple[list[PackedCell], bytes]:
    """Return (the packed cells of one hour, then those of each longer width; the packed sum over all).

    They are in the order of width and hour, each once.
    """
    packed = [_packed_cell(1, hour, cell) for hour, cell in sorted(cells.items())]
    wide: CellTable = cells
    for width in WIDTHS[1:]:
        wide = _widened(wide, width)
        packed += [_packed_cell(width, hour, one) for hour, one in sorted(wide.items())]
    total = GrowingSummary()
    for one in wide.values():
        total.include(one.sums)
    return packed, pack(total)


def _packed_cell(width: int, hour: int, cell: TimeCell) -> PackedCell:
    slices = {name: _pack_slices(sums) for name, sums in cell.slices.items()}
    return PackedCell(width, hour, pack(cell.sums), merged_ranges(cell.ranges) if width == 1 else [], slices)


def _pack_slices(sums: GrowingSlices) -> bytes:
    from sentimon.prediction_log.slices import pack_slices

    return pack_slices(sums)


def _widened(cells: CellTable, width: int) -> CellTable:
    wide = CellTable(cells.fields)
    for hour, cell in cells.items():
        into = wide[hour - hour % width]
        into.sums.include(cell.sums)
        for name, sums in cell.slices.items():
            into.slices[name].include(sums)
    return wide


def merged_slices(one: dict[str, bytes], other: dict[str, bytes]) -> dict[str, bytes]:
    """Return the packed sums over the slices of both sets of rows, which are divided by the same fields."""
    from sentimon.prediction_log.slices import pack_slices, unpack_slices

    merged = {}
    for name in one.keys() | other.keys():
        sums = [unpack_slices(packed[name]) for packed in (one, other) if name in packed]
        for more in sums[1:]:
            sums[0].include(more)
        merged[name] = pack_slices(sums[0])
    return merged


def pack(sums: GrowingSummary) -> bytes:
    """Return `sums` as bytes, without its bad lines."""
    negative, neutral, positive = (_pack_tally(tally) for tally in sums.classes)
    packed = PackedSummary(
        classes=(negative, neutral, positive),
        hours=sums.hours,
        models=[(model, revision, count) for (model, revision), count in sums.models.items()],
        properties=sums.properties,
        first=sums.first,
        last=sums.last,
    )
    return msgspec.msgpack.encode(packed)


_decode = msgspec.msgpack.Decoder(PackedSummary).decode


def unpack(content: bytes) -> GrowingSummary:
    """Return the sums that `pack` was given.

    Raises:
        msgspec.MsgspecError: `content` is not what `pack` returns.
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


def merged_ranges(ranges: list[ByteRange]) -> list[ByteRange]:
    """Return the stretches in order, at most MOST_STRETCHES that cover them all."""
    if len(ranges) == 1:
        return ranges
    gap = 0
    while True:
        merged: list[ByteRange] = []
        for begin, end in sorted(ranges):
            if merged and begin <= merged[-1][1] + gap:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((begin, end))
        if len(merged) <= MOST_RANGES:
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
    # Whole columns of bytes are put in place at once: a long log has a histogram for each of its hours.
    width = len(content) // bins
    wide = bytearray(8 * bins)
    for place in range(width):
        wide[(place if sys.byteorder == "little" else 8 - width + place) :: 8] = content[place::width]
    return array("q", bytes(wide))
