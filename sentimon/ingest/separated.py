"""Rows of .csv and .tsv files."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from sentimon.csv_cells import is_ours, read_back
from sentimon.errors import DataError
from sentimon.ingest.headings import column_names
from sentimon.ingest.input_row import Numbered
from sentimon.ingest.peeked_stream import PeekedStream
from sentimon.ingest.separators import TYPE_LINE, directive, likely_separator
from sentimon.ingest.text_lines import decoded, shown, table_lines
from sentimon.jsonl import BadLine, LineError

_LONGEST_FIELD = 2**31 - 1
_DIRECTIVE = 8
"""Bytes of a line `sep=;` with its quotes."""
_OPEN_AT_END = "unexpected end of data"
"""What the csv module says of a quote that is never closed."""


class Separated:
    """A table of separated cells, read a line at a time."""

    def __init__(
        self, stream: PeekedStream, path: str, separator: str | None, longest: int, encoding: str
    ) -> None:
        """Read the heading; without a `separator`, `sep=;` or the heading and the first rows tell it.

        A line or a cell of more than `longest` bytes is an error.

        Raises:
            DataError: the heading is no text or no row of a table, names a column twice, or may be
                separated in two ways.
        """
        # A cell in quotes goes on over lines.
        csv.field_size_limit(min(longest, _LONGEST_FIELD))
        self._path = path
        self._longest = longest
        self._encoding = encoding
        self._record: list[str] = []
        """The lines of the row that is being read."""
        self._wrong = ""
        """What is wrong with the text of that row."""
        stream.start()
        named = _named_separator(stream)
        self.separator = separator or named or likely_separator(stream, path)
        # Strict: else a quote that is never closed would swallow the rest of the file in silence.
        lines = self._lines(stream, skip=named is not None)
        self._reader = csv.reader(lines, delimiter=self.separator, strict=True)
        headings = (cells for cells in self._cells() if len(cells) > 1 or cells[0].strip("\ufeff \t"))
        heading = next(headings, [])
        if self._wrong:
            raise DataError(
                f"{path}:{self._reader.line_num}: {self._wrong}", hint="say what it is with --encoding"
            )
        self.heading = column_names(heading, path)

    def rows(self) -> Iterator[Numbered | BadLine]:
        """Yield each row by its column names; one that ends early lacks the last ones.

        Raises:
            DataError: from here on it is no valid table.
        """
        names, wanted, ours = self.heading, len(self.heading), is_ours(self.heading)
        for cells in self._cells():
            number = self._reader.line_num
            if len(cells) == 1 < wanted and not cells[0].strip() and not self._wrong:
                continue
            if self._wrong or (len(cells) > wanted and any(cells[wanted:])):
                yield self._bad(number, len(cells))
            else:
                row = dict(zip(names, cells, strict=False))
                yield number, read_back(row) if ours else row

    def _bad(self, number: int, cells: int) -> BadLine:
        line = shown("".join(self._record))
        if self._wrong:
            return BadLine(path=self._path, line=number, kind="encoding", reason=f"{self._wrong}: {line}")
        reason = f"has {cells} cells, the heading has {len(self.heading)}; put the text in quotes: {line}"
        return BadLine(path=self._path, line=number, kind="field", reason=reason)

    def _cells(self) -> Iterator[list[str]]:
        """Yield the cells of each row that has any."""
        while True:
            self._record.clear()
            self._wrong = ""
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
                cells = next(csv.reader(self._record, delimiter=self.separator), [])
            if cells is None:
                return
            if cells:
                yield cells

    def _lines(self, stream: PeekedStream, *, skip: bool) -> Iterator[str]:
        """Yield the lines with their ends, as text, and note them; the byte order mark is left out.

        A line that names the separator, or the type of PowerShell, becomes a blank one, so that it counts.
        """
        begun = False
        for number, content in enumerate(table_lines(stream, self._longest), start=1):
            if isinstance(content, LineError):
                hint = "where a quote is missing, the rest of a table is one field"
                raise DataError(f"{self._path}:{number}: {content.message}", hint=hint)
            text, wrong = decoded(content, self._encoding)
            if wrong:
                self._wrong = self._wrong or wrong
            if not begun:
                text = text.removeprefix("\ufeff") if number == 1 else text
                begun = bool(text.strip(" \t\r\n"))
                text = "\n" if begun and (skip or text.startswith(TYPE_LINE)) else text
            self._record.append(text)
            yield text


def _named_separator(stream: PeekedStream) -> str | None:
    while len(stream.start()) < _DIRECTIVE and b"\n" not in stream.start() and stream.read_ahead():
        pass
    first = stream.start().replace(b"\r", b"\n").partition(b"\n")[0]
    return directive(first.decode("utf-8", "replace"))
