"""The list of records in a JSON object such as `{"data": [...]}`, found without reading it to its end."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from sentimon.errors import DataError
from sentimon.ingest.peeked_stream import PIECE, PeekedStream

RECORDS = frozenset(
    [
        "data",
        "records",
        "results",
        "result",
        "rows",
        "items",
        "annotations",
        "examples",
        "documents",
        "docs",
        "reviews",
        "comments",
        "tweets",
        "posts",
        "messages",
        "entries",
        "feedback",
        "responses",
        "hits",
        "instances",
        "samples",
        "texts",
        "dataset",
        "predictions",
        "tickets",
        "dati",
        "righe",
        "risultati",
        "recensioni",
        "commenti",
        "messaggi",
    ]
)
"""Names under which a document keeps its list of rows."""
_OF_A_ROW = frozenset(
    [
        "id",
        "text",
        "testo",
        "sentence",
        "tweet",
        "content",
        "body",
        "review",
        "comment",
        "label",
        "labels",
        "sentiment",
        "scores",
        "score",
        "confidence",
        "timestamp",
    ]
)
"""Names of fields by which an object is a row itself, whatever lists it has."""
_LOOKED_AT = 1 << 20
"""Bytes of an object in which the begin of its list is looked for."""
_LONGEST_TOKEN = 16
"""Characters of the longest token that is no string: an error so near to the end may be for want of more."""
_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"[ \t\r\n]*")
_PANDAS = (
    (re.compile(r'\{\s*"columns"\s*:\s*\[[^\]]*\]\s*,\s*"(?:index|data)"\s*:\s*\['), "split"),
    (re.compile(r'\{\s*"\d+"\s*:\s*\{\s*"'), "index"),
    (re.compile(r'\{\s*"[^"]*"\s*:\s*\{\s*"\d+"\s*:'), "columns"),
)
"""How the tables begin that pandas writes as one object, and what it calls them."""


def list_of_records(stream: PeekedStream, path: str) -> int | None:
    """Return where the list of rows begins, in bytes after the first blanks; None where there is none.

    Raises:
        DataError: it is a table of pandas by columns, which would have to be held as a whole.
    """
    while True:
        text = stream.start().decode("utf-8", "surrogateescape")
        if not text.startswith("{"):
            return None
        whole, rest = _whole_object(text)
        enough = len(stream.held) > _LOOKED_AT
        _refuse_tables_of_pandas(text, {} if rest else whole, path, enough=enough)
        if whole is not None and not _is_envelope(whole):
            if not rest:
                _refuse_several_lists(whole, path)
            return None
        place, unfinished = _place_of_list(text)
        if not unfinished or enough or not stream.read_ahead(pieces=len(stream.held) // PIECE + 1):
            break
    return None if place is None else len(text[:place].encode("utf-8", "surrogateescape"))


def rows_in_envelope(value: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the rows of an object that is whole; None where it has none."""
    if not _is_envelope(value):
        return None
    rows: list[dict[str, Any]] = next(one for one in value.values() if _is_list_of_objects(one))
    return rows


def second_list(rest: Mapping[str, Any]) -> str | None:
    """Return the name of a list of objects in what follows the list that was read."""
    return next((name for name, one in rest.items() if _is_list_of_objects(one)), None)


def _refuse_several_lists(whole: Mapping[str, Any], path: str) -> None:
    """Raise DataError for a document with several lists of objects, of which one may hold the rows."""
    lists = [name for name, one in whole.items() if _is_list_of_objects(one)]
    if len(lists) > 1 and RECORDS.intersection(lists) and not whole.keys() & _OF_A_ROW:
        raise DataError(
            f"{path}: an object with {len(lists)} lists of objects: {', '.join(map(repr, lists))}",
            hint="write the one that holds the rows into a file of its own",
        )


def _is_envelope(value: Mapping[str, Any]) -> bool:
    lists = [name for name, one in value.items() if _is_list_of_objects(one)]
    return len(lists) == 1 and lists[0] in RECORDS and not value.keys() & _OF_A_ROW


def _is_list_of_objects(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _whole_object(text: str) -> tuple[dict[str, Any] | None, str]:
    """Return (the first object of a text, where all of it is there; what follows it)."""
    try:
        value, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return None, ""
    return value, text[end:].strip()


def _refuse_tables_of_pandas(text: str, whole: Mapping[str, Any] | None, path: str, *, enough: bool) -> None:
    """Raise DataError for a table that pandas wrote as one object; one with more behind it is a row."""
    kind = next((name for pattern, name in _PANDAS if pattern.match(text)), None)
    if kind is None or (whole is None and not enough):
        return
    tables = whole is None or (bool(whole) and all(isinstance(one, dict) for one in whole.values()))
    if tables or (whole and kind == "split"):
        raise DataError(
            f"{path}: a table of pandas in the orientation {kind!r}, which has no rows to be read one by one",
            hint='write it with df.to_json(path, orient="records", lines=True)',
        )


def _place_of_list(text: str) -> tuple[int | None, bool]:
    """Return (where the list of records begins, whether more of the text may tell it)."""
    place = 1
    try:
        while True:
            name, place = _DECODER.raw_decode(text, _after(text, place))
            place = _after(text, place)
            if not isinstance(name, str) or text[place : place + 1] != ":" or name in _OF_A_ROW:
                return None, place >= len(text)
            place = _after(text, place + 1)
            if name in RECORDS and text[place : place + 1] == "[":
                return _first_object(text, place)
            place = _after(text, _DECODER.raw_decode(text, place)[1])
            if text[place : place + 1] != ",":
                return None, place >= len(text)
            place += 1
    except json.JSONDecodeError as error:
        return None, error.msg.startswith("Unterminated") or error.pos >= len(text) - _LONGEST_TOKEN
    except RecursionError:
        return None, False


def _first_object(text: str, place: int) -> tuple[int | None, bool]:
    begin = _after(text, place + 1)
    if text[begin : begin + 1] not in ("{", ""):
        return None, False
    first, _ = _DECODER.raw_decode(text, begin)
    # What one text was judged to be is a field of its row.
    return (None, False) if first.keys() <= {"label", "score"} else (place, False)


def _after(text: str, place: int) -> int:
    return _BLANK.match(text, place).end()  # type: ignore[union-attr]
