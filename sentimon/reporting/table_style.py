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


@dataclass(frozen=True, slots=True)
class Fitting:
    """A table that is wide if it fits the terminal and else narrow: `build(False)` or `build(True)`."""

    build: Callable[[bool], Table]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        """Yield the shape that fits."""
        wide = self.build(False)
        needed = Measurement.get(console, options.update(max_width=_ANY_WIDTH), wide).maximum
        yield wide if needed <= options.max_width else self.build(True)


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
