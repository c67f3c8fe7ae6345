r"""Cells of a CSV that a spreadsheet opens: made harmless as they are written, and undone as they are read.

A cell that begins with = + - @, a tab or a line end is run as a formula, so it gets a leading apostrophe
(OWASP, CSV Injection). One that has apostrophes before such a character gets another, so that taking one away
always gives back what was written. Control characters act on a terminal; they are written as `\x1b`, and a
backslash that stands before such an escape in a text is doubled. Both are undone exactly, for any text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_START = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
"""The last four are the full-width forms, which some spreadsheets take for the others."""
_FORMULA = re.compile(f"'*{_START}")
_GUARDED = re.compile(f"'+{_START}")
# Without tab, line feed and carriage return, which a quoted cell may hold.
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
_HEX = r"x(?:0[0-8bcef]|1[0-9a-f]|7f|[89][0-9a-f])"
_TO_ESCAPE = re.compile(rf"(\\*)({_CONTROL})|(\\+)(?={_HEX})")
_ESCAPED = re.compile(rf"(\\+)({_HEX})")
WRITTEN = frozenset({"probability", "draw"})
"""Columns by which a table is known as one of ours; another's cells are taken as they are."""
GUARDED = ("id", "text", "row_id")
"""Columns of such a table that hold what others wrote."""


def guarded(text: str) -> str:
    r"""Return `text` as a cell that neither a spreadsheet nor a terminal acts on.

    >>> guarded("=1+1"), guarded("it's"), guarded("'=1"), guarded("\x1b[31m")
    ("'=1+1", "it's", "''=1", '\\x1b[31m')
    """
    text = _TO_ESCAPE.sub(_escaped, text)
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(cell: str) -> str:
    """Return the text of a cell that `guarded` made.

    >>> unguarded("'=1+1"), unguarded("it's"), unguarded("''=1")
    ('=1+1', "it's", "'=1")
    """
    if _GUARDED.match(cell):
        cell = cell[1:]
    return _ESCAPED.sub(_unescaped, cell)


def read_back(cells: Mapping[str, str]) -> dict[str, str]:
    """Return the cells of a row of one of our tables, those of ours as they were before they were guarded."""
    return {
        name: unguarded(cell) if name.strip().lower() in GUARDED else cell for name, cell in cells.items()
    }


def is_ours(columns: Iterable[str | None]) -> bool:
    """Return whether a table with these columns is one that we wrote, be it with columns added.

    People and spreadsheets add capitals and blanks to names.
    """
    return {(name or "").strip().lower() for name in columns} >= WRITTEN


def _escaped(found: re.Match[str]) -> str:
    before, control, literal = found.groups()
    if literal is not None:
        return str(literal * 2)
    return f"{before * 2}\\x{ord(control):02x}"


def _unescaped(found: re.Match[str]) -> str:
    slashes, escape = found.groups()
    half = "\\" * (len(slashes) // 2)
    return half + chr(int(escape[1:], 16)) if len(slashes) % 2 else half + escape
