"""The parts of a report before it is HTML or Markdown; all texts are plain, and escaped by the renderer."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import ClassVar

import msgspec

from sentimon.reporting.command_steps import Step


class Tone(enum.StrEnum):
    """The colour of a status; its word says the same."""

    WELL = "well"
    FINDING = "finding"
    UNKNOWN = "unknown"
    PLAIN = "plain"


class Paragraph(msgspec.Struct, frozen=True, kw_only=True):
    """Some sentences."""

    kind: ClassVar = "paragraph"
    text: str


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a table; numeric ones are aligned to the right."""

    name: str
    numeric: bool = False


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table; the first cell of each row names it."""

    kind: ClassVar = "table"
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    folded: bool = False
    """Whether the table is collapsed until the reader opens it (in HTML)."""
    links: Sequence[str] = ()
    """For each row the id that its name links to (in HTML), "" for none; empty where no row links."""

    def link(self, place: int) -> str:
        """Return the id that the name of a row links to, "" for none."""
        return self.links[place] if self.links else ""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a legend: what a mark of a chart means."""

    mark: str
    """The CSS class of the mark."""
    meaning: str


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A drawing, and a description that says the same in words."""

    kind: ClassVar = "chart"
    name: str
    """Unique in the report: letters and hyphens."""
    title: str
    described: str
    drawing: str
    """The content of an `svg` element; every text in it is escaped."""
    size: tuple[int, int]
    """Width and height of the view box."""
    legend: Sequence[Key] = ()


Block = Paragraph | Table | Chart


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One section of a report."""

    name: str
    """Unique in the report: letters and hyphens."""
    title: str
    blocks: Sequence[Block]


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of a report: its subject, the answer in a word, and a sentence."""

    about: str
    word: str
    tone: Tone
    detail: str
    link: str = ""
    """The name of the section that says more."""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Something that belongs to the verdict: since when, which rows."""

    name: str
    text: str


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """A whole report: the verdict, the answers behind it, then the sections."""

    title: str
    about: str
    """The rows, the log and the baseline that the report is about."""
    verdict: Status
    facts: Sequence[Fact]
    """What belongs to the verdict."""
    steps: Sequence[Step]
    """What to do now."""
    answers: Sequence[Status]
    sections: Sequence[Section]
    footer: str
