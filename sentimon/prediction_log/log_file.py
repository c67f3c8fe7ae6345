"""One file of a log, open for reading: plain or compressed, of this machine or on object storage."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from sentimon.errors import LogFileError
from sentimon.files import open_regular, unreadable
from sentimon.jsonl import LONGEST, LineError, too_long
from sentimon.prediction_log.append_chain import FileState
from sentimon.prediction_log.object_storage import open_object

CHUNK = 1 << 17
"""Most bytes that one read asks for."""
COMPRESSED = (".zst", ".gz")
"""The suffixes of compressed files."""


class LogFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the log, as the folder lists it."""

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
    def of_object(cls, path: Path, state: FileState) -> LogFile:
        """Return the object at `path`, which had that `state` when it was listed."""
        written = datetime.fromtimestamp(state.modified_ns // 10**9, UTC)
        return cls(path=path, size=state.size, written=written)


@dataclass(frozen=True, slots=True)
class LineFragment:
    """A fragment of a line that is too long to be held in memory; its fragments follow one another."""

    content: bytes | memoryview
    last: bool
    """Whether the line ends with this fragment."""
    longest: int
    """The limit in bytes that the line exceeds."""

    def __len__(self) -> int:
        return len(self.content)

    @property
    def error(self) -> LineError:
        """Return the error for the line."""
        return too_long(self.longest)


class OpenLogFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the log that is open for reading."""

    file: LogFile
    stream: BinaryIO
    damage: tuple[type[Exception], ...]
    """The errors that the stream raises if the compressed file is damaged; empty for a plain file."""
    descriptor: int | None
    """The descriptor of the file; None for an object of object storage."""
    longest: int = LONGEST
    """Bytes of the longest line, without its newline, that is not split into fragments."""

    def read_into(self, view: memoryview, begin: int) -> int:
        """Read the bytes of a plain file from `begin` on into `view`; return how many.

        Raises:
            StoreError: the file cannot be read.
        """
        try:
            if self.descriptor is not None:
                return os.preadv(self.descriptor, [view], begin)
            self.stream.seek(begin)
            return cast(io.BufferedReader, self.stream).readinto(view)
        except OSError as error:
            raise unreadable_log_file(self.file.path, error) from error

    def read_at(self, size: int, begin: int) -> bytes:
        """Return up to `size` bytes of a plain file from `begin` on.

        Raises:
            StoreError: the file cannot be read.
        """
        buffer = bytearray(size)
        return bytes(buffer[: self.read_into(memoryview(buffer), begin)])

    def skip_to(self, begin: int) -> None:
        """Continue at byte `begin` of the content.

        Raises:
            LineError: the compressed file is damaged before that byte.
        """
        try:
            self.stream.seek(begin)
        except self.damage as error:
            raise self._broken(error) from error

    def raw_lines(self) -> Iterator[bytes | LineFragment]:
        """Yield each line as it stands, from the position of the stream to where the file ended when opened.

        A line longer than `longest` comes in fragments. The last line may be half written.

        Raises:
            LineError: the compressed file is damaged from here on.
            StoreError: the file cannot be read.
        """
        begun: list[bytes] = []
        held, longest = 0, self.longest
        for chunk in self.chunks():
            *ends, rest = chunk.split(b"\n")
            for end in ends:
                if held + len(end) > longest:
                    yield from (LineFragment(one, last=False, longest=longest) for one in begun)
                    yield LineFragment(end + b"\n", last=True, longest=longest)
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
                yield from (LineFragment(one, last=False, longest=longest) for one in begun)
                begun = []
        if held > longest:
            yield LineFragment(b"", last=True, longest=longest)
        elif begun:
            yield b"".join(begun)

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes from the position of the stream to the end, about CHUNK at a time.

        How much of a damaged compressed file can be read depends on the size of the reads: so all read
        it through this method.

        Raises:
            LineError: the compressed file is damaged from here on.
            StoreError: the file cannot be read.
        """
        stream = cast(io.BufferedReader, self.stream)
        # read1 keeps what stands right before a damage; read asks object storage for large ranges.
        read = stream.read1 if self.damage else stream.read
        try:
            left = sys.maxsize if self.damage else self.file.size - stream.tell()
            while chunk := read(min(CHUNK, left)):
                yield chunk
                left -= len(chunk)
        except self.damage as error:
            raise self._broken(error) from error
        except OSError as error:
            raise unreadable_log_file(self.file.path, error) from error

    def _broken(self, error: Exception) -> LineError:
        return LineError("segment", f"the rest of the compressed file is damaged: {error}")


def unreadable_log_file(path: Path, error: OSError) -> LogFileError:
    """Return the error for a file of the log that cannot be read, with the reason of the system."""
    general = unreadable(path, error)
    message, hint = general.message, general.hint
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        message = f"{path}: cannot be read: is a link to {path.readlink()}, which is not there"
        hint = "mount what it leads to; or remove the link, if those rows are to count no more"
    found = LogFileError(message, hint=hint)
    found.path = path
    return found


@contextmanager
def open_log_file(path: Path, *, longest: int = LONGEST) -> Iterator[OpenLogFile]:
    """Open one file of a log, plain or compressed by its ending.

    Raises:
        SegmentError: it cannot be read.
    """
    try:
        raw = open_regular(path)
    except OSError as error:
        raise unreadable_log_file(path, error) from error
    with raw:
        yield log_file_from(path, raw, longest=longest)


@contextmanager
def open_log_object(path: Path, state: FileState, *, longest: int = LONGEST) -> Iterator[OpenLogFile]:
    """Open an object of a log, which had that `state` when it was listed; nothing of it is read yet."""
    with open_object(path, state.size) as raw:
        yield _wrapped(LogFile.of_object(path, state), raw, None, longest)


def log_file_from(path: Path, raw: BinaryIO, *, longest: int = LONGEST) -> OpenLogFile:
    """Return the open file `raw` as a file of the log, plain or compressed by the ending of `path`."""
    descriptor = raw.fileno()
    return _wrapped(LogFile.of(path, os.fstat(descriptor)), raw, descriptor, longest)


def _wrapped(file: LogFile, raw: BinaryIO, descriptor: int | None, longest: int) -> OpenLogFile:
    stream, damage = raw, tuple[type[Exception], ...]()
    if file.path.suffix in COMPRESSED:
        # Loading the decompressors takes time, and many logs are plain.
        from sentimon.compression import decompressor

        stream, damage = decompressor(raw, file.path.suffix)
    return OpenLogFile(file=file, stream=stream, damage=damage, descriptor=descriptor, longest=longest)
