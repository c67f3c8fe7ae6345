"""Rows of JSON: an object a line, or a document with a list of them."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, BinaryIO

import msgspec

from sentimon.ingest.input_row import Numbered
from sentimon.jsonl import BadLine, LineError, bounded_lines, decode_line, decode_object, number_lines

_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"[ \t\r\n]*")
_GOES_ON = (b"{", b"[", b",")
"""How the first line of a document ends that is written over several lines."""


def json_rows(stream: BinaryIO, path: str, longest: int) -> Iterator[Numbered | BadLine]:
    """Yield the objects of `stream`, with their line; in a document, with their place.

    Lines are read one at a time, and one of more than `longest` bytes is a bad line. A file that begins
    as a document does (with `[`, or an object over several lines) is read as a whole, and as lines where
    it is none after all.
    """
    begin: list[bytes | LineError] = []
    start = b""
    for line in bounded_lines(stream, longest):
        # Blank lines at the begin count as lines.
        begin.append(line)
        if isinstance(line, LineError):
            break
        start = line.removeprefix(b"\xef\xbb\xbf").strip()
        if start:
            break
    if start.startswith(b"[") or start.endswith(_GOES_ON):
        content = b"".join(line for line in begin if isinstance(line, bytes)) + stream.read()
        values = _document(content)
        if values is not None:
            yield from _of_document(values, path)
            return
        yield from _of_lines(bounded_lines(io.BytesIO(content), longest), path)
    else:
        yield from _of_lines(chain(begin, bounded_lines(stream, longest)), path)


def _of_lines(lines: Iterable[bytes | LineError], path: str) -> Iterator[Numbered | BadLine]:
    for number, line in number_lines(lines):
        try:
            yield number, decode_line(line, decode_object)
        except LineError as error:
            objects = _objects(line) if error.kind == "json" and isinstance(line, bytes) else None
            if objects is None:
                yield error.at(path, number)
            else:
                yield from ((number, one) for one in objects)


def _of_document(values: list[Any], path: str) -> Iterator[Numbered | BadLine]:
    rows = values[0] if len(values) == 1 and isinstance(values[0], list) else values
    for number, value in enumerate(rows, start=1):
        if isinstance(value, dict):
            yield number, value
        else:
            reason = f"is not an object but {value!r:.40}"
            yield BadLine(path=path, line=number, kind="field", reason=reason)


def _objects(line: bytes) -> list[dict[str, Any]] | None:
    """Return what a line holds that is no strict JSON: objects one after another, numbers such as NaN."""
    values = _document(line)
    return values if values and all(isinstance(one, dict) for one in values) else None


def _document(content: bytes) -> list[Any] | None:
    """Return the values that follow each other in `content`; None where it is no JSON from end to end."""
    try:
        return [msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # Several values, or one that is no strict JSON.
        pass
    try:
        text = content.decode("utf-8-sig").strip()
        values, place = [], 0
        while place < len(text):
            value, end = _DECODER.raw_decode(text, place)
            values.append(value)
            place = _BLANK.match(text, end).end()  # type: ignore[union-attr]
        # Half of a surrogate pair is no text.
        json.dumps(values, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return values
