"""Rows of .csv and .tsv files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from sentimon.csv_cells import is_ours, read_back
from sentimon.errors import DataError
from sentimon.ingest.input_row import Numbered
from sentimon.jsonl import BadLine, LineError, bounded_lines

_LONGEST_FIELD = 2**31 - 1
_SEPARATORS = (",", ";", "\t")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_OPEN_AT_END = "unexpected end of data"
"""What the csv module says of a quote that is never closed."""


class Separated:
    """A table of separated cells, read a line at a time."""

    def __init__(self, stream: BinaryIO, path: str, separator: str | None, longest: int) -> None:
        """Read the heading; without a `separator` it is the one that gives the heading most cells.

        A line or a cell of more than `longest` bytes is an error.

        Raises:
            DataError: the heading is not valid UTF-8, or no row of a table.
        """
        # A cell in quotes goes on over lines.
        csv.field_size_limit(min(longest, _LONGEST_FIELD))
        self._path = path
        self._record: list[str] = []
        """The lines of the row that is being read."""
        lines = _lines(stream, path, longest)
        # Blank lines before the heading count as lines.
        before, heading = [], ""
        for heading in lines:
            before.append(heading)
            if heading.strip("\ufeff \t\r\n"):
                break
        self._separator = separator or _likely_separator(heading)
        # Strict: else a quote that is never closed would swallow the rest of the file in silence.
        self._reader = csv.reader(
            self._recorded(chain(before, lines)), delimiter=self._separator, strict=True
        )
        headings = (cells for cells in self._cells() if len(cells) > 1 or cells[0].strip("\ufeff \t"))
        self.heading = tuple(next(headings, []))

    def rows(self) -> Iterator[Numbered | BadLine]:
        """Yield each row by its column names; one that ends early lacks the last ones.

        Raises:
            DataError: from here on it is no valid table, or not valid UTF-8.
        """
        names, wanted, ours = self.heading, len(self.heading), is_ours(self.heading)
        for cells in self._cells():
            number = self._reader.line_num
            if len(cells) == 1 < wanted and not cells[0].strip():
                continue
            if len(cells) > wanted:
                reason = f"has {len(cells)} cells, the heading has {wanted}; put the text in quotes"
                yield BadLine(path=self._path, line=number, kind="field", reason=reason)
            else:
                row = dict(zip(names, cells, strict=False))
                yield number, read_back(row) if ours else row

    def _cells(self) -> Iterator[list[str]]:
        """Yield the cells of each row that has any."""
        while True:
            self._record.clear()
            begin = self._reader.line_num
            try:
                cells = next(self._reader, None)
            except csv.Error as error:
                # Quotes that close before the cell ends, as in `"Wow" he said,1`, are certain on one line.
                # Over several lines they are the sign of a quote that was never closed.
                if len(self._record) != 1 or str(error) == _OPEN_AT_END:
                    message = f"{self._path}: not a valid table from line {begin + 1} on: {error}"
                    raise DataError(
                        message, hint="close each quote; write one within a text twice"
                    ) from error
                cells = next(csv.reader(self._record, delimiter=self._separator), [])
            if cells is None:
                return
            if cells:
                yield cells

    def _recorded(self, lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            self._record.append(line)
            yield line


def _lines(stream: BinaryIO, path: str, longest: int) -> Iterator[str]:
    """Yield the lines with their ends, as text; the byte order mark is left out."""
    number = 0
    for content in bounded_lines(stream, longest):
        if isinstance(content, LineError):
            hint = "where a quote is missing, the rest of a table is one field"
            raise DataError(f"{path}:{number + 1}: {content.message}", hint=hint)
        # Files of old spreadsheets end lines with a carriage return alone.
        alone = number == 0 and b"\r" in content.rstrip(b"\r\n")
        for line in content.splitlines(keepends=True) if alone else (content,):
            number += 1
            try:
                text = line.decode()
            except UnicodeDecodeError as error:
                # A mark at the begin tells what spreadsheets call Unicode text; else it is a guess.
                found = "utf-16" if line.startswith(_UTF16_MARKS) and number == 1 else "cp1252"
                hint = f"save the table as UTF-8, for example: iconv -f {found} -t utf-8 {path}"
                raise DataError(f"{path}:{number}: not valid UTF-8: {error.reason}", hint=hint) from error
            yield text.removeprefix("\ufeff") if number == 1 else text


def _likely_separator(heading: str) -> str:
    # Spreadsheets write semicolons where the comma is the decimal mark, as in Italy.
    return max(_SEPARATORS, key=lambda mark: len(next(csv.reader([heading], delimiter=mark), [])))
