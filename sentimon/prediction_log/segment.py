"""One file of a log, open for reading: plain or compressed, of this machine or on object storage."""

from __future__ import annotations

import errno
import gzip
import io
import os
import stat
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from sentimon.errors import SegmentError
from sentimon.files import unreadable
from sentimon.jsonl import LONGEST, LineError, too_long
from sentimon.prediction_log.append_chain import FileState
from sentimon.prediction_log.object_storage import open_object

CHUNK = 1 << 17
"""Bytes that are read at once, at most, where a file is read from one end to the other."""


class LogFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the log, as the folder shows it."""

    path: Path
    size: int
    """Bytes."""
    written: datetime
    """When its last row was appended, in UTC."""

    @classmethod
    def of(cls, path: Path, status: os.stat_result) -> LogFile:
        """Return the file at `path`, whose state is `status`."""
        return cls(path=path, size=status.st_size, written=datetime.fromtimestamp(status.st_mtime, UTC))

    @classmethod
    def seen(cls, path: Path, state: FileState) -> LogFile:
        """Return the object at `path`, which was seen in `state`."""
        written = datetime.fromtimestamp(state.modified_ns // 10**9, UTC)
        return cls(path=path, size=state.size, written=written)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of a line that is too long to be held; the pieces of a line follow one another."""

    content: bytes | memoryview
    last: bool
    """Whether the line ends here, with its newline if it has one."""
    longest: int
    """Bytes that the line is longer than."""

    def __len__(self) -> int:
        return len(self.content)

    @property
    def error(self) -> LineError:
        """Return what is wrong with the line."""
        return too_long(self.longest)


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the log that is open for reading."""

    file: LogFile
    stream: BinaryIO
    damage: tuple[type[Exception], ...]
    """What the stream raises where the compressed file is broken."""
    descriptor: int | None
    """Of the file itself; None where it is an object, which has none."""
    longest: int = LONGEST
    """Bytes of the longest line, without its newline, that is given as a whole."""

    def read_into(self, view: memoryview, begin: int) -> int:
        """Fill `view`, as far as it goes, with the bytes of a plain file from `begin` on; return how many.

        Raises:
            StoreError: the file cannot be read.
        """
        try:
            if self.descriptor is not None:
                return os.preadv(self.descriptor, [view], begin)
            self.stream.seek(begin)
            return cast(io.BufferedReader, self.stream).readinto(view)
        except OSError as error:
            raise lost(self.file.path, error) from error

    def read_at(self, size: int, begin: int) -> bytes:
        """Return up to `size` bytes of a plain file from `begin` on.

        Raises:
            StoreError: the file cannot be read.
        """
        buffer = bytearray(size)
        return bytes(buffer[: self.read_into(memoryview(buffer), begin)])

    def pass_over_to(self, begin: int) -> None:
        """Go on at byte `begin` of the content.

        Raises:
            LineError: the compressed file is broken before that.
        """
        try:
            self.stream.seek(begin)
        except self.damage as error:
            raise self._broken(error) from error

    def raw_lines(self) -> Iterator[bytes | Fragment]:
        """Yield each line as it stands, from where the stream is to where the file ended when opened.

        One that is longer than `longest` comes in fragments. What is appended to the file meanwhile may
        be half written.

        Raises:
            LineError: the compressed file is broken from here on.
            StoreError: the file cannot be read.
        """
        begun: list[bytes] = []
        held, longest = 0, self.longest
        for chunk in self.chunks():
            *ends, rest = chunk.split(b"\n")
            for end in ends:
                if held + len(end) > longest:
                    yield from (Fragment(one, last=False, longest=longest) for one in begun)
                    yield Fragment(end + b"\n", last=True, longest=longest)
                elif begun:
                    yield b"".join([*begun, end, b"\n"])
                else:
                    yield end + b"\n"
                if held:
                    begun, held = [], 0
            if rest:
                begun.append(rest)
                held += len(rest)
            if held > longest:
                yield from (Fragment(one, last=False, longest=longest) for one in begun)
                begun = []
        if held > longest:
            yield Fragment(b"", last=True, longest=longest)
        elif begun:
            yield b"".join(begun)

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes that `raw_lines` yields the lines of, about CHUNK at a time.

        What comes before the damage of a compressed file depends on how much is read at once: so all
        read it like this.

        Raises:
            LineError: the compressed file is broken from here on.
            StoreError: the file cannot be read.
        """
        stream = cast(io.BufferedReader, self.stream)
        # The one keeps what comes right before a damage; the other reads ahead where requests are dear.
        read = stream.read1 if self.damage else stream.read
        try:
            left = sys.maxsize if self.damage else self.file.size - stream.tell()
            while chunk := read(min(CHUNK, left)):
                yield chunk
                left -= len(chunk)
        except self.damage as error:
            raise self._broken(error) from error
        except OSError as error:
            raise lost(self.file.path, error) from error

    def _broken(self, error: Exception) -> LineError:
        return LineError("segment", f"the rest of the compressed file is damaged: {error}")


def lost(path: Path, error: OSError) -> SegmentError:
    """Return the error for a file that is part of the log and cannot be read, for the system's reason."""
    told = unreadable(path, error)
    message, hint = told.message, told.hint
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        message = f"{path}: cannot be read: is a link to {path.readlink()}, which is not there"
        hint = "mount what it leads to; or remove the link, if those rows are to count no more"
    found = SegmentError(message, hint=hint)
    found.path = path
    return found


@contextmanager
def opened(path: Path, *, longest: int = LONGEST) -> Iterator[Segment]:
    """Open one file of a log, plain or compressed by its ending.

    Raises:
        SegmentError: it cannot be read.
    """
    try:
        raw = open_regular(path)
    except OSError as error:
        raise lost(path, error) from error
    with raw:
        yield segment_of(path, raw, longest=longest)


def open_regular(path: Path) -> BinaryIO:
    """Return the file at `path`, open: a pipe would hang, and a device has no end.

    Raises:
        OSError: it cannot be opened, or is no regular file.
    """
    # An opened pipe without a writer hangs otherwise; of a regular file it changes nothing.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            raise OSError(errno.ESPIPE, "is a pipe, not a file")
        if stat.S_ISDIR(mode):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "is a device, not a file")
    except BaseException:
        os.close(descriptor)
        raise
    return io.BufferedReader(io.FileIO(descriptor))


@contextmanager
def opened_object(path: Path, state: FileState, *, longest: int = LONGEST) -> Iterator[Segment]:
    """Open one file of a log on object storage, which was seen in `state`; nothing is read of it yet."""
    with open_object(path, state.size) as raw:
        yield _read_through(LogFile.seen(path, state), raw, None, longest)


def segment_of(path: Path, raw: BinaryIO, *, longest: int = LONGEST) -> Segment:
    """Return the file at `path`, open as `raw`, plain or compressed by its ending."""
    descriptor = raw.fileno()
    return _read_through(LogFile.of(path, os.fstat(descriptor)), raw, descriptor, longest)


def _read_through(file: LogFile, raw: BinaryIO, descriptor: int | None, longest: int) -> Segment:
    path = file.path
    if path.suffix == ".zst":
        from sentimon.prediction_log.zstandard import ZstdError, ZstdFile

        stream, damage = cast(BinaryIO, ZstdFile(raw)), (ZstdError, EOFError)
        return Segment(file=file, stream=stream, damage=damage, descriptor=descriptor, longest=longest)
    if path.suffix == ".gz":
        stream, broken = cast(BinaryIO, gzip.GzipFile(fileobj=raw)), (gzip.BadGzipFile, EOFError, zlib.error)
        return Segment(file=file, stream=stream, damage=broken, descriptor=descriptor, longest=longest)
    return Segment(file=file, stream=raw, damage=(), descriptor=descriptor, longest=longest)
