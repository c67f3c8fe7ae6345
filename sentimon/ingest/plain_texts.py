"""Whether what would be read as one text a line is a table or JSON under another name."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from contextlib import suppress

from sentimon.errors import DataError
from sentimon.ingest.column_names import (
    ID_COLUMNS,
    LABEL_COLUMNS,
    RATING_COLUMNS,
    TEXT_COLUMNS,
    TIME_COLUMNS,
    is_usual_name,
)
from sentimon.ingest.peeked_stream import PeekedStream
from sentimon.ingest.separators import SEPARATORS

_USUAL = (*TEXT_COLUMNS, *TIME_COLUMNS, *ID_COLUMNS, *LABEL_COLUMNS, *RATING_COLUMNS)
_LONGEST_HEADING = 2000


def refuse_other_formats(stream: PeekedStream, path: str) -> None:
    """Raise DataError where the first lines of a plain text look like a heading with rows, or like JSON.

    Nothing is waited for: somebody may be typing.
    """
    lines = stream.start().decode("utf-8", "replace").replace("\r", "\n").split("\n")
    found = _likely_format([line for line in lines if line.strip()])
    if found is not None:
        what, file_format = found
        raise DataError(
            f"{path}: would be read as one text a line, and its first line {what}",
            hint=f"say what it is: --format {file_format}, or --format txt for texts",
        )


def _likely_format(lines: Sequence[str]) -> tuple[str, str] | None:
    """Return (what the first line is, the format that it is of); None for plain text."""
    if lines and lines[0].startswith("{"):
        with suppress(ValueError, RecursionError):
            if isinstance(json.loads(lines[0]), dict):
                return "is an object of JSON", "jsonl"
    if len(lines) > 1 and len(lines[0]) <= _LONGEST_HEADING:
        for mark in SEPARATORS:
            cells = _cells(lines[0], mark)
            if len(cells) > 1 and _is_heading(cells) and len(_cells(lines[1], mark)) > 1:
                return "is the heading of a table", "tsv" if mark == "\t" else "csv"
        if is_usual_name(lines[0], TEXT_COLUMNS):
            return "is a usual name of a column", "csv"
    return None


def _is_heading(cells: Sequence[str]) -> bool:
    """Return whether a text has a column of its own, or two of the cells are usual names of anything."""
    usual = sum(is_usual_name(cell, _USUAL) for cell in cells)
    return usual > 1 or (usual == 1 and any(is_usual_name(cell, TEXT_COLUMNS) for cell in cells))


def _cells(line: str, mark: str) -> list[str]:
    with suppress(csv.Error):
        return next(csv.reader([line], delimiter=mark), [])
    return []
