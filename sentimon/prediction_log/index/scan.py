"""Read parts of the log's files, in units that can be read anywhere in any order, into sums per hour.

A `ScanUnit` says which bytes of which file to read. `read_unit` reads them, block by block, through a
`Scan`, which adds the rows to their cells, and yields `PartialSum`s, which the index stores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING
from zlib import crc32

import msgspec
from msgspec.structs import replace

from sentimon.jsonl import LONGEST, LineError, line_content
from sentimon.prediction_log.append_chain import FileState
from sentimon.prediction_log.index.cells import CellTable, SlotFunction, hour_slots
from sentimon.prediction_log.index.file_snapshot import (
    LogChangedError,
    content_fingerprint,
    open_same_file,
)
from sentimon.prediction_log.index.line_blocks import (
    Block,
    line_end_after,
    plain_blocks,
    split_lines,
    streamed_blocks,
)
from sentimon.prediction_log.index.packed_sums import (
    BadLineCounts,
    PackedCell,
    PartialSum,
    merged_ranges,
    merged_slices,
    pack,
    pack_cells,
    unpack,
)
from sentimon.prediction_log.log_file import LineFragment, OpenLogFile
from sentimon.prediction_log.object_storage import path_at
from sentimon.prediction_log.record import parse_row
from sentimon.prediction_log.summary import SHOWN_BAD_LINES, GrowingSummary

if TYPE_CHECKING:
    from sentimon.prediction_log.index.bulk_rows import BulkReader
    from sentimon.prediction_log.slice_fields import SliceCondition, SliceField

UNIT_BYTES = 1 << 24
"""Bytes, about, of one unit, and most that one checksum covers."""
COMPRESSION = 4
"""About how many times larger the content of a compressed file is than the file."""
MOST_CELLS = 512
"""Hours, about, that are held in memory before they are packed."""
MOST_SLICES = 100_000
"""Slices of hours, about, that are held in memory before they are packed."""


class ScanUnit(msgspec.Struct, frozen=True, kw_only=True):
    """A range of bytes of a file that is to be read."""

    path: str
    state: FileState
    begin: int
    """The begin of a line."""
    end: int | None
    """The begin of another line; None: the end of the compressed file."""
    checksum: int
    """The checksum of the bytes from `checksum_begin` to `begin`; the new one continues it."""
    checksum_begin: int
    zone: tzinfo | None
    """The zone of timestamps that name none; None is local time."""
    bulk: bool
    """Whether to sum blocks with numpy, which pays when there is much to read."""
    longest: int = LONGEST
    """Bytes of the longest line that is read as one."""
    fields: tuple[str, ...] = ()
    """The fields that divide the rows into slices."""
    where: tuple[SliceCondition, ...] = ()
    """The rows that are summed: those for which all conditions hold."""
    mark: str = ""
    """The `content_fingerprint` of the file, if another machine reads it and has to recognise it."""


UnitReader = Callable[[ScanUnit], Iterable[PartialSum]]
"""Reads a unit, and gives its partial sums in order."""


def unit_bytes(unit: ScanUnit) -> int:
    """Return about how many bytes of content a unit holds; for a compressed file this is an estimate."""
    return COMPRESSION * unit.state.size if unit.end is None else unit.end - unit.begin


def read_unit(unit: ScanUnit) -> Iterator[PartialSum]:
    """Read a unit, and yield the sums over its rows, in parts small enough to hold in memory.

    Raises:
        MovedError: the file is not there any more.
        StoreError: it cannot be read.
    """
    with open_same_file(path_at(unit.path), unit.state, longest=unit.longest) as opened:
        if unit.mark and content_fingerprint(opened, unit.state.size) != unit.mark:
            raise LogChangedError
        if unit.end is None:
            yield from _partial_sums(unit, streamed_blocks(opened, unit.begin))
        else:
            yield from _partial_sums(unit, plain_blocks(opened, unit.begin, unit.end))


def plain_unit_bounds(opened: OpenLogFile, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield (begin, end) of units of about UNIT bytes that split a plain file at the begins of lines."""
    while begin < end:
        after = line_end_after(opened, begin + UNIT_BYTES, end) if end - begin > UNIT_BYTES else end
        yield begin, after
        begin = after


def _partial_sums(unit: ScanUnit, blocks: Iterator[Block]) -> Iterator[PartialSum]:
    scan, end = _new_scan(unit, unit.begin, unit.checksum), unit.begin
    checksum_begin, damage = unit.checksum_begin, None
    try:
        for block in blocks:
            scan.add_block(block)
            end += len(block)
            if isinstance(block, LineFragment) and not block.last:
                # A part ends at the end of a line.
                continue
            if end - checksum_begin >= UNIT_BYTES or scan.is_full:
                scan.finish()
                part = scan.partial_sum()
                yield part
                whole = end - checksum_begin >= UNIT_BYTES
                checksum_begin = end if whole else checksum_begin
                scan = _new_scan(unit, end, 0 if whole else part.checksum)
    except LineError as error:
        damage = error.message
    if damage or end > scan.begin:
        scan.finish()
        yield scan.partial_sum(damage)


def _new_scan(unit: ScanUnit, begin: int, checksum: int) -> Scan:
    return Scan(
        begin,
        slot=hour_slots,
        zone=unit.zone,
        bulk=unit.bulk,
        checksum=checksum,
        fields=unit.fields,
        where=unit.where,
    )


def merge_partial_sums(lists: Iterable[Iterable[PartialSum]]) -> list[PartialSum]:
    """Return the parts of all lists, in order, with all their cells merged into the last part.

    The index stores the same for the result as for the parts themselves, with the work of one part.
    """
    parts = [part for parts in lists for part in parts]
    if len(parts) < 2:
        return parts
    total, cells = GrowingSummary(), dict[tuple[int, int], list[PackedCell]]()
    for part in parts:
        total.include(unpack(part.total))
        for cell in part.cells:
            cells.setdefault((cell.width, cell.hour), []).append(cell)
    nothing = pack(GrowingSummary())
    *others, last = parts
    return [
        *(replace(part, cells=[], total=nothing) for part in others),
        replace(last, cells=[_merged_cell(same) for _, same in sorted(cells.items())], total=pack(total)),
    ]


def _merged_cell(cells: list[PackedCell]) -> PackedCell:
    first = cells[0]
    if len(cells) == 1:
        return first
    sums = GrowingSummary()
    for cell in cells:
        sums.include(unpack(cell.sums))
    ranges = merged_ranges([place for cell in cells for place in cell.ranges])
    slices = first.slices
    for cell in cells[1:] if slices else ():
        slices = merged_slices(slices, cell.slices)
    return PackedCell(first.width, first.hour, pack(sums), ranges, slices)


BULK_BYTES = 4_000_000
"""Bytes to read from which on loading numpy pays."""
_SMALL = 1 << 13
"""Bytes of a block that is read line by line once a larger one could not be summed with numpy."""


class Scan:
    """Adds lines of a file, from one byte on, to the sums of their cells.

    With `bulk`, numpy sums whole blocks, which pays from some megabytes on; the sums are the same.
    """

    def __init__(
        self,
        begin: int,
        *,
        slot: SlotFunction,
        zone: tzinfo | None,
        bulk: bool,
        checksum: int = 0,
        fields: Sequence[str] = (),
        where: Sequence[SliceCondition] = (),
    ) -> None:
        self._where = where
        self.cells = CellTable(_slice_fields(fields))
        self.begin = self._end = begin
        self._checksum = checksum
        self._slot = slot
        self._zone = zone
        self._lines = 0
        self._bad: dict[str, int] = {}
        self._first_bad: list[tuple[int, str, str]] = []
        self._bulk = _bulk_reader(self.cells, slot, where) if bulk else None

    def add_block(self, block: Block) -> None:
        """Add the next block of whole lines; only the last line of a file may lack its newline."""
        if isinstance(block, LineFragment):
            self._add_fragment(block)
            return
        self._checksum = crc32(block, self._checksum)
        self._add(block)

    def _add_fragment(self, fragment: LineFragment) -> None:
        self._checksum = crc32(fragment.content, self._checksum)
        self._end += len(fragment)
        if fragment.last:
            self._lines += 1
            self._count_bad(fragment.error)

    def skip_to(self, begin: int) -> None:
        """Continue at a later byte of the file, the begin of a line."""
        self._end = begin

    def finish(self) -> None:
        """Complete the sums of `cells`; numpy adds blocks to them only now and then."""
        if self._bulk is not None:
            self._bulk.finish()

    @property
    def is_full(self) -> bool:
        """Return whether so many cells are held that they are to be packed."""
        cells = len(self.cells)
        return cells >= MOST_CELLS or (
            bool(self.cells.fields) and cells > 1 and self.cells.slice_count >= MOST_SLICES
        )

    def partial_sum(self, damage: str | None = None) -> PartialSum:
        """Return the sums over what was read, after `finish`; `damage` says why no more can be read."""
        cells, total = pack_cells(self.cells)
        return PartialSum(
            begin=self.begin,
            end=self._end,
            checksum=self._checksum,
            lines=self._lines,
            cells=cells,
            total=total,
            bad=self.bad,
            damage=damage,
        )

    @property
    def bad(self) -> BadLineCounts:
        """Return the bad lines, numbered from 1 at the first byte read."""
        return BadLineCounts(self._bad, self._first_bad)

    def _add(self, block: bytes | memoryview) -> None:
        rows = 0 if self._bulk is None else self._bulk.add_block(block, self._end)
        if rows:
            self._lines += rows
            self._end += len(block)
        elif self._bulk is not None and len(block) > _SMALL:
            # Few lines are usually to blame: try the halves around them again.
            for part in _halves_of(bytes(block)):
                self._add_lines(part) if len(part) == len(block) else self._add(part)
        else:
            self._add_lines(bytes(block))

    def _add_lines(self, block: bytes) -> None:
        for line in split_lines(block):
            self._lines += 1
            content = line_content(line, first=self._end == 0)
            begin, self._end = self._end, self._end + len(line)
            if not content:
                continue
            try:
                row = parse_row(content, zone=self._zone, whole=bool(self.cells.fields or self._where))
                if all(one.holds(row, row.extra) for one in self._where):
                    self.cells.add(row, self._slot, begin, self._end)
            except LineError as error:
                self._count_bad(error)

    def _count_bad(self, error: LineError) -> None:
        self._bad[error.kind] = self._bad.get(error.kind, 0) + 1
        if len(self._first_bad) < SHOWN_BAD_LINES:
            self._first_bad.append((self._lines, error.kind, error.message))


def _slice_fields(names: Sequence[str]) -> tuple[SliceField, ...]:
    if not names:
        return ()
    from sentimon.prediction_log.slice_fields import SliceField

    return tuple(map(SliceField, names))


def _bulk_reader(cells: CellTable, slot: SlotFunction, where: Sequence[SliceCondition]) -> BulkReader:
    from sentimon.prediction_log.index.bulk_rows import BulkReader

    return BulkReader(cells, slot, where)


def _halves_of(block: bytes) -> Iterator[bytes]:
    cut = block.find(b"\n", len(block) // 2) + 1
    yield from (block[:cut], block[cut:]) if 0 < cut < len(block) else (block,)
