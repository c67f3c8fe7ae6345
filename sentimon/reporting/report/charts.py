"""The charts of a report as SVG: class mix and estimates over time, baseline against now, calibration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from sentimon.reporting.report.report_value import ScoredWindow
from sentimon.reporting.report.svg import Frame, Point, box, circle, label, line, path, rectangle, ticks
from sentimon.statistics.intervals import Estimate

if TYPE_CHECKING:
    from sentimon.statistics.calibration_error import ReliabilityBin

_MOST_MARKS = 70
"""The largest number of windows that each get a mark."""
_DATES = 5
_DAY = timedelta(days=1)
_ROW = 46
_CLEAR = 34
"""Space above and below the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A shaded period of time."""

    look: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A limit, drawn as a horizontal line."""

    value: float
    text: str
    below: bool = False
    """Whether the text is placed below the line."""


def mix_chart(windows: Sequence[ScoredWindow], zone: tzinfo | None, *, fewest: int) -> tuple[str, Frame]:
    """Return the class shares per window as stacked bars, negative at the bottom.

    Windows of fewer than `fewest` rows are pale.
    """
    frame = _frame(windows, 0.0, 1.0)
    gap = 1.0 if len(windows) <= _MOST_MARKS else 0.0
    shapes: dict[str, list[list[Point]]] = {}
    for one in windows:
        left, right = (frame.x(moment.timestamp()) for moment in (one.start, one.end))
        below = 0.0
        pale = " pale" if one.total < fewest else ""
        for place, share in enumerate(one.shares):
            if share:
                top = min(1.0, below + share)
                corners = box(left + gap, frame.y(below), max(left + gap, right - gap), frame.y(top))
                shapes.setdefault(f"class{place}{pale}", []).append(corners)
                below = top
    drawn = "".join(path(look, shape, closed=True) for look, shape in sorted(shapes.items()))
    return frame.grid() + drawn + _dates(frame, windows, zone), frame


def estimate_chart(
    windows: Sequence[ScoredWindow],
    estimates: Sequence[Estimate],
    zone: tzinfo | None,
    *,
    low: float,
    high: float,
    level: Level | None = None,
    stretches: Sequence[Stretch] = (),
    fewest: int = 0,
) -> tuple[str, Frame]:
    """Return one estimate per window as a line with its interval as a band; both have gaps where it is None.

    Windows of fewer than `fewest` rows are hollow marks outside the line.
    """
    frame = _frame(windows, low, high)
    parts = [_shaded(frame, one) for one in stretches] + [frame.grid()]
    runs = list(_runs(windows, estimates, fewest))
    parts.append(path("band", [shape for run in runs for shape in _band(frame, run)], closed=True))
    parts.append(
        path("line", [[frame.at(x, one.value or 0.0) for x, one in run] for run in runs], closed=False)
    )
    # Many windows of few rows would hide all else behind their marks.
    crowded = len(windows) > _MOST_MARKS
    for x, one in _marked(windows, estimates):
        weak = one.n < fewest
        if weak or not crowded:
            place, size = frame.at(x, one.value or 0.0), 1.0 if crowded else 2.5
            parts.append(circle("weak" if weak else "mark", place, size))
    if level is not None:
        y = frame.y(level.value)
        parts.append(line("limit", (frame.left, y), (frame.width - frame.right, y)))
        # On the left, where the rows are old: what is looked at stands on the right.
        parts.append(label("note", (frame.left + 6, y + 16 if level.below else y - 5), level.text))
    return "".join(parts) + _dates(frame, windows, zone), frame


def _frame(windows: Sequence[ScoredWindow], low: float, high: float) -> Frame:
    return Frame(
        x_low=windows[0].start.timestamp(), x_high=windows[-1].end.timestamp(), y_low=low, y_high=high
    )


def _middle(window: ScoredWindow) -> float:
    return (window.start.timestamp() + window.end.timestamp()) / 2


def _marked(
    windows: Sequence[ScoredWindow], estimates: Sequence[Estimate]
) -> Iterator[tuple[float, Estimate]]:
    for window, one in zip(windows, estimates, strict=True):
        if one.value is not None:
            yield _middle(window), one


def _runs(
    windows: Sequence[ScoredWindow], estimates: Sequence[Estimate], fewest: int
) -> Iterator[list[tuple[float, Estimate]]]:
    """Yield runs of adjacent windows that have an estimate."""
    run: list[tuple[float, Estimate]] = []
    for window, one in zip(windows, estimates, strict=True):
        if one.value is None or one.n < fewest:
            if run:
                yield run
            run = []
        else:
            run.append((_middle(window), one))
    if run:
        yield run


def _band(frame: Frame, run: Sequence[tuple[float, Estimate]]) -> list[list[Point]]:
    upper = [frame.at(x, one.high) for x, one in run if one.high is not None]
    lower = [frame.at(x, one.low) for x, one in run if one.low is not None]
    if len(run) == 1 and upper and lower:
        # One window alone has no width: its band is as wide as its mark.
        (x, top), (_, bottom) = upper[0], lower[0]
        return [box(max(0.0, x - 2), top, x + 2, bottom)]
    return [upper + lower[::-1]] if upper and lower else []


def _shaded(frame: Frame, stretch: Stretch) -> str:
    left, right = (frame.x(moment.timestamp()) for moment in (stretch.start, stretch.end))
    top = frame.top
    # What lasted for less than a window is still seen, also at the very end.
    left = min(left, frame.width - frame.right - 3)
    return rectangle(stretch.look, left, top, max(3.0, right - left), frame.height - frame.bottom - top)


def _dates(frame: Frame, windows: Sequence[ScoredWindow], zone: tzinfo | None) -> str:
    """Return the time axis with some dates; every second one is hidden on small screens."""
    days = windows[-1].end - windows[0].start
    form = "%Y-%m-%d" if days > 3 * _DAY else "%m-%d %H:%M"
    step = max(1, -(-len(windows) // _DATES))
    parts = []
    for number, window in enumerate(windows[::step]):
        x, y = frame.x(window.start.timestamp()), frame.height - frame.bottom
        look = "tick" if number % 2 == 0 else "tick spare"
        parts.append(line("axis", (x, y), (x, y + 4)))
        anchor = "start" if number == 0 else "end" if x > frame.width - 60 else "middle"
        place = (frame.left if number == 0 else x, y + 20)
        parts.append(label(look, place, window.start.astimezone(zone).strftime(form), anchor=anchor))
    base = frame.height - frame.bottom
    axis = line("axis", (frame.left, base), (frame.width - frame.right, base))
    return axis + "".join(parts)


def change_chart(rows: Sequence[tuple[str, Estimate, Estimate]]) -> tuple[str, Frame]:
    """Return each row (name, before, now) on a scale from 0 to 1, `before` hollow and above `now`."""
    height = _ROW * len(rows) + _CLEAR
    frame = Frame(height=height, left=110, top=4, bottom=30)
    base = frame.height - frame.bottom
    parts = []
    for tick in ticks(0.0, 1.0):
        parts.append(line("grid", (frame.x(tick), frame.top), (frame.x(tick), base)))
        parts.append(label("tick", (frame.x(tick), base + 20), f"{tick:g}", anchor="middle"))
    for number, (name, before, now) in enumerate(rows):
        middle = frame.top + _ROW * (number + 0.5)
        parts.append(label("tick", (frame.left - 8, middle + 4), _short(name), anchor="end"))
        parts.append(_interval(frame, before, middle - 7, "before"))
        parts.append(_interval(frame, now, middle + 7, "now"))
    return "".join(parts), frame


def calibration_chart(curve: Sequence[ReliabilityBin]) -> tuple[str, Frame]:
    """Return accuracy over confidence; on the diagonal a confidence of 0.8 is right 8 times in 10."""
    low = min([0.5, *(one.confidence for one in curve)])
    frame = Frame(width=480, height=340, bottom=48, x_low=low)
    base = frame.height - frame.bottom
    parts = [frame.grid(), path("limit", [[frame.at(low, low), frame.at(1.0, 1.0)]], closed=False)]
    for tick in ticks(low, 1.0):
        parts.append(line("axis", (frame.x(tick), base), (frame.x(tick), base + 4)))
        parts.append(label("tick", (frame.x(tick), base + 20), f"{tick:g}", anchor="middle"))
    for one in curve:
        x, accuracy = frame.x(one.confidence), one.accuracy
        if accuracy.low is not None and accuracy.high is not None:
            parts.append(line("now", (x, frame.y(accuracy.low)), (x, frame.y(accuracy.high))))
    points = [frame.at(one.confidence, one.accuracy.value or 0.0) for one in curve]
    parts.append(path("line", [points] if len(points) > 1 else [], closed=False))
    parts += [circle("mark", point, 3.5) for point in points]
    parts.append(line("axis", (frame.left, base), (frame.width - frame.right, base)))
    parts.append(label("tick", (frame.width / 2, base + 42), "mean confidence", anchor="middle"))
    parts.append(label("note", (frame.left + 6, frame.top + 14), "share that was right"))
    return "".join(parts), frame


def _interval(frame: Frame, one: Estimate, y: float, look: str) -> str:
    if one.value is None or one.low is None or one.high is None:
        return ""
    ends = line(look, (frame.x(one.low), y), (frame.x(one.high), y))
    return ends + circle(f"{look} point", (frame.x(one.value), y), 4.5)


def _short(name: str) -> str:
    return name if len(name) <= 14 else name[:13] + "…"
