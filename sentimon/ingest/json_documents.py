"""JSON documents cut into their rows while they are read: an array of objects, or objects one after another.

A document may be larger than the memory: what is held is one row and one piece of the stream. The cuts are
found by brackets and quotes alone, so that a row that is no valid JSON costs that row and no other.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from sentimon.ingest.peeked_stream import BLANKS, BYTE_ORDER_MARK, PeekedStream
from sentimon.jsonl import LineError, too_long

_PIECE = 1 << 16
"""Bytes that are read at once."""
# No possessive quantifiers: before Python 3.11.5 they match wrongly around alternatives. A string is unrolled
# instead, so that each of its bytes can be matched in one way only.
_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_IN_ARRAY = re.compile(rb'(?:[^\[\]{},"]+|' + _STRING + rb")*", re.DOTALL)
"""What comes before the next comma or bracket, or before a string that goes on in the next piece."""
_IN_ROW = re.compile(rb'(?:[^\[\]{}"]+|' + _STRING + rb")*", re.DOTALL)
_REST_OF_STRING = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
REST = b'{"":0'
"""How the rest of an object begins whose list of rows was read."""
_GOES_ON = (b"{", b"[", b",")
"""How the first line of an object ends that is written over several lines."""
_LIST_OF_OBJECTS = re.compile(rb"\[[ \t\r\n]*\{")
_DECODER = json.JSONDecoder()
_LONGEST_TOKEN = 16
"""Characters of the longest token that is no string: an error so near to the end may be for want of more."""


def begins_array(stream: PeekedStream, longest: int, *, of_objects: bool = False) -> bool:
    """Return whether a JSON array begins the stream: `[` and one whole value, which may have to be an object.

    More than the first value is not looked at, apart from what came with it. Text that happens to begin
    with `[` is none.
    """
    start = stream.start()
    if not start.startswith(b"["):
        return False
    first = start[1:].lstrip(BLANKS)
    while not first.lstrip(b"[" + BLANKS) and stream.read_ahead():
        first = stream.start()[1:].lstrip(BLANKS)
    if of_objects and not (first.startswith((b"{", b"]")) or _LIST_OF_OBJECTS.match(first)):
        return False
    if first.startswith(b"]"):
        return _is_rest_blank(stream)
    return _is_value_next(stream, longest, followed_by=(",", "]"))


def begins_object(stream: PeekedStream, longest: int) -> bool:
    """Return whether a JSON object that goes on over several lines begins the stream, whole."""
    if not stream.start().startswith(b"{"):
        return False
    while b"\n" not in stream.start() and len(stream.held) < _PIECE and stream.read_ahead():
        pass
    line, newline, _ = stream.start().partition(b"\n")
    if not newline or not line.rstrip().endswith(_GOES_ON):
        return False
    return _is_value_next(stream, longest, followed_by=("{", "["))


def _is_rest_blank(stream: PeekedStream) -> bool:
    """Return whether an empty array is all that there is."""
    while not stream.start().partition(b"]")[2].strip(BLANKS):
        if not stream.read_ahead():
            return True
    return False


def _is_value_next(stream: PeekedStream, longest: int, *, followed_by: tuple[str, str]) -> bool:
    """Return whether the first value of the stream, or of the array that begins it, is whole and valid."""
    while True:
        start = stream.start()
        # Cut within a character, the text ends before that.
        text = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(start)
        in_array = text.startswith("[")
        end = _end_of_value(text, len(text) - len(text[1:].lstrip()) if in_array else 0)
        if end is None:
            return False
        rest = text[end:].lstrip() if end else ""
        if rest:
            return rest.startswith(followed_by)
        if len(start) > longest:
            # Only a bracket that begins an array can end so far away.
            return in_array
        # Twice as much each time, so that a long value is not looked at too often.
        if not stream.read_ahead(pieces=len(start) // _PIECE + 1):
            return bool(end) and not in_array


def _end_of_value(text: str, begin: int) -> int | None:
    """Return where the value ends; 0 where it goes on behind the text, None where it is no JSON."""
    try:
        return _DECODER.raw_decode(text, begin)[1]
    except json.JSONDecodeError as error:
        unfinished = error.msg.startswith("Unterminated") or error.pos >= len(text) - _LONGEST_TOKEN
        return 0 if unfinished else None
    except (RecursionError, ValueError):
        return None


def document_rows(stream: BinaryIO, longest: int, *, enclosed: bool = False) -> Iterator[bytes | LineError]:
    """Yield the content of each row of a document: of each element of its arrays, and of each other value.

    One of more than `longest` bytes is an error, and is not held. Where the array is `enclosed` in an object
    whose begin was left out, what follows it there comes as a row that begins with REST.
    """
    cutter = _Cutter(longest, enclosed=enclosed)
    first = True
    while piece := stream.read(_PIECE):
        yield from cutter.cut(piece.removeprefix(BYTE_ORDER_MARK) if first else piece)
        first = False
    yield from cutter.end()


class _Cutter:
    """Cuts the pieces of a document into rows; it knows how deep in brackets it is."""

    def __init__(self, longest: int, *, enclosed: bool) -> None:
        self._longest = longest
        self._enclosed = enclosed
        self._in_array = False
        """Whether the rows are elements of an array, and not values of their own."""
        self._depth = 0
        """Brackets that are open in the row."""
        self._row = bytearray()
        """What came of the row."""
        self._too_long = False
        self._waits = False
        """Whether a comma asks for another element."""
        self._string = False
        """Whether a string is open, begun in an earlier piece."""
        self._escape = b""
        """A backslash that ended the last piece: what it escapes comes with the next one."""

    def cut(self, piece: bytes) -> Iterator[bytes | LineError]:
        """Yield the rows that end in a piece."""
        piece = self._escape + piece
        self._escape = b""
        place = begin = 0
        if self._string:
            place = self._pass_string(piece, 0)
        while True:
            pattern = _IN_ROW if self._depth or not self._in_array else _IN_ARRAY
            place = pattern.match(piece, place).end()  # type: ignore[union-attr]
            token, place = piece[place : place + 1], place + 1
            if not token:
                break
            if token == b'"':
                place = self._pass_string(piece, place)
                continue
            ended = self._take(token)
            if ended is not None:
                # The brackets of an object are part of the row, those of the array and its commas are not.
                self._hold(piece[begin : place if ended else place - 1])
                begin = place
                yield from self._rows(token)
                self._leave_array(token)
        self._hold(piece[begin : len(piece) - len(self._escape)])

    def end(self) -> Iterator[bytes | LineError]:
        """Yield what is left at the end of the document, and an error where an array is not closed."""
        torn = self._depth > 0 or self._string
        yield from self._rows(b"")
        if self._in_array and not torn:
            yield LineError("json", "not valid JSON: the list ends without a closing bracket")

    def _take(self, token: bytes) -> bool | None:
        """Note a bracket or a comma; return None within a row, else whether the token is part of it."""
        if token in (b"{", b"["):
            if token == b"[" and not self._depth and not self._in_array:
                self._in_array = True
                return False
            self._depth += 1
        elif token in (b"}", b"]"):
            if self._depth:
                self._depth -= 1
                return True if not self._depth and not self._in_array else None
            if token == b"]" and self._in_array:
                self._in_array = False
                return False
        elif token == b",":
            return False
        return None

    def _leave_array(self, token: bytes) -> None:
        """Go on in the object around the array, where there is one."""
        if self._enclosed and token == b"]" and not self._in_array:
            self._enclosed = False
            self._row += REST
            self._depth = 1

    def _rows(self, token: bytes) -> Iterator[bytes | LineError]:
        """Yield the row that ended before a bracket or a comma, or with it; forget it."""
        row, long = bytes(self._row).strip(BLANKS), self._too_long
        self._row.clear()
        self._too_long = False
        missing = token == b"," or (token == b"]" and self._waits)
        self._waits = token == b","
        if long or len(row) > self._longest:
            yield too_long(self._longest)
        elif row or missing:
            yield row

    def _hold(self, piece: bytes) -> None:
        if len(self._row) > self._longest + _PIECE:
            self._too_long = True
            self._row.clear()
        if not self._too_long:
            self._row += piece if self._row else piece.lstrip(BLANKS)

    def _pass_string(self, piece: bytes, place: int) -> int:
        """Return where the string that is open ends, or the end of the piece."""
        found = _REST_OF_STRING.match(piece, place)
        end = place if found is None else found.end()
        self._string = end >= len(piece) or piece[end : end + 1] != b'"'
        if not self._string:
            return end + 1
        self._escape = piece[end:]
        return len(piece)
