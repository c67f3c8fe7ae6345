"""Stretches of a file of the log, read again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo

from sentimon.jsonl import LineError
from sentimon.prediction_log.index.cells import Slot, Stretch
from sentimon.prediction_log.index.line_blocks import Block, plain_blocks, streamed_blocks
from sentimon.prediction_log.index.refresh import BULK_BYTES, Known
from sentimon.prediction_log.index.scan import Scan
from sentimon.prediction_log.segment import Fragment, Segment


def scan_stretches(known: Known, stretches: Sequence[Stretch], *, slot: Slot, zone: tzinfo | None) -> Scan:
    """Return what the stretches hold; they are in order and begin and end where lines do.

    Raises:
        MovedError: the file is not there any more.
        StoreError: it cannot be read.
    """
    size = sum(end - begin for begin, end in stretches)
    scan = Scan(0, slot=slot, zone=zone, bulk=size >= BULK_BYTES)
    with known.opened() as segment:
        for begin, block in blocks_within(segment, stretches, damaged=known.entry.reading.damaged):
            scan.pass_over_to(begin)
            scan.take(block)
    scan.finish()
    return scan


def blocks_within(
    segment: Segment, stretches: Sequence[Stretch], *, damaged: bool
) -> Iterator[tuple[int, Block]]:
    """Yield (first byte, block of lines) for the stretches, which are in order, of an open file.

    A block is overwritten by the next one. Of a compressed file that is `damaged` what comes before the
    damage depends on how it is read; so it is read as it was the first time, from its begin.

    Raises:
        StoreError: the file cannot be read.
    """
    if damaged:
        yield from _from_the_begin(segment, stretches)
        return
    for begin, end in stretches:
        if segment.damage:
            blocks: Iterator[Block] = streamed_blocks(segment, begin, end - begin)
        else:
            blocks = plain_blocks(segment, begin, end)
        for block in blocks:
            yield begin, block
            begin += len(block)


def _from_the_begin(segment: Segment, stretches: Sequence[Stretch]) -> Iterator[tuple[int, bytes]]:
    left, place = list(stretches), 0
    try:
        for line in segment.raw_lines():
            while left and left[0][1] <= place:
                left.pop(0)
            if left and left[0][0] <= place and not isinstance(line, Fragment):
                yield place, line
            place += len(line)
    except LineError:
        # Counted as a bad line already.
        return
