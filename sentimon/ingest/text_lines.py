"""Lines of text, whatever ends them: of tables, and of files with one text a line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentimon.errors import DataError
from sentimon.ingest.encodings import UTF8, kept_text
from sentimon.ingest.input_row import TEXT_COLUMN, Numbered
from sentimon.ingest.peeked_stream import PIECE, PeekedStream
from sentimon.jsonl import BadLine, LineError, bounded_lines, line_content, too_long

_SHOWN = 60
"""Characters of a bad line that are shown."""
_KEPT_BYTE = re.compile(r"(?<!\\)\\udc([0-9a-f]{2})")


def shown(line: bytes | str) -> str:
    r"""Return the begin of a line that is no good, printable: control characters as escapes.

    >>> shown(b"a\x1b[31m")
    "'a\\x1b[31m'"
    """
    text = line if isinstance(line, str) else line[: 4 * _SHOWN + 4].decode("utf-8", "replace")
    text = text.strip()
    # A byte that is no text stands in it as half of a surrogate pair.
    return _KEPT_BYTE.sub(r"\\x\1", repr(text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"))


def table_lines(stream: PeekedStream, longest: int) -> Iterator[bytes | LineError]:
    """Yield each line of a table with its end: a line feed, a carriage return, or both."""
    if _ends_with_returns(stream):
        yield from _cut_at_returns(stream, longest)
        return
    for line in bounded_lines(stream.buffered(), longest):
        if isinstance(line, LineError):
            yield line
            continue
        place = line.find(b"\r")
        if place < 0 or line[place:] == b"\r\n":
            yield line
        else:
            # Excel on a Mac ended lines with a carriage return, and files may be joined of several.
            yield from line.splitlines(keepends=True)


def plain_lines(stream: PeekedStream, longest: int) -> Iterator[bytes | LineError]:
    """Yield each line of plain text; carriage returns end lines only in a file that has no line feed."""
    if _ends_with_returns(stream):
        return _cut_at_returns(stream, longest)
    return bounded_lines(stream.buffered(), longest)


def text_rows(stream: PeekedStream, path: str, longest: int, encoding: str) -> Iterator[Numbered | BadLine]:
    """Yield each line of plain text as a row of its own; a blank one is a row without a text."""
    for number, line in enumerate(plain_lines(stream, longest), start=1):
        content = line if isinstance(line, LineError) else line_content(line, first=number == 1)
        try:
            yield number, {TEXT_COLUMN: _text(content, encoding)}
        except LineError as error:
            yield error.at(path, number)


def _text(line: bytes | LineError, encoding: str) -> str:
    if isinstance(line, LineError):
        raise line
    text, wrong = decoded(line, encoding)
    if wrong:
        raise LineError("encoding", f"{wrong}: {shown(text)}")
    return text


def decoded(line: bytes, encoding: str) -> tuple[str, str]:
    """Return (the text of a line of UTF-8; what is wrong with it, empty where nothing is).

    A NUL character is no text: it comes from damage, or from a file of another kind.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return kept_text(line, encoding)
    if "\0" in text:
        return text, f"a NUL character at character {text.index(chr(0)) + 1} of the line, which is no text"
    return text, ""


def first_bad_line(lines: Iterator[bytes | LineError], encoding: str) -> tuple[int, str]:
    """Return (the number of the first line that is no text, what is wrong); (0, "") where there is none."""
    for number, line in enumerate(lines, start=1):
        if not isinstance(line, LineError):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number, kept_text(line, encoding)[1]
    return 0, ""


def not_text(path: str, place: tuple[int, str], encoding: str, likely: str) -> DataError:
    """Return the error for a file that is no text of its encoding from some line on."""
    number, wrong = place
    if encoding.startswith(("utf-16", "utf-32")):
        hint = "the file is damaged there; save it again, as UTF-8"
    elif encoding == UTF8 or likely != UTF8:
        hint = f"say what it is, probably --encoding {likely}; or let it be guessed: --encoding auto"
    else:
        hint = "it looks like UTF-8: leave out --encoding"
    return DataError(f"{path}:{number}: {wrong}", hint=hint)


def _ends_with_returns(stream: PeekedStream) -> bool:
    start = stream.begin()
    return b"\r" in start[:-1] and b"\n" not in start


def _cut_at_returns(stream: PeekedStream, longest: int) -> Iterator[bytes | LineError]:
    source = stream.buffered()
    held: list[bytes] = []
    size = 0
    while piece := source.read(PIECE):
        lines = piece.splitlines(keepends=True)
        if held and held[-1].endswith(b"\r") and lines[0] == b"\n":
            # The two halves of one line end.
            held.append(lines.pop(0))
        for line in lines:
            if held and held[-1].endswith((b"\r", b"\n")):
                yield b"".join(held) if size <= longest else too_long(longest)
                held, size = [], 0
            size += len(line)
            if size <= longest or line.endswith((b"\r", b"\n")):
                held.append(line if size <= longest else line[-1:])
    if held:
        yield b"".join(held) if size <= longest else too_long(longest)
