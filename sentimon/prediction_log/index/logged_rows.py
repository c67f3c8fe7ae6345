"""Read rows of the log again: those of a period, where the index says they are, or the latest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from datetime import tzinfo
from typing import TYPE_CHECKING
from zlib import crc32

import msgspec

from sentimon.errors import StoreError
from sentimon.jsonl import LineError, line_content
from sentimon.prediction_log.append_chain import FileState
from sentimon.prediction_log.folder import LIVE_FILE, stem_of
from sentimon.prediction_log.index.cells import ByteRange, TimeSpan
from sentimon.prediction_log.index.file_snapshot import FileSnapshot, list_snapshots, open_same_file
from sentimon.prediction_log.index.indexed_files import IndexedFile, starts_with_what_was_read
from sentimon.prediction_log.index.line_blocks import Block, blocks_in_ranges, split_lines
from sentimon.prediction_log.index.packed_sums import merged_ranges
from sentimon.prediction_log.index.period_sums import PeriodSums
from sentimon.prediction_log.index.sqlite_store import IndexStore
from sentimon.prediction_log.log_file import LineFragment, OpenLogFile
from sentimon.prediction_log.record import PredictionRecord, parse_row
from sentimon.prediction_log.summary import Summary
from sentimon.prediction_log.windows import Period

if TYPE_CHECKING:
    from sentimon.prediction_log.slice_fields import SliceCondition


class PeriodRows(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a log in a period, with all their fields, in the order of the log."""

    period: Period
    zone: tzinfo | None
    parts: Sequence[tuple[IndexedFile, list[ByteRange]]]
    """The files, and the ranges of each that may hold rows of the period."""
    live: OpenLogFile | None
    """The live file, which is kept open: it may be sealed while the others are read."""
    trouble: Summary
    """The sum over all bad lines of the log."""
    one_in: int = 1
    """Of about so many rows one is yielded, drawn by a checksum of its line: always the same ones."""
    where: tuple[SliceCondition, ...] = ()
    """Only rows for which all conditions hold are yielded."""

    def __iter__(self) -> Iterator[PredictionRecord]:
        """Yield the rows; one file is open at a time, beside the live one.

        Raises:
            StoreError: a file cannot be read, or was rewritten meanwhile.
        """
        for file, ranges in self.parts:
            with self._opened(file) as opened:
                rows = _rows_in(opened, file, ranges, zone=self.zone, whole=True, one_in=self.one_in)
                chosen = (row for row in rows if all(one.holds(row, row.extra) for one in self.where))
                yield from (row for row in chosen if self.period.holds(row.timestamp))

    def _opened(self, file: IndexedFile) -> AbstractContextManager[OpenLogFile]:
        if self.live is not None and file.snapshot.path.name == LIVE_FILE:
            return nullcontext(self.live)
        if file.snapshot.path.exists():
            return file.opened()
        snapshot = _other_form_of(file)
        return open_same_file(snapshot.path, snapshot.state, longest=file.entry.longest)


def open_period_rows(sums: PeriodSums, period: Period, stack: ExitStack) -> PeriodRows:
    """Return the rows in `period`; the live file stays open until `stack` is closed.

    Raises what the methods of `PeriodSums` raise.
    """
    span = TimeSpan.of(period)
    found = [(file, _ranges_of(sums.store, file, span)) for file in sums.files]
    live = next((file for file, _ in found if file.snapshot.path.name == LIVE_FILE), None)
    with ExitStack() as opening:
        opened = opening.enter_context(live.opened()) if live else None
        rows = PeriodRows(
            period=period,
            zone=sums.zone,
            parts=[(file, ranges) for file, ranges in found if ranges],
            live=opened,
            trouble=sums.trouble(),
            where=sums.where,
        )
        stack.push(opening.pop_all())
        return rows


def _other_form_of(file: IndexedFile) -> FileSnapshot:
    """Return a sealed file that is gone in its present form: it may have been compressed since."""
    path = file.snapshot.path
    for one in list_snapshots(path.parent):
        if stem_of(one.path) == stem_of(path) and starts_with_what_was_read(file.entry, one):
            return one
    raise StoreError(f"{path}: was removed or rewritten while it was read", hint="run it again")


def _ranges_of(store: IndexStore, file: IndexedFile, span: TimeSpan) -> list[ByteRange]:
    ranges = [one for cell in store.cells(file.entry.number, 1, span.hours) for one in cell.ranges]
    end, size = file.entry.progress.end, file.snapshot.state.size
    # Behind the last newline of a plain file is a line that the cells do not hold.
    torn = [] if file.snapshot.compressed or end >= size else [(end, size)]
    return merged_ranges([*ranges, *torn]) if ranges or torn else []


TAIL_BYTES = 1 << 16
"""Bytes at the end of a file that are searched for its latest rows; what stands before them is not found."""

LatestRowsCache = dict[FileState, list[PredictionRecord]]
"""The last rows of compressed files, which do not change any more."""


def latest_rows(sums: PeriodSums, count: int, cache: LatestRowsCache) -> list[PredictionRecord]:
    """Return the last `count` rows of the log, in its order; only the ends of its last files are read.

    The end of a compressed file can be found only by reading all of it: its rows are kept in `cache`.

    Raises what the methods of `PeriodSums` raise.
    """
    found: list[PredictionRecord] = []
    for file in reversed(sums.files):
        if len(found) >= count:
            break
        state = file.snapshot.state
        rows = cache[state] if state in cache else _last_rows(file, sums.zone, sums.where)
        if file.snapshot.compressed:
            cache[state] = rows
        found = [*rows, *found]
    return found[-count:]


def _last_rows(
    file: IndexedFile, zone: tzinfo | None, where: Sequence[SliceCondition]
) -> list[PredictionRecord]:
    compressed = file.snapshot.compressed
    end = file.entry.progress.end if compressed else file.snapshot.state.size
    begin = max(0, end - TAIL_BYTES)
    rows: list[PredictionRecord] = []
    # A compressed file may be damaged since it was read: what came before the damage counts.
    with file.opened() as opened, suppress(LineError):
        rows.extend(_rows_in(opened, file, [(begin, end)], zone=zone, cut=begin > 0, whole=True))
    return [row for row in rows if all(one.holds(row, row.extra) for one in where)]


def _rows_in(
    opened: OpenLogFile,
    file: IndexedFile,
    ranges: Sequence[ByteRange],
    *,
    zone: tzinfo | None,
    whole: bool = False,
    cut: bool = False,
    one_in: int = 1,
) -> Iterator[PredictionRecord]:
    """Yield the rows in some ranges of a file; bad lines are passed over, for they are counted already.

    With `whole`, the rows have the fields that are not ours. With `cut`, the first range begins in the
    middle of a line, which is left out. Of about `one_in` lines one is decoded.
    """
    for begin, block in blocks_in_ranges(opened, ranges, damaged=file.entry.progress.damaged):
        for line in _lines_of(block):
            content = b"" if cut else line_content(line, first=begin == 0)
            begin, cut = begin + len(line), False
            if one_in > 1 and crc32(content) % one_in:
                continue
            try:
                row = parse_row(content, zone=zone, whole=whole) if content else None
            except LineError:
                continue
            if row is not None:
                yield row


def _lines_of(block: Block) -> Iterator[bytes]:
    if not isinstance(block, LineFragment):
        yield from split_lines(bytes(block))
    elif block.last:
        # A line that is too long holds no row.
        yield b"\n"
