"""Numbers as people read them: three digits, the interval in brackets, bars and sparklines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sentimon.monitoring.intervals import Change, Estimate

MISSING = "-"
_GAPS = (" ", "\n")
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_STEPS = "▁▂▃▄▅▆▇█"


def number(value: float | None) -> str:
    """Return `value` with three digits, or a dash where there is none."""
    return MISSING if value is None else f"{value:.3f}"


def beside(value: float | None, limit: float | None) -> str:
    """Return `value` as `number` does, with as many digits more as tell it from `limit`; counts are whole."""
    if value is None or limit is None or isinstance(value, int):
        return MISSING if value is None else f"{value:d}" if isinstance(value, int) else number(value)
    digits = next((one for one in range(3, 12) if f"{value:.{one}f}" != f"{limit:.{one}f}"), 12)
    return number(value) if value == limit else f"{value:.{digits}f}"


def limit_text(limit: float | None) -> str:
    """Return a limit as it was set."""
    return MISSING if limit is None else f"{limit:d}" if isinstance(limit, int) else f"{limit:.10g}"


def interval(low: float | None, high: float | None) -> str:
    """Return `[low, high]`, or nothing where there is none."""
    return "" if low is None or high is None else f"[{low:.3f}, {high:.3f}]"


def estimate(one: Estimate, *, below: bool = False) -> str:
    """Return the value and its interval, which may be on a line `below`."""
    return f"{number(one.value)}{_GAPS[below]}{interval(one.low, one.high)}".rstrip()


def change(one: Change | None, *, below: bool = False) -> str:
    """Return a change with its sign and its interval, or nothing where there is none."""
    return "" if one is None else f"{one.value:+.3f}{_GAPS[below]}[{one.low:+.3f}, {one.high:+.3f}]"


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
