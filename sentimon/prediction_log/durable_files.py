"""Safe changes to files: whole lines appended under a lock, whole files replaced in one step."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from sentimon.errors import ReadOnlyError, StoreError
from sentimon.files import PRIVATE, NotOursError, file_above, is_no_folder, open_own
from sentimon.prediction_log.locks import READ_ONLY, STATE_FOLDER, check_state_folder, exclusive

_NOT_KEPT = "rows that were not confirmed were not kept"
_HINTS = {
    errno.ENOSPC: f"make room on that disk; {_NOT_KEPT}",
    errno.EDQUOT: f"make room on that disk, or ask for a larger quota; {_NOT_KEPT}",
    errno.EFBIG: f"raise the limit on the size of a file (ulimit -f), or have the log sealed sooner with "
    f"logs.rotate_megabytes; {_NOT_KEPT}",
    errno.EIO: f"check the disk; {_NOT_KEPT}",
}


def append_lines(path: Path, lines: Sequence[bytes]) -> None:
    """Append whole lines (each without its newline) to `path` under its folder's lock: all, or none.

    Raises:
        StoreError: the folder or the file cannot be written, or the disk is full.
    """
    if lines:
        with errors_named(path), exclusive(path.parent):
            write_at_end(path, lines)


def write_at_end(
    path: Path, lines: Sequence[bytes], *, sync: bool = False, linked: bool = False
) -> tuple[os.stat_result, os.stat_result]:
    """Append whole lines to `path`, all or none, and return (its state before, its state after).

    The caller holds the lock. This is one write on an O_APPEND descriptor. A torn last line, left by a
    killed program, is ended first, so that it cannot swallow the first new line. With `sync` the lines are
    on the disk at the return; if the disk refuses them, they are taken back. Only with `linked` may `path`
    be a link to a file of our own.

    Raises:
        OSError: the file cannot be written or forced onto the disk, or the disk is full.
    """
    descriptor = open_own(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, linked=linked)
    try:
        before = os.fstat(descriptor)
        with _all_or_nothing(descriptor, before):
            written = _write_whole(descriptor, before.st_size, b"\n".join(lines) + b"\n")
            after = os.fstat(descriptor)
            if sync:
                os.fsync(descriptor)
            if sync and not before.st_size:
                # The file is new, or its creator was killed before this step.
                sync_name(path)
        # If it holds other new bytes, too, this state is not the result of our write.
        return before, after if after.st_size == before.st_size + written else before
    finally:
        os.close(descriptor)


def sync(path: Path) -> None:
    """Force what was written to `path`, a file or a folder, onto the disk.

    Raises:
        OSError: the disk refuses.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_name(path: Path) -> None:
    """Force the name of the file at `path`, or its removal, onto the disk.

    Raises:
        OSError: the disk refuses.
    """
    try:
        sync(path.resolve().parent)
    except OSError as error:
        # Some folders may not be read, and some file systems cannot force folders onto the disk.
        if error.errno not in (errno.EACCES, errno.EBADF, errno.EINVAL, errno.ENOTSUP):
            raise


def replace_file(path: Path, content: bytes, *, mode: int = PRIVATE) -> None:
    """Put `content` at `path` in one step: a reader sees the old file or the new one, never a part.

    A link at `path` is replaced, and its target stays as it is. `mode` says who may read the file.

    Raises:
        StoreError: the folder cannot be written, or the disk is full.
    """
    with replacing(path) as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)


def create_file(path: Path, content: bytes, *, mode: int = PRIVATE) -> bool:
    """Create `path` with `content` in one step, and return True; return False if something is there.

    If several programs try at once, exactly one succeeds; the folder is made if need be.

    Raises:
        StoreError: the folder cannot be written, or the disk is full.
    """
    with errors_named(path):
        check_state_folder(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                claim_name(Path(name), path)
                sync_name(path)
                return True
            return False
        finally:
            Path(name).unlink(missing_ok=True)


def claim_name(made: Path, path: Path) -> None:
    """Give a file the second name `path`, unless that is taken.

    Raises:
        FileExistsError: the name is taken.
    """
    try:
        os.link(made, path)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            raise
        # On a file system without hard links an empty file claims the name for a moment.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE))
        made.replace(path)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write to, which replaces `path` in one step if the block ends without an error.

    Only the owner may read it; its folder is made if need be.

    Raises:
        StoreError: the folder cannot be written, or the disk is full.
    """
    with errors_named(path):
        check_state_folder(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
            sync_name(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def remove_file(path: Path) -> None:
    """Remove `path`, if it is there.

    Raises:
        StoreError: it may not be removed.
    """
    with errors_named(path):
        check_state_folder(path)
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _all_or_nothing(descriptor: int, before: os.stat_result) -> Iterator[None]:
    try:
        yield
    except BaseException:
        # An interrupt between two parts of a write must not leave half a line either.
        os.ftruncate(descriptor, before.st_size)
        raise


def _write_whole(descriptor: int, size: int, data: bytes) -> int:
    """Write `data` at the end of a file of `size` bytes, and return how many bytes that took."""
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        data = b"\n" + data
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, data[written:])
    return written


@contextlib.contextmanager
def errors_named(path: Path) -> Iterator[None]:
    """Turn errors of the system into errors that name `path` and the next step.

    Raises:
        StoreError: instead of any OSError; ReadOnlyError where writing is not allowed.
    """
    try:
        yield
    except OSError as error:
        _check_folders(path, error)
        hint = _HINTS.get(error.errno or 0, "check the path and its permissions")
        if isinstance(error, NotOursError):
            hint = "put the file itself there, or remove it"
        kind = ReadOnlyError if error.errno in READ_ONLY else StoreError
        raise kind(f"{path}: cannot be written: {error.strerror}", hint=hint) from error


def _check_folders(path: Path, error: OSError) -> None:
    """Raise the error that names the folder, one that users know, where it is at fault and not the file.

    Raises:
        StoreError: a file stands in its place, or it cannot be made; ReadOnlyError where that is not allowed.
    """
    if error.errno in (errno.ENOTDIR, errno.EEXIST) and (above := file_above(path)) is not None:
        raise is_no_folder(above) from error
    lacking = [one for one in path.parents if not os.path.lexists(one)]
    if error.errno not in READ_ONLY or not lacking or not os.access(lacking[-1].parent, os.X_OK):
        return
    folder = lacking[-1]
    if folder.name == STATE_FOLDER:
        message, hint = f"{folder.parent}: nothing can be written into this folder", "allow it"
    else:
        message, hint = f"{folder}: this folder cannot be made", "make it"
    raise ReadOnlyError(
        f"{message}: {error.strerror}", hint=f"{hint}, or name a folder that you may write to"
    ) from error
