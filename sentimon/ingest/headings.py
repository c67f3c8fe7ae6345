"""The names of the columns of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sentimon.errors import DataError


def column_names(cells: Sequence[object], path: str) -> tuple[str, ...]:
    """Return the cells of a heading as names of columns, without blanks around; a nameless one is numbered.

    >>> column_names([" text ", "", "id"], "a.csv")
    ('text', 'column 2', 'id')

    Raises:
        DataError: two columns have the same name, so that a row cannot say which is meant.
    """
    names = tuple(str(cell).strip() or f"column {place}" for place, cell in enumerate(cells, start=1))
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        said = "the columns {} appear" if len(twice) > 1 else "the column {} appears"
        raise DataError(
            f"{path}: {said.format(', '.join(map(repr, twice)))} twice",
            hint="rename one of them, or remove it",
        )
    return names
