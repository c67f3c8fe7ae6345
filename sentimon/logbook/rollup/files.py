"""The files of a log at one moment, and how each is opened again as the very same file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from sentimon.errors import StoreError
from sentimon.jsonl import unreadable
from sentimon.logbook.custody import Custody, FileState, read_custody
from sentimon.logbook.locks import shared
from sentimon.logbook.segments import LIVE_FILE, LogFile, Segment, check_folder, opened, sealed_files


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


def list_seen(folder: Path) -> list[SeenFile]:
    """Return the files of the log in reading order, the live one last.

    Raises:
        StoreError: there is no such folder, or a file cannot be read.
    """
    check_folder(folder)
    with shared(folder):
        custody = read_custody(folder)
        live = _seen(folder / LIVE_FILE, custody)
        sealed = [_seen(path, None) for path in sealed_files(folder)]
        # Who may not take the lock can meet a file that was live, and is sealed by now.
        states = {one.state.inode for one in sealed if one}
        return [one for one in (*sealed, None if live and live.state.inode in states else live) if one]


def _seen(path: Path, custody: Custody | None) -> SeenFile | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable(path, error) from error
    state = FileState.of(status)
    chain = custody.chain if custody and custody.state == state else None
    return SeenFile(file=LogFile.of(path, status), state=state, chain=chain)


@contextmanager
def opened_again(path: Path, state: FileState) -> Iterator[Segment]:
    """Open a file of the log that was seen in `state`.

    Raises:
        MovedError: another file is in its place, or none.
        StoreError: it cannot be read.
    """
    with ExitStack() as stack:
        try:
            segment = stack.enter_context(opened(path))
        except StoreError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise MovedError from error
            raise
        now = os.fstat(segment.descriptor)
        if (now.st_dev, now.st_ino) != (state.device, state.inode) or now.st_size < state.size:
            raise MovedError
        yield segment
