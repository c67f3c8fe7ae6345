"""What a check of the monitor leaves behind for the next one, and what its report says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.config.settings import MonitorSettings, Settings
from sentimon.monitoring.drift_decision import Reason, Verdict
from sentimon.monitoring.finding import reaches_delta
from sentimon.monitoring.monitor_check import MonitorCheck, advance, check_new_rows, with_onset
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.monitor_report import (
    MonitorReport,
    _first,
    _smallest,
    detectable_shift,
    monitor_report,
    rows_to_detect_shift,
    score_of,
)
from sentimon.monitoring.monitor_state import LATE_HOURS, MonitorState
from sentimon.monitoring.shift_tests import event_limits
from sentimon.monitoring.watched_events import EventWindow
from sentimon.statistics.distances import wasserstein_distance
from sentimon.statistics.fisher_test import shift_p_value
from sentimon.timestamps import hour_of
from tests.support.monitors import NOW, REFERENCE, baseline, window

PRESENT = hour_of(NOW)
SETTINGS = MonitorSettings(look_backs=2)
USUAL = window(20, 30, 50)


def checked(state: MonitorState, hours: dict[int, EventWindow]) -> tuple[MonitorState, MonitorCheck]:
    return advance(state, hours, REFERENCE, SETTINGS, now=NOW, confidence_level=0.95)


def test_as_many_windows_are_kept_as_the_next_check_looks_back_on() -> None:
    state = MonitorState()
    for number, kept in enumerate([1, 2, 2, 2], start=1):
        hour = PRESENT - 10 + number
        state, look = checked(state, {hour: window(20, 30, 50, hour=hour)})
        assert (len(state.windows), state.checks, look.check) == (kept, number, number)
        assert state.windows[-1] == look.window == window(20, 30, 50, hour=hour)


@pytest.mark.parametrize(
    ("latest", "hours", "after"),
    [
        (None, [PRESENT - 9, PRESENT - 5], PRESENT - 5),
        (PRESENT - 7, [PRESENT - 9, PRESENT - 5], PRESENT - 5),
        # Late rows do not turn back the clock, nor do those of the future turn it on.
        (PRESENT - 3, [PRESENT - 9, PRESENT - 5], PRESENT - 3),
        (PRESENT - 3, [PRESENT - 9, PRESENT + 5], PRESENT),
    ],
)
def test_the_latest_hour_is_the_last_one_that_was_checked(
    latest: int | None, hours: list[int], after: int
) -> None:
    state, _ = checked(MonitorState(latest=latest), {hour: window(2, 3, 5, hour=hour) for hour in hours})
    assert state.latest == after


def test_hours_are_remembered_as_long_as_their_rows_may_come_late() -> None:
    hours = [PRESENT - LATE_HOURS - 1, PRESENT - LATE_HOURS, PRESENT]
    state, _ = checked(MonitorState(), {hour: window(2, 3, 5, hour=hour) for hour in hours})
    assert list(state.seen) == hours[1:]


def report(look: MonitorCheck | None, reference: Reference = REFERENCE, **changes: object) -> MonitorReport:
    before = MonitorState(**changes)  # type: ignore[arg-type]
    return monitor_report(baseline(600, 900, 1500), reference, look, Settings(), new=100, before=before)


def test_a_report_tells_the_incident_of_its_check_or_the_one_that_is_open() -> None:
    state, opened = checked(MonitorState(), {PRESENT: window(400, 300, 300, hour=PRESENT)})
    assert opened.opened
    told = report(opened)
    assert (told.incident, told.verdict, told.drifting, told.opened) == (
        state.incident,
        Verdict.DRIFT,
        True,
        True,
    )
    # Negative went from 0.2 to 0.4, positive from 0.5 to 0.3.
    assert told.moved_most == pytest.approx(0.2)
    still = report(None, incident=state.incident)
    assert (still.incident, still.verdict, still.opened, still.closed) == (
        state.incident,
        Verdict.DRIFT,
        False,
        False,
    )
    assert report(None).verdict is Verdict.NO_VERDICT
    assert (report(None).reason, told.reason) == (Reason.TOO_FEW_ROWS, Reason.CHANGED)
    assert (report(None).incident, report(None).moved_most, report(None).over) == (None, None, 0)


def test_without_an_incident_the_class_that_moved_most_is_told() -> None:
    _, look = checked(MonitorState(), {PRESENT: window(22, 27, 51, hour=PRESENT)})
    quiet = report(look)
    assert not quiet.drifting
    assert quiet.reason is Reason.TOO_FEW_TO_TELL
    assert quiet.moved_most == pytest.approx(0.03)
    assert (quiet.counts, quiet.over) == ((22, 27, 51), 1)
    assert quiet.score.value == pytest.approx(wasserstein_distance((20, 30, 50), (22, 27, 51)))
    assert score_of(REFERENCE, look.window, confidence_level=0.95).n == 100


@pytest.mark.parametrize(("rows", "advised"), [(1999, 5000), (2000, None)])
def test_a_baseline_of_fewer_than_two_thousand_rows_is_small(rows: int, advised: int | None) -> None:
    assert report(None, Reference.of(baseline(0, 0, rows))).small == advised


def test_the_smallest_shift_that_is_seen_raises_an_alarm_and_a_row_less_does_not() -> None:
    rows, settings = 400, MonitorSettings()
    limit = event_limits(REFERENCE, 1, settings)[0]

    def alarms(place: int, count: int) -> bool:
        known = REFERENCE.groups[0].reference
        before = known.counts[place], known.n
        p = shift_p_value((count, rows), before, tolerance=settings.tau)
        return p <= limit and reaches_delta(before, (count, rows), settings.delta, confidence_level=0.95)

    assert REFERENCE.divisor_at(0, 0, [0] * 24) == 1.0
    least = []
    for place, usual in enumerate((80, 120, 200)):
        rise = next(more for more in range(rows) if alarms(place, usual + more))
        fall = next(fewer for fewer in range(rows) if alarms(place, usual - fewer))
        least.append(min(rise, fall))
        found = _smallest(REFERENCE, place, window(80, 120, 200), limit, settings, 0.95, 400)
        # The neutral and the negative share need fewer rows to fall than to rise.
        assert found == pytest.approx(least[-1] / rows)
        assert place == 2 or fall < rise
    found = detectable_shift(REFERENCE, window(80, 120, 200), 1, settings, confidence_level=0.95)
    assert (found.rows, found.shift) == (rows, pytest.approx(max(least) / rows))
    # Of three rows all may be of one class, and that is no alarm.
    assert detectable_shift(REFERENCE, window(1, 1, 1), 1, settings, confidence_level=0.95).shift is None


@given(st.integers(0, 60), st.integers(0, 90), st.integers(0, 90))
def test_the_first_number_is_found_from_wherever_it_is_looked_for(size: int, first: int, likely: int) -> None:
    asked: list[int] = []

    def holds(number: int) -> bool:
        asked.append(number)
        return number >= first

    assert _first(size, likely, holds) == min(size, first)
    assert all(0 <= number < size for number in asked)


def test_a_number_near_the_likely_one_takes_few_questions() -> None:
    asked: list[int] = []

    def holds(number: int) -> bool:
        asked.append(number)
        return number >= 1_010

    assert _first(500_000, 1_000, holds) == 1_010
    assert len(asked) <= 10


def test_a_first_look_tells_what_the_rows_of_its_last_day_and_of_its_look_backs_could_show() -> None:
    days = {PRESENT - 24 * ago: window(80, 120, 200, hour=PRESENT - 24 * ago) for ago in range(4, -1, -1)}
    settings = Settings()
    state, look = check_new_rows(
        MonitorState(), days, REFERENCE, settings.monitor, now=NOW, confidence_level=0.95
    )
    said = monitor_report(
        baseline(600, 900, 1500), REFERENCE, look, settings, new=2_000, before=MonitorState()
    )
    assert (look.check, look.window.rows) == (5, 2_000)
    # At check 5 the newest four days are tested together, and the last one by itself.
    assert said.in_this == detectable_shift(
        REFERENCE, window(80, 120, 200), 5, settings.monitor, confidence_level=0.95
    )
    assert said.in_all is not None
    assert said.in_all.rows == 1_600
    # Too few rows for a check: what the last one could have seen still holds.
    waiting = monitor_report(baseline(600, 900, 1500), REFERENCE, None, settings, new=3, before=state)
    assert (waiting.in_this, waiting.in_all) == (None, said.in_all)


def test_an_onset_goes_with_the_incident_that_is_open_and_with_no_other() -> None:
    state, opened = checked(MonitorState(), {PRESENT: window(400, 300, 300, hour=PRESENT)})
    assert opened.incident is not None
    after, look = with_onset(state, opened, None)
    assert (after, look) == (state, opened)
    quiet, none = checked(MonitorState(), {PRESENT: window(20, 30, 50, hour=PRESENT)})
    assert with_onset(quiet, none, None) == (quiet, none)


def test_the_rows_that_show_a_shift_are_enough_and_one_less_is_not() -> None:
    settings, few = MonitorSettings(), window(12, 18, 30)

    def smallest(rows: int) -> float:
        found = detectable_shift(REFERENCE, few, 1, settings, confidence_level=0.95, rows=rows)
        return 1.0 if found.shift is None else found.shift

    needed = rows_to_detect_shift(REFERENCE, few, 1, settings, threshold=0.15, confidence_level=0.95)
    assert needed is not None
    assert smallest(needed) <= 0.15 < smallest(needed - 1)
    assert 60 < needed < 400
    nothing = rows_to_detect_shift(REFERENCE, few, 1, settings, threshold=0.001, confidence_level=0.95)
    assert nothing is None, "delta and the tolerance are larger"
