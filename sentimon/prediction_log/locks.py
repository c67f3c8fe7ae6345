"""The one lock of a log folder: writers take it alone, readers share it while they open the files."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from sentimon.files import NotOursError, open_own

STATE_FOLDER = ".sentimon"
READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
"""What the system says where this program may read and not write."""
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
            descriptor = open_own(path, os.O_RDONLY)
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


_locks_of_thread = threading.local()


def _held_here() -> set[str]:
    """Return the lock files that this thread of this process holds; a forked process holds none by itself."""
    held: tuple[int, set[str]] | None = getattr(_locks_of_thread, "held", None)
    if held is None or held[0] != os.getpid():
        held = (os.getpid(), set())
        _locks_of_thread.held = held
    return held[1]


@contextlib.contextmanager
def where_writable(lock: contextlib.AbstractContextManager[object]) -> Iterator[bool]:
    """Hold `lock` and give True; where its folder may only be read hold nothing, and give False.

    For what only looks: files of ours are replaced in one step, so that they can be read without a lock.

    Raises:
        OSError: the folder cannot be written for another reason.
    """
    with contextlib.ExitStack() as stack:
        held = True
        try:
            stack.enter_context(lock)
        except OSError as error:
            if error.errno not in READ_ONLY:
                raise
            held = False
        yield held


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
    try:
        if path.parent.name == STATE_FOLDER and path.parent.is_symlink():
            raise NotOursError(errno.ELOOP, f"its folder {STATE_FOLDER} is a link")
        for _ in range(_TRIES):
            with contextlib.suppress(FileNotFoundError):
                return open_own(path, os.O_RDWR | os.O_CREAT)
            # Nothing was logged here yet, or the folder of the state was removed just now.
            path.parent.mkdir(parents=True, exist_ok=True)
        return open_own(path, os.O_RDWR | os.O_CREAT)
    except NotOursError as error:
        # Who asks for the lock names what it wants to write, and not the lock.
        raise NotOursError(error.errno, f"the lock {path} cannot be taken: {error.strerror}") from error


def _is_at(descriptor: int, path: Path) -> bool:
    """Return whether the open file is still the one at `path`: a lock on a removed file locks nobody out."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
