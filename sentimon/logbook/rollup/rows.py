"""The rows of a period, read from where the index says that they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import tzinfo

import msgspec

from sentimon.jsonl import LineError, line_content
from sentimon.logbook.moments import HOUR_MICROSECONDS
from sentimon.logbook.record import PredictionRecord
from sentimon.logbook.rollup.cells import Stretch
from sentimon.logbook.rollup.files import opened_again
from sentimon.logbook.rollup.parts import few_stretches
from sentimon.logbook.rollup.refresh import Known
from sentimon.logbook.rollup.slots import Span
from sentimon.logbook.rollup.store import Store
from sentimon.logbook.rollup.sums import Sums
from sentimon.logbook.row import parse_row
from sentimon.logbook.segments import Segment
from sentimon.logbook.summary import Summary
from sentimon.logbook.windows import Period


class PeriodRows(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a log in a period, with all their fields, in the order of the log; to be read once."""

    period: Period
    zone: tzinfo | None
    parts: Sequence[tuple[Segment, list[Stretch]]]
    """The files, open, and where in them rows of the period may be."""
    trouble: Summary
    """The sum over all bad lines of the log."""

    def __iter__(self) -> Iterator[PredictionRecord]:
        """Yield the rows.

        Raises:
            StoreError: a file cannot be read.
        """
        for segment, stretches in self.parts:
            for begin, end in stretches:
                yield from self._rows(segment, begin, end)

    def _rows(self, segment: Segment, begin: int, end: int) -> Iterator[PredictionRecord]:
        segment.stream.seek(begin)
        for line in segment.raw_lines():
            content = line_content(line, first=begin == 0)
            begin += len(line)
            if content:
                try:
                    row = parse_row(content, zone=self.zone, whole=True)
                except LineError:
                    # Among the bad lines already.
                    continue
                if self.period.holds(row.timestamp):
                    yield row
            if begin >= end:
                return


def open_rows(sums: Sums, period: Period, stack: ExitStack) -> PeriodRows:
    """Return the rows in `period`; the files they are in stay open until `stack` is closed.

    Raises what the methods of `Sums` raise.
    """
    span = Span.of(period)
    found = [(known, _stretches(sums.store, known, span)) for known in sums.files]
    return PeriodRows(
        period=period,
        zone=sums.zone,
        parts=[
            (stack.enter_context(opened_again(known.seen.path, known.seen.state)), stretches)
            for known, stretches in found
            if stretches
        ],
        trouble=sums.trouble(),
    )


def _stretches(store: Store, known: Known, span: Span) -> list[Stretch]:
    cells = store.cells(known.entry.number, span.begin // HOUR_MICROSECONDS, span.end // HOUR_MICROSECONDS)
    stretches = [stretch for _, _, found in cells for stretch in found]
    end, size = known.entry.reading.end, known.seen.state.size
    # Behind the last newline of a plain file is a line that the cells do not hold.
    torn = [] if known.seen.compressed or end >= size else [(end, size)]
    return few_stretches([*stretches, *torn]) if stretches or torn else []
