"""An input that is open: what its columns hold is found out first, then its rows are read one by one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Self, TypeAlias

from sentimon.errors import DataError
from sentimon.files import unreadable
from sentimon.ingest.column_contents import ContentFinder, is_row_of_a_log
from sentimon.ingest.input_columns import InputContext, Need
from sentimon.ingest.input_notes import notes_on
from sentimon.ingest.input_row import InputRow, Numbered
from sentimon.ingest.row_reader import is_prediction
from sentimon.ingest.tables import Table, format_of, open_table, opened
from sentimon.jsonl import BadLine, well_formed

_ROWS_AHEAD = 1000
_CHARACTERS_AHEAD = 1 << 17

RawRows: TypeAlias = Iterator[Numbered | BadLine]


class InputFile:
    """The rows of an input that is open: read as they are asked for, and closed with the `with` block.

    Iteration raises:
        DataError: the file is broken in its middle.
        StoreError: it cannot be read any more.
    """

    def __init__(
        self,
        table: Table,
        context: InputContext,
        *,
        stream: BinaryIO | None = None,
        reopen: Callable[[], RawRows] | None = None,
    ) -> None:
        """Find out what the columns hold; `reopen` reads all rows once more, where that is possible.

        Raises:
            DataError: a column is missing, or it is not certain what one holds.
        """
        self.table = table
        self.need = context.need
        self.without_text = 0
        """Rows that were left out so far, for they have no text to score."""
        self._stream = stream
        self._size = 0 if stream is None or not stream.seekable() else os.fstat(stream.fileno()).st_size
        ahead = _read_ahead(table, patient=stream is not None)
        finder = ContentFinder(table, context, ahead, reopen)
        try:
            self.columns = finder.columns()
            self.time_format = finder.time_format(self.columns.time)
            self.reader = finder.reader(self.columns, self.time_format)
        except DataError as error:
            raise DataError(f"{table.path}: {error.message}", hint=error.hint) from error
        self.notes = notes_on(finder, table, context, self.columns, self.time_format)
        """What was found likely and is not certain, to be said."""
        self._rows = self._read(chain(ahead, table.numbered))

    @property
    def named(self) -> str | None:
        """Return the file that is read; None for a pipe and for arguments."""
        return None if self._stream is None else self.table.path

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Return the names of the classes where the gold labels are numbers of those."""
        label = self.columns.label
        return None if label is None else self.table.class_names.get(label.name)

    def __iter__(self) -> Self:
        """Return itself: the rows can be read once."""
        return self

    def __next__(self) -> InputRow | BadLine:
        """Return the next row."""
        return next(self._rows)

    def bytes_read(self) -> tuple[int, int] | None:
        """Return (bytes read so far, bytes of the file); None where that is not known, as of a pipe."""
        if self._stream is None or self._stream.closed or self._size == 0:
            return None
        return min(self._stream.tell(), self._size), self._size

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file, be it read to its end or not."""
        self._close()

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def _read(self, numbered: Iterable[Numbered | BadLine]) -> Iterator[InputRow | BadLine]:
        try:
            for one in numbered:
                row = one if isinstance(one, BadLine) else self.reader.read(one)
                if isinstance(row, InputRow) and self._lacks_text(row):
                    self.without_text += 1
                else:
                    yield row
        finally:
            self._close()

    def _lacks_text(self, row: InputRow) -> bool:
        if self.need is Need.LABELLED or self.need is Need.LABELS or (row.text and not row.text.isspace()):
            return False
        return self.need is Need.TEXTS or not is_prediction(row.fields)


def open_input_file(path: Path, context: InputContext) -> InputFile:
    """Return the rows of a file; its name says its format where the settings do not.

    Raises:
        UsageError: neither its name nor the settings say what it is.
        StoreError: the file is missing or cannot be read.
        DataError: it is not what its name says, or it is not certain what its columns hold.
    """
    known = format_of(path, context.settings.format or None)
    stream = opened(path)

    def again() -> RawRows:
        with opened(path) as other:
            yield from _table(other, str(path), known, context).numbered

    try:
        table = _table(stream, str(path), known, context)
        table.numbered = _readable(table.numbered, path)
        return InputFile(table, context, stream=stream, reopen=again)
    except OSError as error:
        stream.close()
        raise unreadable(path, error) from error
    except BaseException:
        stream.close()
        raise


def open_input_stream(stream: BinaryIO, context: InputContext, *, name: str = "stdin") -> InputFile:
    """Return the rows of stdin, which is left open.

    Raises:
        UsageError: there is no such format.
        DataError: it is not of that format, or it is not certain what its columns hold.
    """
    return InputFile(_table(stream, name, context.settings.format or None, context), context)


def text_arguments(texts: Iterable[str], context: InputContext) -> InputFile:
    """Return the texts given as arguments, as rows."""
    numbered: RawRows = ((number, {"text": well_formed(text)}) for number, text in enumerate(texts, start=1))
    return InputFile(Table(path="argument", heading=("text",), numbered=numbered, file_format="txt"), context)


def _table(stream: BinaryIO, path: str, file_format: str | None, context: InputContext) -> Table:
    settings = context.settings
    return open_table(
        stream,
        path,
        file_format,
        encoding=settings.encoding,
        longest=context.longest,
        certain=bool(settings.format),
    )


def _readable(rows: RawRows, path: Path) -> RawRows:
    try:
        yield from rows
    except OSError as error:
        raise unreadable(path, error) from error


def _read_ahead(table: Table, *, patient: bool) -> list[Numbered | BadLine]:
    """Return the first rows: enough to see what the columns hold, and not more than fit in memory.

    Unless `patient`, no row is waited for after one that is written as in a log: somebody may be typing.
    """
    ahead: list[Numbered | BadLine] = []
    characters = 0
    if table.file_format == "txt":
        return ahead
    for one in table.numbered:
        ahead.append(one)
        if not isinstance(one, BadLine):
            characters += sum(len(value) for value in one[1].values() if isinstance(value, str))
            if not patient and table.heading is None and is_row_of_a_log(one[1]):
                break
        if len(ahead) >= _ROWS_AHEAD or characters > _CHARACTERS_AHEAD:
            break
    return ahead
