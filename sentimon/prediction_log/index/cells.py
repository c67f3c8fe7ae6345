"""Rows into cells, one for each stretch of time, each with the stretches of the file that hold its rows."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import GrowingSummary
from sentimon.prediction_log.windows import Calendar, Period
from sentimon.timestamps import HOUR_MICROSECONDS, from_microseconds, to_microseconds

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


_FOREVER = 1 << 62
OUTSIDE = -_FOREVER
"""The key of moments that are not asked for."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """From `begin` (included) to `end` (excluded), in microseconds since 1970."""

    begin: int
    end: int

    @classmethod
    def of(cls, period: Period) -> Span:
        """Return the span of `period`."""
        since = -_FOREVER if period.since is None else to_microseconds(period.since)
        after = -_FOREVER if period.after is None else to_microseconds(period.after) + 1
        end = _FOREVER if period.until is None else to_microseconds(period.until)
        return cls(begin=max(since, after), end=end)

    @property
    def hours(self) -> range:
        """Return the hours since 1970 that it touches, or that begin where it ends."""
        return range(self.begin // HOUR_MICROSECONDS, self.end // HOUR_MICROSECONDS + 1)

    def covers(self, first: int, last: int) -> bool:
        """Return whether both moments, and so all between, lie inside."""
        return self.begin <= first and last < self.end


def of_calendar(calendar: Calendar) -> Slot:
    """Return the windows of `calendar` as slots; the key is their start in microseconds since 1970."""

    def slot(moment: int) -> tuple[int, int]:
        start = calendar.start_of(from_microseconds(moment))
        return to_microseconds(start), to_microseconds(calendar.after(start))

    return slot


def always(moment: int) -> tuple[int, int]:
    """Return (0, the end of time): all moments are of one slot."""
    return 0, _FOREVER


def within(span: Span, slot: Slot) -> Slot:
    """Return the slots as far as they lie in `span`."""

    def cut(moment: int) -> tuple[int, int]:
        if moment < span.begin:
            return OUTSIDE, span.begin
        if moment >= span.end:
            return OUTSIDE, _FOREVER
        key, end = slot(moment)
        return key, min(end, span.end)

    return cut


class HourlySlots:
    """A Slot: another one as far as it lies in some hours, each hour by itself."""

    def __init__(self, hours: Collection[int], slot: Slot) -> None:
        self._hours = hours
        self._slot = slot
        self._places: dict[tuple[int, int], int] = {}

    def __call__(self, moment: int) -> tuple[int, int]:
        """Return (a key of the slot in that hour, the first later moment of another)."""
        hour, hour_end = hour_slot(moment)
        if hour not in self._hours:
            return OUTSIDE, hour_end
        key, end = self._slot(moment)
        place = OUTSIDE if key == OUTSIDE else self._places.setdefault((key, hour), len(self._places))
        return place, min(end, hour_end)

    def keys(self) -> list[int]:
        """Return the key of the slot that each key given out, from 0 on, stands for."""
        return [key for key, _ in self._places]
