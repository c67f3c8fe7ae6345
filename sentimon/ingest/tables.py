"""The one reader of tables: stdin and .txt, .jsonl, .csv, .tsv, .parquet files as rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Self

from sentimon.errors import DataError, StoreError, UsageError
from sentimon.files import unreadable
from sentimon.ingest.input_row import NO_COLUMN, TEXT_COLUMN, InputRow, Numbered
from sentimon.ingest.json_documents import PeekedStream, begins_array
from sentimon.ingest.json_rows import json_rows
from sentimon.ingest.separated import Separated
from sentimon.jsonl import LONGEST, BadLine, LineError, decode_text, numbered_lines

FORMATS = ("txt", "jsonl", "csv", "tsv", "parquet")
SUFFIXES = MappingProxyType(
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
GUESSED = ("", ".log")
"""Endings of files whose format is told from their first bytes."""
_ROWS_AHEAD = 1000


@dataclass(slots=True, kw_only=True)
class Table:
    """The rows of one file or stream, read as they are asked for, once."""

    path: str
    heading: tuple[str, ...] | None
    """The names of the columns; None where each row names its own."""
    numbered: Iterator[Numbered | BadLine]
    file_format: str
    encoding: str = "utf-8"
    guessed: bool = False
    compression: str | None = None
    separator: str | None = None
    class_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For a column of numbers that are places among classes, the names of those."""

    def columns(self) -> list[str]:
        """Return the names of the columns: of the heading, or of the first 1,000 rows of JSON together."""
        if self.heading is not None:
            return list(self.heading)
        ahead = list(islice(self.numbered, _ROWS_AHEAD))
        self.numbered = chain(ahead, self.numbered)
        return list(dict.fromkeys(name for one in ahead if not isinstance(one, BadLine) for name in one[1]))

    def rows(self, column: str | None = None) -> Iterator[InputRow | BadLine]:
        """Yield the rows, the field of `column` as their text; lines of plain text are texts.

        Raises:
            DataError: a table without the column, or broken in its middle.
        """
        name = TEXT_COLUMN if column is None or self.file_format == "txt" else column
        if self.heading and name not in (*self.heading, NO_COLUMN):
            raise DataError(
                f"{self.path}: has no column {name!r}",
                hint=f"choose one with --column: {', '.join(self.heading)}",
            )
        # An empty cell says nothing; an empty string in JSON does.
        empty = "" if self.file_format in ("csv", "tsv") else None
        for one in self.numbered:
            yield one if isinstance(one, BadLine) else _row_of(one, self.path, name, empty)


def open_table(
    stream: BinaryIO, path: str, file_format: str | None, *, encoding: str = "", longest: int = LONGEST
) -> Table:
    """Return the table in `stream`.

    Without a format, what starts with `{`, or with the array of objects of a JSON document, is JSON, and
    anything else plain text. A line of
    more than `longest` bytes is a bad one, and the end of a table.

    Raises:
        UsageError: there is no such format.
        DataError: the heading of a table cannot be read.
    """
    if file_format is None:
        file_format, stream = _guessed(stream, longest)
    if file_format == "txt":
        lines = _lines(stream, path, longest)
        return Table(path=path, heading=(TEXT_COLUMN,), numbered=lines, file_format=file_format)
    if file_format == "jsonl":
        objects = json_rows(stream, path, longest)
        return Table(path=path, heading=None, numbered=objects, file_format=file_format)
    if file_format in ("csv", "tsv"):
        cells = Separated(stream, path, "\t" if file_format == "tsv" else None, longest)
        return Table(path=path, heading=cells.heading, numbered=cells.rows(), file_format=file_format)
    if file_format == "parquet":
        # Loaded only where there is such a file: it brings pyarrow.
        from sentimon.ingest.parquet import ParquetTable

        found = ParquetTable(stream, path)
        return Table(
            path=path,
            heading=found.heading,
            numbered=found.rows(),
            file_format=file_format,
            class_names=found.class_names,
        )
    raise UsageError(f"unknown format {file_format!r}", hint=f"use one of: {', '.join(FORMATS)}")


@contextmanager
def opened_table(path: Path, file_format: str | None = None) -> Iterator[Table]:
    """Give the table in a file, good until the block ends; its name says its format, or `file_format`.

    Raises:
        UsageError: neither its name nor `file_format` says what it is.
        StoreError: the file is missing or cannot be read.
        DataError: the heading of a table cannot be read.
    """
    known = format_of(path, file_format)
    with opened(path) as stream:
        try:
            yield open_table(stream, str(path), known)
        except OSError as error:
            raise unreadable(path, error) from error


class OpenRows:
    """The rows of an input that is open: read as they are asked for, and closed with the `with` block."""

    def __init__(self, rows: Iterator[InputRow | BadLine], stream: BinaryIO | None = None) -> None:
        self._rows = rows
        self._stream = stream

    def __iter__(self) -> Self:
        """Return itself: the rows can be read once."""
        return self

    def __next__(self) -> InputRow | BadLine:
        """Return the next row."""
        return next(self._rows)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file, be it read to its end or not."""
        if self._stream is not None:
            self._stream.close()


def read_stream(
    stream: BinaryIO, *, column: str | None = None, file_format: str | None = None, longest: int = LONGEST
) -> OpenRows:
    """Return the rows of stdin, which is left open.

    They raise:
        UsageError: there is no such format.
        DataError: a table without the column, or broken in its middle.
    """
    return OpenRows(_rows_of(stream, "stdin", column, file_format, longest))


def read_file(
    path: Path, *, column: str | None = None, file_format: str | None = None, longest: int = LONGEST
) -> OpenRows:
    """Return the rows of a file; its name says its format where `file_format` does not.

    It is opened at once, and read as the rows are asked for. A file without an ending is read as
    stdin is.

    Raises:
        UsageError: neither its name nor `file_format` says what it is.
        StoreError: the file is missing or cannot be read.
        DataError: a table without the column, or broken in its middle.
    """
    known = format_of(path, file_format)
    stream = opened(path)
    return OpenRows(_read_and_close(stream, path, column, known, longest), stream)


def _rows_of(
    stream: BinaryIO, path: str, column: str | None, file_format: str | None, longest: int
) -> Iterator[InputRow | BadLine]:
    yield from open_table(stream, path, file_format, longest=longest).rows(column)


def _read_and_close(
    stream: BinaryIO, path: Path, column: str | None, file_format: str | None, longest: int
) -> Iterator[InputRow | BadLine]:
    with stream:
        try:
            yield from _rows_of(stream, str(path), column, file_format, longest)
        except OSError as error:
            raise unreadable(path, error) from error


def format_of(path: Path, file_format: str | None) -> str | None:
    """Return the format that was asked for, or that a file's name says; None: its first bytes tell.

    Raises:
        UsageError: the name says a format that is not read.
    """
    suffix = path.suffix.lower()
    known = file_format or SUFFIXES.get(suffix)
    if known is None and suffix not in GUESSED:
        raise UsageError(
            f"{path}: {suffix} files are not known",
            hint=f"say what it is with --format: {', '.join(FORMATS)}",
        )
    return known


def opened(path: Path) -> BinaryIO:
    """Return a file, open for reading.

    Raises:
        StoreError: it is missing, or cannot be read.
    """
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise StoreError(f"{path}: no such file", hint="check the path") from error
    except OSError as error:
        raise unreadable(path, error) from error


def _guessed(stream: BinaryIO, longest: int) -> tuple[str, BinaryIO]:
    peeked = PeekedStream(stream)
    is_json = peeked.start().startswith(b"{") or begins_array(peeked, longest, of_objects=True)
    return ("jsonl" if is_json else "txt"), peeked.buffered()


def _lines(stream: BinaryIO, path: str, longest: int) -> Iterator[Numbered | BadLine]:
    for number, line in numbered_lines(stream, longest=longest):
        try:
            yield number, {TEXT_COLUMN: decode_text(line)}
        except LineError as error:
            yield error.at(path, number)


def _row_of(numbered: Numbered, path: str, column: str, empty: object) -> InputRow | BadLine:
    number, fields = numbered
    text = fields.pop(column, None)
    if text is not None and not isinstance(text, str):
        return BadLine(path=path, line=number, kind="field", reason=f"{column} is not text but {text!r:.40}")
    if empty is not None:
        fields = {name: value for name, value in fields.items() if value != empty}
    return InputRow(path=path, line=number, text=text, fields=fields)


def known_format(path: Path) -> str | None:
    """Return the format that the name of a file says, if it says one."""
    return SUFFIXES.get(path.suffix.lower())
