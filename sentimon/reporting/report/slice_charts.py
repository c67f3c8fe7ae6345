"""The charts of slices: each over time on one scale, and all of them against their baselines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import tzinfo

from sentimon.monitoring.slice_windows import SlicesOverTime, Span
from sentimon.prediction_log.summary import Counts
from sentimon.reporting.plain_text import counted, number
from sentimon.reporting.report.svg import (
    circle,
    label,
    line,
    path,
    rectangle,
    titled,
)
from sentimon.timestamps import in_zone

_WIDTH = 640
_LEFT, _RIGHT = 40, 14
_TRACK, _PLOT = 96, 52
"""Height of a slice with its name, and of its plot."""
_NAME = 28
"""Space of the name above its plot: enough for the letters of a small screen."""
_CELL = 40
_NAMES = 190
"""Width of the names beside the cells."""
_FOOT = 34
_LONGEST = 30


def slices_chart(
    found: SlicesOverTime, place: int, *, usual: Mapping[str, float], fewest: int, zone: tzinfo | None
) -> tuple[str, tuple[int, int]]:
    """Return the share of one class in each slice over time, one below the other on one scale, and the size.

    `usual` is the share in the baseline of each slice, drawn as a line across; spans of fewer than `fewest`
    rows are hollow and outside of the line.
    """
    shares = {value: [_share(one, place) for one in spans] for value, spans in found.counts.items()}
    known = [one for spans in shares.values() for one in spans if one is not None] + list(usual.values())
    top = min(1.0, math.ceil(max([*known, 0.1]) * 10) / 10)
    parts = []
    for row, (value, spans) in enumerate(found.counts.items()):
        parts.append(
            _track(row * _TRACK, value, spans, found.spans, place, top, usual.get(value), fewest, zone)
        )
    height = _TRACK * len(found.counts) + _FOOT
    return "".join(parts) + _dates(found.spans, height, _LEFT, zone), (_WIDTH, height)


def _track(
    y: float,
    value: str,
    counts: Sequence[Counts],
    spans: Sequence[Span],
    place: int,
    top: float,
    usual: float | None,
    fewest: int,
    zone: tzinfo | None,
) -> str:
    base, tall = y + _NAME + _PLOT, float(_PLOT)
    parts = [
        label("note", (_LEFT, y + _NAME - 8), short(value)),
        line("axis", (_LEFT, base), (_WIDTH - _RIGHT, base)),
        label("tick", (_LEFT - 6, base), "0", anchor="end"),
        label("tick", (_LEFT - 6, base - tall + 10), f"{top:g}", anchor="end"),
        line("grid", (_LEFT, base - tall), (_WIDTH - _RIGHT, base - tall)),
    ]
    if usual is not None:
        height = base - tall * usual / top
        across = line("known", (_LEFT, height), (_WIDTH - _RIGHT, height))
        parts.append(titled(f"{short(value)} in the baseline: {number(usual)}", across))
    points = [
        (x, base - tall * share / top, sum(one), share)
        for x, one in zip(_xs(spans, _LEFT), counts, strict=True)
        if (share := _share(one, place)) is not None
    ]
    sure = [(x, height) for x, height, rows, _ in points if rows >= fewest]
    parts.append(path("line", [sure] if len(sure) > 1 else [], closed=False))
    begins = dict(zip(_xs(spans, _LEFT), spans, strict=True))
    for x, height, rows, share in points:
        said = f"{short(value)}, {_begin(begins[x], zone)}: {share:.3f} of {counted(rows, 'row')}"
        parts.append(titled(said, circle("mark" if rows >= fewest else "weak", (x, height), 3)))
    return "".join(parts)


def cells_chart(
    found: SlicesOverTime, place: int, *, usual: Mapping[str, float], fewest: int, zone: tzinfo | None
) -> tuple[str, tuple[int, int]]:
    """Return each slice in each span as a square: the larger, the further its share is from its baseline.

    A filled one is above the baseline, a hollow one below, a dot has too few rows.
    """
    rows = [value for value in found.counts if value in usual]
    wide = (_WIDTH - _NAMES - _RIGHT) / max(1, len(found.spans))
    side = min(wide, _CELL) - 4
    changes = {
        (value, column): share - usual[value]
        for value in rows
        for column, one in enumerate(found.counts[value])
        if (share := _share(one, place)) is not None and sum(one) >= fewest
    }
    largest = max([abs(one) for one in changes.values()] or [1.0]) or 1.0
    parts = []
    for number_of_row, value in enumerate(rows):
        y = number_of_row * _CELL + _CELL / 2
        parts.append(label("tick", (_NAMES - 8, y + 5), short(value, 20), anchor="end"))
        parts.append(line("grid", (_NAMES, y), (_WIDTH - _RIGHT, y)))
        for column, span in enumerate(found.spans):
            x = _NAMES + wide * (column + 0.5)
            counts = found.counts[value][column]
            change = changes.get((value, column))
            if change is None:
                mark = circle("weak", (x, y), 1.5) if sum(counts) else ""
                said = f"too few rows: {sum(counts)}"
            else:
                length = max(2.0, side * math.sqrt(abs(change) / largest))
                look = "rise" if change > 0 else "fall"
                mark = rectangle(look, x - length / 2, y - length / 2, length, length)
                said = f"{change:+.3f} against the baseline, of {counted(sum(counts), 'row')}"
            if mark:
                parts.append(titled(f"{short(value)}, {_begin(span, zone)}: {said}", mark))
    height = _CELL * len(rows) + _FOOT
    return "".join(parts) + _dates(found.spans, height, _NAMES, zone), (_WIDTH, height)


def _dates(spans: Sequence[Span], height: float, left: int, zone: tzinfo | None) -> str:
    ends = ((left, spans[0][0], "start"), (_WIDTH - _RIGHT, spans[-1][1], "end")) if spans else ()
    return "".join(
        label("tick", (x, height - 8), f"{in_zone(moment, zone):%Y-%m-%d}", anchor=anchor)
        for x, moment, anchor in ends
    )


def _xs(spans: Sequence[Span], left: int) -> list[float]:
    wide = (_WIDTH - _RIGHT - left) / max(1, len(spans))
    return [left + wide * (place + 0.5) for place in range(len(spans))]


def _begin(span: Span, zone: tzinfo | None) -> str:
    return f"{in_zone(span[0], zone):%Y-%m-%d %H:%M}"


def _share(counts: Counts, place: int) -> float | None:
    rows = sum(counts)
    return counts[place] / rows if rows else None


def short(value: str, most: int = _LONGEST) -> str:
    """Return the value of a slice, cut where it is long."""
    return value if len(value) <= most else f"{value[: most - 1]}…"
