"""One row of an input: its text, its other fields, and where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias

import msgspec

from sentimon.jsonl import BadLine, well_formed

TEXT_COLUMN = "text"

Numbered: TypeAlias = tuple[int, dict[str, Any]]
"""The line or row number, from 1, and all fields of a row."""


class InputRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the input; `text` is None where a row of JSON has none."""

    path: str
    line: int
    """Line or row number, from 1."""
    text: str | None
    fields: Mapping[str, Any]
    """The other fields of the row; empty for plain text."""
    moment: tuple[datetime, bool] | None = None
    """(The time in UTC, whether it named no zone), where it was written in another way than in a log."""

    def bad(self, kind: str, reason: str) -> BadLine:
        """Return this row as a bad line."""
        return BadLine(path=self.path, line=self.line, kind=kind, reason=reason)


def texts_of(arguments: Iterable[str]) -> Iterator[InputRow]:
    """Yield the texts given as arguments."""
    for number, text in enumerate(arguments, start=1):
        yield InputRow(path="argument", line=number, text=well_formed(text), fields={})
