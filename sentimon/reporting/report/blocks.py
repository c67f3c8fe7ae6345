"""What a report is made of before it is HTML or Markdown: plain texts, which each of them escapes."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar


class Tone(enum.StrEnum):
    """How a status reads; its word says the same without colour."""

    WELL = "well"
    FINDING = "finding"
    UNKNOWN = "unknown"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Some sentences."""

    kind: ClassVar = "paragraph"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table; numbers stand to the right."""

    name: str
    numeric: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table; the first cell of each row names it."""

    kind: ClassVar = "table"
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    folded: bool = False
    """Whether it is only shown when asked for, where that is possible."""

    def cells(self, row: Sequence[str]) -> Iterator[tuple[Column, str]]:
        """Return the cells of a row beside its name, each with its column."""
        return zip(self.columns[1:], row[1:], strict=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One entry of a legend: what a mark of a chart means."""

    mark: str
    """The name of the mark's look."""
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A drawing, with the same told in words."""

    kind: ClassVar = "chart"
    name: str
    """Unique in the report: letters and hyphens."""
    title: str
    described: str
    drawing: str
    """The inside of an `svg` element; no text of a user is in it unescaped."""
    size: tuple[int, int]
    """Of its view box."""
    legend: Sequence[Key] = ()


Block = Paragraph | Table | Chart


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of a report."""

    name: str
    """Unique in the report: letters and hyphens."""
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One answer of a report: to what, in a word, and in a sentence."""

    about: str
    word: str
    tone: Tone
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A whole report: the verdict, the answers behind it, then every part."""

    title: str
    about: str
    """Which rows, of which log, when."""
    verdict: Status
    answers: Sequence[Status]
    sections: Sequence[Section]
    footer: str
