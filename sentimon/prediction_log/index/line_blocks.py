"""The bytes of a file of the log, in blocks of whole lines."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from sentimon.jsonl import LineError
from sentimon.prediction_log.segment import Fragment, Segment

BLOCK = 1 << 19
"""Bytes, about: few enough to stay in the processor's cache, enough to be worth a call to numpy."""


Block = bytes | memoryview | Fragment
"""Some whole lines, or a piece of a line that is too long."""


def plain_blocks(segment: Segment, begin: int, end: int) -> Iterator[memoryview | Fragment]:
    """Yield the blocks of a plain file from the begin of a line to another byte.

    A line longer than a block is one by itself, and a line that is too long comes in fragments. A block
    is overwritten by the next one. Only a line that `end` cuts lacks its newline.

    Raises:
        StoreError: the file cannot be read.
    """
    buffer, held, longest = bytearray(BLOCK), 0, segment.longest
    while begin < end:
        view = memoryview(buffer)
        size = segment.read_into(view[held : end - begin], begin + held)
        held += size
        long = len(buffer) > BLOCK
        newline = buffer.find(b"\n", held - size, held) if long else buffer.rfind(b"\n", 0, held)
        cut = newline + 1 if size else held
        if cut:
            yield from _bounded(view[:cut], longest)
            begin, held = begin + cut, held - cut
            if long:
                # Blocks as large would hold too many rows: what was read of the next one is read again.
                buffer, held = bytearray(BLOCK), 0
            else:
                buffer[:held] = buffer[cut : cut + held]
        elif not size:
            return
        elif held > longest:
            yield Fragment(view[:held], last=False, longest=longest)
            begin += held
            for piece in _rest_of_line(segment, begin, end):
                yield piece
                begin += len(piece)
            buffer, held = bytearray(BLOCK), 0
        elif held == len(buffer):
            # A line longer than that; with its newline, the longest one has a byte more.
            buffer = buffer + bytes(min(len(buffer), longest + 2 - len(buffer)))


def _rest_of_line(segment: Segment, begin: int, end: int) -> Iterator[Fragment]:
    """Yield the pieces of a line of a plain file from its middle on; only the last one ends it."""
    buffer, ended = bytearray(BLOCK), False
    while begin < end and not ended:
        view = memoryview(buffer)
        size = segment.read_into(view[: end - begin], begin)
        newline = buffer.find(b"\n", 0, size)
        ended = newline >= 0 or not size
        cut = newline + 1 or size
        yield Fragment(view[:cut], last=ended, longest=segment.longest)
        begin += cut
    if not ended:
        yield Fragment(b"", last=True, longest=segment.longest)


def _bounded(block: memoryview, longest: int) -> Iterator[memoryview | Fragment]:
    """Yield whole lines as they are, but each one that is too long by itself."""
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
            yield Fragment(block[begin:end], last=True, longest=longest)
            good = end
        begin = end
    if good < begin:
        yield block[good:]


def streamed_blocks(
    segment: Segment, begin: int, length: int = sys.maxsize
) -> Iterator[memoryview | Fragment]:
    """Yield the blocks of a compressed file from byte `begin` of its content to its end, or `length` bytes.

    Raises:
        LineError: the file is damaged from here on.
        StoreError: the file cannot be read.
    """
    held, searched, longest, inside = bytearray(), 0, segment.longest, False
    segment.pass_over_to(begin)
    try:
        for chunk in segment.chunks():
            if inside:
                # Of a line that is too long.
                end = chunk.find(b"\n") + 1
                piece, inside = chunk[: end or length], not end
                yield Fragment(piece, last=bool(end), longest=longest)
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
                    yield Fragment(bytes(held[:length]), last=False, longest=longest)
                    length, inside = length - len(held), True
                    held = bytearray()
                searched = len(held)
            if length <= 0:
                break
    except LineError:
        # What came before the damage is good.
        yield from _bounded(memoryview(held)[: held.rfind(b"\n", searched, length) + 1], longest)
        raise
    if inside:
        yield Fragment(b"", last=True, longest=longest)
    elif held and length > 0:
        yield from _bounded(memoryview(held)[:length], longest)


def line_end_before(segment: Segment, end: int, begin: int = 0) -> int:
    """Return the byte after the last newline between two bytes of an open file; `begin` if there is none."""
    while end > begin:
        start = max(begin, end - BLOCK)
        place = segment.read_at(end - start, start).rfind(b"\n")
        if place >= 0:
            return start + place + 1
        end = start
    return begin


def line_end_after(segment: Segment, begin: int, end: int) -> int:
    """Return the byte after the first newline between two bytes of an open file; `end` if there is none."""
    while begin < end:
        block = segment.read_at(min(BLOCK, end - begin), begin)
        place = block.find(b"\n")
        if place >= 0:
            return begin + place + 1
        if not block:
            return end
        begin += len(block)
    return end
