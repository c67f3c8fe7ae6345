"""The texts to score, wherever they lie: arguments, stdin, and .txt, .jsonl, .csv, .tsv, .parquet files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, cast

from sentimon.errors import DataError, StoreError, UsageError
from sentimon.jsonl import (
    LONGEST,
    BadLine,
    LineError,
    bounded_lines,
    decode_line,
    decode_object,
    decode_text,
    numbered_lines,
    unreadable,
    well_formed,
)

TEXT_COLUMN = "text"
NO_COLUMN = "\0"
"""For rows that need no text: all that they say is among their fields."""
FORMATS = ("txt", "jsonl", "csv", "tsv", "parquet")
_SUFFIXES = MappingProxyType(
    {
        ".txt": "txt",
        ".jsonl": "jsonl",
        ".ndjson": "jsonl",
        ".json": "jsonl",
        ".csv": "csv",
        ".tsv": "tsv",
        ".parquet": "parquet",
    }
)
_GUESSED = ("", ".log")
_LONGEST_FIELD = 2**31 - 1
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_PARQUET_ROWS = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRow:
    """One row of the input; `text` is None where a row of JSON has none."""

    path: str
    line: int
    """Line or row number, from 1."""
    text: str | None
    fields: Mapping[str, Any]
    """The other fields of the row; empty for plain text."""

    def bad(self, kind: str, reason: str) -> BadLine:
        """Return this row as a bad line."""
        return BadLine(path=self.path, line=self.line, kind=kind, reason=reason)


def texts_of(arguments: Iterable[str]) -> Iterator[InputRow]:
    """Yield the texts given as arguments."""
    for number, text in enumerate(arguments, start=1):
        yield InputRow(path="argument", line=number, text=well_formed(text), fields={})


def read_stream(
    stream: BinaryIO,
    *,
    column: str | None = None,
    file_format: str | None = None,
    longest: int = LONGEST,
) -> Iterator[InputRow | BadLine]:
    """Yield the rows of stdin.

    Without a format, a first line that starts with `{` says JSON lines, anything else plain text. A line
    of more than `longest` bytes is a bad one, and the end of a table.

    Raises:
        DataError: a table without the column, or broken in its middle.
    """
    return _rows(stream, "stdin", column, file_format, longest)


def read_file(
    path: Path,
    *,
    column: str | None = None,
    file_format: str | None = None,
    longest: int = LONGEST,
) -> Iterator[InputRow | BadLine]:
    """Yield the rows of a file, one at a time; its name says its format where `file_format` does not.

    It is opened at once, and read as the rows are asked for. A file without an ending is read as
    stdin is, and long lines are treated as there.

    Raises:
        UsageError: neither its name nor `file_format` says what it is.
        StoreError: the file is missing or cannot be read.
        DataError: a table without the column, or broken in its middle.
    """
    suffix = path.suffix.lower()
    known = file_format or _SUFFIXES.get(suffix)
    if known is None and suffix not in _GUESSED:
        raise UsageError(
            f"{path}: {suffix} files are not known",
            hint=f"say what it is with --format: {', '.join(FORMATS)}",
        )
    try:
        stream = path.open("rb")
    except FileNotFoundError as error:
        raise StoreError(f"{path}: no such file", hint="check the path") from error
    except OSError as error:
        raise unreadable(path, error) from error
    return _read_and_close(stream, path, column, known, longest)


def _read_and_close(
    stream: BinaryIO, path: Path, column: str | None, file_format: str | None, longest: int
) -> Iterator[InputRow | BadLine]:
    with stream:
        try:
            yield from _rows(stream, str(path), column, file_format, longest)
        except OSError as error:
            raise unreadable(path, error) from error


def _rows(
    stream: BinaryIO, path: str, column: str | None, file_format: str | None, longest: int
) -> Iterator[InputRow | BadLine]:
    name = column or TEXT_COLUMN
    if file_format is None:
        file_format, stream = _guessed(stream)
    if file_format == "txt":
        return _lines(stream, path, longest)
    if file_format == "jsonl":
        return _json(stream, path, name, longest)
    if file_format in ("csv", "tsv"):
        return _table(stream, path, name, "\t" if file_format == "tsv" else None, longest)
    if file_format == "parquet":
        return _parquet(stream, path, name)
    raise UsageError(f"unknown format {file_format!r}", hint=f"use one of: {', '.join(FORMATS)}")


def _guessed(stream: BinaryIO) -> tuple[str, BinaryIO]:
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(cast(Any, stream))
    start = buffered.peek(1).removeprefix(b"\xef\xbb\xbf").lstrip()
    return ("jsonl" if start.startswith(b"{") else "txt"), buffered


def _lines(stream: BinaryIO, path: str, longest: int) -> Iterator[InputRow | BadLine]:
    for number, line in numbered_lines(stream, longest=longest):
        try:
            yield InputRow(path=path, line=number, text=decode_text(line), fields={})
        except LineError as error:
            yield error.at(path, number)


def _json(stream: BinaryIO, path: str, column: str, longest: int) -> Iterator[InputRow | BadLine]:
    for number, line in numbered_lines(stream, longest=longest):
        try:
            fields = decode_line(line, decode_object)
        except LineError as error:
            yield error.at(path, number)
            continue
        yield _row_of(fields, path, number, column)


def _row_of(fields: Mapping[str, Any], path: str, number: int, column: str) -> InputRow | BadLine:
    text = fields.get(column)
    if text is not None and not isinstance(text, str):
        return BadLine(path=path, line=number, kind="field", reason=f"{column} is not text but {text!r:.40}")
    rest = {name: value for name, value in fields.items() if name != column}
    return InputRow(path=path, line=number, text=text, fields=rest)


def _table(
    stream: BinaryIO, path: str, column: str, delimiter: str | None, longest: int
) -> Iterator[InputRow | BadLine]:
    # A field in quotes goes on over lines.
    csv.field_size_limit(min(longest, _LONGEST_FIELD))
    lines = _decoded(stream, path, longest)
    heading = next(lines, "").removeprefix("\ufeff")
    if not heading.strip():
        return
    delimiter = delimiter or _delimiter(heading)
    # Strict: else a quote that is never closed would swallow the rest of the file in silence.
    reader = csv.DictReader(chain([heading], lines), delimiter=delimiter, strict=True)
    _check_column(column, reader.fieldnames or [], path)
    number = 1
    try:
        for fields in reader:
            number = reader.line_num
            yield _table_row(fields, path, number, column)
    except csv.Error as error:
        raise DataError(f"{path}: not a valid table from line {number + 1} on: {error}") from error


def _table_row(fields: dict[str, Any], path: str, number: int, column: str) -> InputRow | BadLine:
    if None in fields:
        wanted = len(fields) - 1
        reason = f"has {wanted + len(fields[None])} cells, the heading has {wanted}; put the text in quotes"  # type: ignore[index]
        return BadLine(path=path, line=number, kind="field", reason=reason)
    given = {name: value for name, value in fields.items() if value not in (None, "")}
    # A row that ends before the column has no text; one with nothing in it has an empty one.
    row = given if fields.get(column) is None else given | {column: well_formed(fields[column])}
    return _row_of(row, path, number, column)


def _decoded(stream: BinaryIO, path: str, longest: int) -> Iterator[str]:
    for number, line in enumerate(bounded_lines(stream, longest), start=1):
        if isinstance(line, LineError):
            hint = "where a quote is missing, the rest of a table is one field"
            raise DataError(f"{path}:{number}: {line.message}", hint=hint)
        try:
            yield line.decode()
        except UnicodeDecodeError as error:
            # A mark at the begin tells what spreadsheets call Unicode text; else it is a guess.
            found = "utf-16" if line.startswith(_UTF16_MARKS) and number == 1 else "cp1252"
            hint = f"save the table as UTF-8, for example: iconv -f {found} -t utf-8 {path}"
            raise DataError(f"{path}:{number}: not valid UTF-8: {error.reason}", hint=hint) from error


def _delimiter(heading: str) -> str:
    # Spreadsheets write semicolons where the comma is the decimal mark, as in Italy.
    return max((",", ";", "\t"), key=lambda mark: len(next(csv.reader([heading], delimiter=mark), [])))


def _parquet(stream: BinaryIO, path: str, column: str) -> Iterator[InputRow | BadLine]:
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        # A pipe cannot be sought in, and Parquet begins at its end.
        file = pyarrow.parquet.ParquetFile(stream if stream.seekable() else io.BytesIO(stream.read()))
        _check_column(column, file.schema_arrow.names, path)
        for batch in file.iter_batches(batch_size=_PARQUET_ROWS):
            for fields in batch.to_pylist():
                number += 1
                row = {name: _plain(value) for name, value in fields.items()}
                yield _row_of(row, path, number, column)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a valid Parquet file: {error}") from error


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _check_column(column: str, columns: Iterable[str], path: str) -> None:
    known = list(columns)
    if column not in (*known, NO_COLUMN):
        raise DataError(
            f"{path}: has no column {column!r}", hint=f"choose one with --column: {', '.join(known)}"
        )
