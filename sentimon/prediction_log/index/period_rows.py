"""The rows of a period, read from where the index says that they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from datetime import tzinfo

import msgspec

from sentimon.errors import StoreError
from sentimon.jsonl import LineError, line_content
from sentimon.prediction_log.folder import LIVE_FILE, stem_of
from sentimon.prediction_log.index.cells import Span, Stretch
from sentimon.prediction_log.index.file_entries import holds_what_was_read
from sentimon.prediction_log.index.file_snapshot import SeenFile, list_seen, opened_again
from sentimon.prediction_log.index.packed_sums import few_stretches
from sentimon.prediction_log.index.period_sums import Sums
from sentimon.prediction_log.index.refresh import Known
from sentimon.prediction_log.index.scan import split_lines
from sentimon.prediction_log.index.sqlite_store import Store
from sentimon.prediction_log.index.stretches import blocks_within
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.row_parser import parse_row
from sentimon.prediction_log.segment import Fragment, Segment
from sentimon.prediction_log.summary import Summary
from sentimon.prediction_log.windows import Period


class PeriodRows(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a log in a period, with all their fields, in the order of the log."""

    period: Period
    zone: tzinfo | None
    parts: Sequence[tuple[Known, list[Stretch]]]
    """The files, and where in them rows of the period may be."""
    live: Segment | None
    """The live file, which is open: it may be sealed while the others are read."""
    trouble: Summary
    """The sum over all bad lines of the log."""

    def __iter__(self) -> Iterator[PredictionRecord]:
        """Yield the rows; one file is open at a time, beside the live one.

        Raises:
            StoreError: a file cannot be read, or was rewritten meanwhile.
        """
        for known, stretches in self.parts:
            with self._opened(known) as segment:
                yield from self._rows(segment, stretches, damaged=known.entry.reading.damaged)

    def _opened(self, known: Known) -> AbstractContextManager[Segment]:
        if self.live is not None and known.seen.path.name == LIVE_FILE:
            return nullcontext(self.live)
        if known.seen.path.exists():
            return known.opened()
        seen = _in_another_form(known)
        return opened_again(seen.path, seen.state, longest=known.entry.longest)

    def _rows(
        self, segment: Segment, stretches: Sequence[Stretch], *, damaged: bool
    ) -> Iterator[PredictionRecord]:
        for begin, block in blocks_within(segment, stretches, damaged=damaged):
            if isinstance(block, Fragment):
                # Of a line among the bad ones already.
                continue
            for line in split_lines(bytes(block)):
                content = line_content(line, first=begin == 0)
                begin += len(line)
                try:
                    row = parse_row(content, zone=self.zone, whole=True) if content else None
                except LineError:
                    # Among the bad lines already.
                    continue
                if row and self.period.holds(row.timestamp):
                    yield row


def open_rows(sums: Sums, period: Period, stack: ExitStack) -> PeriodRows:
    """Return the rows in `period`; the live file stays open until `stack` is closed.

    Raises what the methods of `Sums` raise.
    """
    span = Span.of(period)
    found = [(known, _stretches(sums.store, known, span)) for known in sums.files]
    live = next((known for known, _ in found if known.seen.path.name == LIVE_FILE), None)
    with ExitStack() as opening:
        segment = opening.enter_context(live.opened()) if live else None
        rows = PeriodRows(
            period=period,
            zone=sums.zone,
            parts=[(known, stretches) for known, stretches in found if stretches],
            live=segment,
            trouble=sums.trouble(),
        )
        stack.push(opening.pop_all())
        return rows


def _in_another_form(known: Known) -> SeenFile:
    """Return a sealed file as it is now, if it holds what was read: it may be compressed since."""
    for seen in list_seen(known.seen.path.parent):
        if stem_of(seen.path) == stem_of(known.seen.path) and holds_what_was_read(known.entry, seen):
            return seen
    raise StoreError(f"{known.seen.path}: was removed or rewritten while it was read", hint="run it again")


def _stretches(store: Store, known: Known, span: Span) -> list[Stretch]:
    stretches = [one for cell in store.cells(known.entry.number, 1, span.hours) for one in cell.stretches]
    end, size = known.entry.reading.end, known.seen.state.size
    # Behind the last newline of a plain file is a line that the cells do not hold.
    torn = [] if known.seen.compressed or end >= size else [(end, size)]
    return few_stretches([*stretches, *torn]) if stretches or torn else []
