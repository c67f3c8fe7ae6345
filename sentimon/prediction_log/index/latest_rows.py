"""The rows that came last, read from the ends of the files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from sentimon.jsonl import LineError, line_content
from sentimon.prediction_log.append_chain import FileState
from sentimon.prediction_log.index.line_blocks import Block
from sentimon.prediction_log.index.period_sums import Sums
from sentimon.prediction_log.index.refresh import Known
from sentimon.prediction_log.index.scan import split_lines
from sentimon.prediction_log.index.stretches import blocks_within
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.row_parser import parse_row
from sentimon.prediction_log.segment import Fragment

TAIL = 1 << 16
"""Bytes of a file that are looked at; what is behind longer lines is not found."""


Memory = dict[FileState, list[PredictionRecord]]
"""The last rows of files that change no more."""


def latest_rows(sums: Sums, count: int, memory: Memory) -> list[PredictionRecord]:
    """Return the last `count` rows of the log, in its order; it costs the ends of its last files.

    To the end of a compressed file all of it has to be read: what was found there goes into `memory`.

    Raises what the methods of `Sums` raise.
    """
    found: list[PredictionRecord] = []
    for known in reversed(sums.files):
        if len(found) >= count:
            break
        state = known.seen.state
        rows = memory[state] if state in memory else _last_rows(sums, known)
        if known.seen.compressed:
            memory[state] = rows
        found = [*rows, *found]
    return found[-count:]


def _last_rows(sums: Sums, known: Known) -> list[PredictionRecord]:
    rows = []
    for content in _last_lines(known):
        try:
            rows.append(parse_row(content, zone=sums.zone))
        except LineError:
            # Among the bad lines already.
            continue
    return rows


def _last_lines(known: Known) -> Iterator[bytes]:
    """Yield the lines at the end of a file that are whole at their begin."""
    end = known.entry.reading.end if known.seen.compressed else known.seen.state.size
    begin = max(0, end - TAIL)
    with known.opened() as segment:
        lines = (
            line
            for _, block in blocks_within(segment, [(begin, end)], damaged=known.entry.reading.damaged)
            for line in _lines_of(block)
        )
        try:
            # From the middle of a file the first line is cut.
            for line in islice(lines, 1 if begin else 0, None):
                content = line_content(line, first=begin == 0)
                if content:
                    yield content
        except LineError:
            # A compressed file was damaged since it was read.
            return


def _lines_of(block: Block) -> Iterator[bytes]:
    if not isinstance(block, Fragment):
        yield from split_lines(bytes(block))
    elif block.last:
        # A line that is too long holds no row.
        yield b"\n"
