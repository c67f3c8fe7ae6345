"""The text of a file or pipe as UTF-8, with what is known of its encoding."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from sentimon.errors import DataError
from sentimon.ingest.byte_source import ByteSource
from sentimon.ingest.encodings import (
    AUTO,
    UTF8,
    Transcoded,
    certain_encoding,
    check_mark,
    guessed_encoding,
    is_all_text,
    named_encoding,
    with_byte_order,
)
from sentimon.ingest.file_kinds import binary_format, is_full_of_nuls, looks_binary
from sentimon.ingest.peeked_stream import PIECE, PeekedStream
from sentimon.ingest.text_lines import first_bad_line, not_text, plain_lines, table_lines

_LOOKED_AT = 1 << 20
"""Bytes of a pipe from which an encoding is guessed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSource:
    """A stream of UTF-8, and the encoding that it was written in."""

    stream: PeekedStream
    encoding: str
    guessed: bool


def text_of(source: ByteSource, encoding: str) -> TextSource:
    """Return the text of a source.

    Without an `encoding` it is what a byte order mark or the zero bytes of UTF-16 say, else UTF-8. With
    `auto` it is guessed where it is neither.

    Raises:
        UsageError: there is no such encoding.
        DataError: it is no text, or its byte order mark says another encoding than `encoding`.
    """
    start = source.content.begin()
    _check_is_text(start, source.path)
    name, guessed = certain_encoding(start), False
    if encoding == AUTO:
        name, guessed = (name, False) if name else _guess(source)
    elif encoding:
        name = with_byte_order(named_encoding(encoding), start, source.path)
        check_mark(start, name, source.path)
    name = name or UTF8
    if name == UTF8 and is_full_of_nuls(start):
        raise _no_text(source.path, "a binary file: it is full of NUL characters")
    return TextSource(stream=_as_utf8(source.content, name), encoding=name, guessed=guessed)


def checked(source: ByteSource, text: TextSource, *, table: bool, longest: int) -> TextSource:
    """Return the text from its start, once a file has been found to be text to its end; a pipe as it is.

    Raises:
        DataError: some line is no text; it is named with the bytes.
    """
    if not source.seekable:
        return text
    name = text.encoding
    if not is_all_text(source.again().buffered(), name):
        lines = (table_lines if table else plain_lines)(_as_utf8(source.again(), name), longest)
        place = first_bad_line(lines, name)
        if place[0]:
            valid = name != UTF8 and is_all_text(source.again().buffered(), UTF8)
            likely = UTF8 if valid else guessed_encoding(_samples(source.again().buffered()))
            raise not_text(source.path, place, name, likely)
    return TextSource(stream=_as_utf8(source.again(), name), encoding=name, guessed=text.guessed)


def _as_utf8(content: PeekedStream, name: str) -> PeekedStream:
    if name == UTF8:
        return content
    return PeekedStream(io.BufferedReader(Transcoded(content.buffered(), name), PIECE))


def _guess(source: ByteSource) -> tuple[str, bool]:
    """Return (the likely encoding, whether it is a guess); what is valid UTF-8 is no guess."""
    if source.seekable:
        name = UTF8
        if not is_all_text(source.content.buffered(), UTF8):
            name = guessed_encoding(_samples(source.again().buffered()))
        source.again().begin()
        return name, name != UTF8
    while len(source.content.held) < _LOOKED_AT and source.content.read_ahead():
        pass
    start = bytes(source.content.held)
    # A character may be cut at the end of what came.
    if is_all_text(io.BytesIO(start[: start.rfind(b"\n") + 1] or start), UTF8):
        return UTF8, False
    return guessed_encoding([start]), True


def _samples(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the pieces of a stream that hold more than ASCII, cut at lines."""
    while piece := stream.read(PIECE):
        piece += stream.readline(PIECE)
        if not piece.isascii():
            yield piece


def _check_is_text(start: bytes, path: str) -> None:
    known = binary_format(start)
    if known:
        raise DataError(
            f"{path}: looks like {_NAMED[known]}, not like text", hint=f"say so with --format {known}"
        )
    what = looks_binary(start)
    if what:
        raise _no_text(path, what)


def _no_text(path: str, what: str) -> DataError:
    return DataError(f"{path}: is no text, it looks like {what}", hint="name a file of text or a table")


_NAMED = {"parquet": "a Parquet file", "arrow": "an Arrow file", "xlsx": "a workbook"}
