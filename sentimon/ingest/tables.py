"""The one reader of tables: stdin and files of any format, encoding and compression as rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import BinaryIO

from sentimon.errors import StoreError, UsageError
from sentimon.files import unreadable
from sentimon.ingest.annotation_exports import flattened
from sentimon.ingest.byte_source import ByteSource, uncompressed_name
from sentimon.ingest.file_kinds import binary_format
from sentimon.ingest.input_row import TEXT_COLUMN, Numbered
from sentimon.ingest.json_documents import begins_array
from sentimon.ingest.json_rows import json_rows
from sentimon.ingest.peeked_stream import PeekedStream
from sentimon.ingest.plain_texts import refuse_other_formats
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


def open_table(
    stream: BinaryIO,
    path: str,
    file_format: str | None,
    *,
    encoding: str = "",
    longest: int = LONGEST,
    certain: bool = True,
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
        table = _text_table(source, known, encoding, longest, certain=certain)
    table.compression = source.compression
    table.numbered = flattened(table.numbered, table.heading)
    return table


def _text_table(
    source: ByteSource, known: str | None, encoding: str, longest: int, *, certain: bool
) -> Table:
    path = source.path
    text = text_of(source, encoding)
    file_format = known or _guessed(text.stream, longest)
    if file_format == "jsonl":
        numbered = json_rows(text.stream, path, longest, text.encoding)
        table = Table(path=path, heading=None, numbered=numbered, file_format=file_format)
    elif file_format == "txt":
        text = checked(source, text, table=False, longest=longest)
        if not certain:
            refuse_other_formats(text.stream, path)
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


def known_format(path: Path) -> str | None:
    """Return the format that the name of a file says, compressed or not; None where it says none."""
    return SUFFIXES.get(_suffix(path))


def format_of(path: Path, file_format: str | None) -> str | None:
    """Return the format that was asked for, or that a file's name says; None: its first bytes tell.

    Raises:
        UsageError: the name says a format that is not read.
    """
    known = file_format or known_format(path)
    if known is None and _suffix(path) not in GUESSED:
        raise UsageError(
            f"{path}: {_suffix(path)} files are not known",
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


def _suffix(path: Path) -> str:
    return PurePath(uncompressed_name(path.name)).suffix.lower()


def _guessed(stream: PeekedStream, longest: int) -> str:
    is_json = stream.start().startswith(b"{") or begins_array(stream, longest, of_objects=True)
    return "jsonl" if is_json else "txt"
