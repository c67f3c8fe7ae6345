"""How a column writes its times: the formats that there are, and one value read by one of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias

from sentimon.errors import DataError, UsageError
from sentimon.ingest.cells import number_of, shown
from sentimon.ingest.date_words import MONTHS, is_weekday, month_named
from sentimon.timestamps import EPOCH, in_utc, parse_moment

ISO = "iso"
EXCEL = "excel"
UNITS: Mapping[str, Decimal] = MappingProxyType(
    {
        "epoch": Decimal(1_000_000),
        "epoch-ms": Decimal(1_000),
        "epoch-us": Decimal(1),
        "epoch-ns": Decimal("0.001"),
    }
)
"""Microseconds in one unit of each count since 1970."""
NAMED = (ISO, *UNITS, EXCEL)
"""The formats that have a name; any other is a pattern."""
LONGEST = 80
"""Characters of the longest text that may be a time."""
BLANKS = "[ \t\u00a0\u202f]+"
# Mails and JavaScript name the zone once more, in brackets.
ZONE = (
    r"(?:(?:(?:UTC|GMT)?[+-][0-9]{2}(?::?[0-9]{2})?|(?:UTC|GMT)[+-][0-9](?::[0-9]{2})?|Z|UTC|GMT|UT)"
    rf"(?:{BLANKS}\([^()]{{1,40}}\))?)"
)
DAY_ENDING = "(?:st|nd|rd|th|er|º|°|ª)"
WEEKDAY = r"[^\W\d_]{2,13}(?:-feira)?\.?"
WORD = r"[^\W\d_]{3,12}\.?"
HALF = r"[ap]\.? ?m\.?"
HINT = (
    "say how the column writes its times with --time-format: iso, epoch, epoch-ms, epoch-us, epoch-ns, "
    'excel, or a pattern such as "%d/%m/%Y %H:%M"'
)

ISO_FORM = re.compile(
    r"(?P<Y>[0-9]{4})(?P<dash>-?)(?P<m>[0-9]{2})(?P=dash)(?P<d>[0-9]{2})"
    r"(?:(?:T| {1,2}|(?<=[0-9]{8})(?=[0-9]{6}))(?P<H>[0-9]{2})(?:(?P<colon>:?)(?P<M>[0-9]{2})"
    r"(?:(?P=colon)(?P<S>[0-9]{2})(?:[.,](?P<f>[0-9]{1,9}))?)?)?"
    rf"(?: ?(?P<z>{ZONE}))?)?",
    re.IGNORECASE,
)
_OFFSET = re.compile(
    "(?:UTC|GMT)?(?P<sign>[+-])(?P<hours>[0-9]{2}|[0-9](?![0-9])):?(?P<minutes>[0-9]{2})?", re.IGNORECASE
)
_EXCEL_BEGIN = datetime(1899, 12, 30)
_DAY_MILLISECONDS = 86_400_000
_DIRECTIVES = MappingProxyType(
    {
        "Y": "(?P<Y>[0-9]{4})",
        "y": "(?P<y>[0-9]{2})",
        "m": "(?P<m>[0-9]{1,2})",
        "d": "(?P<d>[0-9]{1,2})",
        "H": "(?P<H>[0-9]{1,2})",
        "I": "(?P<I>[0-9]{1,2})",
        "M": "(?P<M>[0-9]{1,2})",
        # A fraction may follow: that of a column is often left out where it is zero.
        "S": "(?P<S>[0-9]{1,2})(?:[.,](?P<s>[0-9]{1,9}))?",
        "f": "(?P<f>[0-9]{1,9})",
        "b": f"(?P<b>{WORD})",
        "a": f"(?P<a>{WEEKDAY})",
        "p": f"(?P<p>{HALF})",
        "z": f"(?P<z>{ZONE})",
    }
)
_SAME = MappingProxyType({"B": "b", "h": "b", "A": "a", "Z": "z", "e": "d"})
_SHORT = MappingProxyType({"%T": "%H:%M:%S", "%F": "%Y-%m-%d", "%D": "%m/%d/%y", "%R": "%H:%M"})
_PIECES = re.compile(f"%.?|{BLANKS}|[^%]", re.DOTALL)
_YEAR_OF_1900 = 69

_Reader: TypeAlias = Callable[[object, tzinfo | None], tuple[datetime, bool] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeFormat:
    """One way to write times, good for a whole column."""

    name: str
    """One of NAMED, or a pattern such as `%d/%m/%Y %H:%M`; several with `|` between them.

    A pattern is one of `strptime` with few differences: names of months and weekdays are read in six
    languages whatever the locale, `%S` may have a fraction, nanoseconds are cut, `%z` reads `UTC`, too, and a
    weekday is not held against the date.
    """

    def read(self, value: object, zone: tzinfo | None) -> tuple[datetime, bool]:
        """Return (the moment in UTC, whether it was naive); a naive one is read in `zone`, None: local time.

        Values that have the type of a time or date are read whatever the format.

        >>> TimeFormat(name="%d/%m/%Y").read("23/11/2026", UTC)
        (datetime.datetime(2026, 11, 23, 0, 0, tzinfo=datetime.timezone.utc), True)

        Raises:
            DataError: not such a time, or no such day or hour.
        """
        if isinstance(value, date):
            # Also a datetime, and the one of pandas, whose nanoseconds would make it warn.
            value = value.isoformat()
            readers = _readers(ISO)
        else:
            readers = _readers(self.name)
        for reader in readers:
            found = reader(value, zone)
            if found is not None:
                return found
        raise DataError(f"{shown(value)} is not a time in the format {self.name}", hint=HINT)


def chosen_time_format(name: str) -> TimeFormat:
    """Return the format that `--time-format` names.

    Raises:
        UsageError: no format has that name, and it is no pattern for a day.
    """
    parts = [part.strip() if "%" in part else part.strip().lower() for part in name.split("|")]
    alike: dict[str, str] = {}
    for part in parts:
        if part not in NAMED:
            if "%" not in part:
                raise UsageError(f"there is no time format {shown(part)}", hint=HINT)
            compiled(part)
        # Two formats of one form would read each value by the first.
        form = "number" if part in (*UNITS, EXCEL) else re.sub("%[dmy]", "#", part)
        if form in alike:
            raise UsageError(
                f"nothing tells a time in the format {alike[form]} from one in {part}", hint=HINT
            )
        alike[form] = part
    return TimeFormat(name="|".join(parts))


@lru_cache(maxsize=64)
def _readers(name: str) -> tuple[_Reader, ...]:
    return tuple(_reader(part) for part in name.split("|"))


def _reader(name: str) -> _Reader:
    if name == ISO:
        return _read_iso
    if name == EXCEL:
        return _read_excel
    if name in UNITS:
        unit = UNITS[name]
        return lambda value, _: _read_epoch(value, unit)
    pattern = compiled(name)
    return lambda value, zone: _read_pattern(pattern, value, zone)


def _read_iso(value: object, zone: tzinfo | None) -> tuple[datetime, bool] | None:
    text = _text(value)
    try:
        # Most rows have exactly this form.
        if text[11:13] != "24":
            return parse_moment(text, zone)
    except DataError:
        pass
    found = ISO_FORM.fullmatch(text)
    return None if found is None else _moment(found.groupdict(), value, zone)


def _read_epoch(value: object, unit: Decimal) -> tuple[datetime, bool] | None:
    number = number_of(value)
    if number is None:
        return None
    try:
        microseconds = (number * unit).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
        return EPOCH + timedelta(microseconds=int(microseconds)), False
    except (ArithmeticError, OverflowError) as error:
        raise DataError(f"{shown(value)} is beyond the calendar", hint=HINT) from error


def _read_excel(value: object, zone: tzinfo | None) -> tuple[datetime, bool] | None:
    number = number_of(value)
    if number is None:
        return None
    if not 61 <= number < 2_958_466:
        # Before that day, Excel counts a 29 February 1900 that never was.
        raise DataError(f"{shown(value)} is beyond Excel's calendar: from 1 March 1900 to 9999", hint=HINT)
    # A fraction of a day has no exact seconds; they are milliseconds at the finest.
    moment = _EXCEL_BEGIN + timedelta(milliseconds=round(number * _DAY_MILLISECONDS))
    return _utc(moment, zone), True


def _read_pattern(
    pattern: re.Pattern[str], value: object, zone: tzinfo | None
) -> tuple[datetime, bool] | None:
    found = pattern.fullmatch(_text(value))
    return None if found is None else _moment(found.groupdict(), value, zone)


def _text(value: object) -> str:
    """Return the text of a cell; a whole number has its digits, anything that can be no time has none."""
    if isinstance(value, str):
        text = value.strip() if len(value) <= LONGEST else ""
        # pandas makes floats of a column of whole numbers that has gaps.
        return text.removesuffix(".0") if number_of(text) is not None else text
    number = number_of(value)
    return f"{number:.0f}" if number is not None and number == number.to_integral_value() else ""


def _moment(
    parts: Mapping[str, str | None], value: object, zone: tzinfo | None
) -> tuple[datetime, bool] | None:
    month = _month(parts)
    if month is None or (parts.get("a") and not is_weekday(parts.get("a") or "")):
        return None
    year, day, hour = _year(parts), int(parts["d"] or 0), _hour(parts)
    minute, second = int(parts.get("M") or 0), int(parts.get("S") or 0)
    reason = _no_hour(parts) or _no_minute(minute, second) or _no_day(year, month, day)
    if reason:
        raise DataError(f"{shown(value)} is not a time: {reason}", hint=HINT)
    offset = _offset(parts.get("z"), value)
    micros = int(f"{parts.get('f') or parts.get('s') or '':0<6.6}")
    moment = datetime(year, month, day, hour, minute, second, micros, tzinfo=offset)
    return _utc(moment, zone), offset is None


def _utc(moment: datetime, zone: tzinfo | None) -> datetime:
    try:
        return in_utc(moment, zone)
    except DataError as error:
        raise DataError(error.message, hint=HINT) from error


def _year(parts: Mapping[str, str | None]) -> int:
    if parts.get("Y") is not None:
        return int(parts["Y"] or 0)
    return full_year(int(parts["y"] or 0))


def full_year(short: int) -> int:
    """Return the year that its last two digits mean: from 69 on in the 20th century, as in `strptime`."""
    return short + (1900 if short >= _YEAR_OF_1900 else 2000)


def _month(parts: Mapping[str, str | None]) -> int | None:
    word = parts.get("b")
    return month_named(word) if word else int(parts["m"] or 0)


def _hour(parts: Mapping[str, str | None]) -> int:
    half = parts.get("p")
    if half is None:
        return int(parts.get("H") or 0)
    return int(parts["I"] or 0) % 12 + (12 if half[0] in "pP" else 0)


def _no_hour(parts: Mapping[str, str | None]) -> str | None:
    """Return the reason why the hour does not exist; None where it does."""
    hour = int(parts.get("I") or parts.get("H") or 0)
    if parts.get("p") is not None and not 1 <= hour <= 12:
        return f"there is no hour {hour} with AM or PM"
    if hour == 24:
        return "there is no hour 24, write 00:00 of the next day"
    return f"there is no hour {hour}" if hour > 24 else None


def _no_minute(minute: int, second: int) -> str | None:
    if minute > 59:
        return f"there is no minute {minute}"
    if second > 59:
        return f"there is no second {second}" + (", a leap second cannot be kept" if second == 60 else "")
    return None


def _no_day(year: int, month: int, day: int) -> str | None:
    if not 1 <= month <= 12:
        return f"there is no month {month}"
    if year == 0:
        return "there is no year 0"
    try:
        date(year, month, day)
    except ValueError:
        return f"there is no {day} {MONTHS[month - 1]}" + (f" {year}" if (month, day) == (2, 29) else "")
    return None


def _offset(text: str | None, value: object) -> tzinfo | None:
    if text is None:
        return None
    found = _OFFSET.match(text)
    if found is None:
        return UTC
    hours, minutes = int(found["hours"]), int(found["minutes"] or 0)
    if hours > 23 or minutes > 59:
        raise DataError(f"{shown(value)} is not a time: there is no offset {found[0]}", hint=HINT)
    passed = timedelta(hours=hours, minutes=minutes)
    return timezone(-passed if found["sign"] == "-" else passed)


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a pattern for times, with a group for each directive.

    Raises:
        UsageError: a directive is unknown, there twice, or lacks another one, or the day is not complete.
    """
    pieces = [
        one for piece in _PIECES.findall(pattern.strip()) for one in _PIECES.findall(_SHORT.get(piece, piece))
    ]
    letters = [_letter(piece, pattern) for piece in pieces]
    _check(letters, pattern)
    written = []
    for at, (piece, letter) in enumerate(zip(pieces, letters, strict=True)):
        if letter is None:
            literal = "%" if piece == "%%" else piece
            written.append(BLANKS if not literal.strip() else re.escape(literal))
            continue
        expression = _DIRECTIVES[letter]
        if letter in "mdHIMS" and _beside_digits(letters, at):
            # Nothing but their widths tells two numbers apart.
            expression = f"(?P<{letter}>[0-9]{{2}})"
        written.append(expression + (f"{DAY_ENDING}?" if letter == "d" and "b" in letters else ""))
    return re.compile("".join(written), re.IGNORECASE)


def _letter(piece: str, pattern: str) -> str | None:
    if not piece.startswith("%") or piece == "%%":
        return None
    letter = _SAME.get(piece[1:], piece[1:])
    if letter not in _DIRECTIVES:
        raise _no_pattern(pattern, "%s is epoch" if piece == "%s" else f"{shown(piece)} is unknown")
    return letter


def _beside_digits(letters: list[str | None], at: int) -> bool:
    return any(
        0 <= near < len(letters) and (letters[near] or "-") in "YymdHIMSf" for near in (at - 1, at + 1)
    )


def _check(letters: list[str | None], pattern: str) -> None:
    """Raise UsageError unless the directives together say one moment, each part of it once."""
    used = [letter for letter in letters if letter is not None]
    twice = [letter for letter in used if used.count(letter) > 1]
    if twice:
        raise _no_pattern(pattern, f"%{twice[0]} is there twice")
    for choice in ("Yy", "mb", "d"):
        if sum(letter in choice for letter in used) != 1:
            names = " or ".join(f"%{letter}" for letter in choice)
            raise _no_pattern(pattern, f"it needs one {names}")
    if "H" in used and "I" in used:
        raise _no_pattern(pattern, "%H and %I are both hours")
    needs = (("I", "p"), ("p", "I"), ("M", "HI"), ("S", "M"), ("f", "S"), ("z", "HI"))
    for one, needed in needs:
        if one in used and not any(letter in used for letter in needed):
            raise _no_pattern(pattern, f"%{one} needs %{needed[0]}")


def _no_pattern(pattern: str, reason: str) -> UsageError:
    return UsageError(f"{shown(pattern)} is no pattern for times: {reason}", hint=HINT)
