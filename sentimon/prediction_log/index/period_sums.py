"""Sums over periods and windows: whole files, whole cells, and the rows of the hours that are cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo

import msgspec

from sentimon.jsonl import BadLine
from sentimon.prediction_log.index.cell_cover import covering
from sentimon.prediction_log.index.cells import (
    OUTSIDE,
    HourlySlots,
    Slot,
    Span,
    Stretch,
    always,
    hour_slot,
    of_calendar,
    within,
)
from sentimon.prediction_log.index.packed_sums import few_stretches
from sentimon.prediction_log.index.refresh import Known
from sentimon.prediction_log.index.scan import Scan
from sentimon.prediction_log.index.sqlite_store import Store
from sentimon.prediction_log.index.stretches import scan_stretches
from sentimon.prediction_log.segment import LogFile
from sentimon.prediction_log.summary import GrowingSummary, Summary
from sentimon.prediction_log.windows import Calendar, Period, Window, lay_out
from sentimon.timestamps import from_microseconds

Piece = tuple[int, GrowingSummary]
"""The key of a slot, and the sum over some of its rows."""


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """The files of a log as they were at one moment, and the sums over their rows.

    Its methods raise MovedError where a file that is needed went away since, StoreError where one
    cannot be read, and what `Store` raises.
    """

    store: Store
    files: Sequence[Known]
    zone: tzinfo | None
    """Of timestamps that name none; None is local time."""

    def summary(self, period: Period) -> Summary:
        """Return the sum over the rows in `period` and all bad lines."""
        sums = GrowingSummary()
        for known in self.files:
            sums.include(self._of_file(known, Span.of(period)))
        return sums.summary()

    def windows(self, period: Period, calendar: Calendar, *, now: datetime) -> tuple[list[Window], Summary]:
        """Return what `summarise_windows` makes of the rows in `period` and all bad lines.

        Raises:
            DataError: the rows span too many windows.
        """
        span, whole, parts = Span.of(period), GrowingSummary(), dict[int, GrowingSummary]()
        slot = within(span, of_calendar(calendar))
        for known in self.files:
            torn = self._torn_line(known, slot)
            self._add_bad(whole, known, torn)
            for key, sums in self._pieces(known, span, slot, torn):
                parts.setdefault(key, GrowingSummary()).include(sums)
                whole.include(sums)
        by_start = {from_microseconds(key): sums.summary() for key, sums in parts.items()}
        total_summary = whole.summary()
        return lay_out(by_start, total_summary, calendar, now=now), total_summary

    def hours(self, period: Period) -> Iterator[Piece]:
        """Yield the rows in `period` by hour since 1970, UTC; one may come in several pieces.

        A year has many hours: here one of them is in memory at a time.
        """
        span = Span.of(period)
        slot = within(span, hour_slot)
        for known in self.files:
            yield from self._pieces(known, span, slot, self._torn_line(known, slot))

    def trouble(self) -> Summary:
        """Return the sum over all bad lines."""
        sums = GrowingSummary()
        for known in self.files:
            self._add_bad(sums, known, self._torn_line(known, hour_slot))
        return sums.summary()

    def by_file(self) -> list[tuple[LogFile, Summary]]:
        """Return each file of the log with the sum over its rows and bad lines."""
        return [(known.seen.file, self._of_file(known, Span.of(Period())).summary()) for known in self.files]

    def _of_file(self, known: Known, span: Span) -> GrowingSummary:
        sums, slot = GrowingSummary(), within(span, always)
        torn = self._torn_line(known, slot)
        self._add_bad(sums, known, torn)
        total = self.store.total(known.entry.number)
        if total.ends and span.covers(*total.ends):
            pieces: Iterable[Piece] = ((OUTSIDE, total), *_inside(torn))
        else:
            pieces = self._pieces(known, span, slot, torn)
        for _, piece in pieces:
            sums.include(piece)
        return sums

    def _pieces(self, known: Known, span: Span, slot: Slot, torn: Scan) -> Iterator[Piece]:
        """Yield the rows of a file in `span`, slot by slot; that on its `torn` last line comes last."""
        yield from self._whole_lines(known, self.store.total(known.entry.number), span, slot)
        yield from _inside(torn)

    def _whole_lines(self, known: Known, total: GrowingSummary, span: Span, slot: Slot) -> Iterator[Piece]:
        """Yield the rows of a file in `span`, slot by slot, without that on a torn last line."""
        cut: dict[int, list[Stretch]] = {}
        for cell in covering(self.store, known.entry.number, span.hours, known=total.hours, slot=slot):
            first, last = cell.sums.ends or (0, 0)
            key, end = slot(first)
            if last >= end:
                cut[cell.hour] = cell.stretches
            elif key != OUTSIDE:
                yield key, cell.sums
        if cut:
            # All at once: in a log out of order their stretches overlap.
            where = few_stretches([stretch for stretches in cut.values() for stretch in stretches])
            hourly = HourlySlots(cut, slot)
            scan = scan_stretches(known, where, slot=hourly, zone=self.zone)
            keys = hourly.keys()
            yield from ((keys[place], sums) for place, sums in _inside(scan))

    def _torn_line(self, known: Known, slot: Slot) -> Scan:
        """Return what is behind the last newline of a plain file: a line that may not be all there yet."""
        seen, end = known.seen, known.entry.reading.end
        if seen.compressed or end >= seen.state.size:
            return Scan(end, slot=slot, zone=self.zone, bulk=False)
        return scan_stretches(known, [(end, seen.state.size)], slot=slot, zone=self.zone)

    def _add_bad(self, sums: GrowingSummary, known: Known, torn: Scan) -> None:
        """Add the bad lines of a file; that of its torn last line comes after all others."""
        path, reading = str(known.seen.path), known.entry.reading
        for before, bad in ((0, reading.bad), (reading.lines, torn.bad)):
            lines = [
                BadLine(path=path, line=before + line, kind=kind, reason=reason)
                for line, kind, reason in bad.first
            ]
            sums.add_bad(bad.kinds, lines)


def _inside(scan: Scan) -> Iterator[Piece]:
    for key, cell in scan.cells.items():
        if key != OUTSIDE:
            yield key, cell.sums
