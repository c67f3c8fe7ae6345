"""The locks of a log folder.

- `exclusive`: whoever appends, seals or replaces a file of the log.
- `shared`: readers, while they list and open the files; they read without a lock.
- `only_compressor`: whoever compresses or rewrites sealed files, all the time.
- `only_monitor`: whoever judges the log or changes its baseline, all the time.
"""

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
"""Errors of the system if this program may read but not write."""
_COMPRESSION_LOCK = "compression.lock"
_MONITOR_LOCK = "monitor.lock"
_TRIES = 5


def lock_file(folder: Path) -> Path:
    """Return the file whose lock is that of `folder`."""
    return folder / STATE_FOLDER / "lock"


def check_state_folder(path: Path) -> None:
    """Raise NotOursError if `path` is a file of our state, and a folder of the state on its way is a link.

    Whoever put the link there would choose where we write.

    Raises:
        NotOursError: such a folder is a link.
    """
    if STATE_FOLDER not in path.parts:
        return
    for folder in path.parents:
        if STATE_FOLDER in folder.parts and folder.is_symlink():
            raise NotOursError(errno.ELOOP, f"its folder {folder.name} is a link")


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[int]:
    """Hold the exclusive lock of `folder`, which is made if need be: nobody writes, seals or opens meanwhile.

    Give the descriptor of the lock file, open for reading and writing.

    Raises:
        OSError: the folder cannot be written.
    """
    with _alone(lock_file(folder)) as descriptor:
        yield descriptor


@contextlib.contextmanager
def shared(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder` together with other readers.

    If the folder has no lock file, there is no writer to wait for.
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
    """Give True if no other program compresses files of `folder` now, and keep others out; nobody waits."""
    with only_one(folder / STATE_FOLDER / _COMPRESSION_LOCK) as alone:
        yield alone


@contextlib.contextmanager
def only_one(path: Path) -> Iterator[bool]:
    """Give True if no other program holds the lock file at `path`, which is made if need be; nobody waits.

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

    A thread may take the lock again while it holds it, so that a decision, the monitor behind it and the
    saved state are one step.

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
    """Return the lock files that this thread of this process holds; a forked process starts with none."""
    held: tuple[int, set[str]] | None = getattr(_locks_of_thread, "held", None)
    if held is None or held[0] != os.getpid():
        held = (os.getpid(), set())
        _locks_of_thread.held = held
    return held[1]


@contextlib.contextmanager
def where_writable(lock: contextlib.AbstractContextManager[object]) -> Iterator[bool]:
    """Hold `lock` and give True; if its folder is read-only, hold nothing and give False.

    For readers only: files of ours are replaced in one step, so that they can be read without a lock.

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
        check_state_folder(path)
        for _ in range(_TRIES):
            with contextlib.suppress(FileNotFoundError):
                return open_own(path, os.O_RDWR | os.O_CREAT)
            # Nothing was logged here yet, or the folder of the state was removed just now.
            path.parent.mkdir(parents=True, exist_ok=True)
        return open_own(path, os.O_RDWR | os.O_CREAT)
    except NotOursError as error:
        # The caller names the file that it wants to write, and not the lock.
        raise NotOursError(error.errno, f"the lock {path} cannot be taken: {error.strerror}") from error


def _is_at(descriptor: int, path: Path) -> bool:
    """Return whether the open file is still the one at `path`; a lock on a removed file has no effect."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
