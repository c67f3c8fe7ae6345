"""The files of a log as they are at one moment; each can be opened again later, if it is the same file."""

from __future__ import annotations

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
from sentimon.prediction_log.log_file import LogFile, OpenLogFile, open_log_file, open_log_object
from sentimon.prediction_log.object_storage import list_objects, state_of

_MARK_BYTES = 4096
"""Bytes at each end of a file that `content_fingerprint` reads."""


class LogChangedError(Exception):
    """A file of the log was sealed, compressed, rewritten or removed since it was listed: list again.

    Also raised when another program changed the index.
    """


class FileSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the log and its state, taken while no writer was at work."""

    file: LogFile
    state: FileState
    chain: str | None
    """The chain of appends by our own writer that led to the state; None if it is not known."""

    @property
    def path(self) -> Path:
        """Return its path at that moment."""
        return self.file.path

    @property
    def compressed(self) -> bool:
        """Return whether the file is compressed."""
        return self.path.suffix != ".jsonl"


def list_snapshots(folder: Path, *, excluded: Collection[str] = ()) -> list[FileSnapshot]:
    """Return the files of the log in reading order, the live one last, but those named in `excluded`.

    Raises:
        StoreError: there is no such folder, or a file cannot be read.
    """
    if on_objects(folder):
        return _object_snapshots(folder)
    check_folder(folder)
    with shared(folder):
        chain_record = read_append_chain(folder)
        path = folder / LIVE_FILE
        live = None if path.name in excluded else _snapshot_of(path, live_status(path), chain_record)
        sealed = [
            _snapshot_of(path, status_of(path), None)
            for path in sealed_files(folder)
            if path.name not in excluded
        ]
        # A reader that may not take the lock can meet a file that was live and is sealed by now.
        files = {one.state.file for one in sealed if one}
        return [one for one in (*sealed, None if live and live.state.file in files else live) if one]


def _object_snapshots(folder: Path) -> list[FileSnapshot]:
    states = list_objects(folder)
    live = [folder / LIVE_FILE] if LIVE_FILE in states else []
    return [
        FileSnapshot(file=LogFile.of_object(path, states[path.name]), state=states[path.name], chain=None)
        for path in (*sealed_among(folder / name for name in states), *live)
    ]


def _snapshot_of(
    path: Path, status: os.stat_result | None, chain_record: AppendChain | None
) -> FileSnapshot | None:
    if status is None:
        return None
    state = FileState.of(status)
    chain = chain_record.chain if chain_record and chain_record.state == state else None
    return FileSnapshot(file=LogFile.of(path, status), state=state, chain=chain)


@contextmanager
def open_same_file(path: Path, state: FileState, *, longest: int = LONGEST) -> Iterator[OpenLogFile]:
    """Open a file of the log that had that `state`; lines above `longest` bytes come in fragments.

    If the device of the state is ANY_DEVICE, the caller has to compare the content (`content_fingerprint`).

    Raises:
        MovedError: another file is in its place, or none.
        StoreError: it cannot be read.
    """
    if on_objects(path):
        with _object_again(path, state, longest) as opened:
            yield opened
        return
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(open_log_file(path, longest=longest))
        except StoreError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise LogChangedError from error
            raise
        now = FileState.of(os.fstat(cast(int, opened.descriptor)))
        device = ANY_DEVICE if state.device == ANY_DEVICE else now.device
        if (device, now.inode) != state.file or now.size < state.size:
            raise LogChangedError
        yield opened


def content_fingerprint(opened: OpenLogFile, size: int) -> str:
    """Return a digest of both ends of the first `size` bytes of an open file, as it lies on the disk.

    It identifies a file for machines that number their devices differently: files of the log only grow,
    and their rows hold different times.

    Raises:
        StoreError: the file cannot be read.
    """
    # It takes 2 MB, and is for logs that several machines read.
    import hashlib

    first = opened.read_at(min(_MARK_BYTES, size), 0)
    last = opened.read_at(min(_MARK_BYTES, size), max(0, size - _MARK_BYTES))
    return hashlib.sha256(b"%d\n" % size + first + last).hexdigest()


@contextmanager
def _object_again(path: Path, state: FileState, longest: int) -> Iterator[OpenLogFile]:
    _check_object(path, state)
    with open_log_object(path, state, longest=longest) as opened:
        yield opened
    # Each range is a request of its own: the object may have been replaced between two of them.
    _check_object(path, state)


def _check_object(path: Path, state: FileState) -> None:
    try:
        if state_of(path) != state:
            raise LogChangedError
    except FileNotFoundError as error:
        raise LogChangedError from error
