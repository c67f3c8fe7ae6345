"""Blocks of whole lines from a file of the log: a part of it, or some ranges of its bytes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sentimon.jsonl import LineError
from sentimon.prediction_log.index.cells import ByteRange
from sentimon.prediction_log.log_file import LineFragment, OpenLogFile

if TYPE_CHECKING:
    pass

BLOCK = 1 << 19
"""Bytes of a block, about: small enough for the processor's cache, large enough for a call to numpy."""


Block = bytes | memoryview | LineFragment
"""Some whole lines, or a fragment of a line that is too long."""


def plain_blocks(opened: OpenLogFile, begin: int, end: int) -> Iterator[memoryview | LineFragment]:
    """Yield the blocks of a plain file from the begin of a line to byte `end`.

    A line longer than a block is a block by itself, and a line that is too long comes in fragments. The
    next block overwrites the one before. Only a line that `end` cuts lacks its newline.

    Raises:
        StoreError: the file cannot be read.
    """
    buffer, held, longest = bytearray(BLOCK), 0, opened.longest
    while begin < end:
        view = memoryview(buffer)
        size = opened.read_into(view[held : end - begin], begin + held)
        held += size
        long = len(buffer) > BLOCK
        newline = buffer.find(b"\n", held - size, held) if long else buffer.rfind(b"\n", 0, held)
        cut = newline + 1 if size else held
        if cut:
            yield from _bounded(view[:cut], longest)
            begin, held = begin + cut, held - cut
            if long:
                # Blocks of that size would hold too many rows: return to small ones, and read the rest again.
                buffer, held = bytearray(BLOCK), 0
            else:
                buffer[:held] = buffer[cut : cut + held]
        elif not size:
            return
        elif held > longest:
            yield LineFragment(view[:held], last=False, longest=longest)
            begin += held
            for piece in _rest_of_line(opened, begin, end):
                yield piece
                begin += len(piece)
            buffer, held = bytearray(BLOCK), 0
        elif held == len(buffer):
            # A line longer than the buffer; the longest line and its newline have to fit in.
            buffer = buffer + bytes(min(len(buffer), longest + 2 - len(buffer)))


def _rest_of_line(opened: OpenLogFile, begin: int, end: int) -> Iterator[LineFragment]:
    """Yield the fragments of a line of a plain file from its middle to its end."""
    buffer, ended = bytearray(BLOCK), False
    while begin < end and not ended:
        view = memoryview(buffer)
        size = opened.read_into(view[: end - begin], begin)
        newline = buffer.find(b"\n", 0, size)
        ended = newline >= 0 or not size
        cut = newline + 1 or size
        yield LineFragment(view[:cut], last=ended, longest=opened.longest)
        begin += cut
    if not ended:
        yield LineFragment(b"", last=True, longest=opened.longest)


def _bounded(block: memoryview, longest: int) -> Iterator[memoryview | LineFragment]:
    """Yield a block of whole lines, with each line that is too long as a fragment of its own."""
    if 0 < len(block) <= longest:
        yield block
        return
    content = bytes(block)
    good = begin = 0
    while begin < len(content):
        newline = content.find(b"\n", begin)
        end = newline + 1 or len(content)
        if (end if newline < 0 else newline) - begin > longest:
            if good < begin:
                yield block[good:begin]
            yield LineFragment(block[begin:end], last=True, longest=longest)
            good = end
        begin = end
    if good < begin:
        yield block[good:]


def streamed_blocks(
    opened: OpenLogFile, begin: int, length: int = sys.maxsize
) -> Iterator[memoryview | LineFragment]:
    """Yield the blocks of a compressed file from byte `begin` of its content to its end, or `length` bytes.

    Raises:
        LineError: the file is damaged from here on.
        StoreError: the file cannot be read.
    """
    held, searched, longest, inside = bytearray(), 0, opened.longest, False
    opened.skip_to(begin)
    try:
        for chunk in opened.chunks():
            if inside:
                # In the middle of a line that is too long.
                end = chunk.find(b"\n") + 1
                piece, inside = chunk[: end or length], not end
                yield LineFragment(piece, last=bool(end), longest=longest)
                length -= len(piece)
                chunk = chunk[len(piece) :]
            held += chunk
            if len(held) >= min(BLOCK, length):
                cut = held.rfind(b"\n", searched, length) + 1
                if cut:
                    whole, held = memoryview(held)[:cut], held[cut:]
                    yield from _bounded(whole, longest)
                    length -= cut
                elif len(held) > longest:
                    yield LineFragment(bytes(held[:length]), last=False, longest=longest)
                    length, inside = length - len(held), True
                    held = bytearray()
                searched = len(held)
            if length <= 0:
                break
    except LineError:
        # The lines before the damage are good.
        yield from _bounded(memoryview(held)[: held.rfind(b"\n", searched, length) + 1], longest)
        raise
    if inside:
        yield LineFragment(b"", last=True, longest=longest)
    elif held and length > 0:
        yield from _bounded(memoryview(held)[:length], longest)


def line_end_before(opened: OpenLogFile, end: int, begin: int = 0) -> int:
    """Return the byte after the last newline between two bytes of an open file; `begin` without one."""
    while end > begin:
        start = max(begin, end - BLOCK)
        place = opened.read_at(end - start, start).rfind(b"\n")
        if place >= 0:
            return start + place + 1
        end = start
    return begin


def line_end_after(opened: OpenLogFile, begin: int, end: int) -> int:
    """Return the byte after the first newline between two bytes of an open file; `end` without one."""
    while begin < end:
        block = opened.read_at(min(BLOCK, end - begin), begin)
        place = block.find(b"\n")
        if place >= 0:
            return begin + place + 1
        if not block:
            return end
        begin += len(block)
    return end


def blocks_in_ranges(
    opened: OpenLogFile, ranges: Sequence[ByteRange], *, damaged: bool
) -> Iterator[tuple[int, Block]]:
    """Yield (first byte, block of lines) for some ranges, in order, of an open file.

    The next block overwrites the one before. How much of a `damaged` compressed file can be read before
    the damage depends on the size of the reads; so it is read as it was the first time, from its begin.

    Raises:
        StoreError: the file cannot be read.
    """
    if damaged:
        yield from _lines_from_start(opened, ranges)
        return
    for begin, end in ranges:
        if opened.damage:
            blocks: Iterator[Block] = streamed_blocks(opened, begin, end - begin)
        else:
            blocks = plain_blocks(opened, begin, end)
        for block in blocks:
            yield begin, block
            begin += len(block)


def _lines_from_start(opened: OpenLogFile, ranges: Sequence[ByteRange]) -> Iterator[tuple[int, bytes]]:
    left, place = list(ranges), 0
    try:
        for line in opened.raw_lines():
            while left and left[0][1] <= place:
                left.pop(0)
            if left and left[0][0] <= place and not isinstance(line, LineFragment):
                yield place, line
            place += len(line)
    except LineError:
        # The damage is counted as a bad line already.
        return


def split_lines(block: bytes) -> Iterator[bytes]:
    """Yield the lines of a block, each with its newline."""
    begin = 0
    while begin < len(block):
        end = block.find(b"\n", begin) + 1 or len(block)
        yield block[begin:end]
        begin = end
