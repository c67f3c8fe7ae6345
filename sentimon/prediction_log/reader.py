"""Read a log from its first row to its last: good rows as records, bad lines as what they are.

Each file is opened in turn, and each line parsed; the index reads faster and gives the same answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import tzinfo
from pathlib import Path

from sentimon.files import open_regular
from sentimon.jsonl import LONGEST, BadLine, LineError, line_content
from sentimon.prediction_log.folder import (
    ENDINGS,
    LIVE_FILE,
    check_folder,
    live_status,
    sealed_files,
    status_of,
    stem_of,
)
from sentimon.prediction_log.locks import shared
from sentimon.prediction_log.log_file import (
    LineFragment,
    OpenLogFile,
    log_file_from,
    open_log_file,
    unreadable_log_file,
)
from sentimon.prediction_log.record import PredictionRecord, parse_row


def open_log_files(folder: Path, *, longest: int = LONGEST) -> Iterator[OpenLogFile]:
    """Yield each file of the log, open, one at a time: the files that were there at the first step.

    The live file is opened first and yielded last, for it may be sealed while the others are read; rows
    appended to it meanwhile may be read too. A line of more than `longest` bytes comes in fragments.

    Raises:
        StoreError: there is no such folder, or a file cannot be read.
    """
    check_folder(folder)
    with ExitStack() as stack:
        live = None
        with shared(folder):
            sealed = sealed_files(folder)
            if live_status(folder / LIVE_FILE) is not None:
                live = stack.enter_context(open_log_file(folder / LIVE_FILE, longest=longest))
        for path in sealed:
            yield from _open_sealed(path, longest)
        if live is not None:
            yield live


def _open_sealed(path: Path, longest: int) -> Iterator[OpenLogFile]:
    # Since the listing it may have been compressed, or removed by retention: then it is no part of the log.
    for candidate in (path, *(path.with_name(stem_of(path) + ending) for ending in ENDINGS)):
        if status_of(candidate) is None:
            continue
        try:
            raw = open_regular(candidate)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise unreadable_log_file(candidate, error) from error
        with raw:
            yield log_file_from(candidate, raw, longest=longest)
        return


Rows = Iterator[PredictionRecord | BadLine]


def read_log(folder: Path, *, zone: tzinfo | None, longest: int = LONGEST) -> Rows:
    """Yield each row of the log in `folder`, and each bad line; one pass, one line in memory.

    Sealed files come first, by name, then the live one. Timestamps without a zone are read in
    `zone` (None: local time). Blank lines are skipped. The rows of a damaged compressed file before the
    damage count, and the rest is one bad line. A line of more than `longest` bytes is one, too.

    Raises:
        StoreError: the folder is not there, or a file cannot be read.
    """
    for opened in open_log_files(folder, longest=longest):
        yield from read_open_file(opened, zone=zone)


def read_log_file(path: Path, *, zone: tzinfo | None, longest: int = LONGEST) -> Rows:
    """Yield each row and each bad line of one file, as `read_log` does.

    Raises:
        StoreError: the file cannot be read.
    """
    with open_log_file(path, longest=longest) as opened:
        yield from read_open_file(opened, zone=zone)


def read_open_file(opened: OpenLogFile, *, zone: tzinfo | None) -> Rows:
    """Yield each row and each bad line of an open file of the log, as `read_log` does.

    Raises:
        StoreError: the file cannot be read.
    """
    path, number = str(opened.file.path), 0
    try:
        for line in opened.raw_lines():
            if isinstance(line, LineFragment):
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
