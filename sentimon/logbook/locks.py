"""The one lock of a log folder: writers take it alone, readers share it while they open the files."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

PRIVATE = 0o600
"""Logs hold what people wrote: nobody but their owner may read them."""
STATE_FOLDER = ".sentimon"
_LOCK = "lock"
_COMPRESSION_LOCK = "compression.lock"


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder`, which is made if need be, alone: nobody writes, seals or opens meanwhile.

    Raises:
        OSError: the folder cannot be written.
    """
    descriptor = _open(folder, _LOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def shared(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder` together with other readers.

    Where there is no lock there is no writer to wait for.
    """
    try:
        descriptor = os.open(folder / STATE_FOLDER / _LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        yield
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def only_compressor(folder: Path) -> Iterator[bool]:
    """Give whether this is the only program that compresses segments of `folder` now; nobody waits."""
    descriptor = _open(folder, _COMPRESSION_LOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        yield False
        return
    try:
        yield True
    finally:
        os.close(descriptor)


def _open(folder: Path, name: str) -> int:
    state = folder / STATE_FOLDER
    state.mkdir(parents=True, exist_ok=True)
    return os.open(state / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
