"""How old the newest row may be: told from the gaps between rows, or set."""

import math
import random
from collections.abc import Iterable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.monitoring.freshness import (
    NO_NIGHT_KNOWN,
    NO_WEEKEND_KNOWN,
    SHORTEST,
    AgeSource,
    _by_chance,
    is_long_enough,
    judge_freshness,
    usual_gaps,
)
from sentimon.prediction_log.summary import Counts
from tests.support.rows import START

HOUR = timedelta(hours=1)
FOUR_WEEKS = 4 * 7 * 24
MONDAY = 4 * 24
"""Hours from 1970 to the first Monday."""


def counts(hours: Iterable[int], each: int = 100) -> dict[int, Counts]:
    """So many rows in each of some hours."""
    return dict.fromkeys(hours, (each, 0, 0))


def office_hours(weeks: int = 4) -> list[int]:
    """Rows from 9 to 17 h on working days."""
    return [MONDAY + 24 * day + hour for day in range(7 * weeks) if day % 7 < 5 for hour in range(9, 17)]


@pytest.mark.parametrize(
    ("hours", "longest", "max_age"),
    [
        # A row in each hour: two in neighbouring hours may lie just under two hours apart.
        (range(FOUR_WEEKS), 2, SHORTEST),
        # From Friday 16:00 to Monday 9:59, 65 hours before 10:00 and one to the end of that hour.
        (office_hours(), 66, 132),
        # One row a day, at any minute of its hour; two days missed are news.
        (range(0, FOUR_WEEKS, 24), 25, 50),
        (range(0, FOUR_WEEKS, 7 * 24), 169, 338),
    ],
)
def test_twice_the_longest_gap_is_normal(hours: list[int], longest: int, max_age: int) -> None:
    found = usual_gaps(counts(hours))
    assert (found.longest, found.max_age) == (longest, max_age)


def test_less_than_a_week_leaves_weekends_open_and_less_than_a_day_nights() -> None:
    assert usual_gaps({}).max_age == usual_gaps(counts([5])).max_age == NO_NIGHT_KNOWN
    assert usual_gaps(counts(range(24))).max_age == NO_NIGHT_KNOWN
    assert usual_gaps(counts(range(25))).max_age == NO_WEEKEND_KNOWN
    assert usual_gaps(counts(range(7 * 24 - 1))).max_age == NO_WEEKEND_KNOWN
    assert usual_gaps(counts(range(7 * 24))).max_age == SHORTEST


def test_where_chance_makes_the_gaps_a_longer_one_than_twice_the_longest_is_normal() -> None:
    draw = random.Random(5)
    hours = [hour for hour in range(FOUR_WEEKS) if draw.random() < 0.4]
    found = usual_gaps(counts(hours))
    assert found.longest is not None
    assert 2 * found.longest <= found.max_age <= 3 * found.longest
    # 0.6 ** hours for each of 250 gaps in four weeks, 130 times as many in ten years: 5 % are left at 24 h.
    assert 20 <= found.max_age <= 36


@given(st.sets(st.integers(0, 2000), min_size=2), st.integers(-(10**6), 10**6))
def test_the_longest_normal_age_exceeds_each_gap_and_does_not_depend_on_the_date(
    hours: set[int], shift: int
) -> None:
    found = usual_gaps(counts(hours))
    assert found.longest is not None
    assert found.max_age >= 2 * found.longest
    assert usual_gaps(counts(hour + shift for hour in hours)) == found


def test_a_log_of_few_rows_may_lack_the_time_of_twenty() -> None:
    # Every twelve hours, and so at most 13 h apart; 20 of 448 rows in 660 h take 29.5 h.
    twice_a_day = range(0, FOUR_WEEKS, 12)
    assert usual_gaps(counts(twice_a_day, each=100)).max_age == 2 * 13
    assert usual_gaps(counts(twice_a_day, each=8)).max_age == 30
    assert usual_gaps(counts(twice_a_day, each=1)).max_age == 3 * 13


def test_a_setting_counts_before_what_the_gaps_say() -> None:
    told = judge_freshness(START, counts(range(FOUR_WEEKS)), source=AgeSource.BASELINE)
    assert (told.max_age, told.source) == (6 * HOUR, AgeSource.BASELINE)
    given_ = judge_freshness(START, counts(range(FOUR_WEEKS)), source=AgeSource.BASELINE, setting="90m")
    assert (given_.max_age, given_.source) == (1.5 * HOUR, AgeSource.SETTING)
    assert given_.gaps == told.gaps


def test_a_row_is_too_old_beyond_the_limit_and_not_at_it() -> None:
    found = judge_freshness(START, {}, source=AgeSource.LOG, setting="12h")
    assert not found.is_stale(START + 12 * HOUR)
    assert found.is_stale(START + 12 * HOUR + timedelta(microseconds=1))
    assert found.age(START + HOUR) == HOUR


def test_without_rows_nothing_is_too_old() -> None:
    found = judge_freshness(None, {}, source=AgeSource.LOG)
    assert found.age(START) is None
    assert not found.is_stale(START)


def test_the_longest_gap_that_chance_makes_worked_by_hand() -> None:
    # 50 gaps in 99 hours: half of the hours have rows. Ten years hold 87,600 / 99 as many gaps, of which one
    # in twenty may be longer: ln(50 * 20 * 884.8) / ln 2. Gaps that grow with the logarithm would be far
    # longer.
    assert _by_chance([2] * 49 + [40], 99) == pytest.approx(19.755, abs=0.001)
    # In more than ten years no gap is added: 100 of them, the longest 2 hours beyond the others, which 5 %
    # of logs exceed by ln 20 / ln 100 as much again. Chance in each hour would make one of years.
    assert _by_chance([2] * 99 + [4], 1_000_000) == pytest.approx(2 + 2 * (1 + math.log(20) / math.log(100)))
    # Gaps that are all alike make no longer one.
    assert _by_chance([2] * 5, 1_000_000) == 2


def test_a_week_from_the_first_hour_to_the_last_is_long_enough() -> None:
    assert not is_long_enough([])
    assert not is_long_enough([500])
    assert not is_long_enough([7, 0, 166])
    assert is_long_enough([7, 0, 167])
