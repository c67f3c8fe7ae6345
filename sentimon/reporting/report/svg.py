"""SVG elements, and the frame that a chart is drawn in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sentimon.reporting.plain_text import visible

Point = tuple[float, float]
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
_TIPS = (16.0, 36.0)
"""Where the lines stand that a mark says, above the plot: apart enough for the letters of a small screen."""
ABOVE = 40
"""Space for them."""


@lru_cache(maxsize=4096)
def coordinate(value: float) -> str:
    """Return a coordinate with at most one digit after the point.

    >>> coordinate(12.04), coordinate(3.25), coordinate(-0.01)
    ('12', '3.2', '0')
    """
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def escaped(text: str) -> str:
    """Return a text as an element or an attribute shows it; control characters are made visible.

    >>> escaped("a<b>")
    'a&lt;b&gt;'
    """
    return visible(text).translate(_ENTITIES)


def rectangle(look: str, x: float, y: float, width: float, height: float) -> str:
    """Return a rectangle; `look` is the CSS class of each element here."""
    place = f'x="{coordinate(x)}" y="{coordinate(y)}"'
    return f'<rect class="{look}" {place} width="{coordinate(width)}" height="{coordinate(height)}"/>'


def line(look: str, start: Point, end: Point) -> str:
    """Return a straight line."""
    (x1, y1), (x2, y2) = (tuple(map(coordinate, one)) for one in (start, end))
    return f'<line class="{look}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'


def circle(look: str, centre: Point, radius: float) -> str:
    """Return a circle."""
    x, y = map(coordinate, centre)
    return f'<circle class="{look}" cx="{x}" cy="{y}" r="{coordinate(radius)}"/>'


def label(look: str, place: Point, text: str, *, anchor: str = "start", hidden: bool = False) -> str:
    """Return a text, escaped; `hidden` from a reader that has it already."""
    x, y = map(coordinate, place)
    rest = ' aria-hidden="true"' if hidden else ""
    shown = escaped(text)
    return f'<text class="{look}" x="{x}" y="{y}" text-anchor="{anchor}"{rest}>{shown}</text>'


def titled(text: str, drawn: str) -> str:
    """Return what is drawn as a group that shows a text, escaped, where a pointer rests on it."""
    return f"<g><title>{escaped(text)}</title>{drawn}</g>"


def told_mark(lines: Sequence[str], drawn: str, frame: Frame, *, name: str = "") -> str:
    """Return a mark that says what it shows: to a pointer that rests on it, to the keyboard, and to a reader.

    The `lines`, at most two, stand above the plot while the mark is pointed at or has the focus. `name` is
    the id that links lead to.
    """
    identity = f' id="{name}"' if name else ""
    tips = "".join(
        label("tip", (frame.left, _TIPS[number]), text, hidden=True) for number, text in enumerate(lines)
    )
    title = escaped(": ".join(lines))
    return f'<g class="hit"{identity} tabindex="0" role="img"><title>{title}</title>{drawn}{tips}</g>'


def path(look: str, shapes: Sequence[Sequence[Point]], *, closed: bool) -> str:
    """Return shapes, each a line through its points, as one path; an empty text if there are none."""
    if not shapes:
        return ""
    end = "Z" if closed else ""
    drawn = "".join(_outline(shape) + end for shape in shapes)
    return f'<path class="{look}" d="{drawn}"/>'


def _outline(shape: Sequence[Point]) -> str:
    """Return the path commands of a line; horizontal and vertical parts use the short H and V."""
    here_x, here_y = shape[0]
    parts = [f"M{coordinate(here_x)} {coordinate(here_y)}"]
    for x, y in shape[1:]:
        if y == here_y:
            parts.append(f"H{coordinate(x)}")
        elif x == here_x:
            parts.append(f"V{coordinate(y)}")
        else:
            parts.append(f"L{coordinate(x)} {coordinate(y)}")
        here_x, here_y = x, y
    return "".join(parts)


def box(x1: float, y1: float, x2: float, y2: float) -> list[Point]:
    """Return the corners of a rectangle."""
    return [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The plot area of a view box; it maps numbers from `low` to `high` to coordinates and clips others."""

    width: int = 640
    height: int = 270 + ABOVE
    left: int = 46
    right: int = 14
    top: int = 12 + ABOVE
    bottom: int = 32
    x_low: float = 0.0
    x_high: float = 1.0
    y_low: float = 0.0
    y_high: float = 1.0

    def x(self, value: float) -> float:
        """Return the x coordinate of a number."""
        return self.xs([value])[0]

    def y(self, value: float) -> float:
        """Return the y coordinate of a number."""
        return self.ys([value])[0]

    def xs(self, values: Iterable[float]) -> list[float]:
        """Return the x coordinate of each of some numbers."""
        left, wide = self.left, self.width - self.left - self.right
        low, high = self.x_low, self.x_high
        return [left + wide * _share(value, low, high) for value in values]

    def ys(self, values: Iterable[float]) -> list[float]:
        """Return the y coordinate of each of some numbers."""
        base, tall = self.height - self.bottom, self.height - self.top - self.bottom
        low, high = self.y_low, self.y_high
        return [base - tall * _share(value, low, high) for value in values]

    def at(self, x: float, y: float) -> Point:
        """Return the coordinates of a point."""
        return self.x(x), self.y(y)

    @property
    def size(self) -> tuple[int, int]:
        """Return the size of the view box."""
        return self.width, self.height

    def grid(self) -> str:
        """Return the horizontal grid lines and their numbers."""
        parts = []
        for tick in ticks(self.y_low, self.y_high):
            y = self.y(tick)
            parts.append(line("grid", (self.left, y), (self.width - self.right, y)))
            parts.append(label("tick", (self.left - 6, y + 4), f"{tick:g}", anchor="end"))
        return "".join(parts)


def ticks(low: float, high: float) -> list[float]:
    """Return two to eight different round numbers from `low` to `high`.

    >>> ticks(0.0, 1.0), ticks(0.0, 0.23)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.0, 0.05, 0.1, 0.15, 0.2])
    """
    rough = (high - low) / 5
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * one for one in (1, 2, 5, 10) if rough <= unit * one * (1 + 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(step * one, 10) + 0.0 for one in range(first, last + 1)]


def _share(value: float, low: float, high: float) -> float:
    if low <= value <= high and low < high:
        return (value - low) / (high - low)
    # Numbers that nobody can draw lie at the edge, not outside of the paper.
    return 1.0 if value > high > low else 0.0
