"""Durations as people write them: `90s`, `15m`, `24h`, `7d`, `2w`; rates such as `200/h`."""

from __future__ import annotations

import re
from datetime import timedelta

from sentimon.errors import DataError

_DURATION = re.compile(r"(\d{1,7})([smhdw])", re.ASCII)
LONGEST = timedelta(days=36_525)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_duration(text: str) -> timedelta:
    """Return the duration that `text` names: a whole number and one of s, m, h, d, w.

    >>> parse_duration("36h")
    datetime.timedelta(days=1, seconds=43200)

    Raises:
        DataError: it is not written so, or longer than LONGEST.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise DataError(
            f"{text!r:.60} is not a duration", hint="write a whole number and a unit: 90s, 15m, 24h, 7d, 2w"
        )
    length = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if length > LONGEST:
        raise DataError(f"{text!r} is longer than a century")
    return length


def parse_rate(text: str) -> float:
    """Return the rate per second that `text` names: a whole number, `/`, and one of s, m, h, d, w.

    >>> parse_rate("7200/h")
    2.0

    Raises:
        DataError: it is not written so.
    """
    count, slash, unit = text.strip().partition("/")
    if not (slash and count.isascii() and count.isdigit() and len(count) <= 12 and unit in _UNITS):
        raise DataError(
            f"{text!r:.60} is not a rate", hint="write a whole number, / and a unit: 200/h, 5000/d"
        )
    return int(count) / parse_duration(f"1{unit}").total_seconds()
