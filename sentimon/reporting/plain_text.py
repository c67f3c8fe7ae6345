"""User text, numbers and times as plain text, the same in tables, sentences and reports."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Each command loads this module, --help and scoring too: it loads no other room.
    from sentimon.prediction_log.summary import Summary
    from sentimon.statistics.intervals import Difference, Estimate

_KEPT = "‌‍"
"""Zero width joiners are printed as they are: emoji and several scripts need them."""
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
MISSING = "-"
_LONGEST_LIMIT = 8
"""A limit with more characters than this was computed, not set."""
_GAPS = (" ", "\n")
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_STEPS = "▁▂▃▄▅▆▇█"


def visible(text: str) -> str:
    r"""Return `text` with control characters, line breaks and direction overrides as visible escapes.

    >>> visible("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    if text.isprintable():
        return text
    return "".join(one if _is_plain(one) else _escaped(one) for one in text)


def text_marks(*, unreadable: bool | None, truncated: bool | None) -> str:
    """Return what a table says before a text: that the model could not read it, or not all of it.

    >>> text_marks(unreadable=True, truncated=None)
    '(unreadable) '
    """
    return ("(unreadable) " if unreadable else "") + ("(cut) " if truncated else "")


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it needs one.

    >>> counted(1, "row"), counted(2, "row")
    ('1 row', '2 rows')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _is_plain(character: str) -> bool:
    category = unicodedata.category(character)
    return character in _KEPT or (category[0] != "C" and category not in ("Zl", "Zp")) or category == "Co"


def _escaped(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def number(value: float | None, *, digits: int = 3) -> str:
    """Return `value` with `digits` digits after the point, or a dash for None."""
    return MISSING if value is None else f"{value:.{digits}f}"


def number_against(value: float | None, limit: float | None) -> str:
    """Return `value` with enough digits to differ from `limit` if it does; counts have none."""
    if value is None or limit is None or isinstance(value, int):
        return MISSING if value is None else f"{value:d}" if isinstance(value, int) else number(value)
    digits = next((one for one in range(3, 12) if f"{value:.{one}f}" != f"{limit:.{one}f}"), 12)
    return number(value) if value == limit else f"{value:.{digits}f}"


def limit_text(limit: float | None, value: float | None = None) -> str:
    """Return a limit as it was set, or, if it was computed, with enough digits to differ from `value`."""
    if limit is None or isinstance(limit, int):
        return MISSING if limit is None else f"{limit:d}"
    text = f"{limit:.10g}"
    return text if len(text) <= _LONGEST_LIMIT else number_against(limit, value)


def interval(low: float | None, high: float | None, *, digits: int = 3) -> str:
    """Return `[low, high]`, or an empty text if an end is None."""
    return "" if low is None or high is None else f"[{low:.{digits}f}, {high:.{digits}f}]"


def explain_intervals(confidence_level: float) -> str:
    """Return what the numbers in brackets are, for a reader who knows no statistics.

    >>> explain_intervals(0.95)
    'In brackets: between which numbers the true one lies, with 95 % confidence; more rows bring them closer.'
    """
    level = f"{confidence_level:.10%}".rstrip("%").rstrip("0").rstrip(".")
    return (
        f"In brackets: between which numbers the true one lies, with {level} % confidence; "
        "more rows bring them closer."
    )


def estimate(one: Estimate, *, below: bool = False, digits: int = 3) -> str:
    """Return the value and its interval, which is put on the next line if `below`."""
    limits = interval(one.low, one.high, digits=digits)
    return f"{number(one.value, digits=digits)}{_GAPS[below]}{limits}".rstrip()


def change(one: Difference | None, *, below: bool = False, digits: int = 3) -> str:
    """Return a change with its sign and its interval, or an empty text for None."""
    if one is None:
        return ""
    value, low, high = (f"{number:+.{digits}f}" for number in (one.value, one.low, one.high))
    return f"{value}{_GAPS[below]}[{low}, {high}]"


def minute(moment: datetime, *, below: bool = False) -> str:
    """Return a date and time to the minute; the time is put on the next line if `below`."""
    return f"{moment:%Y-%m-%d}{_GAPS[below]}{moment:%H:%M}"


def bar(share: float | None, width: int) -> str:
    """Return a bar of `width` cells of which `share` (0 .. 1) is filled, in steps of an eighth cell."""
    eighths = round((share or 0.0) * width * 8)
    full, part = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[part] if part else "")


def sparkline(shares: Sequence[float | None]) -> str:
    """Return one character per share (0 .. 1), low to high; a space for None.

    The scale is fixed, 0 to 1, so that lines of several classes can be compared.
    """
    top = len(_STEPS) - 1
    return "".join(" " if share is None else _STEPS[min(top, int(share * len(_STEPS)))] for share in shares)


def span_of(summary: Summary) -> str:
    """Return the times of the first and the last row of `summary`."""
    from sentimon.timestamps import from_microseconds

    if summary.first is None or summary.last is None:
        return "(none)"
    first, last = from_microseconds(summary.first), from_microseconds(summary.last)
    return f"from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
