"""Rows of JSON: an object a line, or a document with a list of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import msgspec

from sentimon.ingest.input_row import Numbered
from sentimon.ingest.json_documents import PeekedStream, begins_array, begins_object, document_rows
from sentimon.jsonl import BadLine, LineError, bounded_lines, decode_line, decode_object, number_lines

_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"[ \t\r\n]*")


def json_rows(stream: BinaryIO, path: str, longest: int) -> Iterator[Numbered | BadLine]:
    """Yield the objects of `stream`, with their line; in a document, with their place.

    A document begins with `[`, or with an object over several lines; anything else is an object a line. Both
    are read a row at a time, and a row of more than `longest` bytes is a bad one.
    """
    peeked = PeekedStream(stream)
    if begins_array(peeked, longest) or begins_object(peeked, longest):
        yield from _of_document(document_rows(peeked.buffered(), longest), path)
    else:
        yield from _of_lines(bounded_lines(peeked.buffered(), longest), path)


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


def _of_document(rows: Iterable[bytes | LineError], path: str) -> Iterator[Numbered | BadLine]:
    number = 0
    for row in rows:
        number += 1
        try:
            yield number, decode_line(row, decode_object)
        except LineError as error:
            objects = _objects(row) if error.kind == "json" and isinstance(row, bytes) else None
            if objects is None:
                yield _bad_value(row, error).at(path, number)
                continue
            yield from enumerate(objects, start=number)
            number += len(objects) - 1


def _bad_value(row: bytes | LineError, error: LineError) -> LineError:
    """Return the error for an element that is no object, with its value; any other error as it is."""
    values = _values(row) if error.kind == "field" and isinstance(row, bytes) else None
    return LineError("field", f"is not an object but {values[0]!r:.40}") if values else error


def _objects(line: bytes) -> list[dict[str, Any]] | None:
    """Return what a line holds that is no strict JSON: objects one after another, numbers such as NaN."""
    values = _values(line)
    return values if values and all(isinstance(one, dict) for one in values) else None


def _values(content: bytes) -> list[Any] | None:
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
