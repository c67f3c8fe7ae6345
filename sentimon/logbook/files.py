"""How files of ours change on disk: whole lines appended under a lock, whole files replaced at once."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from sentimon.errors import StoreError
from sentimon.jsonl import unreadable
from sentimon.logbook.locks import PRIVATE, exclusive

_PATH_HINT = "check the path and its permissions"
_SPACE_HINT = "make room on that disk; rows that were not confirmed were not kept"


def append_lines(path: Path, lines: Sequence[bytes]) -> None:
    """Append whole lines (each without its newline) to `path` under its folder's lock: all, or none.

    Raises:
        StoreError: the folder or the file cannot be written, or the disk is full.
    """
    if lines:
        with errors_named(path), exclusive(path.parent):
            write_at_end(path, lines)


def write_at_end(path: Path, lines: Sequence[bytes], *, sync: bool = False) -> None:
    """Append whole lines to `path`, all or none; the caller holds the lock.

    One write on an O_APPEND descriptor. A torn last line, left by a killed program, is ended first,
    so that it cannot swallow the first new one. With `sync` they are on the disk when this returns.

    Raises:
        OSError: the file cannot be written, or the disk is full.
    """
    check_no_pipe(path)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    try:
        _write_whole(descriptor, b"\n".join(lines) + b"\n")
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_no_pipe(path: Path) -> None:
    """Do nothing where `path` can be a file of ours: reading a pipe hangs, and what goes in is gone.

    Raises:
        OSError: it is a pipe or a socket.
    """
    with contextlib.suppress(FileNotFoundError):
        mode = path.stat().st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            raise OSError(errno.ESPIPE, "is a pipe, not a file")


def sync(path: Path) -> None:
    """Force what was written to `path` onto the disk.

    Raises:
        OSError: the disk says no.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_file(path: Path, *, hint: str) -> bytes:
    """Return the content of `path`; `hint` says what to do where it is missing.

    Raises:
        StoreError: it is not there or cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise StoreError(f"{path}: no such file", hint=hint) from error
    except OSError as error:
        raise unreadable(path, error) from error


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step: a reader sees the old file or the new one, never a part.

    Raises:
        StoreError: the folder cannot be written, or the disk is full.
    """
    with errors_named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def remove_file(path: Path) -> None:
    """Remove `path`; that it is not there is no error.

    Raises:
        StoreError: it may not be removed.
    """
    with errors_named(path):
        path.unlink(missing_ok=True)


def _write_whole(descriptor: int, data: bytes) -> None:
    status = os.fstat(descriptor)
    regular = stat.S_ISREG(status.st_mode)
    size = status.st_size
    if regular and size and os.pread(descriptor, 1, size - 1) != b"\n":
        data = b"\n" + data
    try:
        written = os.write(descriptor, data)
        while written < len(data):
            written += os.write(descriptor, data[written:])
    except BaseException:
        # Also an interrupt between two parts of a write leaves no half of a line.
        if regular:
            os.ftruncate(descriptor, size)
        raise


@contextlib.contextmanager
def errors_named(path: Path) -> Iterator[None]:
    """Turn an error of the system into one that names `path` and the next step.

    Raises:
        StoreError: instead of any OSError.
    """
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        hint = _SPACE_HINT if full else _PATH_HINT
        raise StoreError(f"{path}: cannot be written: {error.strerror}", hint=hint) from error
