"""Sums over rows by stretch of time: cells, and the slots of time that decide which cell a row falls into."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

import msgspec

from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import GrowingSummary
from sentimon.prediction_log.windows import CALENDAR_END, Calendar, Period
from sentimon.scoring.scores import SCALE
from sentimon.timestamps import HOUR_MICROSECONDS, from_microseconds, to_microseconds

if TYPE_CHECKING:
    from sentimon.prediction_log.slice_fields import SliceField
    from sentimon.prediction_log.slices import GrowingSlices

SlotFunction = Callable[[int], tuple[int, int]]
"""Takes a moment in microseconds since 1970; gives (the key of its slot of time, the end of that slot).

Rows can be read in bulk only if no slot crosses the begin of an hour, UTC."""

ByteRange = tuple[int, int]
"""A range of bytes of a file: (first byte, byte after the last)."""

WIDTHS = (1, 24, 24 * 32)
"""Hours of the cells that the index stores; long ones, sums of short ones, make long periods quick.

A cell begins where its width divides the hours since 1970, so that it holds whole cells of the width
before."""

MOST_GAP_BYTES = 64 * 1024
"""Bytes between two ranges that are cheaper to read than to skip."""


class TimeCell(msgspec.Struct):
    """The sum over the rows of one slot of time, and where these rows are."""

    sums: GrowingSummary = msgspec.field(default_factory=GrowingSummary)
    ranges: list[ByteRange] = msgspec.field(default_factory=list)
    """The parts of the file that hold its rows, in order; rows of other cells may lie between them."""
    slices: dict[str, GrowingSlices] = msgspec.field(default_factory=dict)
    """For each field that divides the rows, by its name, the sums over the slices."""

    def add_range(self, begin: int, end: int) -> None:
        """Note that rows of the cell lie between two bytes of the file, behind the known ranges."""
        if self.ranges and begin <= self.ranges[-1][1] + MOST_GAP_BYTES:
            begin = self.ranges.pop()[0]
        self.ranges.append((begin, end))


class CellTable(dict[int, TimeCell]):
    """Cells by key; a new one is empty."""

    def __init__(self, fields: Sequence[SliceField] = ()) -> None:
        """Begin without a cell; `fields` divide the rows of each."""
        super().__init__()
        self.fields = fields

    def __missing__(self, key: int) -> TimeCell:
        """Return a new, empty cell."""
        cell = self[key] = TimeCell(slices=_no_slices(self.fields))
        return cell

    def add(self, row: PredictionRecord, slot: SlotFunction, begin: int, end: int) -> None:
        """Add one row, which lies between two bytes of the file."""
        key, _ = slot(to_microseconds(row.timestamp))
        cell = self[key]
        cell.sums.add(row)
        cell.add_range(begin, end)
        for field in self.fields:
            confidence = None if row.confidence is None else round(row.confidence * SCALE)
            cell.slices[field.name].add(field.value(row, row.extra), row.sentiment, confidence)

    @property
    def slice_count(self) -> int:
        """Return the number of slices of all cells."""
        return sum(len(one.values) for cell in self.values() for one in cell.slices.values())


def _no_slices(fields: Sequence[SliceField]) -> dict[str, GrowingSlices]:
    if not fields:
        return {}
    from sentimon.prediction_log.slices import GrowingSlices

    return {field.name: GrowingSlices() for field in fields}


def hour_slots(moment: int) -> tuple[int, int]:
    """Return (the hour since 1970 that holds a moment, UTC; its end in microseconds)."""
    hour = moment // HOUR_MICROSECONDS
    return hour, (hour + 1) * HOUR_MICROSECONDS


_FOREVER = 1 << 62
OUTSIDE = -_FOREVER
"""The key of all moments outside the period."""


class TimeSpan(msgspec.Struct, frozen=True, kw_only=True):
    """From `begin` (included) to `end` (excluded), in microseconds since 1970."""

    begin: int
    end: int

    @classmethod
    def of(cls, period: Period) -> TimeSpan:
        """Return the span of `period`."""
        since = -_FOREVER if period.since is None else to_microseconds(period.since)
        after = -_FOREVER if period.after is None else to_microseconds(period.after) + 1
        end = _FOREVER if period.until is None else to_microseconds(period.until)
        return cls(begin=max(since, after), end=end)

    @property
    def hours(self) -> range:
        """Return the hours since 1970 that it touches, and the one that begins where it ends."""
        return range(self.begin // HOUR_MICROSECONDS, self.end // HOUR_MICROSECONDS + 1)

    def contains(self, first: int, last: int) -> bool:
        """Return whether both moments, and so all between, lie inside."""
        return self.begin <= first and last < self.end


def calendar_slots(calendar: Calendar) -> SlotFunction:
    """Return the windows of `calendar` as slots; the key is the start in microseconds since 1970."""

    def slot(moment: int) -> tuple[int, int]:
        start = calendar.start_of(from_microseconds(moment))
        end = calendar.after(start)
        return to_microseconds(start), _FOREVER if end == CALENDAR_END else to_microseconds(end)

    return slot


def one_slot(moment: int) -> tuple[int, int]:
    """Return (0, the end of time): all moments are in one slot."""
    return 0, _FOREVER


def clipped_slots(span: TimeSpan, slot: SlotFunction) -> SlotFunction:
    """Return `slot` cut to `span`; moments outside have the key OUTSIDE."""

    def cut(moment: int) -> tuple[int, int]:
        if moment < span.begin:
            return OUTSIDE, span.begin
        if moment >= span.end:
            return OUTSIDE, _FOREVER
        key, end = slot(moment)
        return key, min(end, span.end)

    return cut


class SlotsByHour:
    """A SlotFunction that cuts the slots of another one at the hours, and keeps only some hours."""

    def __init__(self, hours: Collection[int], slot: SlotFunction) -> None:
        self._hours = hours
        self._slot = slot
        self._places: dict[tuple[int, int], int] = {}

    def __call__(self, moment: int) -> tuple[int, int]:
        """Return (the key of the slot in that hour, its end)."""
        hour, hour_end = hour_slots(moment)
        if hour not in self._hours:
            return OUTSIDE, hour_end
        key, end = self._slot(moment)
        place = OUTSIDE if key == OUTSIDE else self._places.setdefault((key, hour), len(self._places))
        return place, min(end, hour_end)

    def keys(self) -> list[int]:
        """Return the key of the original slot for each key given out, from 0 on."""
        return [key for key, _ in self._places]
