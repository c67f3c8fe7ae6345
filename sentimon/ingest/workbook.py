"""Rows of workbooks: .xlsx and its siblings of Excel, and .ods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import msgspec

from sentimon.errors import DataError
from sentimon.extras import require
from sentimon.ingest.byte_source import ByteSource
from sentimon.ingest.headings import column_names
from sentimon.ingest.input_row import Numbered
from sentimon.jsonl import BadLine

_WHOLE = 2**53
"""Up to here a number of a workbook is exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The one sheet of a workbook that holds rows."""

    path: str
    name: str
    heading: tuple[str, ...]
    first: int
    """The number of the row behind the heading."""
    cells: Sequence[Sequence[Any]]

    def rows(self) -> Iterator[Numbered | BadLine]:
        """Yield each row that has any cell, with its number in the sheet; empty cells are left out."""
        wanted = len(self.heading)
        for number, cells in enumerate(self.cells, start=self.first):
            fields = {
                name: _plain(cell) for name, cell in zip(self.heading, cells, strict=False) if cell != ""
            }
            if any(cell != "" for cell in cells[wanted:]):
                reason = f"has a cell behind the last column of the heading, {self.heading[-1]!r:.40}"
                yield BadLine(path=self.path, line=number, kind="field", reason=reason)
            elif fields:
                yield number, fields


def open_sheet(source: ByteSource) -> Sheet:
    """Return the sheet with rows of a workbook.

    Raises:
        MissingPackageError: the library that reads workbooks is not installed.
        DataError: it is no workbook, is locked by a password, has several sheets with rows, or one that names
            a column twice.
    """
    filled = {name: cells for name, cells in _sheets(source).items() if cells}
    if len(filled) > 1:
        raise DataError(
            f"{source.path}: {len(filled)} sheets have rows: {', '.join(filled)}",
            hint="save the one that is meant as CSV (UTF-8), or remove the others",
        )
    if not filled:
        return Sheet(path=source.path, name="", heading=(), first=1, cells=[])
    ((name, cells),) = filled.items()
    blank = next(place for place, row in enumerate(cells) if any(cell != "" for cell in row))
    heading = list(cells[blank])
    while heading and heading[-1] == "":
        heading.pop()
    return Sheet(
        path=source.path,
        name=name,
        heading=column_names([_plain(one) for one in heading], source.path),
        first=blank + 2,
        cells=cells[blank + 1 :],
    )


def _sheets(source: ByteSource) -> dict[str, list[list[Any]]]:
    """Return the cells of each sheet, from its first row on; of one without any, none."""
    require(f"{source.path}: a workbook", "python_calamine", instead="save the sheet as CSV (UTF-8)")
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(source.file())
        found = {
            name: book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            for name, kind in zip(book.sheet_names, book.sheets_metadata, strict=True)
            if kind.typ == python_calamine.SheetTypeEnum.WorkSheet
        }
    except python_calamine.PasswordError as error:
        raise DataError(
            f"{source.path}: is locked with a password", hint="save it without the password"
        ) from error
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        start = bytes(source.again().begin()[:1]) if source.seekable else b""
        hint = "check that it is what its name says"
        if start and start not in b"P\xd0":
            hint = "some programs write text under this name: try --format tsv, or csv"
        raise DataError(f"{source.path}: not a valid workbook: {error}", hint=hint) from error
    return {
        name: cells if any(cell != "" for row in cells for cell in row) else []
        for name, cells in found.items()
    }


def _plain(cell: Any) -> Any:
    """Return a cell as JSON has it: a whole number without a point, times as text."""
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() and abs(cell) <= _WHOLE else cell
    if isinstance(cell, datetime):
        return cell.isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return msgspec.to_builtins(cell)
    return cell
