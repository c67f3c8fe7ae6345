"""How files of ours are opened: regular files only, no longer than such a file can be, without waiting.

The rule about links, for the whole program:

- What is read may be a link (Kubernetes mounts a ConfigMap as links), if a regular file is at its end.
- What is written goes to a regular file in the folder itself. A file that is replaced takes the place of
  a link, and what the link leads to stays as it is. A file that is appended to, and a lock, must not be a
  link: whoever may write in the folder could otherwise choose the file that we change, with our rights.
- One file may be a link and is appended to all the same: the live file of a log, `predictions.jsonl`,
  where the file that it leads to is there and belongs to the user who runs us.

Pipes, devices and sockets are refused everywhere: opening one may wait for ever, perhaps with a lock held.
"""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

from sentimon.errors import StoreError

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
MOST_SECRET = 64 * KIB
"""Bytes of a key, a secret, an address or a lock record."""
MOST_SETTINGS = MIB
"""Bytes of a configuration file."""
MOST_STATE = 256 * MIB
"""Bytes of a file that is read whole: a baseline, a monitor, a calibration, a journal, a manifest."""
MOST_HISTORY = 4 * GIB
"""Bytes of a file that is read line by line: labels, triggers, reports, the registry of models."""
MOST_MODEL_TEXT = 512 * MIB
"""Bytes of a tokenizer, a configuration or a card of a model."""

PRIVATE = 0o600
"""Logs hold what people wrote: nobody but their owner may read them."""
_ALWAYS = os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
}


class NotOursError(OSError):
    """What stands at a path is nothing that can be a file of ours; `strerror` says what it is instead."""


def open_regular(path: Path, *, most: int | None = None) -> BufferedReader:
    """Return the regular file at `path`, or at the end of the link there, open for reading.

    It never waits, and what is no regular file, or longer than `most` bytes, is refused.

    Raises:
        FileNotFoundError: nothing is there.
        OSError: it is no regular file, too long, or may not be read.
    """
    # A path with a zero byte raises a ValueError, which is no answer to "can this be read".
    if "\0" in str(path):
        raise NotOursError(errno.EINVAL, "is no name of a file")
    descriptor = os.open(path, os.O_RDONLY | _ALWAYS)
    try:
        size = _regular(descriptor).st_size
        if most is not None and size > most:
            raise _too_long(size, most)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def open_own(path: Path, flags: int, *, mode: int = PRIVATE, linked: bool = False) -> int:
    """Return a descriptor of the regular file at `path`, opened with `flags` to be written or locked.

    A link is refused, unless it may be `linked`: then the file at its end must be there and be our own.

    Raises:
        OSError: it is no regular file, a link that is not followed, or may not be opened.
    """
    followed = False
    try:
        descriptor = os.open(path, flags | _ALWAYS | os.O_NOFOLLOW, mode)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise NotOursError(errno.ENXIO, "is a pipe or a socket, not a file") from error
        if error.errno != errno.ELOOP or not path.is_symlink():
            raise
        if not linked:
            raise NotOursError(errno.ELOOP, "is a link, and nothing is written through links") from error
        # Not made: a link to nothing may wait for a volume that is not mounted.
        try:
            descriptor, followed = os.open(path, flags & ~os.O_CREAT | _ALWAYS), True
        except FileNotFoundError as missing:
            raise NotOursError(errno.ENOENT, "is a link to nothing") from missing
    try:
        status = _regular(descriptor)
        if followed and status.st_uid != os.geteuid():
            raise NotOursError(errno.EPERM, "is a link to a file of another user")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_regular(path: Path, *, most: int) -> bytes:
    """Return the content of the regular file at `path`, or at the end of the link there.

    Raises:
        FileNotFoundError: nothing is there.
        OSError: it is no regular file, longer than `most` bytes, or may not be read.
    """
    with open_regular(path, most=most) as file:
        # Some files of the system say that they are empty.
        content = file.read(most + 1) or b""
    if len(content) > most:
        raise _too_long(len(content), most)
    return content


def read_file(path: Path, *, hint: str, most: int = MOST_STATE) -> bytes:
    """Return the content of `path`; `hint` says what to do where it is missing.

    Raises:
        StoreError: it is not there, no regular file, longer than `most` bytes, or cannot be read.
    """
    content = read_if_there(path, most=most)
    if content is None:
        raise StoreError(f"{path}: no such file", hint=hint)
    return content


def read_if_there(path: Path, *, most: int = MOST_STATE) -> bytes | None:
    """Return the content of `path`; None where nothing is there.

    One call: another program may remove it at any time.

    Raises:
        StoreError: it is no regular file, longer than `most` bytes, or cannot be read.
    """
    try:
        return read_regular(path, most=most)
    except FileNotFoundError as error:
        check_no_dangling_link(path, error)
        return None
    except OSError as error:
        raise unreadable(path, error) from error


def is_there(path: Path) -> bool:
    """Return whether there is anything at `path`, be it a link to nothing.

    Raises:
        StoreError: that may not be looked at.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise unreadable(path, error) from error
    return True


def check_no_dangling_link(path: Path, error: OSError) -> None:
    """Do nothing where nothing is at `path`, as `error` says, not even a link to nothing.

    What is on a volume that is not mounted now must not pass for what was never made.

    Raises:
        StoreError: there is such a link.
    """
    if path.is_symlink():
        raise unreadable(path, NotOursError(errno.ENOENT, "is a link to nothing")) from error


def file_above(path: Path) -> Path | None:
    """Return what stands where a folder on the way to `path` should be; None where nothing does."""
    return next((one for one in path.parents if os.path.lexists(one) and not one.is_dir()), None)


def is_no_folder(path: Path) -> StoreError:
    """Return the error for a file that was named as a folder."""
    return StoreError(f"{path}: is a file, not a folder", hint="name a folder")


def unreadable(path: Path, error: OSError) -> StoreError:
    """Return the error for a file that cannot be read, for the system's reason."""
    reason = error.strerror or error
    above = file_above(path) if error.errno == errno.ENOTDIR else None
    if above is not None:
        return is_no_folder(above)
    if isinstance(error, NotOursError):
        return StoreError(f"{path}: cannot be read: {reason}", hint="put the file itself there, or remove it")
    return StoreError(f"{path}: cannot be read: {reason}", hint="check the path and its permissions")


def _regular(descriptor: int) -> os.stat_result:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "something else")
        raise NotOursError(errno.EINVAL, f"is {kind}, not a file")
    return status


def _too_long(size: int, most: int) -> NotOursError:
    return NotOursError(errno.EFBIG, f"is too long: {size} bytes, at most {most} are read")
