"""The log from its first row to its last: good rows as records, bad ones as what they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from pathlib import Path

from sentimon.jsonl import LONGEST, BadLine, LineError, line_content
from sentimon.prediction_log.folder import open_segments
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.row_parser import parse_row
from sentimon.prediction_log.segment import Fragment, Segment, opened

Rows = Iterator[PredictionRecord | BadLine]


def read_log(folder: Path, *, zone: tzinfo | None, longest: int = LONGEST) -> Rows:
    """Yield each row of the log in `folder`, and each bad line; one pass, one line in memory.

    Sealed files come first, by name, then the live one. Timestamps without a zone are read in
    `zone` (None: local time). Blank lines are passed over. Of a compressed file that is damaged the
    rows before the damage count, and the rest is one bad line. So is a line of more than `longest` bytes.

    Raises:
        StoreError: the folder is not there, or a file cannot be read.
    """
    for segment in open_segments(folder, longest=longest):
        yield from read_segment(segment, zone=zone)


def read_log_file(path: Path, *, zone: tzinfo | None, longest: int = LONGEST) -> Rows:
    """Yield each row and each bad line of one file, as `read_log` does.

    Raises:
        StoreError: the file cannot be read.
    """
    with opened(path, longest=longest) as segment:
        yield from read_segment(segment, zone=zone)


def read_segment(segment: Segment, *, zone: tzinfo | None) -> Rows:
    """Yield each row and each bad line of an open file of the log, as `read_log` does.

    Raises:
        StoreError: the file cannot be read.
    """
    path, number = str(segment.file.path), 0
    try:
        for line in segment.raw_lines():
            if isinstance(line, Fragment):
                number += line.last
                if line.last:
                    yield line.error.at(path, number)
                continue
            number += 1
            content = line_content(line, first=number == 1)
            if content:
                yield _row_of(content, path, number, zone)
    except LineError as damage:
        yield damage.at(path, number + 1)


def _row_of(line: bytes, path: str, number: int, zone: tzinfo | None) -> PredictionRecord | BadLine:
    try:
        return parse_row(line, zone=zone)
    except LineError as error:
        return error.at(path, number)
