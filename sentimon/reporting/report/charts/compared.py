"""Charts of numbers side by side: before and now, and confidence against accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sentimon.monitoring.intervals import Estimate
from sentimon.reporting.report.charts.svg import Frame, circle, label, line, path, ticks

if TYPE_CHECKING:
    from sentimon.evaluation.reliability import Reliability

_ROW = 46
_CLEAR = 34
"""Above and below the rows."""


def change_chart(rows: Sequence[tuple[str, Estimate, Estimate]]) -> tuple[str, Frame]:
    """Return (name, before, now) of each row on a scale from 0 to 1: before hollow above, now full below."""
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


def calibration_chart(curve: Sequence[Reliability]) -> tuple[str, Frame]:
    """Return accuracy over confidence: on the diagonal, a confidence of 0.8 is right 8 times in 10."""
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
