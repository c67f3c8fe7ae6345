"""The charts of a report as SVG: class mix, rows, estimates over time; baseline against now; calibration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from sentimon.reporting.plain_text import counted, estimate, number
from sentimon.reporting.report.blocks import Key
from sentimon.reporting.report.report_value import ScoredWindow
from sentimon.reporting.report.svg import (
    ABOVE,
    Frame,
    Point,
    box,
    circle,
    label,
    line,
    path,
    rectangle,
    ticks,
    titled,
    told_mark,
)
from sentimon.statistics.intervals import Estimate
from sentimon.timestamps import in_zone

if TYPE_CHECKING:
    from sentimon.statistics.calibration_error import ReliabilityBin

_MOST_MARKS = 70
"""The largest number of windows that each get a mark."""
_MOST_TOLD = 120
"""The largest number of stops for a pointer or the keyboard; more windows share one."""
_MOST_BARS = 290
"""The largest number of bars that can be told apart; more windows are drawn as one."""
_DATES = 5
_DAY = timedelta(days=1)
_ROW = 46
_CLEAR = 34
"""Space above and below the rows."""
_LOW = 150 + ABOVE
"""Height of a chart that is only glanced at."""
_TRACK = 7
"""Height of the bars above the plot that say which time is what."""


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A period of time that is marked: the rows of the baseline, or an incident."""

    look: str
    start: datetime
    end: datetime
    text: str = ""
    """What the mark says."""
    name: str = ""
    """The id that links lead to."""


class Began(msgspec.Struct, frozen=True, kw_only=True):
    """When a change began: a vertical line at `at`, within a band from `first` to `last`."""

    at: datetime
    first: datetime
    last: datetime
    text: str
    """What the mark says."""
    label: str
    """What stands beside it."""


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """A limit or a usual value, drawn as a horizontal line."""

    value: float
    text: str
    below: bool = False
    """Whether the text is placed below the line."""
    look: str = "limit"


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """What all charts over time share."""

    windows: Sequence[ScoredWindow]
    zone: tzinfo | None
    fewest: int
    """Windows of fewer rows are drawn pale, or hollow and outside of the line."""
    stretches: Sequence[Stretch] = ()
    began: Began | None = None


def mix_chart(line_of_time: Timeline, names: Sequence[str], usual: Sequence[float] = ()) -> tuple[str, Frame]:
    """Return the class shares per window as stacked bars, negative at the bottom.

    `usual` are the shares of the baseline, drawn as lines across, in Sentiment order; `names` those of the
    classes, "" for one that there is not.
    """
    windows = line_of_time.windows
    frame = _frame(windows, 0.0, 1.0)
    gap = 1.0 if len(windows) <= _MOST_MARKS else 0.0
    shapes: dict[str, list[list[Point]]] = {}
    for group in _grouped(windows, _MOST_BARS):
        left, right = frame.x(group[0].start.timestamp()), frame.x(group[-1].end.timestamp())
        below, counts = 0.0, [sum(one.counts[place] for one in group) for place in range(3)]
        total = sum(counts)
        pale = " pale" if total < line_of_time.fewest * len(group) else ""
        for place, count in enumerate(counts):
            if count:
                top = min(1.0, below + count / total)
                corners = box(left + gap, frame.y(below), max(left + gap, right - gap), frame.y(top))
                shapes.setdefault(f"class{place}{pale}", []).append(corners)
                below = top
    drawn = "".join(path(look, shape, closed=True) for look, shape in sorted(shapes.items()))
    lines = "".join(_usual_share(frame, height) for height in _boundaries(usual))
    told = _told(frame, windows, partial(_shares_told, names=names), line_of_time.zone)
    return frame.grid() + drawn + lines + _times(frame, line_of_time) + told, frame


def _boundaries(shares: Sequence[float]) -> list[float]:
    """Return where the bars of some shares meet, without the ends."""
    heights = [sum(shares[: place + 1]) for place in range(len(shares))]
    return [one for one in dict.fromkeys(heights) if 0 < one < 1 - 1e-9]


def _usual_share(frame: Frame, height: float) -> str:
    y = frame.y(height)
    ends = (frame.left, y), (frame.width - frame.right, y)
    # On bars of any colour: a dark dash upon a light line.
    return titled(f"baseline: {height:.3f} from the bottom", line("halo", *ends) + line("known", *ends))


def rows_chart(line_of_time: Timeline, usual: float | None = None) -> tuple[str, Frame]:
    """Return the rows per window as bars, low ones; pale is what is not over yet.

    `usual` is the mean of the baseline in windows as long. Of many windows a bar shows the mean of some.
    """
    windows = line_of_time.windows
    groups = list(_grouped(windows, _MOST_BARS))
    heights = [sum(one.total for one in group) / len(group) for group in groups]
    frame = _frame(windows, 0.0, 1.1 * max([1.0, usual or 0.0, *heights]), height=_LOW)
    gap = 1.0 if len(windows) <= _MOST_MARKS else 0.0
    shapes: dict[str, list[list[Point]]] = {}
    for group, height in zip(groups, heights, strict=True):
        left, right = frame.x(group[0].start.timestamp()), frame.x(group[-1].end.timestamp())
        look = "rows" if group[-1].complete else "rows pale"
        corners = box(left + gap, frame.y(0.0), max(left + gap, right - gap), frame.y(height))
        shapes.setdefault(look, []).append(corners)
    drawn = "".join(path(look, shape, closed=True) for look, shape in sorted(shapes.items()))
    if usual is not None:
        y = frame.y(usual)
        ends = (frame.left, y), (frame.width - frame.right, y)
        drawn += titled(f"baseline: {usual:.0f} rows", line("halo", *ends) + line("known", *ends))
    told = _told(frame, windows, _rows_told, line_of_time.zone)
    return frame.grid() + drawn + _times(frame, line_of_time) + told, frame


def _rows_told(group: Sequence[ScoredWindow]) -> str:
    rows = [one.total for one in group]
    low, high = min(rows), max(rows)
    return f"{low} rows each" if low == high else f"{low} to {high} rows each"


def estimate_chart(
    line_of_time: Timeline,
    estimates: Sequence[Estimate],
    *,
    low: float,
    high: float,
    levels: Sequence[Level] = (),
) -> tuple[str, Frame]:
    """Return one estimate per window as a line with its interval as a band; None makes a gap in both."""
    windows, fewest = line_of_time.windows, line_of_time.fewest
    frame = _frame(windows, low, high)
    parts = [_shaded(frame, one) for one in line_of_time.stretches] + [frame.grid()]
    # Where each stands is worked out once: there may be thousands of windows.
    placed = list(zip(frame.xs(map(_middle, windows)), estimates, strict=True))
    runs = list(_runs(placed, fewest))
    parts.append(path("band", [shape for run in runs for shape in _band(frame, run)], closed=True))
    parts.append(path("line", [_line(frame, run) for run in runs], closed=False))
    # Many windows of few rows would hide all else behind their marks.
    crowded = len(windows) > _MOST_MARKS
    for x, one in placed:
        weak = one.n < fewest
        if one.value is not None and (weak or not crowded):
            place, size = (x, frame.y(one.value)), 1.0 if crowded else 2.5
            parts.append(circle("weak" if weak else "mark", place, size))
    for level in levels:
        y = frame.y(level.value)
        across = line(level.look, (frame.left, y), (frame.width - frame.right, y))
        parts.append(titled(level.text, across))
        # On the left, where the rows are old: what is looked at stands on the right.
        parts.append(label("note", (frame.left + 6, y + 16 if level.below else y - 5), level.text))
    by_start = dict(zip((one.start for one in windows), estimates, strict=True))
    told = _told(frame, windows, partial(_estimates_told, by_start=by_start), line_of_time.zone)
    return "".join(parts) + _times(frame, line_of_time) + told, frame


def _times(frame: Frame, time: Timeline) -> str:
    """Return the axis of time, the bars above the plot, and when the change began."""
    tracks = "".join(_track(frame, one) for one in time.stretches)
    began = "" if time.began is None else _began(frame, time.began)
    return tracks + began + _dates(frame, time.windows, time.zone)


def _track(frame: Frame, stretch: Stretch) -> str:
    left, width = _across(frame, stretch.start, stretch.end)
    bar = rectangle(f"{stretch.look} track", left, frame.top - _TRACK - 2, width, _TRACK)
    return told_mark([stretch.text], bar, frame, name=stretch.name) if stretch.text else bar


def _began(frame: Frame, began: Began) -> str:
    left, width = _across(frame, began.first, began.last)
    x, base = frame.x(began.at.timestamp()), frame.height - frame.bottom
    band = rectangle("onset", left, frame.top, width, base - frame.top)
    drawn = band + line("onset-line", (x, frame.top), (x, base))
    right = x > (frame.left + frame.width) / 2
    place = (left - 5 if right else left + width + 5, frame.top + 14)
    said = label("note", place, began.label, anchor="end" if right else "start", hidden=True)
    return told_mark([began.text], drawn + said, frame)


def _across(frame: Frame, start: datetime, end: datetime) -> tuple[float, float]:
    """Return (left edge, width) of a period; what is shorter than a window is still seen, also at the end."""
    left, right = frame.x(start.timestamp()), frame.x(end.timestamp())
    left = min(left, frame.width - frame.right - 3)
    return left, max(3.0, right - left)


Teller = Callable[[Sequence[ScoredWindow]], str]
"""What some windows in a row show, in words."""


def _told(frame: Frame, windows: Sequence[ScoredWindow], teller: Teller, zone: tzinfo | None) -> str:
    """Return invisible marks over the plot, side by side, that say what lies below them."""
    parts, height = [], frame.height - frame.bottom - frame.top
    for group in _grouped(windows, _MOST_TOLD):
        left, right = frame.x(group[0].start.timestamp()), frame.x(group[-1].end.timestamp())
        area = rectangle("area", left, frame.top, right - left, height)
        parts.append(told_mark([_span(group, zone), teller(group)], area, frame))
    return "".join(parts)


def _grouped(windows: Sequence[ScoredWindow], most: int) -> Iterator[Sequence[ScoredWindow]]:
    """Yield windows one by one, or so many at a time that there are at most `most` groups."""
    step = max(1, -(-len(windows) // most))
    yield from (windows[at : at + step] for at in range(0, len(windows), step))


def _span(group: Sequence[ScoredWindow], zone: tzinfo | None) -> str:
    start = f"{in_zone(group[0].start, zone):%Y-%m-%d %H:%M}"
    rows = sum(one.total for one in group)
    if len(group) == 1:
        return f"{start}, {counted(rows, 'row')}"
    return f"{start}, {len(group)} windows to {in_zone(group[-1].start, zone):%m-%d %H:%M}, {rows} rows"


def _shares_told(group: Sequence[ScoredWindow], names: Sequence[str]) -> str:
    shares = [one.shares for one in group if one.total]
    if not shares:
        return "no rows"
    return ", ".join(
        f"{_short(name)} {_range([one[place] for one in shares])}" for place, name in enumerate(names) if name
    )


def _estimates_told(group: Sequence[ScoredWindow], by_start: Mapping[datetime, Estimate]) -> str:
    known = [by_start[one.start] for one in group]
    values = [one.value for one in known if one.value is not None]
    if len(known) == 1 and values:
        return estimate(known[0])
    return _range(values) if values else "no value"


def _range(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:.3f}" if len(values) == 1 else f"{low:.3f} to {high:.3f}"


def _frame(
    windows: Sequence[ScoredWindow], low: float, high: float, *, height: int = Frame().height
) -> Frame:
    begin, end = windows[0].start.timestamp(), windows[-1].end.timestamp()
    return Frame(height=height, x_low=begin, x_high=end, y_low=low, y_high=high)


def _middle(window: ScoredWindow) -> float:
    return (window.start.timestamp() + window.end.timestamp()) / 2


Placed = tuple[float, Estimate]
"""An estimate, and the x coordinate at which it is drawn."""


def _runs(placed: Sequence[Placed], fewest: int) -> Iterator[list[Placed]]:
    """Yield runs of adjacent windows that have an estimate."""
    run: list[Placed] = []
    for one in placed:
        if one[1].value is None or one[1].n < fewest:
            if run:
                yield run
            run = []
        else:
            run.append(one)
    if run:
        yield run


def _line(frame: Frame, run: Sequence[Placed]) -> list[Point]:
    heights = frame.ys(one.value or 0.0 for _, one in run)
    return [(x, y) for (x, _), y in zip(run, heights, strict=True)]


def _band(frame: Frame, run: Sequence[Placed]) -> list[list[Point]]:
    known = [(x, one.low, one.high) for x, one in run if one.low is not None and one.high is not None]
    tops, bottoms = frame.ys(high for _, _, high in known), frame.ys(low for _, low, _ in known)
    upper = [(x, y) for (x, _, _), y in zip(known, tops, strict=True)]
    lower = [(x, y) for (x, _, _), y in zip(known, bottoms, strict=True)]
    if len(run) == 1 and known:
        # One window alone has no width: its band is as wide as its mark.
        (x, top), (_, bottom) = upper[0], lower[0]
        return [box(max(0.0, x - 2), top, x + 2, bottom)]
    return [upper + lower[::-1]] if known else []


def _shaded(frame: Frame, stretch: Stretch) -> str:
    left, width = _across(frame, stretch.start, stretch.end)
    return rectangle(stretch.look, left, frame.top, width, frame.height - frame.bottom - frame.top)


def _dates(frame: Frame, windows: Sequence[ScoredWindow], zone: tzinfo | None) -> str:
    """Return the time axis with some dates; every second one is hidden on small screens."""
    days = windows[-1].end - windows[0].start
    form = "%Y-%m-%d" if days > 3 * _DAY else "%m-%d %H:%M"
    step = max(1, -(-len(windows) // _DATES))
    parts = []
    for place, window in enumerate(windows[::step]):
        x, y = frame.x(window.start.timestamp()), frame.height - frame.bottom
        look = "tick" if place % 2 == 0 else "tick spare"
        parts.append(line("axis", (x, y), (x, y + 4)))
        anchor = "start" if place == 0 else "end" if x > frame.width - 60 else "middle"
        spot = (frame.left if place == 0 else x, y + 20)
        parts.append(label(look, spot, in_zone(window.start, zone).strftime(form), anchor=anchor))
    base = frame.height - frame.bottom
    axis = line("axis", (frame.left, base), (frame.width - frame.right, base))
    return axis + "".join(parts)


def change_chart(rows: Sequence[tuple[str, Estimate, Estimate]]) -> tuple[str, Frame]:
    """Return each row (name, before, now) on a scale from 0 to 1, `before` hollow and above `now`."""
    height = _ROW * len(rows) + _CLEAR + ABOVE
    frame = Frame(height=height, left=110, top=4 + ABOVE, bottom=30)
    base = frame.height - frame.bottom
    parts = []
    for tick in ticks(0.0, 1.0):
        parts.append(line("grid", (frame.x(tick), frame.top), (frame.x(tick), base)))
        parts.append(label("tick", (frame.x(tick), base + 20), f"{tick:g}", anchor="middle"))
    for place, (name, before, now) in enumerate(rows):
        middle = frame.top + _ROW * (place + 0.5)
        parts.append(label("tick", (frame.left - 8, middle + 4), _short(name), anchor="end"))
        parts.append(_interval(frame, before, middle - 7, "before", f"{_short(name)} in the baseline"))
        parts.append(_interval(frame, now, middle + 7, "now", f"{_short(name)} now"))
    return "".join(parts), frame


def calibration_chart(curve: Sequence[ReliabilityBin]) -> tuple[str, Frame]:
    """Return accuracy over confidence; on the diagonal a confidence of 0.8 is right 8 times in 10."""
    low = min([0.5, *(one.confidence for one in curve)])
    frame = Frame(width=480, height=340 + ABOVE, bottom=48, x_low=low)
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
    parts += [
        told_mark(_bin_told(one), circle("mark", point, 3.5), frame)
        for one, point in zip(curve, points, strict=True)
    ]
    parts.append(line("axis", (frame.left, base), (frame.width - frame.right, base)))
    parts.append(label("tick", (frame.width / 2, base + 42), "mean confidence", anchor="middle"))
    parts.append(label("note", (frame.left + 6, frame.top + 14), "share that was right"))
    return "".join(parts), frame


def _bin_told(one: ReliabilityBin) -> list[str]:
    return [f"confidence {number(one.confidence)}", f"right {estimate(one.accuracy)}"]


def _interval(frame: Frame, one: Estimate, y: float, look: str, name: str) -> str:
    if one.value is None or one.low is None or one.high is None:
        return ""
    ends = line(look, (frame.x(one.low), y), (frame.x(one.high), y))
    return told_mark(
        [name, estimate(one)], ends + circle(f"{look} point", (frame.x(one.value), y), 4.5), frame
    )


def used_keys(drawing: str, keys: Sequence[Key]) -> list[Key]:
    """Return the entries of a legend whose marks are in the drawing."""
    return [key for key in keys if f'class="{key.mark}"' in drawing]


def _short(name: str) -> str:
    return name if len(name) <= 14 else name[:13] + "…"
