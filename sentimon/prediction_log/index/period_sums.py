"""Answer questions about sums: over a period, per window of a calendar, per hour, per file.

The sum of a file that lies inside the period is stored ready. Of other files, the widest stored cells that
lie inside are added, and the rows of the hours that the period or a window cuts are read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

import msgspec

from sentimon.jsonl import BadLine
from sentimon.prediction_log.index.cells import (
    OUTSIDE,
    WIDTHS,
    ByteRange,
    SlotFunction,
    SlotsByHour,
    TimeCell,
    TimeSpan,
    calendar_slots,
    clipped_slots,
    hour_slots,
    one_slot,
)
from sentimon.prediction_log.index.indexed_files import IndexedFile
from sentimon.prediction_log.index.line_blocks import blocks_in_ranges
from sentimon.prediction_log.index.packed_sums import merged_ranges
from sentimon.prediction_log.index.scan import BULK_BYTES, Scan
from sentimon.prediction_log.index.sqlite_store import IndexStore, StoredCell, damaged_index
from sentimon.prediction_log.log_file import LogFile
from sentimon.prediction_log.summary import Counts, GrowingSummary, Summary
from sentimon.prediction_log.windows import Calendar, Period, Window, lay_out
from sentimon.timestamps import from_microseconds

if TYPE_CHECKING:
    from sentimon.prediction_log.slice_fields import SliceCondition, SliceField
    from sentimon.prediction_log.slices import GrowingSlices, Slices

SlotSum = tuple[int, GrowingSummary]
"""The key of a slot of time, and the sum over some of its rows."""


class PeriodSums(msgspec.Struct, frozen=True, kw_only=True):
    """Answers questions about the log as it was at one moment; see `LogIndex.ask`.

    Its methods raise MovedError if a file that has to be read was moved since, StoreError if a file
    cannot be read, and what `IndexStore` raises.
    """

    store: IndexStore
    files: Sequence[IndexedFile]
    zone: tzinfo | None
    """The zone of timestamps that name none; None is local time."""
    where: tuple[SliceCondition, ...] = ()
    """The rows that there are: those for which all conditions hold."""

    def summary(self, period: Period) -> Summary:
        """Return the sum over the rows in `period` and all bad lines."""
        sums = GrowingSummary()
        for file in self.files:
            sums.include(self._of_file(file, TimeSpan.of(period)))
        return sums.summary()

    def windows(self, period: Period, calendar: Calendar, *, now: datetime) -> tuple[list[Window], Summary]:
        """Return (the windows of the rows in `period`, the sum over them and all bad lines).

        Raises:
            DataError: the rows span too many windows.
        """
        span, parts = TimeSpan.of(period), dict[int, GrowingSummary]()
        slot = clipped_slots(span, calendar_slots(calendar))
        for file in self.files:
            for key, sums in self._pieces(file, span, slot, self._torn_line(file, slot)):
                # The first piece is nobody else's, and mostly the only one.
                if parts.setdefault(key, sums) is not sums:
                    parts[key].include(sums)
        by_start = {from_microseconds(key): sums.summary() for key, sums in parts.items()}
        # Stored ready, unlike the sum over the windows.
        total_summary = self.summary(period)
        return lay_out(by_start, calendar, now=now), total_summary

    def hours(self, period: Period) -> Iterator[SlotSum]:
        """Yield sums over the rows in `period` by hour since 1970, UTC; an hour may come in several pieces.

        One hour is in memory at a time, for a long log has many.
        """
        span = TimeSpan.of(period)
        slot = clipped_slots(span, hour_slots)
        for file in self.files:
            yield from self._pieces(file, span, slot, self._torn_line(file, slot))

    def knows(self, field: SliceField) -> bool:
        """Return whether all files were read with their rows divided by a field."""
        return all(field.name in file.entry.fields for file in self.files)

    def slices(self, period: Period, field: SliceField) -> Slices:
        """Return the sums over the rows in `period` by the values of a field that divides the rows."""
        from sentimon.prediction_log.slices import Slices

        found = self._slices_by(period, field, one_slot)
        return found[0].slices() if found else Slices()

    def slice_hours(self, period: Period, field: SliceField) -> dict[int, Slices]:
        """Return the sums over the rows in `period` by hour since 1970, UTC, and by the values of a field."""
        found = self._slices_by(period, field, hour_slots)
        return {hour: sums.slices() for hour, sums in sorted(found.items())}

    def slice_windows(self, period: Period, field: SliceField, calendar: Calendar) -> dict[datetime, Slices]:
        """Return the sums over rows in `period` by start of the window, and by the values of a field."""
        found = self._slices_by(period, field, calendar_slots(calendar))
        return {from_microseconds(start): sums.slices() for start, sums in sorted(found.items())}

    def _slices_by(self, period: Period, field: SliceField, slots: SlotFunction) -> dict[int, GrowingSlices]:
        span = TimeSpan.of(period)
        found: dict[int, GrowingSlices] = {}
        slot = clipped_slots(span, slots)
        for file in self.files:
            for key, sums in self._slice_pieces(file, span, slot, field.name):
                # The first piece is nobody else's.
                if found.setdefault(key, sums) is not sums:
                    found[key].include(sums)
        return found

    def _slice_pieces(
        self, file: IndexedFile, span: TimeSpan, slot: SlotFunction, field: str
    ) -> Iterator[tuple[int, GrowingSlices]]:
        cut: dict[int, list[ByteRange]] = {}
        for key, cell in self._whole_cells(file, span, slot, cut):
            yield key, self.store.slices(file.entry.number, field, cell)
        torn = _slots_of(self._torn_line(file, slot, (field,)))
        for key, read in (*self._cut_cells(file, cut, slot, (field,)), *torn):
            yield key, read.slices[field]

    def trouble(self) -> Summary:
        """Return the sum over all bad lines."""
        sums = GrowingSummary()
        for file in self.files:
            self._add_bad(sums, file, self._torn_line(file, hour_slots))
        return sums.summary()

    def by_file(self) -> list[tuple[LogFile, Summary]]:
        """Return each file of the log with the sum over its rows and bad lines."""
        return [
            (file.snapshot.file, self._of_file(file, TimeSpan.of(Period())).summary()) for file in self.files
        ]

    def _of_file(self, file: IndexedFile, span: TimeSpan) -> GrowingSummary:
        sums, slot = GrowingSummary(), clipped_slots(span, one_slot)
        torn = self._torn_line(file, slot)
        self._add_bad(sums, file, torn)
        total = self.store.total(file.entry.number)
        if total.ends and span.contains(*total.ends):
            pieces: Iterable[SlotSum] = ((OUTSIDE, total), *_slot_sums(torn))
        else:
            pieces = self._pieces(file, span, slot, torn)
        for _, piece in pieces:
            sums.include(piece)
        return sums

    def _pieces(self, file: IndexedFile, span: TimeSpan, slot: SlotFunction, torn: Scan) -> Iterator[SlotSum]:
        """Yield sums over the rows of a file in `span`, by slot; that on a `torn` last line comes last."""
        cut: dict[int, list[ByteRange]] = {}
        for key, cell in self._whole_cells(file, span, slot, cut):
            yield key, cell.sums
        for key, read in self._cut_cells(file, cut, slot):
            yield key, read.sums
        yield from _slot_sums(torn)

    def _whole_cells(
        self, file: IndexedFile, span: TimeSpan, slot: SlotFunction, cut: dict[int, list[ByteRange]]
    ) -> Iterator[tuple[int, StoredCell]]:
        """Yield the cells of a file in `span` that lie in one slot, with its key.

        Afterwards `cut` has the hours that do not, with where their rows are. The row on a torn last line is
        in no cell.
        """
        number, expected = file.entry.number, self.store.total(file.entry.number).hours
        for cell in widest_cells(self.store, number, span.hours, expected=expected, slot=slot):
            first, last = cell.sums.ends or (0, 0)
            key, end = slot(first)
            if last >= end:
                cut[cell.hour] = cell.ranges
            elif key != OUTSIDE:
                yield key, cell

    def _cut_cells(
        self,
        file: IndexedFile,
        cut: Mapping[int, list[ByteRange]],
        slot: SlotFunction,
        fields: Sequence[str] = (),
    ) -> Iterator[tuple[int, TimeCell]]:
        """Yield sums over the rows of hours that no slot holds whole, by slot; they are read again."""
        if not cut:
            return
        # Read together: in a log out of order the ranges of the hours overlap.
        where = merged_ranges([byte_range for ranges in cut.values() for byte_range in ranges])
        hourly = SlotsByHour(cut, slot)
        scan = self._scan_ranges(file, where, hourly, fields)
        keys = hourly.keys()
        yield from ((keys[place], cell) for place, cell in _slots_of(scan))

    def _torn_line(self, file: IndexedFile, slot: SlotFunction, fields: Sequence[str] = ()) -> Scan:
        """Read what stands behind the last newline of a plain file: a line that may not be complete yet."""
        snapshot, end = file.snapshot, file.entry.progress.end
        if snapshot.compressed or end >= snapshot.state.size:
            return Scan(end, slot=slot, zone=self.zone, bulk=False)
        return self._scan_ranges(file, [(end, snapshot.state.size)], slot, fields)

    def _scan_ranges(
        self, file: IndexedFile, ranges: Sequence[ByteRange], slot: SlotFunction, fields: Sequence[str]
    ) -> Scan:
        """Read some ranges of a file, which are in order and begin and end where lines do.

        Raises:
            MovedError: the file is not there any more.
            StoreError: it cannot be read.
        """
        bulk = sum(end - begin for begin, end in ranges) >= BULK_BYTES
        scan = Scan(0, slot=slot, zone=self.zone, bulk=bulk, fields=fields, where=self.where)
        with file.opened() as opened:
            for begin, block in blocks_in_ranges(opened, ranges, damaged=file.entry.progress.damaged):
                scan.skip_to(begin)
                scan.add_block(block)
        scan.finish()
        return scan

    def _add_bad(self, sums: GrowingSummary, file: IndexedFile, torn: Scan) -> None:
        """Add the bad lines of a file; a torn last line comes after all others."""
        path, progress = str(file.snapshot.path), file.entry.progress
        for before, bad in ((0, progress.bad), (progress.lines, torn.bad)):
            lines = [
                BadLine(path=path, line=before + line, kind=kind, reason=reason)
                for line, kind, reason in bad.first
            ]
            sums.add_bad(bad.kinds, lines)


def _slot_sums(scan: Scan) -> Iterator[SlotSum]:
    for key, cell in _slots_of(scan):
        yield key, cell.sums


def _slots_of(scan: Scan) -> Iterator[tuple[int, TimeCell]]:
    return ((key, cell) for key, cell in scan.cells.items() if key != OUTSIDE)


Hours = Mapping[int, Counts]
"""Rows of each class by hour since 1970, for the hours that have any."""


def widest_cells(
    store: IndexStore, number: int, asked: range, *, expected: Hours, slot: SlotFunction
) -> Iterator[StoredCell]:
    """Yield the widest cells of an entry that cover the hours `asked` for, each row once.

    A cell wider than an hour never holds rows of two slots; an hour may. One cell is in memory at a time,
    and the check against `expected` is complete only at the end.

    Raises:
        sqlite3.DatabaseError: the cells contradict what is `expected` of the entry: the index is damaged.
    """
    return verified_cells(_widest_of(store, number, asked, slot, WIDTHS[::-1]), asked, expected=expected)


def _widest_of(
    store: IndexStore, number: int, asked: range, slot: SlotFunction, widths: Sequence[int]
) -> Iterator[StoredCell]:
    width, *narrower = widths
    for cell in store.cells(number, width, asked):
        first, last = cell.sums.ends or (0, 0)
        if narrower and slot(first)[1] <= last:
            inside = range(max(asked.start, cell.hours.start), min(asked.stop, cell.hours.stop))
            yield from _widest_of(store, number, inside, slot, narrower)
        else:
            yield cell


def verified_cells(cells: Iterable[StoredCell], asked: range, *, expected: Hours) -> Iterator[StoredCell]:
    """Yield the cells, and check that they hold exactly the rows `expected` in the hours `asked` for.

    Raises:
        sqlite3.DatabaseError: a cell is missing, doubled or of another time: the index is damaged.
    """
    found = 0
    for cell in cells:
        if cell.sums.hours != {hour: expected[hour] for hour in cell.hours if hour in expected}:
            raise damaged_index()
        found += sum(hour in asked for hour in cell.sums.hours)
        yield cell
    if found != sum(hour in asked for hour in expected):
        raise damaged_index()
