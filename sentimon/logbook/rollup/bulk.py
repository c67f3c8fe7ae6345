"""Blocks of lines into their cells: the fast way for many usual rows."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from sentimon.logbook.moments import from_microseconds, to_microseconds
from sentimon.logbook.rollup.cells import Cells, Slot
from sentimon.logbook.rollup.columns import MOST_ROWS, Columns, Pending
from sentimon.logbook.rollup.prose import sum_texts
from sentimon.logbook.rollup.usual import UsualRow, decode_block
from sentimon.logbook.summary import GrowingSummary

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""What is dated outside is no usual row: far enough from the edges of the calendar to compute freely."""


class BulkReader:
    """Takes blocks of usual rows into their cells."""

    def __init__(self, cells: Cells, slot: Slot) -> None:
        self._cells = cells
        self._slot = slot
        self._pending = Pending()

    def take(self, block: bytes | memoryview, begin: int) -> int:
        """Take in a block of whole lines that begins at that byte of the file; return the number of its rows.

        None is taken in (0) where one of them is not usual, or holds numbers near a limit, or where they
        are more than can be summed at once.
        """
        decoded = decode_block(block)
        if decoded is None or not 0 < len(decoded[0]) <= MOST_ROWS:
            return 0
        rows, offsets = decoded
        times = [row.timestamp for row in rows]
        order: Sequence[int] = range(len(rows))
        in_order = times == sorted(times)
        if not in_order:
            order = sorted(order, key=times.__getitem__)
            rows, times = [rows[place] for place in order], sorted(times)
        columns = Columns(rows)
        if times[0] < EARLIEST or times[-1] >= LATEST or not columns.usual():
            return 0
        found = list(self._runs(times))
        texts = sum_texts([row.text for row in rows], [first for _, first, _ in found])
        runs = []
        for (key, first, end), properties in zip(found, texts, strict=True):
            cell, part, places = self._cells[key], rows[first:end], order[first:end]
            low, high = (first, end - 1) if in_order else (min(places), max(places))
            cell.found(begin + int(offsets[low]), begin + int(offsets[high + 1]))
            cell.sums.span(to_microseconds(times[first]), to_microseconds(times[end - 1]))
            cell.sums.add_properties(properties)
            _add_origins(cell.sums, part)
            runs.append((cell.sums, end - first))
        self._pending.add(columns, runs)
        return len(rows)

    def finish(self) -> None:
        """Sum up what was taken in."""
        self._pending.sum_up()

    def _runs(self, times: Sequence[datetime]) -> Iterator[tuple[int, int, int]]:
        """Yield (key, its first place, the place after its last) for each cell of some ordered times."""
        first = 0
        while first < len(times):
            key, after = self._slot(to_microseconds(times[first]))
            end = max(first + 1, bisect_left(times, from_microseconds(after), first))
            yield key, first, end
            first = end


def _add_origins(sums: GrowingSummary, rows: Sequence[UsualRow]) -> None:
    models, revisions = [row.model for row in rows], [row.revision for row in rows]
    # Mostly they are all of one, which is cheaper to see than to count.
    if models.count(models[0]) == len(rows) == revisions.count(revisions[0]):
        sums.add_model((models[0], revisions[0]), len(rows))
    else:
        for model, count in Counter(zip(models, revisions, strict=True)).items():
            sums.add_model(model, count)
    sums.add_property("truncated", [row.truncated for row in rows].count(True))
