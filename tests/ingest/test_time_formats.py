from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import count, islice, permutations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.errors import DataError, UsageError
from sentimon.ingest.time_format_finder import TimeFormatFinder
from sentimon.ingest.time_formats import TimeFormat, chosen_time_format
from sentimon.timestamps import EPOCH

NOON = datetime(2026, 11, 3, 10, 11, 12, tzinfo=UTC)
MIDNIGHT = NOON.replace(hour=0, minute=0, second=0)
MINUTE = NOON.replace(second=0)


def found(*values: object) -> TimeFormat:
    finder = TimeFormatFinder()
    for value in values:
        finder.add(value)
    return finder.found()


def refusal(*values: object) -> DataError:
    with pytest.raises(DataError) as caught:
        found(*values)
    assert caught.value.hint
    assert "--time-format" in caught.value.hint
    return caught.value


AWARE = [
    ("2026-11-03T10:11:12Z", "iso"),
    ("2026-11-03t10:11:12z", "iso"),
    ("2026-11-03T11:11:12+01:00", "iso"),
    ("2026-11-03T11:11:12+0100", "iso"),
    ("2026-11-03T11:11:12+01", "iso"),
    ("2026-11-03 10:11:12 UTC", "iso"),
    ("2026-11-03 10:11:12+00:00", "iso"),
    ("20261103T101112Z", "iso"),
    (1793700672, "epoch"),
    (1793700672.0, "epoch"),
    ("1793700672", "epoch"),
    ("1.793700672e9", "epoch"),
    (" 1793700672.0 ", "epoch"),
    (Decimal(1793700672), "epoch"),
    (1793700672000, "epoch-ms"),
    ("1793700672000.0", "epoch-ms"),
    (1793700672000000, "epoch-us"),
    (1793700672000000000, "epoch-ns"),
    ("Tue, 03 Nov 2026 10:11:12 +0000", "%a, %d %b %Y %H:%M:%S %z"),
    ("Tue, 03 Nov 2026 10:11:12 GMT", "%a, %d %b %Y %H:%M:%S %z"),
    ("3 Nov 2026 11:11:12 +0100", "%d %b %Y %H:%M:%S %z"),
    ("Tue Nov 03 10:11:12 +0000 2026", "%a %b %d %H:%M:%S %z %Y"),
    ("Tue Nov  3 10:11:12 UTC 2026", "%a %b %d %H:%M:%S %z %Y"),
    ("Tue, 3 Nov 2026 11:11:12 +0100 (CET)", "%a, %d %b %Y %H:%M:%S %z"),
    (
        "Tue Nov 03 2026 11:11:12 GMT+0100 (Central European Standard Time)",
        "%a %b %d %Y %H:%M:%S %z",
    ),
    ("Tue Nov 03 2026 05:11:12 GMT-0500 (x-08)", "%a %b %d %Y %H:%M:%S %z"),
    ("Tue Nov 03 2026 10:11:12 UTC (x-08)", "%a %b %d %Y %H:%M:%S %z"),
    ("03/Nov/2026:10:11:12 +0000", "%d/%b/%Y:%H:%M:%S %z"),
]
NAIVE = [
    ("2026-11-03T10:11:12", "iso", NOON),
    ("2026-11-03  10:11:12", "iso", NOON),
    ("2026-11-03 10:11:12.000000789", "iso", NOON),
    ("2026-11-03 10:11:12,5", "iso", NOON + timedelta(seconds=0.5)),
    ("2026-11-03T10:11", "iso", MINUTE),
    ("2026-11-03T10", "iso", MINUTE.replace(minute=0)),
    ("2026-11-03", "iso", MIDNIGHT),
    ("20261103", "iso", MIDNIGHT),
    (20261103, "iso", MIDNIGHT),
    (20261103.0, "iso", MIDNIGHT),
    ("20261103T101112", "iso", NOON),
    ("20261103101112", "iso", NOON),
    (date(2026, 11, 3), "iso", MIDNIGHT),
    (datetime(2026, 11, 3, 10, 11, 12), "iso", NOON),
    ("2026/11/03 10:11", "%Y/%m/%d %H:%M", MINUTE),
    ("2026-11-3 9:05", "%Y-%m-%d %H:%M", MIDNIGHT.replace(hour=9, minute=5)),
    ("2026 Nov 03", "%Y %b %d", MIDNIGHT),
    ("3 nov 2026", "%d %b %Y", MIDNIGHT),
    ("03-Nov-26", "%d-%b-%y", MIDNIGHT),
    ("November 3, 2026", "%b %d, %Y", MIDNIGHT),
    ("Nov 3rd, 2026 at 10:11 AM", "%b %d, %Y at %I:%M %p", MINUTE),
    ("3 novembre 2026 ore 10:11", "%d %b %Y ore %H:%M", MINUTE),
    ("martedì 3 novembre 2026", "%a %d %b %Y", MIDNIGHT),
    ("3 de noviembre de 2026", "%d de %b de %Y", MIDNIGHT),
    ("3 novembre 2026 à 10h11", "%d %b %Y à %Hh%M", MINUTE),
    ("3. November 2026 um 10:11", "%d. %b %Y um %H:%M", MINUTE),
    ("terça-feira, 3 de novembro de 2026", "%a, %d de %b de %Y", MIDNIGHT),
    ("1er août 2026", "%d %b %Y", datetime(2026, 8, 1, tzinfo=UTC)),
    ("5 maggio 2026", "%d %b %Y", datetime(2026, 5, 5, tzinfo=UTC)),
    ("4. März 2026", "%d. %b %Y", datetime(2026, 3, 4, tzinfo=UTC)),
]  # fmt: skip


@pytest.mark.parametrize(("written", "name"), AWARE, ids=str)
def test_a_time_with_a_zone_is_one_moment_however_it_is_written(written: object, name: str) -> None:
    chosen = found(written)
    assert chosen.name == name
    assert chosen.read(written, ZoneInfo("Asia/Tokyo")) == (NOON, False)


@pytest.mark.parametrize(("written", "name", "moment"), NAIVE, ids=str)
def test_a_time_without_a_zone_is_read_in_the_one_given(written: object, name: str, moment: datetime) -> None:
    chosen = found(written)
    assert chosen.name == name
    assert chosen.read(written, UTC) == (moment, True)
    assert chosen.read(written, timezone(timedelta(hours=2))) == (moment - timedelta(hours=2), True)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (["03/04/2026", "23/04/2026"], "%d/%m/%Y"),
        (["03/04/2026", "04/23/2026"], "%m/%d/%Y"),
        (["3.4.2026 10:30", "23.4.2026 9:05"], "%d.%m.%Y %H:%M"),
        (["03-04-2026 10.30.15", "23-04-2026 10.30.15"], "%d-%m-%Y %H.%M.%S"),
        (["04/23/2026 10:30 PM"], "%m/%d/%Y %I:%M %p"),
        (["04/23/2026, 10:30:15PM"], "%m/%d/%Y, %I:%M:%S%p"),
        (["23/04/2026 10:30", "04/05/2026"], "%d/%m/%Y %H:%M|%d/%m/%Y"),
        (["04/23/26"], "%m/%d/%y"),
        (["23/04/98", "01/02/26"], "%d/%m/%y"),
        (["98-04-23"], "%y-%m-%d"),
        ([f"{day:02}/04/26" for day in range(1, 15)], "%d/%m/%y"),
        (["04/04/2026"], "%d/%m/%Y"),
        (["2026-11-03", "2026-1-5"], "%Y-%m-%d|iso"),
        (["2026-11-03 10:11:12", "2026-11-03 10:11:12.5", "2026-11-03"], "iso"),
        ([1793700672, 1793700672.5, "1793700672", None, "nan", ""], "epoch"),
    ],
)
def test_the_values_together_say_the_order_of_day_month_and_year(values: list[object], name: str) -> None:
    for some in islice(permutations(values), 24):
        assert found(*some).name == name
    assert chosen_time_format(name).name == name


def test_a_date_that_means_two_days_is_refused_with_the_two_formats() -> None:
    error = refusal("03/04/2026 10:30", "05/06/2026 11:00")
    assert error.message == "'03/04/2026 10:30' may be 3 April or 4 March"
    assert error.hint == (
        'choose with --time-format "%d/%m/%Y %H:%M" or --time-format "%m/%d/%Y %H:%M"'
    )  # fmt: skip


def test_two_digits_of_a_year_may_stand_first_too() -> None:
    error = refusal("23/11/26")
    assert error.message == "'23/11/26' may be 23 November 2026 or 26 November 2023"
    assert '"%d/%m/%y" or --time-format "%y/%m/%d"' in str(error.hint)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (["23/11/2026", "11/23/2026"], "no one order of day, month and year: '23/11/2026' and '11/23/2026'"),
        (["2026-11-03", "23/11/2026"], "in more than one way: '2026-11-03', '23/11/2026'"),
        (["23/11/2026", "23.11.2026"], "in more than one way: '23/11/2026', '23.11.2026'"),
        ([1793700672, 1793700672000], "in more than one way: 1793700672, 1793700672000"),
        (["23/11/2026 10:30", "23/11/2026 10:30 PM"], "only some times have AM or PM"),
        (["2026-11-03", "foo", "bar"], "no known way to write a time in 2 of 3 values, such as 'foo'"),
        ([], "each cell is empty"),
        ([None, "NaN", " "], "each cell is empty"),
        ([46329.4, 46330], "numbers such as 46329.4, which look like dates of Excel"),
        ([46329, 5], "in 2 of 2 values, such as 46329"),
        (["12345678"], "'12345678'"),
        ([True], "such as True"),
        ([[1]], "[1]"),
        (["2026-W45-2"], "'2026-W45-2'"),
        (["2026-307"], "'2026-307'"),
        (["99/99/2026"], "'99/99/2026'"),
        (["3 foo 2026"], "'3 foo 2026'"),
        (["٢٠٢٦-١١-٠٣"], "'٢٠٢٦-١١-٠٣'"),
        (["٣/١١/٢٠٢٦"], "'٣/١١/٢٠٢٦'"),
        (["x" * 1_000_000], "'xxx"),
        (["\x1b[31mred\u202e"], r"'\x1b[31mred\u202e'"),
        ([10**5000], "a value of type int that is too long to print"),
        ([[10**5000]], "a value of type list that is too long"),
    ],
    ids=count(),
)  # fmt: skip
def test_what_is_ambiguous_or_unknown_is_refused(values: list[object], says: str) -> None:
    error = refusal(*values)
    assert says in error.message
    assert len(error.message) < 200
    assert error.message.isprintable()


def test_dates_of_excel_are_read_where_that_is_said() -> None:
    chosen = chosen_time_format("excel")
    assert chosen.read(46329.424444444445, UTC) == (NOON, True)
    assert chosen.read("46329", UTC) == (MIDNIGHT, True)
    assert "excel" in str(refusal("46329").hint)
    with pytest.raises(DataError, match="beyond Excel's calendar"):
        chosen.read(60, UTC)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("iso", "2026-11-03T24:00:00Z", "there is no hour 24, write 00:00 of the next day"),
        ("iso", "2026-02-30", "there is no 30 February"),
        ("iso", "2026-02-30T10:00:00Z", "there is no 30 February"),
        ("iso", "2027-02-29", "there is no 29 February 2027"),
        ("iso", "2026-13-01", "there is no month 13"),
        ("iso", "2026-11-03 10:60", "there is no minute 60"),
        ("iso", "2026-11-03 10:00:60", "a leap second"),
        ("iso", "0000-01-01", "there is no year 0"),
        ("iso", "2026-11-03T10:00:00+25:00", "there is no offset +25:00"),
        ("iso", "0001-01-01T00:00:00+02:00", "has no counterpart in UTC"),
        ("iso", "2026110310", "is not a time in the format iso"),
        ("iso", "yesterday", "is not a time in the format iso"),
        ("%d/%m/%Y", "23/11/2026 10:00", "is not a time in the format %d/%m/%Y"),
        ("%d/%m/%Y", "11/23/2026", "there is no month 23"),
        ("%d/%m/%Y %H:%M", "23/11/2026 24:00", "there is no hour 24"),
        ("%d/%m/%Y %I:%M %p", "23/11/2026 13:00 PM", "there is no hour 13 with AM or PM"),
        ("%d %b %Y", "3 foo 2026", "is not a time in the format"),
        ("%a %d %b %Y", "foo 3 Nov 2026", "is not a time in the format"),
        ("epoch", "1e30", "is beyond the calendar"),
        ("epoch", Decimal("1e999999"), "is beyond the calendar"),
        ("epoch", "soon", "is not a time in the format epoch"),
        ("epoch", True, "is not a time in the format epoch"),
        ("epoch", "٣", "is not a time in the format epoch"),
        ("excel", 1e9, "is beyond Excel's calendar"),
        ("excel", "x", "is not a time in the format excel"),
    ],
)
def test_a_value_that_is_no_such_time_is_an_error_with_the_reason(
    name: str, value: object, says: str
) -> None:
    with pytest.raises(DataError) as caught:
        TimeFormat(name=name).read(value, UTC)
    assert says in caught.value.message
    assert "--time-format" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ISO", "2026-11-03"),
        ("%d%m%Y", "03112026"),
        ("%d%m%y", "031126"),
        ("%F", "2026-11-03"),
        ("%D", "11/03/26"),
        (" %d. %B %Y ", "3. November 2026"),
        ("100%%%d/%m/%Y", "100%03/11/2026"),
        ("iso|%d/%m/%Y", "3/11/2026"),
        ("%d/%m/%Y", datetime(2026, 11, 3)),
        ("[%d/%b/%Y]", "[3/Nov/2026]"),
    ],
)
def test_a_pattern_is_read_as_strptime_reads_it(name: str, value: object) -> None:
    assert chosen_time_format(name).read(value, UTC) == (MIDNIGHT, True)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "no time format ''"),
        ("unix", "no time format 'unix'"),
        ("dd/mm/yyyy", "no time format 'dd/mm/yyyy'"),
        ("%H:%M", "it needs one %Y or %y"),
        ("%d/%m", "it needs one %Y or %y"),
        ("%d/%m/%Y %y", "it needs one %Y or %y"),
        ("%d/%d/%m/%Y", "%d is there twice"),
        ("%d/%m/%Y %I:%M", "%I needs %p"),
        ("%d/%m/%Y %H:%M %p", "%p needs %I"),
        ("%d/%m/%Y %H:%M %I %p", "both hours"),
        ("%d/%m/%Y %M", "%M needs %H"),
        ("%d/%m/%Y %z", "%z needs %H"),
        ("%c", "'%c' is unknown"),
        ("%s", "%s is epoch"),
        ("%d/%m/%Y %", "'%' is unknown"),
        ("%d/%m/%Y|%m/%d/%Y", "nothing tells a time in the format %d/%m/%Y from one in %m/%d/%Y"),
        ("epoch|epoch-ms", "nothing tells"),
        ("iso|", "no time format ''"),
        ("\x1b%d", r"'\x1b%d' is no pattern"),
    ],
)
def test_a_name_that_is_no_format_is_a_usage_error_that_lists_them(name: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        chosen_time_format(name)
    assert says in caught.value.message
    assert "epoch-ms" in str(caught.value.hint)


def test_thousands_of_shapes_take_no_more_memory_than_a_few() -> None:
    finder = TimeFormatFinder()
    for number in range(5000):
        finder.add(f"shape {number}" + "?" * (number % 60))
        finder.add(f"{number % 28 + 1}/{number % 12 + 1}/{number + 1000}")
        finder.add(number * 7)
    assert len(finder._ways) + sum(len(parts.firsts) for parts in finder._parts.values()) < 200


FORMS = {
    "iso": "%Y-%m-%dT%H:%M:%S.%f",
    "compact": "%Y%m%dT%H%M%S",
    "day first": "%d/%m/%Y %H:%M:%S",
    "month first": "%m/%d/%Y %I:%M:%S %p",
    "points": "%d.%m.%Y %H:%M:%S.%f",
    "short year": "%m-%d-%y %H:%M:%S",
    "words": "%d %b %Y %H:%M:%S",
    "long words": "%B %d, %Y, %I:%M:%S %p",
    "twitter": "%a %b %d %H:%M:%S +0000 %Y",
    "mail": "%a, %d %b %Y %H:%M:%S +0000",
}
moments = st.datetimes(datetime(1990, 1, 2), datetime(2068, 1, 1))


@given(st.lists(moments, max_size=5), st.sampled_from(list(FORMS.values())), st.randoms())
def test_any_moments_written_in_one_clear_way_read_back(
    written: list[datetime], form: str, random: object
) -> None:
    # This one has no second reading in any order of day, month and year.
    column = [*written, datetime(1998, 4, 23)]
    if "%f" not in form:
        column = [one.replace(microsecond=0) for one in column]
    values = [one.strftime(form) for one in column]
    chosen = found(*values)
    assert [chosen.read(value, UTC)[0] for value in values] == [one.replace(tzinfo=UTC) for one in column]
    assert chosen_time_format(chosen.name) == chosen
    random.shuffle(values)  # type: ignore[attr-defined]
    assert found(*values) == chosen


@given(
    st.lists(moments, min_size=1), st.sampled_from([(1, "epoch"), (1000, "epoch-ms"), (10**6, "epoch-us")])
)
def test_any_count_since_1970_reads_back_exactly(written: list[datetime], unit: tuple[int, str]) -> None:
    size, name = unit
    column = [one.replace(tzinfo=UTC) for one in written]
    microseconds = [(one - EPOCH) // timedelta(microseconds=1) for one in column]
    values = [str(Decimal(one) * size / 10**6) for one in microseconds]
    chosen = found(*values)
    assert chosen.name == name
    assert [chosen.read(value, UTC) for value in values] == [(one, False) for one in column]


fragments = st.sampled_from(
    ["23", "3", "04", "2026", "26", "99", "0", "24", "/", "-", ".", ":", " ", ", ", "T", "Nov", "mar", "Tue",
     "10:30", "10:30:15", " PM", "AM", "Z", "+01:00", "+0100", "UTC", "e9", "٣", "\x00", "de", "%", "{}"]
)  # fmt: skip
cells = (
    st.lists(fragments, max_size=9).map("".join)
    | st.builds("/".join, st.tuples(*[st.integers(0, 40).map(str)] * 3))
    | st.text(max_size=20)
    | st.integers()
    | st.floats()
    | st.none()
    | st.booleans()
)


def checked(error: DataError) -> str:
    assert error.message.isprintable()
    assert len(error.message) < 250
    return "refused"


@given(st.lists(cells, max_size=6), st.randoms())
def test_the_order_of_values_makes_no_difference_and_what_cannot_be_read_is_named(
    values: list[object], random: object
) -> None:
    def outcome(column: list[object]) -> str:
        try:
            return found(*column).name
        except DataError as error:
            return checked(error)

    name = outcome(values)
    if name != "refused":
        chosen = chosen_time_format(name)
        for value in values:
            try:
                assert chosen.read(value, UTC)[0].tzinfo is UTC
            except DataError as error:
                checked(error)
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert outcome(shuffled) == name


@pytest.mark.parametrize(
    ("value", "hour"),
    [
        ("2026/11/02 10:30:12 AM GMT+1", 9),
        ("2026/11/02 6:30:12 PM UTC-3", 21),
        ("2026/11/02 01:00:00 GMT+5:30", 19),
    ],
)
def test_the_zones_that_forms_of_google_write_are_read(value: str, hour: int) -> None:
    finder = TimeFormatFinder()
    finder.add(value)
    moment, naive = finder.found().read(value, None) or (None, None)
    assert moment is not None
    assert (moment.hour, naive) == (hour, False)
