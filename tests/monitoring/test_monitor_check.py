"""The first look of a monitor: a day after the other, as if it had looked daily."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.config.settings import MonitorSettings
from sentimon.monitoring.monitor_check import FEWEST_OF_A_DAY, check_new_rows, first_checks
from sentimon.monitoring.monitor_state import LATE_HOURS, MonitorState
from sentimon.monitoring.watched_events import EventWindow
from tests.support.monitors import NOW, REFERENCE, window

FIRST = 480_000
"""The first hour of the rows."""
USUAL, MOVED = (60, 90, 150), (105, 90, 105)
"""Rows of an hour as in the baseline, and with 0.15 moved from positive to negative."""


def daily(*days: tuple[int, int, int]) -> dict[int, EventWindow]:
    """The rows of one hour a day."""
    return {FIRST + 24 * day: window(*counts, hour=FIRST + 24 * day) for day, counts in enumerate(days)}


def look(state: MonitorState, hours: dict[int, EventWindow]):  # type: ignore[no-untyped-def]
    return check_new_rows(
        state, hours, REFERENCE, MonitorSettings(), now=NOW + timedelta(days=900), confidence_level=0.95
    )


def test_each_day_with_enough_rows_is_a_check_and_what_is_left_goes_with_the_last() -> None:
    sizes = [300, 100, 120, 300, 40]
    hours = daily(*((0, size, 0) for size in sizes))
    ends = [(end - FIRST) // 24 for end in first_checks(hours)]
    assert ends == [0, 2, 4]
    assert FEWEST_OF_A_DAY == 200


def test_rows_are_counted_anew_after_each_check() -> None:
    ends = first_checks(daily(*((0, size, 0) for size in [200, 199, 200, 1])))
    # The second day is one row short, and goes with the third.
    assert [(end - FIRST) // 24 for end in ends] == [0, 3]


def test_days_begin_at_the_first_row_and_hold_their_hours() -> None:
    hours = {hour: window(0, 20, 0, hour=hour) for hour in range(FIRST, FIRST + 48)}
    assert first_checks(hours) == [FIRST + 23, FIRST + 47]


@given(st.dictionaries(st.integers(0, 5000), st.integers(1, 400), min_size=1, max_size=90))
def test_there_are_at_most_64_and_every_row_is_in_one(rows: dict[int, int]) -> None:
    one = window(0, 1, 0)
    hours = {hour: EventWindow(groups=one.groups, hours={hour: size}) for hour, size in rows.items()}
    ends = first_checks(hours)
    assert ends == sorted(set(ends))
    assert ends[-1] == max(hours)
    assert len(ends) <= 64


def test_one_row_of_another_age_makes_no_fewer_checks() -> None:
    hours = {hour: window(0, 20, 0, hour=hour) for hour in range(FIRST, FIRST + 240)}
    hours[5] = window(0, 1, 0, hour=5)
    assert len(first_checks(hours)) == 10


def test_a_change_of_the_last_days_is_found_at_once_and_counted_as_so_many_checks() -> None:
    state, found = look(MonitorState(), daily(*[USUAL] * 30, MOVED, MOVED))
    assert found.opened
    assert found.incident is not None
    assert (state.checks, found.check) == (32, 32)
    assert found.incident.check >= 31
    assert found.window.rows == 32 * 300
    assert min(state.seen) >= FIRST + 24 * 31 - LATE_HOURS


def test_a_change_that_is_over_opens_nothing_now() -> None:
    state, found = look(MonitorState(), daily(*[USUAL] * 5, *[MOVED] * 5, *[USUAL] * 20))
    assert not found.opened
    assert state.incident is None
    assert state.checks == 30


def test_it_is_what_daily_looks_would_have_found() -> None:
    days = [*[USUAL] * 12, *[MOVED] * 3]
    at_once, found = look(MonitorState(), daily(*days))
    state = MonitorState()
    for day in range(len(days)):
        late = state.latest - LATE_HOURS if state.latest is not None else 0
        known = {hour: one for hour, one in daily(*days[: day + 1]).items() if hour >= late}
        state, last = look(state, known)
    assert (at_once, found.incident) == (state, last.incident)


@pytest.mark.parametrize("checks", [1, 7])
def test_a_later_look_is_one_check_however_many_days_it_is_about(checks: int) -> None:
    state, _ = look(MonitorState(), daily(*[USUAL] * checks))
    before = state.checks
    state, found = look(
        state,
        {
            **state.seen,
            FIRST + 24 * 40: window(*USUAL, hour=FIRST + 24 * 40),
            FIRST + 24 * 41: window(*USUAL, hour=FIRST + 24 * 41),
        },
    )
    assert state.checks == found.check == before + 1
