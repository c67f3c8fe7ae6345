"""Sums over periods and windows: whole files, whole hours, and the rows of the hours that are cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo

import msgspec

from sentimon.jsonl import BadLine
from sentimon.logbook.moments import HOUR_MICROSECONDS, from_microseconds
from sentimon.logbook.rollup.cells import Slot, hour_slot
from sentimon.logbook.rollup.parts import BadLines
from sentimon.logbook.rollup.refresh import Known
from sentimon.logbook.rollup.scan import Scan
from sentimon.logbook.rollup.slots import OUTSIDE, Span, of_calendar, only_hour, within
from sentimon.logbook.rollup.store import Store, check_hours
from sentimon.logbook.rollup.stretches import FileReader
from sentimon.logbook.segments import LogFile
from sentimon.logbook.summary import GrowingSummary, Summary
from sentimon.logbook.windows import Calendar, Period, Window, lay_out

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
        slot, parts = within(Span.of(period), of_calendar(calendar)), dict[int, GrowingSummary]()
        for known in self.files:
            for key, sums in self._pieces(known, Span.of(period), slot):
                parts.setdefault(key, GrowingSummary()).include(sums)
        total = self.summary(period)
        by_start = {from_microseconds(key): sums.summary() for key, sums in parts.items()}
        return lay_out(by_start, total, calendar, now=now), total

    def trouble(self) -> Summary:
        """Return the sum over all bad lines."""
        nothing = Period(until=datetime.min.replace(tzinfo=UTC))
        return self.summary(nothing)

    def by_file(self) -> list[tuple[LogFile, Summary]]:
        """Return each file of the log with the sum over its rows and bad lines."""
        return [(known.seen.file, self._of_file(known, Span.of(Period())).summary()) for known in self.files]

    def _of_file(self, known: Known, span: Span) -> GrowingSummary:
        sums = GrowingSummary()
        _include_bad(sums, known, known.entry.reading.bad, 0)
        total = self.store.total(known.entry.number)
        slot = within(span, hour_slot)
        if total.ends and span.covers(*total.ends):
            sums.include(total)
        else:
            for _, piece in self._whole_lines(known, total, span, slot):
                sums.include(piece)
        scan = self._torn_line(known, slot)
        _include_bad(sums, known, scan.bad, known.entry.reading.lines)
        for _, piece in _inside(scan):
            sums.include(piece)
        return sums

    def _pieces(self, known: Known, span: Span, slot: Slot) -> Iterator[Piece]:
        yield from self._whole_lines(known, self.store.total(known.entry.number), span, slot)
        yield from _inside(self._torn_line(known, slot))

    def _whole_lines(self, known: Known, total: GrowingSummary, span: Span, slot: Slot) -> Iterator[Piece]:
        """Yield the rows of a file in `span`, slot by slot, without that on a torn last line."""
        begin, end = span.begin // HOUR_MICROSECONDS, span.end // HOUR_MICROSECONDS
        cells = self.store.cells(known.entry.number, begin, end)
        check_hours(cells, {hour: rows for hour, rows in total.hours.items() if begin <= hour <= end})
        with FileReader(known.seen, self.zone) as reader:
            for hour, sums, stretches in cells:
                first, last = sums.ends or (0, 0)
                key, end = slot(first)
                if last >= end:
                    # The bad lines between these rows are counted already.
                    yield from (
                        one for scan in reader.scan(stretches, only_hour(hour, slot)) for one in _inside(scan)
                    )
                elif key != OUTSIDE:
                    yield key, sums

    def _torn_line(self, known: Known, slot: Slot) -> Scan:
        """Return what is behind the last newline of a plain file: a line that may not be all there yet."""
        seen, end = known.seen, known.entry.reading.end
        stretches = [] if seen.compressed or end >= seen.state.size else [(end, seen.state.size)]
        with FileReader(seen, self.zone) as reader:
            for scan in reader.scan(stretches, slot):
                return scan
        return Scan(end, slot=slot, zone=self.zone, bulk=False)


def _inside(scan: Scan) -> Iterator[Piece]:
    for key, cell in scan.cells.items():
        if key != OUTSIDE:
            yield key, cell.sums


def _include_bad(sums: GrowingSummary, known: Known, bad: BadLines, before: int) -> None:
    """Add the bad lines of a file, numbered from the line after `before`."""
    path = str(known.seen.path)
    lines = [
        BadLine(path=path, line=before + line, kind=kind, reason=reason) for line, kind, reason in bad.first
    ]
    sums.add_bad(bad.kinds, lines)
