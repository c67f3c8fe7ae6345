"""Files of a log on object storage (s3://, gs:// ...), through fsspec: listed, opened, read by range.

An object cannot be appended to: it is written as a whole, and gets another tag each time. So all files of
such a log are treated like sealed files.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast
from zlib import crc32

from sentimon.config.paths import SCHEME, on_objects
from sentimon.config.secrets import masked
from sentimon.errors import StoreError, UsageError
from sentimon.extras import require
from sentimon.prediction_log.append_chain import FileState

T = TypeVar("T")

_PACKAGE_OF = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs"}
"""The package that reaches the addresses of a scheme; the others' are not known here."""

_TAGS = ("ETag", "etag", "generation", "md5Hash", "content_md5", "created", "mtime", "LastModified")
"""Fields that change when an object is written again, the most reliable first."""
_DATES = ("LastModified", "last_modified", "updated", "created", "mtime")
_READ = 1 << 22
"""Bytes of a request; each request costs a round trip."""


def path_at(address: str) -> Path:
    """Return the path for an address: of this machine, or on object storage.

    Raises:
        UsageError: it names no bucket, or nothing reaches such storage.
        MissingPackageError: what reaches it is not installed.
    """
    if not on_objects(address):
        return Path(address)
    scheme = address.split(SCHEME)[0]
    if not address.split(SCHEME, 1)[1].strip("/"):
        raise UsageError(
            f"{masked(address)}: names no bucket", hint="name where the log is: s3://BUCKET/FOLDER"
        )
    packages = [_PACKAGE_OF[scheme], "upath"] if scheme in _PACKAGE_OF else ["upath"]
    require(masked(address), *packages, instead="name a folder")
    from upath import UPath

    try:
        # Only name, suffix and parent are used of it; the rest goes through the functions below.
        return cast(Path, UPath(address))
    except (ImportError, ValueError) as error:
        raise UsageError(
            masked(f"{address}: {scheme}{SCHEME} cannot be reached: {error}"),
            hint="name an address of s3:// or gs://, or a folder",
        ) from error


def list_objects(folder: Path) -> dict[str, FileState]:
    """Return the states of the objects directly in `folder`, by name.

    Raises:
        StoreError: there is nothing, or the storage cannot be reached, or refuses.
    """
    system, path = _system(folder)
    system.invalidate_cache()
    try:
        found = _named(folder, lambda: system.ls(path, detail=True))
    except FileNotFoundError as error:
        raise _nothing_there(folder) from error
    files = [info for info in found if info["type"] == "file"]
    if not found:
        raise _nothing_there(folder)
    return {info["name"].rstrip("/").rpartition("/")[2]: _state(info) for info in files}


def state_of(path: Path) -> FileState:
    """Return the present state of one object.

    Raises:
        FileNotFoundError: it is not there.
        StoreError: the storage cannot be reached, or refuses.
    """
    system, name = _system(path)
    system.invalidate_cache()
    return _state(_named(path, lambda: system.info(name)))


def open_object(path: Path, size: int) -> io.BufferedReader:
    """Return an object of `size` bytes as a seekable stream; nothing is read yet."""
    return io.BufferedReader(_Ranges(path, size), _READ)


def read_objects(paths: list[Path]) -> list[bytes | None]:
    """Return the content of small objects, fetched together; None for one that cannot be read."""
    if not paths:
        return []
    system, _ = _system(paths[0])
    names = [_system(path)[1] for path in paths]
    try:
        content = _named(paths[0], lambda: system.cat(names, on_error="omit"))
    except (StoreError, FileNotFoundError):
        return [None for _ in paths]
    found = content if isinstance(content, dict) else {names[0]: content}
    return [found.get(name, found.get(name.lstrip("/"))) for name in names]


def write_object(path: Path, content: bytes) -> None:
    """Write an object as a whole.

    Raises:
        StoreError: the storage cannot be reached, or refuses.
    """
    system, name = _system(path)
    with contextlib.suppress(FileNotFoundError):
        _named(path, lambda: system.pipe_file(name, content))


class _Ranges(io.RawIOBase):
    """A stream that reads an object by ranges; errors are OSErrors, as with any file."""

    def __init__(self, path: Path, size: int) -> None:
        super().__init__()
        self._path = path
        self._size = size
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def readinto(self, buffer: Any) -> int:
        end = min(self._place + len(buffer), self._size)
        if end <= self._place:
            return 0
        system, name = _system(self._path)
        try:
            content = _named(self._path, lambda: system.cat_file(name, start=self._place, end=end))
        except StoreError as error:
            raise OSError(error.message) from error
        buffer[: len(content)] = content
        self._place += len(content)
        return len(content)


def _system(path: Path) -> tuple[Any, str]:
    place = cast(Any, path)
    return _named(path, lambda: place.fs), place.path


def _state(info: dict[str, Any]) -> FileState:
    tag = next((str(info[name]) for name in _TAGS if info.get(name)), "")
    date = next((info[name] for name in _DATES if info.get(name)), 0)
    seconds = date.timestamp() if hasattr(date, "timestamp") else float(date)
    return FileState(
        device=0,
        inode=crc32(tag.encode()) << 31 | crc32(tag[::-1].encode()) >> 1,
        size=int(info["size"]),
        modified_ns=int(seconds) * 10**9,
        changed_ns=0,
    )


def _nothing_there(folder: Path) -> StoreError:
    return StoreError(
        f"{masked(str(folder))}: there is nothing there", hint="check the address of the log (--logs)"
    )


def _named(path: Path, work: Callable[[], T]) -> T:
    """Return what `work` returns, and turn errors of the storage into ours.

    Raises:
        FileNotFoundError: there is no such object.
        StoreError: anything else went wrong; each storage raises errors of its own types.
    """
    try:
        return work()
    except FileNotFoundError:
        raise
    except Exception as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise StoreError(
            masked(f"{path}: cannot be reached: {reason}"),
            hint="check the address, the credentials and the network",
        ) from error
