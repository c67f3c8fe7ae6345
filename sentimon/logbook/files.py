"""How files of ours change on disk: whole lines appended under a lock, whole files replaced at once."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from sentimon.errors import StoreError

PRIVATE = 0o600
"""Logs hold what people wrote: nobody but their owner may read them."""
STATE_FOLDER = ".sentimon"
_PATH_HINT = "check the path and its permissions"
_SPACE_HINT = "make room on that disk; rows that were not confirmed were not kept"


def append_lines(path: Path, lines: Sequence[bytes]) -> None:
    """Append whole lines (each without its newline) to `path`: all of them, or none.

    One write on an O_APPEND descriptor under the folder's lock. A torn last line, left by a killed
    program, is ended first, so that it cannot swallow the first new one.

    Raises:
        StoreError: the folder or the file cannot be written, or the disk is full.
    """
    if not lines:
        return
    with _errors_named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path.parent):
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
            try:
                _write_at_end(descriptor, b"\n".join(lines) + b"\n")
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
        raise StoreError(f"{path}: cannot be read: {error.strerror}", hint=_PATH_HINT) from error


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step: a reader sees the old file or the new one, never a part.

    Raises:
        StoreError: the folder cannot be written, or the disk is full.
    """
    with _errors_named(path):
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
    with _errors_named(path):
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    state = folder / STATE_FOLDER
    state.mkdir(exist_ok=True)
    descriptor = os.open(state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write_at_end(descriptor: int, data: bytes) -> None:
    status = os.fstat(descriptor)
    regular = stat.S_ISREG(status.st_mode)
    size = status.st_size
    if regular and size and os.pread(descriptor, 1, size - 1) != b"\n":
        data = b"\n" + data
    try:
        written = os.write(descriptor, data)
        while written < len(data):
            written += os.write(descriptor, data[written:])
    except OSError:
        if regular:
            os.ftruncate(descriptor, size)
        raise


@contextlib.contextmanager
def _errors_named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        hint = _SPACE_HINT if full else _PATH_HINT
        raise StoreError(f"{path}: cannot be written: {error.strerror}", hint=hint) from error
