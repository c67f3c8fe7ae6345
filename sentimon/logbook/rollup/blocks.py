"""The bytes of a file of the log, in blocks of whole lines."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from sentimon.jsonl import LineError
from sentimon.logbook.opened import Segment

BLOCK = 1 << 19
"""Bytes, about: few enough to stay in the processor's cache, enough to be worth a call to numpy."""


def plain_blocks(segment: Segment, begin: int, end: int) -> Iterator[memoryview]:
    """Yield the blocks of a plain file from the begin of a line to another byte.

    A line longer than a block is one by itself. A block is overwritten by the next one. Only a line
    that `end` cuts lacks its newline.

    Raises:
        StoreError: the file cannot be read.
    """
    buffer, held = bytearray(BLOCK), 0
    while begin < end:
        view = memoryview(buffer)
        size = segment.read_into(view[held : end - begin], begin + held)
        held += size
        long = len(buffer) > BLOCK
        newline = buffer.find(b"\n", held - size, held) if long else buffer.rfind(b"\n", 0, held)
        cut = newline + 1 if size else held
        if cut:
            yield view[:cut]
            begin, held = begin + cut, held - cut
            if long:
                # Blocks as large would hold too many rows: what was read of the next one is read again.
                buffer, held = bytearray(BLOCK), 0
            else:
                buffer[:held] = buffer[cut : cut + held]
        elif not size:
            return
        elif held == len(buffer):
            # A line longer than that.
            buffer = buffer + bytes(len(buffer))


def streamed_blocks(segment: Segment, begin: int, length: int = sys.maxsize) -> Iterator[memoryview]:
    """Yield the blocks of a compressed file from byte `begin` of its content to its end, or `length` bytes.

    Raises:
        LineError: the file is damaged from here on.
        StoreError: the file cannot be read.
    """
    held, searched = bytearray(), 0
    segment.pass_over_to(begin)
    try:
        for chunk in segment.chunks():
            held += chunk
            if len(held) >= min(BLOCK, length):
                cut = held.rfind(b"\n", searched, length) + 1
                if cut:
                    whole, held = memoryview(held)[:cut], held[cut:]
                    yield whole
                    length -= cut
                searched = len(held)
            if length <= 0:
                return
    except LineError:
        # What came before the damage is good.
        if cut := held.rfind(b"\n", searched, length) + 1:
            yield memoryview(held)[:cut]
        raise
    if held:
        yield memoryview(held)[:length]


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
