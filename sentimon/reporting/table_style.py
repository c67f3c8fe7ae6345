"""The style of all tables, and the parts they are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.measure import Measurement
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from sentimon.labels import Sentiment
from sentimon.reporting.plain_text import visible

STYLES = ("red", "", "green")
"""The colour of each class, in Sentiment order."""
VERDICT_STYLES = {"drift": "bold red", "stable": "bold green", "no verdict": "bold yellow"}
"""The style of each value of `Verdict`; plain strings, so that scoring does not load monitoring."""
_ANY_WIDTH = 10_000
_INDENT = 2
"""Cells before each figure that stands on a line of its own."""
_SHORTEST = 8
"""The least width of the heading before such a figure."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """A table in the first shape that fits the terminal: wide, narrow, or one figure per line.

    `build(False)` is the wide table, `build(True)` the narrow one.
    """

    build: Callable[[bool], Table]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield the shape that fits."""
        wide = self.build(False)
        if _measured(wide, console, options).maximum <= options.max_width:
            yield wide
            return
        narrow = self.build(True)
        fits = _least_width(narrow, console, options) <= options.max_width
        yield narrow if fits else _stacked(wide, console, options)


def _measured(table: RenderableType, console: Console, options: ConsoleOptions) -> Measurement:
    return Measurement.get(console, options.update(max_width=_ANY_WIDTH), table)


def _least_width(table: Table, console: Console, options: ConsoleOptions) -> int:
    """Return the width that a table needs so that no figure is cut and no word of its names broken."""
    needed = _measured(table, console, options).maximum
    for number, column in enumerate(table.columns):
        if not column.no_wrap:
            # A text may be broken anywhere.
            kept = (column.header, *([] if number else column.cells))
            sizes = [_measured(one, console, options) for one in (column.header, *column.cells)]
            least = max(_measured(one, console, options).minimum for one in kept)
            needed -= max(one.maximum for one in sizes) - least
    return needed


def _stacked(table: Table, console: Console, options: ConsoleOptions) -> RenderableType:
    """Return the rows of a table one below the other: the name, then each figure on a line of its own."""
    first, *others = table.columns
    figures = [list(column.cells) for column in others]
    widest = max(_measured(cell, console, options).maximum for cells in figures for cell in cells)
    room = options.max_width - widest - _INDENT - 1
    parts: list[RenderableType] = [] if table.title is None else [table.title]
    for name, *cells in zip(first.cells, *figures, strict=True):
        lines = Table.grid(padding=(0, 1, 0, 0))
        lines.add_column(width=_INDENT - 1)
        lines.add_column(max_width=max(room, _SHORTEST), overflow="fold")
        lines.add_column(no_wrap=room >= _SHORTEST, overflow="fold")
        for column, cell in zip(others, cells, strict=True):
            if not _is_empty(cell):
                lines.add_row("", column.header, cell.replace("\n", " ") if isinstance(cell, str) else cell)
        parts += [Text(), name, lines]
    return Group(*parts)


def _is_empty(cell: RenderableType) -> bool:
    return not (cell.plain if isinstance(cell, Text) else cell)


class _Title(Text):
    """A title that wraps at the edge of the terminal, not of its table."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterable[Segment]:
        """Yield the title in the width of the terminal."""
        wide = options.update(width=console.width, justify="default")
        return console.render(Text(self.plain, style=self.style), wide)


def new_table(title: str, *columns: tuple[str, str], narrow: bool = False) -> Table:
    """Return an empty table in the common style; a column is (heading, left or right or text).

    A `narrow` table has the smallest gaps, and wraps only its first column and text columns, so that figures
    keep their digits.
    """
    # Narrow gaps and no frame: the widest table, with three intervals, fits 80 columns.
    table = Table(
        title=_Title(title, style="bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 0 if narrow else 1, 0, 0),
    )
    for number, (heading, justify) in enumerate(columns):
        table.add_column(
            Text(visible(heading)),
            justify="right" if justify == "right" else "left",
            no_wrap=narrow and number > 0 and justify != "text",
            overflow="fold" if narrow else "ellipsis",
        )
    return table


def short_name(name: str, cells: int) -> str:
    """Return a name, cut with an ellipsis if it is wider than `cells`.

    >>> short_name("negative", 8), short_name("sfavorevole", 8)
    ('negative', 'sfavore…')
    """
    text = Text(visible(name))
    text.truncate(cells, overflow="ellipsis")
    return text.plain


def class_name(place: Sentiment, names: Sequence[str]) -> Text:
    """Return the name of a class in its colour."""
    return Text(visible(names[place]), style=STYLES[place])


def sentences_of(sentences: Iterable[str]) -> RenderableType:
    """Return sentences, one per line."""
    return Group(*(Text(sentence) for sentence in sentences))
