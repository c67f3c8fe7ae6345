"""Fewer or more rows than in the baseline: what is found, how soon, and what is not."""

import math
import random
from collections.abc import Sequence
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.monitoring.traffic_volume import (
    BUSY_DAYS,
    EMPTY_DAYS,
    LOOK_BACK_DAYS,
    SPECIAL_DAYS,
    DailyRows,
    Day,
    Direction,
    Volume,
    _rows_by_hour_of_day,
    _spread,
    change_onset,
    days_of_baseline,
    judge_volume,
    start_of_day,
    whole_days,
)

MONDAY = 4
"""Days from 1970 to the first Monday."""
WEEK = (1000, 1000, 1000, 1000, 1000, 400, 400)
USUALLY = [0.9, 1.0, 1.1, 1.05, 0.95, 0.97, 1.03, 1.08]
"""How the rows of days vary: by about a twelfth."""


def days(count: int, factor: float = 1.0, *, first: int = 0, week: Sequence[int] = WEEK) -> list[Day]:
    """So many days from a Monday on, with a multiple of the usual rows."""
    return [
        Day(MONDAY + day, round(factor * week[day % 7] * USUALLY[day % 8]))
        for day in range(first, first + count)
    ]


USUAL = DailyRows.of(days(28))


def judged(after: Sequence[Day], usual: DailyRows | None = USUAL) -> Volume:
    assert usual is not None
    return judge_volume(after, usual, alpha=0.05, confidence_level=0.95)


def found_after(factor: float, *, quiet: int = 28) -> int | None:
    """How many days of a factor it takes, after some quiet ones."""
    for count in range(1, 61):
        after = days(quiet, first=28) + days(count, factor, first=28 + quiet)
        if judged(after).change is not None:
            return count
    return None


def test_each_day_of_the_week_has_the_median_of_its_rows() -> None:
    odd = [Day(MONDAY + day, 10 * (day + 1) if day < 7 else 10 * (day % 7 + 1)) for day in range(21)]
    found = DailyRows.of([*odd[:-1], Day(odd[-1].number, 5000)])
    assert found is not None
    assert found.levels == (10, 20, 30, 40, 50, 60, 70)
    assert found.days == 21


def test_one_week_tells_working_days_from_the_weekend() -> None:
    found = DailyRows.of(days(7))
    assert found is not None
    # The medians of 900, 1000, 1100, 1050, 950 and of 388, 412.
    assert found.levels == (1000, 1000, 1000, 1000, 1000, 400, 400)
    assert DailyRows.of(days(6)) is None


def test_a_short_baseline_leaves_more_open_than_a_long_one() -> None:
    short, long = DailyRows.of(days(7)), DailyRows.of(days(56))
    assert short is not None
    assert long is not None
    assert short.spread > long.spread
    assert short.level_error > long.level_error
    assert short.shapes[0] < long.shapes[0]


def test_days_without_rows_are_not_judged_and_a_log_of_them_not_at_all() -> None:
    office = DailyRows.of(days(28, week=(1000,) * 5 + (0, 0)))
    assert office is not None
    assert office.levels[5:] == (0.0, 0.0)
    weekend = [Day(MONDAY + 28 + day, 0 if day % 7 < 5 else 10_000) for day in range(7)]
    assert judged(weekend, office).days == 5
    assert DailyRows.of([Day(day, 100 if day % 7 == 0 else 0) for day in range(7, 14)]) is None


def test_unchanged_traffic_stays_unchanged() -> None:
    for count in range(1, 2 * LOOK_BACK_DAYS, 5):
        found = judged(days(count, first=28))
        assert found.change is None
        assert found.since is None
        assert found.factor.low is not None
        assert found.factor.high is not None
        assert found.factor.low < 1 < found.factor.high


@pytest.mark.parametrize(
    ("factor", "change", "soonest", "latest"),
    [
        (0.0, Direction.FEWER, EMPTY_DAYS + 1, EMPTY_DAYS + 2),
        (0.02, Direction.FEWER, EMPTY_DAYS + 1, EMPTY_DAYS + 2),
        (0.5, Direction.FEWER, SPECIAL_DAYS + 1, SPECIAL_DAYS + 8),
        (2.0, Direction.MORE, BUSY_DAYS + 1, BUSY_DAYS + 6),
        (10.0, Direction.MORE, BUSY_DAYS + 1, BUSY_DAYS + 5),
    ],
)
def test_traffic_that_stops_halves_or_doubles_is_found(
    factor: float, change: Direction, soonest: int, latest: int
) -> None:
    count = found_after(factor)
    assert count is not None
    assert soonest <= count <= latest
    found = judged(days(28, first=28) + days(count, factor, first=56))
    assert found.change is change
    assert found.since == MONDAY + 56
    assert found.factor.n == count
    assert found.factor.value == pytest.approx(factor, rel=0.1, abs=0.01)
    assert found.rows == sum(day.rows for day in days(count, factor, first=56))


def test_a_factor_is_the_rows_over_those_usual_with_an_interval() -> None:
    found = judged([Day(MONDAY + 28, 500), Day(MONDAY + 29, 520)])
    assert found.usual.levels[:2] == (pytest.approx(1000, rel=0.03), pytest.approx(1000, rel=0.03))
    assert found.expected == sum(found.usual.levels[:2])
    assert found.factor.value == 1020 / found.expected
    # Half of the spread squared, as two days are one over each other.
    error = math.sqrt(found.usual.spread**2 / 2 + found.usual.level_error**2 + 1 / 1020.5)
    assert found.factor.low == pytest.approx(found.factor.value * math.exp(-1.96 * error), rel=1e-3)
    assert found.factor.high == pytest.approx(1020.5 / found.expected * math.exp(1.96 * error), rel=1e-3)


def test_a_holiday_week_and_a_campaign_are_no_change_and_longer_ones_are() -> None:
    quiet = days(28, first=28)
    for length, factor, special in ((SPECIAL_DAYS, 0.1, 0.4), (BUSY_DAYS, 30, 4.0)):
        for rows in (factor, special):
            assert judged(quiet + days(length, rows, first=56)).change is None
        assert judged(quiet + days(length + 12, special, first=56)).change is not None


def test_a_change_that_is_over_is_no_longer_told() -> None:
    fewer = days(28, first=28) + days(20, 0.5, first=56)
    assert judged(fewer).change is Direction.FEWER
    assert judged(fewer + days(8, first=76)).change is None


def test_of_a_change_longer_than_the_look_back_the_begin_is_not_known() -> None:
    found = judged(days(LOOK_BACK_DAYS + 10, 0.5, first=28))
    assert found.change is Direction.FEWER
    assert found.earlier
    assert found.days == LOOK_BACK_DAYS
    assert not judged(days(28, first=28) + days(30, 0.5, first=56)).earlier


@given(st.integers(1, 40), st.sampled_from([0.3, 1.0, 3.0]), st.integers(2, 9))
def test_the_verdict_does_not_depend_on_how_many_rows_a_day_has(
    count: int, factor: float, times: int
) -> None:
    """More rows say the same or more, as chance is less of them."""
    after = days(count, factor, first=28)
    large = [Day(day.number, times * day.rows) for day in after]
    usual = DailyRows.of([Day(day.number, times * day.rows) for day in days(28)])
    few, many = judged(after), judged(large, usual)
    assert few.change in (None, many.change)


def test_chance_alone_is_seldom_a_change() -> None:
    """Two years of three logs, of which each has holidays, a week off, and days that vary by 15 %."""
    draw, alarms = random.Random(1), 0
    for _ in range(3):
        rows = [
            round(
                WEEK[day % 7]
                * draw.lognormvariate(0, 0.15)
                * (draw.uniform(0.1, 0.5) if draw.random() < 0.03 else 1)
            )
            for day in range(28 + 730)
        ]
        for day in (300, 665):
            rows[28 + day : 28 + day + 7] = [round(0.4 * WEEK[one % 7]) for one in range(day, day + 7)]
        log = [Day(MONDAY + day, count) for day, count in enumerate(rows)]
        usual = DailyRows.of(log[:28])
        alarms += any(judged(log[28:end], usual).change is not None for end in range(29, len(log), 6))
    assert alarms == 0


def test_days_are_those_of_the_zone_and_only_whole_ones() -> None:
    hours = dict.fromkeys(range(72), (1, 0, 0))
    assert whole_days(hours, 1, 72, UTC) == [Day(1, 24), Day(2, 24)]
    assert whole_days(hours, 0, 71, UTC) == [Day(0, 24), Day(1, 24)]
    # Nine hours ahead: the second day begins at 15 h UTC.
    tokyo = ZoneInfo("Asia/Tokyo")
    assert whole_days(hours, 0, 72, tokyo) == [Day(1, 24), Day(2, 24)]
    assert start_of_day(1, tokyo) == 15
    assert whole_days(hours, 5, 5, UTC) == []
    # A day of 23 hours.
    spring = 24 * 20_541
    assert whole_days(
        {spring + hour: (0, 1, 0) for hour in range(-48, 72)},
        spring - 48,
        spring + 72,
        ZoneInfo("Europe/Rome"),
    )[:2] == [
        Day(20_540, 24),
        Day(20_541, 23),
    ]


def test_a_day_at_the_edge_of_a_baseline_counts_where_rows_came_all_day() -> None:
    office = {24 * day + hour: (5, 0, 0) for day in range(7) for hour in range(9, 17)}
    assert [one.rows for one in days_of_baseline(office, UTC)] == [40] * 7
    late = {hour: counts for hour, counts in office.items() if hour >= 13}
    assert [one.number for one in days_of_baseline(late, UTC)] == [1, 2, 3, 4, 5, 6]
    assert days_of_baseline({}, UTC) == []


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_the_hour_of_a_change_is_found_with_an_interval(factor: float) -> None:
    """Rows by the hour, none at night, from Monday on; the change comes in the middle of a day."""
    generator = random.Random(11)
    first, changed = 24 * 4 + 24 * 7 * 2_000, 24 * 45 + 14
    rows = {}
    for hour in range(24 * 70):
        usual = 30 * (8 <= hour % 24 < 20) * (0.5 if hour // 24 % 7 > 4 else 1.0)
        expected = usual * (factor if hour >= changed else 1.0)
        count = max(0, round(generator.gauss(expected, math.sqrt(expected)))) if expected else 0
        if count:
            rows[first + hour] = (count, 0, 0)
    end = first + 24 * 28
    known = {hour: counts for hour, counts in rows.items() if hour < end}
    later = {hour: counts for hour, counts in rows.items() if hour >= end}
    usual_rows = DailyRows.of(days_of_baseline(known, UTC))
    assert usual_rows is not None
    after = whole_days(later, end, first + 24 * 70, UTC)
    volume = judge_volume(after, usual_rows, alpha=0.05, confidence_level=0.95)
    assert volume.change is not None
    onset = change_onset(volume, known, later, after, UTC, confidence_level=0.95)
    assert onset is not None
    assert onset.first_hour <= first + changed <= onset.last_hour
    assert onset.last_hour - onset.first_hour < 24
    quiet = judge_volume(after[:14], usual_rows, alpha=0.05, confidence_level=0.95)
    assert quiet.change is None
    assert change_onset(quiet, known, later, after[:14], UTC, confidence_level=0.95) is None


def test_rows_of_the_hour_in_which_a_stretch_ends_are_not_part_of_it() -> None:
    hours = dict.fromkeys(range(24, 49), (1, 0, 0))
    assert whole_days(hours, 24, 48, UTC) == [Day(1, 24)]
    assert whole_days(hours, 24, 49, UTC) == [Day(1, 24)]


def test_the_rows_of_each_hour_of_the_day_are_summed_up() -> None:
    hours = {24: (1, 2, 3), 48: (0, 1, 0), 71: (0, 0, 5)}
    assert _rows_by_hour_of_day(hours, UTC) == [7, *[0] * 22, 5]


def test_odd_days_of_either_side_are_left_out_of_the_spread() -> None:
    # The median distance is .1, so .148 is one deviation, and beyond three of them lie -1 and 1.
    usual = [0.1, -0.1] * 10
    few = _spread([*usual, -1.0], 20, 0.0)
    assert few == _spread([*usual, 1.0], 20, 0.0) == _spread(usual, 19, 0.0)
    assert few < 0.2
