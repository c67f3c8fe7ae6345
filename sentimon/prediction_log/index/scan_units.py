"""The work of reading, in units that can be done anywhere in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import tzinfo

import msgspec
from msgspec.structs import replace

from sentimon.jsonl import LONGEST, LineError
from sentimon.prediction_log.append_chain import FileState
from sentimon.prediction_log.index.cells import hour_slot
from sentimon.prediction_log.index.file_snapshot import MovedError, content_mark, opened_again
from sentimon.prediction_log.index.line_blocks import Block, line_end_after, plain_blocks, streamed_blocks
from sentimon.prediction_log.index.packed_sums import PackedCell, Part, few_stretches, pack, unpack
from sentimon.prediction_log.index.scan import Scan
from sentimon.prediction_log.object_storage import place_of
from sentimon.prediction_log.segment import Fragment, Segment
from sentimon.prediction_log.summary import GrowingSummary

UNIT = 1 << 24
"""Bytes, about: the most that one checksum is over."""
COMPRESSION = 4
"""How much larger than its file the content of a compressed one is, about."""
MOST_CELLS = 512
"""So many hours, about, are held in memory before they are packed."""


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a file that is to be read."""

    path: str
    state: FileState
    begin: int
    """The begin of a line."""
    end: int | None
    """The begin of a line, too; None: to the end of the compressed file."""
    checksum: int
    """That of the bytes from `checksum_begin` to `begin`, which the new one goes on with."""
    checksum_begin: int
    zone: tzinfo | None
    """Of timestamps that name none; None is local time."""
    bulk: bool
    """Whether there is so much to read that numpy pays."""
    longest: int = LONGEST
    """Bytes of the longest line that is read as one."""
    mark: str = ""
    """What `content_mark` says of the file as it was seen, where another machine is to know it by that."""


Read = Callable[[Unit], Iterable[Part]]
"""Gives the parts of a unit, in order."""


def size_of(unit: Unit) -> int:
    """Return how many bytes of content a unit holds, about: those of a compressed file are unknown."""
    return COMPRESSION * unit.state.size if unit.end is None else unit.end - unit.begin


def read_unit(unit: Unit) -> Iterator[Part]:
    """Yield what the unit holds, in order, in parts of so much as is held in memory at once.

    Raises:
        MovedError: the file is not there any more.
        StoreError: it cannot be read.
    """
    with opened_again(place_of(unit.path), unit.state, longest=unit.longest) as segment:
        if unit.mark and content_mark(segment, unit.state.size) != unit.mark:
            raise MovedError
        if unit.end is None:
            yield from _parts(unit, streamed_blocks(segment, unit.begin))
        else:
            yield from _parts(unit, plain_blocks(segment, unit.begin, unit.end))


def plain_bounds(segment: Segment, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield (begin, end) of parts of UNIT bytes, about, each from the begin of a line to that of another."""
    while begin < end:
        after = line_end_after(segment, begin + UNIT, end) if end - begin > UNIT else end
        yield begin, after
        begin = after


def _parts(unit: Unit, blocks: Iterator[Block]) -> Iterator[Part]:
    scan, end = _scan(unit, unit.begin, unit.checksum), unit.begin
    checksum_begin, damage = unit.checksum_begin, None
    try:
        for block in blocks:
            scan.take(block)
            end += len(block)
            if isinstance(block, Fragment) and not block.last:
                # A part ends where a line does.
                continue
            if end - checksum_begin >= UNIT or len(scan.cells) >= MOST_CELLS:
                scan.finish()
                part = scan.part()
                yield part
                whole = end - checksum_begin >= UNIT
                checksum_begin = end if whole else checksum_begin
                scan = _scan(unit, end, 0 if whole else part.checksum)
    except LineError as error:
        damage = error.message
    if damage or end > scan.begin:
        scan.finish()
        yield scan.part(damage)


def _scan(unit: Unit, begin: int, checksum: int) -> Scan:
    return Scan(begin, slot=hour_slot, zone=unit.zone, bulk=unit.bulk, checksum=checksum)


def gather(lists: Iterable[Iterable[Part]]) -> list[Part]:
    """Return the parts of all of them, in order, with the cells of all of them in the last part.

    What is kept of the result is what would be kept of them, in any grouping, and costs that
    program the work of one part.
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
        replace(last, cells=[_one(same) for _, same in sorted(cells.items())], total=pack(total)),
    ]


def _one(cells: list[PackedCell]) -> PackedCell:
    first = cells[0]
    if len(cells) == 1:
        return first
    sums = GrowingSummary()
    for cell in cells:
        sums.include(unpack(cell.sums))
    stretches = few_stretches([place for cell in cells for place in cell.stretches])
    return PackedCell(first.width, first.hour, pack(sums), stretches)
