"""The one lock of a log folder: writers take it alone, readers share it while they open the files."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import threading
from collections.abc import Iterator
from pathlib import Path

PRIVATE = 0o600
"""Logs hold what people wrote: nobody but their owner may read them."""
STATE_FOLDER = ".sentimon"
_COMPRESSION_LOCK = "compression.lock"
_MONITOR_LOCK = "monitor.lock"
_TRIES = 5


def lock_file(folder: Path) -> Path:
    """Return the file whose lock is that of `folder`."""
    return folder / STATE_FOLDER / "lock"


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[int]:
    """Hold the lock of `folder`, which is made if need be, alone: nobody writes, seals or opens meanwhile.

    Gives the descriptor of the lock file, open for reading and writing.

    Raises:
        OSError: the folder cannot be written.
    """
    with _alone(lock_file(folder)) as descriptor:
        yield descriptor


@contextlib.contextmanager
def shared(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder` together with other readers.

    Where there is no lock there is no writer to wait for.
    """
    path = lock_file(folder)
    while True:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            break
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            if _is_at(descriptor, path):
                yield
                return
        finally:
            os.close(descriptor)
    yield


@contextlib.contextmanager
def only_compressor(folder: Path) -> Iterator[bool]:
    """Give whether this is the only program that compresses segments of `folder` now; nobody waits."""
    with only_one(folder / STATE_FOLDER / _COMPRESSION_LOCK) as alone:
        yield alone


@contextlib.contextmanager
def only_one(path: Path) -> Iterator[bool]:
    """Give whether no other program holds the lock file at `path`, which is made if need be; nobody waits.

    Raises:
        OSError: its folder cannot be written.
    """
    descriptor = _open(path)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def only_monitor(folder: Path) -> Iterator[None]:
    """Be the only program that judges the log in `folder`, or changes its baseline; the others wait.

    Who holds it already holds it on: a decision, the look of the monitor that it is made of, and what is
    remembered of both are one step.

    Raises:
        OSError: the folder cannot be written.
    """
    path = folder / STATE_FOLDER / _MONITOR_LOCK
    name, held = os.path.realpath(path), _held_here()
    if name in held:
        yield
        return
    with _alone(path):
        held.add(name)
        try:
            yield
        finally:
            held.discard(name)


@contextlib.contextmanager
def only_monitor_if_writable(folder: Path) -> Iterator[bool]:
    """Hold the lock of `only_monitor` where this program may write in `folder`, and give whether it does.

    Where it may not, it changes nothing either, and reads what others replace in one step.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(only_monitor(folder))
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise
            yield False
            return
        yield True


_locks_of_thread = threading.local()


def _held_here() -> set[str]:
    """Return the lock files that this thread of this process holds; a forked process holds none by itself."""
    held: tuple[int, set[str]] | None = getattr(_locks_of_thread, "held", None)
    if held is None or held[0] != os.getpid():
        held = (os.getpid(), set())
        _locks_of_thread.held = held
    return held[1]


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[int]:
    while True:
        descriptor = _open(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_at(descriptor, path):
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    for _ in range(_TRIES):
        with contextlib.suppress(FileNotFoundError):
            return os.open(path, flags, PRIVATE)
        # Nothing was logged here yet, or the folder of the state was removed just now.
        path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, flags, PRIVATE)


def _is_at(descriptor: int, path: Path) -> bool:
    """Return whether the open file is still the one at `path`: a lock on a removed file locks nobody out."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
