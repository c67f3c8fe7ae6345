"""Numbers as people read them: three digits, the interval in brackets, bars and sparklines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sentimon.monitoring.intervals import Change, Estimate

MISSING = "-"
_LONGEST_LIMIT = 8
"""Characters of a limit that somebody has set."""
_GAPS = (" ", "\n")
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_STEPS = "▁▂▃▄▅▆▇█"


def number(value: float | None, *, digits: int = 3) -> str:
    """Return `value` with so many digits after the point, or a dash where there is none."""
    return MISSING if value is None else f"{value:.{digits}f}"


def beside(value: float | None, limit: float | None) -> str:
    """Return `value` as `number` does, with as many digits more as tell it from `limit`; counts are whole."""
    if value is None or limit is None or isinstance(value, int):
        return MISSING if value is None else f"{value:d}" if isinstance(value, int) else number(value)
    digits = next((one for one in range(3, 12) if f"{value:.{one}f}" != f"{limit:.{one}f}"), 12)
    return number(value) if value == limit else f"{value:.{digits}f}"


def limit_text(limit: float | None, value: float | None = None) -> str:
    """Return a limit as it was set; a long one was computed: of it the digits that tell it from `value`."""
    if limit is None or isinstance(limit, int):
        return MISSING if limit is None else f"{limit:d}"
    text = f"{limit:.10g}"
    return text if len(text) <= _LONGEST_LIMIT else beside(limit, value)


def interval(low: float | None, high: float | None, *, digits: int = 3) -> str:
    """Return `[low, high]`, or nothing where there is none."""
    return "" if low is None or high is None else f"[{low:.{digits}f}, {high:.{digits}f}]"


def estimate(one: Estimate, *, below: bool = False, digits: int = 3) -> str:
    """Return the value and its interval, which may be on a line `below`."""
    limits = interval(one.low, one.high, digits=digits)
    return f"{number(one.value, digits=digits)}{_GAPS[below]}{limits}".rstrip()


def change(one: Change | None, *, below: bool = False, digits: int = 3) -> str:
    """Return a change with its sign and its interval, or nothing where there is none."""
    if one is None:
        return ""
    value, low, high = (f"{number:+.{digits}f}" for number in (one.value, one.low, one.high))
    return f"{value}{_GAPS[below]}[{low}, {high}]"


def minute(moment: datetime, *, below: bool = False) -> str:
    """Return a moment to the minute, its time of day perhaps on a line `below`."""
    return f"{moment:%Y-%m-%d}{_GAPS[below]}{moment:%H:%M}"


def bar(share: float | None, width: int) -> str:
    """Return a bar of `width` cells of which `share` (0 .. 1) is filled, in steps of an eighth cell."""
    eighths = round((share or 0.0) * width * 8)
    full, part = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[part] if part else "")


def sparkline(shares: Sequence[float | None]) -> str:
    """Return one character per share (0 .. 1), low to high; a gap where there is none.

    The scale is fixed, 0 to 1, so that lines of several classes can be compared.
    """
    top = len(_STEPS) - 1
    return "".join(" " if share is None else _STEPS[min(top, int(share * len(_STEPS)))] for share in shares)
