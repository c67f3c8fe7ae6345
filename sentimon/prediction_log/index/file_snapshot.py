"""The files of a log at one moment, and how each is opened again as the very same file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import cast

import msgspec

from sentimon.config.paths import on_objects
from sentimon.errors import StoreError
from sentimon.jsonl import LONGEST
from sentimon.prediction_log.append_chain import ANY_DEVICE, AppendChain, FileState, read_append_chain
from sentimon.prediction_log.folder import (
    LIVE_FILE,
    check_folder,
    live_status,
    sealed_among,
    sealed_files,
    status_of,
)
from sentimon.prediction_log.locks import shared
from sentimon.prediction_log.object_storage import list_objects, state_of
from sentimon.prediction_log.segment import LogFile, Segment, opened, opened_object

_MARK_BYTES = 4096
"""Of each end of a file."""


class MovedError(Exception):
    """A file of the log was sealed, compressed, rewritten or removed since it was listed; list again.

    So it is, too, where another program changed the index.
    """


class SeenFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the log as it was when no writer was at it."""

    file: LogFile
    state: FileState
    chain: str | None
    """Which chain of appends by our own writer led to the state; None where that is not known."""

    @property
    def path(self) -> Path:
        """Return where it was."""
        return self.file.path

    @property
    def compressed(self) -> bool:
        """Return whether its bytes are not the rows themselves."""
        return self.path.suffix != ".jsonl"


def list_seen(folder: Path, *, without: Collection[str] = ()) -> list[SeenFile]:
    """Return the files of the log in reading order, the live one last; those named in `without` are left out.

    Raises:
        StoreError: there is no such folder, or a file cannot be read.
    """
    if on_objects(folder):
        return _objects(folder)
    check_folder(folder)
    with shared(folder):
        custody = read_append_chain(folder)
        path = folder / LIVE_FILE
        live = None if path.name in without else _seen(path, live_status(path), custody)
        sealed = [
            _seen(path, status_of(path), None) for path in sealed_files(folder) if path.name not in without
        ]
        # Who may not take the lock can meet a file that was live, and is sealed by now.
        files = {one.state.file for one in sealed if one}
        return [one for one in (*sealed, None if live and live.state.file in files else live) if one]


def _objects(folder: Path) -> list[SeenFile]:
    states = list_objects(folder)
    live = [folder / LIVE_FILE] if LIVE_FILE in states else []
    return [
        SeenFile(file=LogFile.seen(path, states[path.name]), state=states[path.name], chain=None)
        for path in (*sealed_among(folder / name for name in states), *live)
    ]


def _seen(path: Path, status: os.stat_result | None, custody: AppendChain | None) -> SeenFile | None:
    if status is None:
        return None
    state = FileState.of(status)
    chain = custody.chain if custody and custody.state == state else None
    return SeenFile(file=LogFile.of(path, status), state=state, chain=chain)


@contextmanager
def opened_again(path: Path, state: FileState, *, longest: int = LONGEST) -> Iterator[Segment]:
    """Open a file of the log that was seen in `state`; longer lines are given in fragments.

    Where its device is ANY_DEVICE, whoever asks has to compare what is in it (`content_mark`).

    Raises:
        MovedError: another file is in its place, or none.
        StoreError: it cannot be read.
    """
    if on_objects(path):
        with _object_again(path, state, longest) as segment:
            yield segment
        return
    with ExitStack() as stack:
        try:
            segment = stack.enter_context(opened(path, longest=longest))
        except StoreError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise MovedError from error
            raise
        now = FileState.of(os.fstat(cast(int, segment.descriptor)))
        device = ANY_DEVICE if state.device == ANY_DEVICE else now.device
        if (device, now.inode) != state.file or now.size < state.size:
            raise MovedError
        yield segment


def content_mark(segment: Segment, size: int) -> str:
    """Return a digest of the ends of the first `size` bytes of an open file, as it lies on the disk.

    It tells two files apart where devices are numbered in another way on each machine: a file of the log
    only grows, and its rows tell their time.

    Raises:
        StoreError: the file cannot be read.
    """
    first = segment.read_at(min(_MARK_BYTES, size), 0)
    last = segment.read_at(min(_MARK_BYTES, size), max(0, size - _MARK_BYTES))
    return hashlib.sha256(b"%d\n" % size + first + last).hexdigest()


@contextmanager
def _object_again(path: Path, state: FileState, longest: int) -> Iterator[Segment]:
    _check_object(path, state)
    with opened_object(path, state, longest=longest) as segment:
        yield segment
    # Its ranges are requests of their own: another object may have come between two of them.
    _check_object(path, state)


def _check_object(path: Path, state: FileState) -> None:
    try:
        if state_of(path) != state:
            raise MovedError
    except FileNotFoundError as error:
        raise MovedError from error
