import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.errors import DataError
from sentimon.prediction_log import windows as windows_module
from sentimon.prediction_log.summary import Summary, summarise
from sentimon.prediction_log.windows import CALENDAR_END, Calendar, Period, gaps, summarise_windows
from tests.support.rows import START, record, records
from tests.support.strategies import log_rows

ROME = ZoneInfo("Europe/Rome")
NOW = datetime(2026, 9, 30, tzinfo=UTC)
zones = st.sampled_from(
    [UTC, ROME, ZoneInfo("Asia/Kolkata"), ZoneInfo("America/St_Johns"), ZoneInfo("Australia/Lord_Howe")]
)
lengths = st.sampled_from(["1m", "15m", "30m", "1h", "2h", "6h", "12h", "1d", "3d", "1w"])
moments = st.datetimes(datetime(2019, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@given(moments, lengths, zones)
def test_every_moment_lies_in_its_window_and_windows_touch(
    moment: datetime, length: str, zone: ZoneInfo
) -> None:
    calendar = Calendar.of(length, zone)
    start = calendar.start_of(moment)
    end = calendar.after(start)
    assert start <= moment < end
    assert calendar.start_of(start) == start
    assert calendar.start_of(end) == end
    assert calendar.start_of(end - timedelta(microseconds=1)) == start


# Moments at which clocks change: Rome, Lord Howe (by half an hour), Havana and the Azores (at midnight),
# St Johns, and the end of local mean time in Rome.
CHANGES = [
    ("Europe/Rome", "2026-03-29T01:00:00Z"),
    ("Europe/Rome", "2026-10-25T01:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ("America/Havana", "2026-03-08T05:00:00Z"),
    ("America/Havana", "2026-11-01T05:00:00Z"),
    ("Atlantic/Azores", "2026-03-29T01:00:00Z"),
    ("Atlantic/Azores", "2026-10-25T01:00:00Z"),
    ("America/St_Johns", "2026-11-01T04:30:00Z"),
    ("Europe/Rome", "1893-10-31T23:00:00Z"),
]


@given(moments, lengths)
def test_windows_in_utc_are_those_of_a_zone_whose_clock_never_changes(moment: datetime, length: str) -> None:
    quick, usual = Calendar.of(length, UTC), Calendar.of(length, ZoneInfo("Etc/UTC"))
    start = quick.start_of(moment)
    assert start == usual.start_of(moment)
    assert quick.after(start) == usual.after(start)


@pytest.mark.parametrize(("zone", "change"), CHANGES)
@pytest.mark.parametrize("length", ["15m", "30m", "1h", "2h", "3h", "6h", "12h", "1d", "1w"])
def test_a_change_of_the_clock_loses_no_moment(zone: str, change: str, length: str) -> None:
    calendar = Calendar.of(length, ZoneInfo(zone))
    rows = [record(0, 0, timestamp=at(change) + timedelta(minutes=10 * step)) for step in range(-300, 300)]
    windows, total = summarise_windows(rows, calendar, now=NOW)
    assert sum(window.summary.count for window in windows) == total.count == 600
    for window in windows:
        inside = [row for row in rows if window.start <= row.timestamp < window.end]
        assert window.summary.count == len(inside)
        assert window.end > window.start


far_zones = st.sampled_from(
    [UTC, ROME, ZoneInfo("America/New_York"), ZoneInfo("Asia/Tokyo"), ZoneInfo("Pacific/Kiritimati")]
)
FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), CALENDAR_END
near_an_edge = st.one_of(
    st.timedeltas(timedelta(), timedelta(days=40)).map(lambda after: FIRST + after),
    st.timedeltas(timedelta(), timedelta(days=40)).map(lambda before: LAST - before),
)


@given(near_an_edge, near_an_edge, lengths, far_zones)
def test_windows_at_the_edges_of_the_calendar_touch_and_hold_each_moment(
    one: datetime, other: datetime, length: str, zone: ZoneInfo
) -> None:
    calendar = Calendar.of(length, zone)
    begin, last = sorted((one, other))
    start, end = calendar.start_of(begin), calendar.after(calendar.start_of(begin))
    assert start <= begin < end or begin == end == LAST
    if end != LAST:
        assert calendar.start_of(end) == end
        assert calendar.start_of(end - timedelta(microseconds=1)) == start
    if last - begin <= timedelta(days=41):
        windows = list(calendar.around({start, calendar.start_of(last)}))
        assert all(before[1] == after[0] for before, after in itertools.pairwise(windows))
        assert (windows[0][0], windows[-1][0]) == (start, calendar.start_of(last))


@pytest.mark.parametrize("zone", [UTC, ROME, ZoneInfo("America/New_York"), ZoneInfo("Asia/Tokyo")])
@pytest.mark.parametrize("length", ["1h", "6h", "1d", "1w"])
def test_a_row_with_a_wrong_year_is_in_a_window_and_hides_no_other(length: str, zone: ZoneInfo) -> None:
    far = [record(0, 0, timestamp=one) for one in (FIRST, LAST)]
    windows, total = summarise_windows([*far, *records(2, 2, 2)], Calendar.of(length, zone), now=NOW)
    assert sum(one.summary.count for one in windows) == total.count == 8
    assert [one.summary.count for one in (windows[0], windows[-1])] == [1, 1]
    assert [(begin.year, end.year) for begin, end in gaps(windows)] == [(1, 2026), (2026, 9999)]


def test_windows_follow_the_calendar_of_the_zone() -> None:
    calendar = Calendar.of("1d", ROME)
    assert calendar.start_of(at("2026-09-07T22:30:00Z")) == at("2026-09-07T22:00:00Z")
    assert Calendar.of("1w", UTC).start_of(at("2026-09-09T12:00:00Z")) == at("2026-09-07T00:00:00Z")


def test_days_of_23_and_25_hours_are_one_window_each() -> None:
    calendar = Calendar.of("1d", ROME)
    spring, autumn = (
        calendar.start_of(at("2026-03-29T12:00:00Z")),
        calendar.start_of(at("2026-10-25T12:00:00Z")),
    )
    assert calendar.after(spring) - spring == timedelta(hours=23)
    assert calendar.after(autumn) - autumn == timedelta(hours=25)


def test_the_hour_that_the_clock_repeats_is_two_windows() -> None:
    calendar = Calendar.of("1h", ROME)
    first, second = at("2026-10-25T00:30:00Z"), at("2026-10-25T01:30:00Z")
    assert calendar.start_of(first) != calendar.start_of(second)


@pytest.mark.parametrize("every", ["7m", "5h", "25h", "0h", "90s", "36h"])
def test_a_length_that_does_not_fit_the_calendar_is_refused(every: str) -> None:
    with pytest.raises(DataError, match="do not fit"):
        Calendar.of(every, UTC)


def test_empty_windows_stay_visible_and_the_last_may_be_unfinished() -> None:
    # The gap that the replaced program filled with wrong labels: rows at 08:00, 18:00 and 18:05.
    rows = [record(0, 0), record(2, 600), record(2, 605)]
    windows, total = summarise_windows(
        rows, Calendar.of("1h", UTC), now=START + timedelta(hours=10, minutes=30)
    )
    assert [window.summary.count for window in windows] == [1, *[0] * 9, 2]
    assert windows[-1].start == START + timedelta(hours=10)
    assert [window.complete for window in windows] == [True] * 10 + [False]
    assert total == summarise(rows)


@given(log_rows)
def test_windows_add_up_to_the_whole(rows: list) -> None:  # type: ignore[type-arg]
    windows, total = summarise_windows(rows, Calendar.of("1w", ROME), now=NOW)
    added = sum((window.summary for window in windows), start=Summary())
    assert added.counts == total.counts
    assert added.classes == total.classes


def test_rows_may_come_in_any_order_and_too_many_windows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = records(3, 3, 3)
    calendar = Calendar.of("1m", UTC)
    assert summarise_windows(rows[::-1], calendar, now=NOW) == summarise_windows(rows, calendar, now=NOW)
    monkeypatch.setattr(windows_module, "MOST_WINDOWS", 100)
    spread = [record(0, minute) for minute in range(0, 400, 2)]
    with pytest.raises(DataError, match="span 2026-09-07 to 2026-09-07: too many windows"):
        summarise_windows(spread, calendar, now=NOW)


def test_runs_of_empty_windows_are_left_out_only_where_all_would_be_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows, calendar = [record(0, 0), record(0, 5), record(0, 20)], Calendar.of("1m", UTC)
    monkeypatch.setattr(windows_module, "MOST_EMPTY", 4)
    for most, count in ((20, 21), (19, 7)):
        monkeypatch.setattr(windows_module, "MOST_WINDOWS", most)
        windows, _ = summarise_windows(rows, calendar, now=NOW)
        assert len(windows) == count
    minute = timedelta(minutes=1)
    assert gaps(windows) == [(START + 6 * minute, START + 20 * minute)]


def test_a_period_holds_its_beginning_and_not_its_end() -> None:
    period = Period(since=START, until=START + timedelta(minutes=2))
    assert [row.text for row in period.select(records(4, 0, 0))] == ["text 0", "text 1"]  # type: ignore[union-attr]
