"""A part of a file of the log into its cells, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import TYPE_CHECKING
from zlib import crc32

from sentimon.jsonl import LineError, line_content
from sentimon.prediction_log.index.cells import Cells, Slot
from sentimon.prediction_log.index.line_blocks import Block
from sentimon.prediction_log.index.packed_sums import BadLines, Part, pack_cells
from sentimon.prediction_log.row_parser import parse_row
from sentimon.prediction_log.segment import Fragment
from sentimon.prediction_log.summary import SHOWN_BAD_LINES

if TYPE_CHECKING:
    from sentimon.prediction_log.index.bulk_rows import BulkReader

_SMALL = 1 << 13
"""Bytes that are not worth trying at once again, after a larger block held a line that is not usual."""


class Scan:
    """The cells of the lines read so far, from one byte of a file on.

    In `bulk`, blocks are summed by numpy, which pays from some megabytes on; the sums are the same.
    """

    def __init__(self, begin: int, *, slot: Slot, zone: tzinfo | None, bulk: bool, checksum: int = 0) -> None:
        self.cells = Cells()
        self.begin = self._end = begin
        self._checksum = checksum
        self._slot = slot
        self._zone = zone
        self._lines = 0
        self._bad: dict[str, int] = {}
        self._first_bad: list[tuple[int, str, str]] = []
        self._bulk = _bulk_reader(self.cells, slot) if bulk else None

    def take(self, block: Block) -> None:
        """Take in the next block of whole lines; only the last line of a file may lack its newline."""
        if isinstance(block, Fragment):
            self._take_fragment(block)
            return
        self._checksum = crc32(block, self._checksum)
        self._take(block)

    def _take_fragment(self, piece: Fragment) -> None:
        self._checksum = crc32(piece.content, self._checksum)
        self._end += len(piece)
        if piece.last:
            self._lines += 1
            self._note_bad(piece.error)

    def pass_over_to(self, begin: int) -> None:
        """Go on at a later byte of the file, the begin of a line."""
        self._end = begin

    def finish(self) -> None:
        """Sum up what was taken in; only now `cells` and `bad` say it all."""
        if self._bulk is not None:
            self._bulk.finish()

    def part(self, damage: str | None = None) -> Part:
        """Return what was read, once it is finished; `damage` is why no more can be."""
        cells, total = pack_cells(self.cells)
        return Part(
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
    def bad(self) -> BadLines:
        """Return the bad lines, numbered from 1 at the first byte read."""
        return BadLines(self._bad, self._first_bad)

    def _take(self, block: bytes | memoryview) -> None:
        rows = 0 if self._bulk is None else self._bulk.take(block, self._end)
        if rows:
            self._lines += rows
            self._end += len(block)
        elif self._bulk is not None and len(block) > _SMALL:
            # The lines that are not usual are most often few: those around them can go at once.
            for part in _halves(bytes(block)):
                self._take_lines(part) if len(part) == len(block) else self._take(part)
        else:
            self._take_lines(bytes(block))

    def _take_lines(self, block: bytes) -> None:
        for line in split_lines(block):
            self._lines += 1
            content = line_content(line, first=self._end == 0)
            begin, self._end = self._end, self._end + len(line)
            if not content:
                continue
            try:
                self.cells.add(parse_row(content, zone=self._zone), self._slot, begin, self._end)
            except LineError as error:
                self._note_bad(error)

    def _note_bad(self, error: LineError) -> None:
        self._bad[error.kind] = self._bad.get(error.kind, 0) + 1
        if len(self._first_bad) < SHOWN_BAD_LINES:
            self._first_bad.append((self._lines, error.kind, error.message))


def _bulk_reader(cells: Cells, slot: Slot) -> BulkReader:
    from sentimon.prediction_log.index.bulk_rows import BulkReader

    return BulkReader(cells, slot)


def _halves(block: bytes) -> Iterator[bytes]:
    cut = block.find(b"\n", len(block) // 2) + 1
    yield from (block[:cut], block[cut:]) if 0 < cut < len(block) else (block,)


def split_lines(block: bytes) -> Iterator[bytes]:
    """Yield the lines of a block, each with its newline."""
    begin = 0
    while begin < len(block):
        end = block.find(b"\n", begin) + 1 or len(block)
        yield block[begin:end]
        begin = end
