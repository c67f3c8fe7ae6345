"""Rows of JSON: an object a line, or a document with a list of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from sentimon.ingest.encodings import UTF8, kept_text
from sentimon.ingest.input_row import Numbered
from sentimon.ingest.json_documents import REST, begins_array, begins_object, document_rows
from sentimon.ingest.json_envelopes import list_of_records, rows_in_envelope, second_list
from sentimon.ingest.peeked_stream import PeekedStream
from sentimon.ingest.text_lines import shown
from sentimon.jsonl import BadLine, LineError, bounded_lines, decode_line, decode_object, number_lines

_DECODER = json.JSONDecoder()
_ROUNDED = 0.02
"""How far from 1 scores may add up that were rounded."""
_BLANK = re.compile(r"[ \t\r\n]*")


def json_rows(
    stream: PeekedStream, path: str, longest: int, encoding: str = UTF8
) -> Iterator[Numbered | BadLine]:
    """Yield the objects of `stream`, with their line; in a document, with their place.

    A document begins with `[`, with an object over several lines, or with an object that keeps its rows in a
    list, such as `{"data": [...]}`; anything else is an object a line. All are read a row at a time, and a
    row of more than `longest` bytes is a bad one.

    A row may be a list of objects with `label` and `score`, as a classifier gives for one text with all its
    classes: it becomes the row `{"scores": [{"label": ..., "score": ...}, ...]}`.

    Raises:
        DataError: it is a table by columns.
    """
    place = list_of_records(stream, path)
    if place is not None:
        _skip(stream, place)
        rows = document_rows(stream.buffered(), longest, enclosed=True)
    elif _is_document(stream, longest):
        rows = document_rows(stream.buffered(), longest)
    else:
        yield from _of_lines(bounded_lines(stream.buffered(), longest), path, encoding)
        return
    yield from _of_document(rows, path, encoding, enclosed=place is not None)


def _is_document(stream: PeekedStream, longest: int) -> bool:
    if begins_array(stream, longest):
        line = stream.start().partition(b"\n")[0]
        values = _values(line)
        # What a classifier gives for the first of many texts, a line each, is no list of rows.
        return not (values and isinstance(values[0], list) and len(values[0]) > 1 and _is_one_row(values[0]))
    return begins_object(stream, longest)


def _skip(stream: PeekedStream, place: int) -> None:
    """Leave out what comes before a place of the content."""
    blanks = len(stream.held) - len(stream.start())
    del stream.held[: blanks + place]


def _of_lines(lines: Iterable[bytes | LineError], path: str, encoding: str) -> Iterator[Numbered | BadLine]:
    for number, line in number_lines(lines):
        try:
            yield number, decode_line(line, decode_object)
        except LineError as error:
            rows = _rows_of(line, error, nested=False)
            if rows is None:
                yield _bad(line, error, encoding).at(path, number)
            else:
                yield from ((number, one) for one in rows)


def _of_document(
    rows: Iterable[bytes | LineError], path: str, encoding: str, *, enclosed: bool
) -> Iterator[Numbered | BadLine]:
    number = 0
    for row in rows:
        number += 1
        try:
            fields = decode_line(row, decode_object)
        except LineError as error:
            found = _rows_of(row, error, nested=True)
            if found is None:
                yield _bad(row, error, encoding).at(path, number)
                continue
        else:
            if isinstance(row, bytes) and row.startswith(REST):
                number -= 1
                second = second_list(fields)
                if second is not None:
                    reason = f"the document has a second list of objects: {second!r:.40}; it was not read"
                    yield BadLine(path=path, line=number + 1, kind="field", reason=reason)
                continue
            found = rows_in_envelope(fields) if enclosed else None
            if found is None:
                yield number, fields
                continue
        yield from enumerate(found, start=number)
        number += len(found) - 1


def _bad(row: bytes | LineError, error: LineError, encoding: str) -> LineError:
    """Return the error for a row with what is wrong, and the begin of the row itself."""
    if isinstance(row, LineError):
        return error
    if error.kind == "encoding":
        text, wrong = kept_text(row, encoding)
        return LineError(error.kind, f"{wrong}: {shown(text)}")
    values = _values(row) if error.kind == "field" else None
    message = f"is not an object but {values[0]!r:.40}" if values else error.message
    return LineError(error.kind, message if values else f"{message}: {shown(row)}")


def _rows_of(row: bytes | LineError, error: LineError, *, nested: bool) -> list[dict[str, Any]] | None:
    """Return the rows of what is no single object of strict JSON; None where it holds none.

    They are objects one after another, objects with numbers such as NaN, and lists of objects.
    """
    if error.kind not in ("json", "field") or isinstance(row, LineError):
        return None
    values = _values(row)
    if not values:
        return None
    if all(isinstance(one, dict) for one in values):
        return values
    (first, *others) = values
    if others or not isinstance(first, list) or not first or not all(isinstance(one, dict) for one in first):
        return None
    return [{"scores": first}] if _is_one_row(first, nested=nested) else first


def _is_one_row(objects: list[Any], *, nested: bool = False) -> bool:
    """Return whether a list is what a classifier gives for one text: classes, and scores that add up to 1."""
    if not all(isinstance(one, dict) and one.keys() == {"label", "score"} for one in objects):
        return False
    if nested:
        return True
    scores = [one["score"] for one in objects]
    if not all(isinstance(one, int | float) for one in scores):
        return False
    distinct = len({str(one["label"]) for one in objects}) == len(objects)
    return distinct and (len(objects) == 1 or abs(sum(scores) - 1) < _ROUNDED)


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
