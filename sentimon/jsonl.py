"""Lines of JSON: read one by one, each good or named as bad; written strict and in UTF-8."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgspec

from sentimon.errors import DataError, StoreError
from sentimon.files import MOST_HISTORY, check_no_dangling_link, open_regular, unreadable

T = TypeVar("T")
LONGEST = 1 << 26
"""Bytes of the longest line that is read as one, unless `logs.max_line_bytes` says otherwise."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BACKWARDS = 1 << 16
"""Bytes that are read at once, at least, where the newest line comes first."""
_PIECE = 1 << 17
"""Bytes of a longer line that are passed over at once."""


class BadLine(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A line that holds no row: where it stands, what kind of damage, and the reason in words."""

    path: str
    line: int
    kind: str
    reason: str

    def __str__(self) -> str:
        """Return `path:line: reason`."""
        return f"{self.path}:{self.line}: {self.reason}"


class LineError(DataError):
    """A line that holds no row; `kind` groups equal damage for counting."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind

    def at(self, path: str, line: int) -> BadLine:
        """Return the bad line that this error stands for."""
        return BadLine(path=path, line=line, kind=self.kind, reason=self.message)


def too_long(longest: int) -> LineError:
    """Return the error for a line of more than `longest` bytes, which nobody holds in memory."""
    return LineError("too_long", f"longer than {longest} bytes (logs.max_line_bytes)")


def file_lines(path: Path) -> Iterator[tuple[int, bytes | LineError]]:
    """Yield what `numbered_lines` yields of the file of ours at `path`; nothing where none is there.

    Raises:
        StoreError: it is no regular file, longer than MOST_HISTORY, or cannot be read.
    """
    with _opened(path, most=MOST_HISTORY) as file:
        yield from numbered_lines(file)


@contextlib.contextmanager
def _opened(path: Path, *, most: int | None = None) -> Iterator[BinaryIO]:
    """Give the file of ours at `path`, an empty one where none is there; what goes wrong names the path.

    Raises:
        StoreError: it is no regular file, longer than `most`, or cannot be read.
    """
    try:
        with contextlib.ExitStack() as stack:
            try:
                file: BinaryIO = stack.enter_context(open_regular(path, most=most))
            except FileNotFoundError as error:
                check_no_dangling_link(path, error)
                file = io.BytesIO()
            yield file
    except OSError as error:
        raise unreadable(path, error) from error


def last_lines(path: Path, *, most: int = 1 << 16) -> list[bytes]:
    """Return the whole lines in the last `most` bytes of a file, the newest last; none where none is there.

    Raises:
        StoreError: it is no regular file, or cannot be read.
    """
    with _opened(path) as file:
        begin = max(0, file.seek(0, os.SEEK_END) - most)
        file.seek(begin)
        lines = file.read(most).split(b"\n")
    # The first one may have lost its beginning.
    return [line for line in lines[1 if begin else 0 :] if line]


def newest_lines(path: Path) -> Iterator[bytes | LineError]:
    """Yield the lines of a file of ours that are not blank, the newest first; none where none is there.

    No more of the file is read than is asked for. Before a line of more than LONGEST bytes, which is an
    error, nothing is found any more.

    Raises:
        StoreError: it is no regular file, longer than MOST_HISTORY, or cannot be read.
    """
    with _opened(path, most=MOST_HISTORY) as file:
        yield from _backwards(file)


def _backwards(file: BinaryIO) -> Iterator[bytes | LineError]:
    position, rest = file.seek(0, os.SEEK_END), b""
    while position:
        if len(rest) > LONGEST:
            yield too_long(LONGEST)
            return
        # As much as there is already: what is one long line is not copied again for each small piece.
        begin = max(0, position - max(_BACKWARDS, len(rest)))
        file.seek(begin)
        rest, *lines = (file.read(position - begin) + rest).split(b"\n")
        position = begin
        for line in reversed(lines):
            if content := line_content(line, first=False):
                yield content
    if content := line_content(rest, first=True):
        yield content


def numbered_lines(stream: BinaryIO, *, longest: int = LONGEST) -> Iterator[tuple[int, bytes | LineError]]:
    """Yield (number from 1, line without its newline) for each line that is not blank.

    Lines end at a newline only, while tweets contain U+2028 and other characters that `str.splitlines`
    cuts at. A line of more than `longest` bytes is an error, which the decoders below raise.
    """
    return number_lines(bounded_lines(stream, longest))


def number_lines(lines: Iterable[bytes | LineError]) -> Iterator[tuple[int, bytes | LineError]]:
    """Yield what `numbered_lines` yields, of lines that were cut already."""
    for number, line in enumerate(lines, start=1):
        content = line if isinstance(line, LineError) else line_content(line, first=number == 1)
        if content:
            yield number, content


def bounded_lines(stream: BinaryIO, longest: int) -> Iterator[bytes | LineError]:
    """Yield each line with its newline, and an error for one of more than `longest` bytes without it."""
    # With its newline, the longest line has one byte more.
    while line := stream.readline(longest + 1):
        if len(line) <= longest or line.endswith(b"\n"):
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(_PIECE)
        yield too_long(longest)


def line_content(line: bytes, *, first: bool) -> bytes:
    """Return what a line says, without its newline; nothing where it is blank.

    A byte order mark may begin the first line of a file, and is no part of it.
    """
    content = line.removeprefix(_BYTE_ORDER_MARK) if first else line
    return content.rstrip(b"\r\n") if content.strip() else b""


def decode_text(line: bytes | LineError) -> str:
    """Return the text of a line.

    Raises:
        LineError: it is too long, or no valid UTF-8.
    """
    if isinstance(line, LineError):
        raise line
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise LineError("encoding", f"not valid UTF-8: {error.reason} at byte {error.start}") from error


def decode_line(line: bytes | LineError, decode: Callable[[bytes], T]) -> T:
    """Return what `decode`, a msgspec decoder, makes of one line.

    Raises:
        LineError: it is too long, no valid UTF-8, no valid JSON, or not what the decoder expects.
    """
    if isinstance(line, LineError):
        raise line
    if not line.isascii():
        decode_text(line)
    try:
        return decode(line)
    except msgspec.ValidationError as error:
        raise LineError("field", str(error)) from error
    except msgspec.DecodeError as error:
        raise LineError("json", f"not valid JSON: {error}") from error
    except RecursionError as error:
        raise LineError("json", "not valid JSON: nested too deeply") from error


def decode_file(content: bytes, decode: Callable[[bytes], T], *, origin: str, what: str, hint: str) -> T:
    """Return what `decode` makes of the content of a file of ours; `origin` names the file in errors.

    `decode` is a msgspec decoder of a type with ranges, or calls one and checks what no type can say.

    Raises:
        StoreError: the file is not `what` it should be; `hint` says what to do about it.
    """
    try:
        return decode_line(content, decode)
    except DataError as error:
        raise StoreError(f"{origin}: is no {what}: {error.message}", hint=hint) from error


decode_object: Callable[[bytes], dict[str, Any]] = msgspec.json.Decoder(dict[str, Any]).decode


def encode(value: object) -> bytes:
    """Return `value` as one line of strict JSON in UTF-8; not-a-number and infinity become null."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        # A path or an argument that was no valid UTF-8.
        return msgspec.json.encode(_mended(value))


def well_formed(text: str) -> str:
    """Return `text` as valid Unicode: split surrogate pairs joined, lone surrogates as U+FFFD."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _mended(value: object) -> object:
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, dict):
        return {_mended(key): _mended(one) for key, one in value.items()}
    return [_mended(one) for one in value] if isinstance(value, list | tuple) else value
