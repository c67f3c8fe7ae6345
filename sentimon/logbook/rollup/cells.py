"""Rows into cells, one for each stretch of time, each with the stretches of the file that hold its rows."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from sentimon.logbook.moments import HOUR_MICROSECONDS, to_microseconds
from sentimon.logbook.record import PredictionRecord
from sentimon.logbook.summary import GrowingSummary

Slot = Callable[[int], tuple[int, int]]
"""From a moment in microseconds since 1970 to (the key of its cell, the first later moment of another).

Where rows are read in bulk none is longer than an hour that begins on the hour, UTC."""

Stretch = tuple[int, int]
"""A part of a file: (first byte, byte after the last)."""

WIDTHS = (1, 24, 24 * 32)
"""Hours of the cells that the index keeps; longer ones are sums of shorter ones, for long questions.

Each begins where its width divides the hours since 1970, so that one of a later width holds whole ones
of the width before."""

NEAR = 64 * 1024
"""Bytes between two stretches that are cheaper to read than to pass over."""


class Cell(msgspec.Struct):
    """The rows of one stretch of time."""

    sums: GrowingSummary = msgspec.field(default_factory=GrowingSummary)
    stretches: list[Stretch] = msgspec.field(default_factory=list)
    """Where in the file its rows are, in order; rows of other cells may lie there, too."""

    def found(self, begin: int, end: int) -> None:
        """Note that rows of the cell lie between two bytes of the file, none of them before those known."""
        if self.stretches and begin <= self.stretches[-1][1] + NEAR:
            begin = self.stretches.pop()[0]
        self.stretches.append((begin, end))


class Cells(dict[int, Cell]):
    """The cells that some rows fall into, by key."""

    def __missing__(self, key: int) -> Cell:
        """Return the new, empty cell of a stretch of time that had no rows."""
        cell = self[key] = Cell()
        return cell

    def add(self, row: PredictionRecord, slot: Slot, begin: int, end: int) -> None:
        """Add one row, which lies between two bytes of the file."""
        key, _ = slot(to_microseconds(row.timestamp))
        cell = self[key]
        cell.sums.add(row)
        cell.found(begin, end)


def hour_slot(moment: int) -> tuple[int, int]:
    """Return (the number of the hour since 1970 that holds a moment, UTC; its end), in microseconds."""
    hour = moment // HOUR_MICROSECONDS
    return hour, (hour + 1) * HOUR_MICROSECONDS
