"""Find out from the values of a column how it writes its times, or which question to ask."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import combinations

from sentimon.errors import DataError
from sentimon.ingest.cells import is_missing, number_of, shown
from sentimon.ingest.date_words import MONTHS, is_weekday, month_named
from sentimon.ingest.time_formats import (
    BLANKS,
    DAY_ENDING,
    HALF,
    HINT,
    ISO,
    ISO_FORM,
    LONGEST,
    UNITS,
    WEEKDAY,
    WORD,
    ZONE,
    TimeFormat,
    full_year,
)

_EARLIEST, _LATEST = 631_152_000_000_000, 4_102_444_800_000_000
"""1990 and 2100 in microseconds since 1970. No number is between them in two of the units."""
_COMPACT = re.compile(r"(?:199|20[0-9])[0-9](?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[0-9]{6})?")
_USUAL = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
"""What most columns have, looked at first for speed."""
_MOST_WAYS = 12
_MANY_YEARS = 12
_NO_ORDER = "{}"
"""Stands in a pattern for a date of three numbers, until all values were seen."""
_ORDERS = {"Y": ("dmY", "mdY"), "y": ("dmy", "mdy", "ymd")}
"""The orders of such a date, for four and for two digits of the year behind it."""
_CORRECT = 'correct the file, or have one order read and the rest left out: --time-format "%d/%m/%Y"'
_SEVERAL = 'give all of its formats to --time-format, with | between them: "iso|%d/%m/%Y"'

_JOIN = rf"(?:,?{BLANKS}(?:-{BLANKS}|(?:at|um|à|às|alle|ore|a las|kl\.){BLANKS})?|,|T|:)"
_CLOCK = (
    r"(?P<H>[0-9]{1,2})(?P<t>[:.h])[0-9]{2}(?P<S>(?P=t)[0-9]{2}(?:[.,][0-9]{1,9})?)?"
    rf"(?P<p>(?:{BLANKS})?{HALF})?"
)
_TIME = rf"(?P<join>{_JOIN}){_CLOCK}(?P<z>(?:{BLANKS})?{ZONE})?"
_GAP = rf"(?:{BLANKS}|-|/|\.(?:{BLANKS})?|{BLANKS}(?:de|di|of){BLANKS})"
_DAY = f"[0-9]{{1,2}}{DAY_ENDING}?"
_WEEKDAY = rf"(?:(?P<a>{WEEKDAY})(?P<after>,?{BLANKS}))?"
_NUMBERS = re.compile(
    rf"{_WEEKDAY}(?P<one>[0-9]{{1,4}})(?P<gap>[/.-])(?P<two>[0-9]{{1,2}})(?P=gap)(?P<three>[0-9]{{1,4}})(?:{_TIME})?",
    re.IGNORECASE,
)
_WORDS = tuple(
    re.compile(expression, re.IGNORECASE)
    for expression in (
        # 23 Nov 2026 10:00, 23 de noviembre de 2026, 23-Nov-26, Mon, 23 Nov 2026 10:00:00 GMT
        rf"{_WEEKDAY}(?P<d>{_DAY})(?P<g1>{_GAP})(?P<b>{WORD})(?P<g2>,?{_GAP}|{BLANKS}del{BLANKS})"
        rf"(?P<y>[0-9]{{4}}|[0-9]{{2}})(?:{_TIME})?",
        # November 23, 2026 10:00 AM
        rf"{_WEEKDAY}(?P<b>{WORD})(?P<g1>{_GAP})(?P<d>{_DAY})(?P<g2>,?{_GAP})(?P<y>[0-9]{{4}})(?:{_TIME})?",
        # 2026 Nov 23
        rf"{_WEEKDAY}(?P<y>[0-9]{{4}})(?P<g1>{_GAP})(?P<b>{WORD})(?P<g2>{_GAP})(?P<d>{_DAY})(?:{_TIME})?",
        # Tue Nov 03 10:00:00 +0000 2026
        rf"{_WEEKDAY}(?P<b>{WORD})(?P<g1>{BLANKS})(?P<d>{_DAY})(?P<join>{BLANKS}){_CLOCK}"
        rf"(?P<z>{BLANKS}{ZONE})?(?P<g2>{BLANKS})(?P<y>[0-9]{{4}})",
    )
)


@dataclass(frozen=True, slots=True)
class _Way:
    """How one value is written: a kind, of which a column has one, and its pattern."""

    kind: str
    pattern: str


_ISO_WAY = _Way("year first", ISO)


@dataclass(slots=True)
class _DateParts:
    """What dates of three numbers show of the order of these."""

    against: dict[str, str] = field(default_factory=dict)
    """For each order that some value cannot have, such a value."""
    examples: dict[tuple[str, str], tuple[str, tuple[str, str]]] = field(default_factory=dict)
    """For two orders, a value that means two days by them, and these."""
    firsts: set[str] = field(default_factory=set)
    lasts: set[str] = field(default_factory=set)


class TimeFormatFinder:
    """The evidence of a column's values, taken one at a time, for how the column writes its times.

    It needs the same memory for any number of values, and their order makes no difference.

    A count since 1970 is one of seconds, milliseconds, microseconds or nanoseconds by its size: in the years
    1990 to 2100 no number can be two of them, and none is a day of these years written with eight digits.
    Whether the day or the month comes first is known where a number above 12 says so, and never guessed. A
    year of two digits may also come first, unless some value excludes it, or there are more than 12 different
    numbers in the first place and at most two in the last: as many years, but always the same day of a month.
    """

    def __init__(self) -> None:
        self._ways: dict[_Way, str] = {}
        self._parts: dict[str, _DateParts] = {}
        self._gap = ""
        self._excel: str | None = None
        self._all_excel = True
        self._unknown: str | None = None
        self._read, self._unread = 0, 0

    def add(self, value: object) -> None:
        """Take one value of the column; missing ones say nothing."""
        if is_missing(value):
            return
        way = self._way_of(value)
        if way is None:
            self._unread += 1
            self._unknown = self._unknown or shown(value)
            return
        self._read += 1
        if way not in self._ways and len(self._ways) <= _MOST_WAYS:
            self._ways[way] = shown(value)

    def found(self) -> TimeFormat:
        """Return the format of the column. It may not read each value: some may be no times at all.

        Raises:
            DataError: there are no values; fewer than half of them are times; or the format is not certain.
        """
        if not self._read and not self._unread:
            raise DataError("the column has no times: each cell is empty", hint=HINT)
        if self._unread > self._read:
            raise self._no_times()
        kinds: dict[str, str] = {}
        for way, value in self._ways.items():
            kinds.setdefault(way.kind, value)
        if len(kinds) > 1:
            one, other, *_ = kinds.values()
            raise DataError(
                f"the column writes its times in more than one way: {one}, {other}",
                # Nothing tells a count of seconds from one of milliseconds in one value.
                hint=HINT if set(kinds) <= set(UNITS) else _SEVERAL,
            )
        if len(self._ways) > _MOST_WAYS:
            raise DataError(f"the column writes its times in more than {_MOST_WAYS} ways", hint=_SEVERAL)
        clocks = {
            hour: value for way, value in self._ways.items() for hour in "HI" if f"%{hour}" in way.pattern
        }
        if len(clocks) > 1:
            raise DataError(f"only some times have AM or PM: {clocks['I']}, {clocks['H']}", hint=HINT)
        return TimeFormat(name=self._name(self._order()))

    def _no_times(self) -> DataError:
        if self._excel is not None and self._all_excel and not self._read:
            return DataError(
                f"the column has numbers such as {self._excel}, which look like dates of Excel",
                hint="read them as such with --time-format excel",
            )
        total = self._read + self._unread
        return DataError(
            f"no known way to write a time in {self._unread} of {total} values, such as {self._unknown}",
            hint=HINT,
        )

    def _name(self, order: str) -> str:
        day = "" if not order else self._gap.join(f"%{one}" for one in order)
        names = {way.pattern.replace(_NO_ORDER, day) for way in self._ways}
        return "|".join(sorted(names, key=lambda name: (-len(name), name)))

    def _order(self) -> str:
        """Return the order of the three numbers of a date; none for dates that need no such.

        Raises:
            DataError: the values do not say, or contradict each other.
        """
        way = next(iter(self._ways))
        parts = self._parts.get(way.kind)
        if parts is None:
            return ""
        left = [order for order in _ORDERS[way.kind[1]] if order not in parts.against]
        if "ymd" in left and len(parts.firsts) > _MANY_YEARS and len(parts.lasts) <= 2:
            left.remove("ymd")
        if not left:
            values = " and ".join(dict.fromkeys(parts.against.values()))
            raise DataError(f"the column has no one order of day, month and year: {values}", hint=_CORRECT)
        for pair, (value, readings) in parts.examples.items():
            if set(pair) <= set(left):
                raise DataError(
                    f"{value} may be {' or '.join(readings)}",
                    hint="choose with " + " or ".join(f'--time-format "{self._name(one)}"' for one in left),
                )
        return left[0]

    def _way_of(self, value: object) -> _Way | None:
        if isinstance(value, date) or (isinstance(value, str) and _USUAL.fullmatch(value)):
            return _ISO_WAY
        number = number_of(value)
        if number is not None:
            return self._way_of_number(number, value)
        text = value.strip() if isinstance(value, str) and len(value) <= LONGEST else ""
        if ISO_FORM.fullmatch(text):
            return _ISO_WAY
        found = _NUMBERS.fullmatch(text)
        return next(_ways_of_words(text), None) if found is None else self._way_of_numbers(found, value)

    def _way_of_number(self, number: Decimal, value: object) -> _Way | None:
        for name, unit in UNITS.items():
            if _EARLIEST <= number * unit < _LATEST:
                return _Way(name, name)
        digits = f"{number:.0f}" if 0 < number < 10**14 and number == number.to_integral_value() else ""
        if _COMPACT.fullmatch(digits):
            return _ISO_WAY
        self._all_excel = self._all_excel and 20_000 <= number < 80_000
        self._excel = self._excel or shown(value)
        return None

    def _way_of_numbers(self, found: re.Match[str], value: object) -> _Way | None:
        numbers = (found["one"], found["two"], found["three"])
        widths = tuple(map(len, numbers))
        gap, rest = found["gap"], _rest(found)
        if not _weekday_fits(found):
            return None
        if widths[0] == 4 and widths[2] <= 2 and _possible("Ymd", numbers):
            return _Way("year first", f"{_before(found)}%Y{gap}%m{gap}%d{rest}")
        if widths[0] > 2 or widths[2] not in (2, 4):
            return None
        kind = gap + ("Y" if widths[2] == 4 else "y")
        if not self._note(kind, numbers, value):
            return None
        self._gap = gap
        return _Way(kind, f"{_before(found)}{_NO_ORDER}{rest}")

    def _note(self, kind: str, numbers: tuple[str, str, str], value: object) -> bool:
        """Note what a date says of the order of its numbers; return False where no order makes it a day."""
        orders = _ORDERS[kind[1]]
        possible = [order for order in orders if _possible(order, numbers)]
        if not possible:
            return False
        parts = self._parts.setdefault(kind, _DateParts())
        parts.firsts.add(numbers[0])
        parts.lasts.add(numbers[2] if len(numbers[2]) == 2 else "")
        for order in orders:
            if order not in possible and order not in parts.against:
                parts.against[order] = shown(value)
        for pair in combinations(possible, 2):
            if pair not in parts.examples:
                one, other = _reading(pair[0], numbers), _reading(pair[1], numbers)
                if one != other:
                    parts.examples[pair] = shown(value), (one, other)
        return True


def _possible(order: str, numbers: Sequence[str]) -> bool:
    """Return whether three numbers may be a date in that order; a year of two digits has both."""
    parts = dict(zip(order, numbers, strict=True))
    return 1 <= int(parts["d"]) <= 31 and 1 <= int(parts["m"]) <= 12 and len(parts.get("y", "00")) == 2


def _reading(order: str, numbers: Sequence[str]) -> str:
    """Return what a date means in that order, for people."""
    parts = {name: int(number) for name, number in zip(order, numbers, strict=True)}
    year = f" {full_year(parts['y'])}" if "y" in parts else ""
    return f"{parts['d']} {MONTHS[parts['m'] - 1]}{year}"


def _ways_of_words(text: str) -> Iterator[_Way]:
    for expression in _WORDS:
        found = expression.fullmatch(text)
        if found is None or month_named(found["b"]) is None or not _weekday_fits(found):
            continue
        pieces = {"d": "%d", "b": "%b", "y": "%Y" if len(found["y"]) == 4 else "%y"}
        pieces |= {name: _blank(found[name]) for name in ("g1", "g2")}
        order = sorted(pieces, key=found.start)
        clock = _rest(found)
        # In Twitter's form, the time stands before the year.
        at = 3 if found["H"] and found.start("H") < found.start("y") else 5
        parts = [pieces[name] for name in order]
        yield _Way("words", _before(found) + "".join([*parts[:at], clock, *parts[at:]]))


def _weekday_fits(found: re.Match[str]) -> bool:
    return found["a"] is None or is_weekday(found["a"])


def _before(found: re.Match[str]) -> str:
    return "" if found["a"] is None else f"%a{_blank(found['after'])}"


def _rest(found: re.Match[str]) -> str:
    """Return the pattern of the time of day, with what joins it to the date; empty where there is none."""
    if found["H"] is None:
        return ""
    hour, between = "%I" if found["p"] else "%H", found["t"]
    second = f"{between}%S" if found["S"] else ""
    half, zone = _spaced(found["p"], "%p"), _spaced(found["z"], "%z")
    return f"{_blank(found['join'])}{hour}{between}%M{second}{half}{zone}"


def _spaced(written: str | None, directive: str) -> str:
    if not written:
        return ""
    return directive if written == written.lstrip() else f" {directive}"


def _blank(text: str) -> str:
    """Return what stands between two parts of a date as it stands in a pattern: one blank for several."""
    return re.sub(BLANKS, " ", text)
