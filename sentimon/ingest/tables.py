"""The one reader of tables: stdin and files of any format, encoding and compression as rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import BinaryIO, Self

from sentimon.errors import DataError, StoreError, UsageError
from sentimon.files import unreadable
from sentimon.ingest.annotation_exports import flattened
from sentimon.ingest.byte_source import ByteSource, uncompressed_name
from sentimon.ingest.file_kinds import binary_format
from sentimon.ingest.input_row import NO_COLUMN, TEXT_COLUMN, InputRow, Numbered
from sentimon.ingest.json_documents import begins_array
from sentimon.ingest.json_rows import json_rows
from sentimon.ingest.peeked_stream import PeekedStream
from sentimon.ingest.separated import Separated
from sentimon.ingest.text_lines import text_rows
from sentimon.ingest.text_source import checked, text_of
from sentimon.jsonl import LONGEST, BadLine

FORMATS = ("txt", "jsonl", "csv", "tsv", "parquet", "arrow", "xlsx")
SUFFIXES = MappingProxyType(
    {
        ".txt": "txt",
        ".jsonl": "jsonl",
        ".ndjson": "jsonl",
        ".json": "jsonl",
        ".csv": "csv",
        ".tsv": "tsv",
        ".tab": "tsv",
        ".parquet": "parquet",
        ".arrow": "arrow",
        ".feather": "arrow",
        ".xlsx": "xlsx",
        ".xlsm": "xlsx",
        ".xlsb": "xlsx",
        ".xls": "xlsx",
        ".ods": "xlsx",
    }
)
GUESSED = ("", ".log")
"""Endings of files whose format is told from their first bytes."""
_BINARY = ("parquet", "arrow", "xlsx")
_ROWS_AHEAD = 1000


@dataclass(slots=True, kw_only=True)
class Table:
    """The rows of one file or stream, read as they are asked for, once."""

    path: str
    heading: tuple[str, ...] | None
    """The names of the columns; None where each row names its own."""
    numbered: Iterator[Numbered | BadLine]
    file_format: str
    class_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For a column of numbers that are places among classes, the names of those."""
    encoding: str = ""
    """The encoding of its text; empty for a format that has none."""
    guessed: bool = False
    """Whether the encoding is a guess."""
    compression: str = ""
    """What it is compressed with: gzip, zstd, bzip2 or xz; empty where it is not."""
    separator: str = ""
    """What separates the cells of a csv or tsv table."""
    sheet: str = ""
    """The sheet of a workbook that was read."""

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
    """Return the table in `stream`, which may be compressed.

    Without a format it is told by the first bytes: a workbook, Parquet or Arrow by their marks; what starts
    with `{`, or with the array of objects of a JSON document, is JSON, and anything else plain text. Without
    an `encoding`, text is UTF-8 or UTF-16 as its bytes say; `auto` guesses any other. A file of text or of
    separated cells is checked to its end first. A line of more than `longest` bytes is a bad one, and the end
    of a table.

    Raises:
        UsageError: there is no such format or encoding.
        DataError: it is damaged, no text, or not what its format says; or the heading of a table cannot be
            read.
    """
    if file_format is not None and file_format not in FORMATS:
        raise UsageError(f"unknown format {file_format!r}", hint=f"use one of: {', '.join(FORMATS)}")
    source = ByteSource(stream, path)
    known = file_format or binary_format(source.content.begin()) or None
    if known in _BINARY:
        table = _binary_table(source, known)
    else:
        table = _text_table(source, known, encoding, longest)
    table.compression = source.compression
    table.numbered = flattened(table.numbered, table.heading)
    return table


def _text_table(source: ByteSource, known: str | None, encoding: str, longest: int) -> Table:
    path = source.path
    text = text_of(source, encoding)
    file_format = known or _guessed(text.stream, longest)
    if file_format == "jsonl":
        numbered = json_rows(text.stream, path, longest, text.encoding)
        table = Table(path=path, heading=None, numbered=numbered, file_format=file_format)
    elif file_format == "txt":
        text = checked(source, text, table=False, longest=longest)
        numbered = text_rows(text.stream, path, longest, text.encoding)
        table = Table(path=path, heading=(TEXT_COLUMN,), numbered=numbered, file_format=file_format)
    else:
        text = checked(source, text, table=True, longest=longest)
        mark = "\t" if file_format == "tsv" else None
        cells = Separated(text.stream, path, mark, longest, text.encoding)
        table = Table(path=path, heading=cells.heading, numbered=cells.rows(), file_format=file_format)
        table.separator = cells.separator
    table.encoding, table.guessed = text.encoding, text.guessed
    return table


def _binary_table(source: ByteSource, file_format: str) -> Table:
    # Each loaded only where there is such a file: they bring libraries.
    if file_format == "xlsx":
        from sentimon.ingest.workbook import open_sheet

        sheet = open_sheet(source)
        rows = sheet.rows()
        table = Table(path=source.path, heading=sheet.heading, numbered=rows, file_format=file_format)
        table.sheet = sheet.name
        return table
    from sentimon.ingest.parquet import ArrowTable

    found = ArrowTable(source, file_format)
    return Table(
        path=source.path,
        heading=found.heading,
        numbered=found.rows(),
        file_format=file_format,
        class_names=found.class_names,
    )


@contextmanager
def opened_table(path: Path, file_format: str | None = None, *, encoding: str = "") -> Iterator[Table]:
    """Give the table in a file, good until the block ends; its name says its format, or `file_format`.

    Raises:
        UsageError: neither its name nor `file_format` says what it is.
        StoreError: the file is missing or cannot be read.
        DataError: the heading of a table cannot be read.
    """
    known = _format_of(path, file_format)
    with _opened(path) as stream:
        try:
            yield open_table(stream, str(path), known, encoding=encoding)
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
    stream: BinaryIO,
    *,
    column: str | None = None,
    file_format: str | None = None,
    encoding: str = "",
    longest: int = LONGEST,
) -> OpenRows:
    """Return the rows of stdin, which is left open.

    They raise:
        UsageError: there is no such format.
        DataError: a table without the column, or broken in its middle.
    """
    return OpenRows(_rows_of(stream, "stdin", column, file_format, encoding, longest))


def read_file(
    path: Path,
    *,
    column: str | None = None,
    file_format: str | None = None,
    encoding: str = "",
    longest: int = LONGEST,
) -> OpenRows:
    """Return the rows of a file; its name says its format where `file_format` does not.

    It is opened at once, and read as the rows are asked for. A file without an ending is read as
    stdin is.

    Raises:
        UsageError: neither its name nor `file_format` says what it is.
        StoreError: the file is missing or cannot be read.
        DataError: a table without the column, or broken in its middle.
    """
    known = _format_of(path, file_format)
    stream = _opened(path)
    return OpenRows(_read_and_close(stream, path, column, known, encoding, longest), stream)


def _rows_of(
    stream: BinaryIO, path: str, column: str | None, file_format: str | None, encoding: str, longest: int
) -> Iterator[InputRow | BadLine]:
    table = open_table(stream, path, file_format, encoding=encoding, longest=longest)
    yield from table.rows(column)


def _read_and_close(
    stream: BinaryIO, path: Path, column: str | None, file_format: str | None, encoding: str, longest: int
) -> Iterator[InputRow | BadLine]:
    with stream:
        try:
            yield from _rows_of(stream, str(path), column, file_format, encoding, longest)
        except OSError as error:
            raise unreadable(path, error) from error


def _format_of(path: Path, file_format: str | None) -> str | None:
    suffix = PurePath(uncompressed_name(path.name)).suffix.lower()
    known = file_format or SUFFIXES.get(suffix)
    if known is None and suffix not in GUESSED:
        raise UsageError(
            f"{path}: {suffix} files are not known",
            hint=f"say what it is with --format: {', '.join(FORMATS)}",
        )
    return known


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise StoreError(f"{path}: no such file", hint="check the path") from error
    except OSError as error:
        raise unreadable(path, error) from error


def _guessed(stream: PeekedStream, longest: int) -> str:
    is_json = stream.start().startswith(b"{") or begins_array(stream, longest, of_objects=True)
    return "jsonl" if is_json else "txt"


def _row_of(numbered: Numbered, path: str, column: str, empty: object) -> InputRow | BadLine:
    number, fields = numbered
    text = fields.pop(column, None)
    if isinstance(text, bytes):
        reason = f"{column} is not text: it is not valid UTF-8, or a column of bytes: {text!r:.40}"
        return BadLine(path=path, line=number, kind="encoding", reason=reason)
    if text is not None and not isinstance(text, str):
        return BadLine(path=path, line=number, kind="field", reason=f"{column} is not text but {text!r:.40}")
    if empty is not None:
        fields = {name: value for name, value in fields.items() if value != empty}
    return InputRow(path=path, line=number, text=text, fields=fields)
