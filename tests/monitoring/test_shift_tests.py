"""Which look-backs a check tests, and what each test may spend of alpha."""

import pytest
from msgspec.structs import replace

from sentimon.config.settings import MonitorSettings
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.monitor_report import detectable_shift
from sentimon.monitoring.shift_tests import event_limits, find_shifts, is_due, latest_look_back
from sentimon.monitoring.watched_events import Counted, EventWindow
from sentimon.statistics.dispersion import Wave
from sentimon.statistics.fisher_test import alpha_share
from tests.support.monitors import REFERENCE

SETTINGS = MonitorSettings()


def window(*counts: int, hour: int = 1) -> EventWindow:
    """Classes alone."""
    groups = (Counted(sum(counts), counts), Counted(0, (0,) * len(REFERENCE.cuts)))
    return EventWindow(groups=groups, hours={hour: sum(counts)})


def test_a_look_back_is_tested_once_a_quarter_of_it_is_new() -> None:
    assert [power for power in range(9) if is_due(power, 12)] == [0, 1, 2, 3, 4]
    assert [power for power in range(9) if is_due(power, 13)] == [0, 1, 2]
    assert [power for power in range(9) if is_due(power, 64)] == list(range(9))
    assert [check for check in range(1, 33) if is_due(5, check)] == [8, 16, 24, 32]


@pytest.mark.parametrize("look_backs", [1, 3, 9, 16])
def test_all_tests_of_all_checks_together_spend_no_more_than_alpha(look_backs: int) -> None:
    settings = replace(SETTINGS, look_backs=look_backs)
    spent, most = 0.0, 0.0
    for check in range(1, 2_001):
        limits = event_limits(REFERENCE, check, settings)
        once = sum(limit * len(group.watched) for limit, group in zip(limits, REFERENCE.groups, strict=True))
        spent += once * sum(is_due(power, check) for power in range(look_backs))
        most += settings.alpha * alpha_share(check)
    assert 0.95 * most < spent <= most * (1 + 1e-9)


def test_the_part_of_an_event_worked_by_hand() -> None:
    # Of nine look-backs a check tests 3 + 1/2 + ... + 1/64 on average; the classes have 3 of 4 parts.
    limits = event_limits(REFERENCE, 1, SETTINGS)
    assert limits[0] == pytest.approx(0.05 * alpha_share(1) / 3.984375 * 3 / 4 / 3)
    assert limits[1] == pytest.approx(0.05 * alpha_share(1) / 3.984375 / 4 / len(REFERENCE.cuts))


def test_a_change_that_only_many_checks_show_is_found_where_they_are_tested_together() -> None:
    # 26 of 100 instead of 20: 32 checks together show it, 8 do not.
    windows, settings = [window(26, 27, 47, hour=hour) for hour in range(32)], replace(SETTINGS, tau=0.005)
    assert not list(find_shifts(REFERENCE, windows, 33, settings))
    found = list(find_shifts(REFERENCE, windows, 40, settings))
    assert {(one.event, one.windows) for one in found} == {("negative", 32)}


def test_an_hour_whose_usual_share_is_less_sure_has_to_move_further() -> None:
    waves = REFERENCE.waves
    daily = (Wave(0.2, 0.0, 0.0, 0.9), waves[1], waves[2])
    sure, unsure = replace(REFERENCE, waves=(Wave(0.2), *waves[1:])), replace(REFERENCE, waves=daily)

    def p_value(reference: Reference, hours: list[int]) -> float:
        windows = [window(600, 530, 870, hour=hour) for hour in hours]
        found = [one for one in find_shifts(reference, windows, 1, SETTINGS) if one.event == "negative"]
        return found[-1].p_value

    assert p_value(unsure, [6]) > 10 * p_value(sure, [6])
    assert p_value(unsure, [6, 18]) == p_value(sure, [6, 18])


@pytest.mark.parametrize("kept", [0.0, 0.9])
def test_the_shift_that_is_said_to_be_seen_is_the_smallest_that_raises_an_alarm(kept: float) -> None:
    rows, check = 200, 13
    waves = tuple(Wave(count / 3000, 0.0, 0.0, kept) for count in (600, 900, 1500))
    reference = replace(REFERENCE, waves=waves)

    def smallest(place: int, usual: float) -> float:
        seen = []
        for count in range(rows + 1):
            counts = [rows - count] * 3
            counts[place], counts[place - 1] = count, 0
            found = find_shifts(reference, [window(*counts, hour=6)], check, SETTINGS)
            if any(one.place == place and one.reaches_delta(0.05, confidence_level=0.95) for one in found):
                seen.append(abs(count / rows - usual))
        return min(seen)

    said = detectable_shift(reference, window(40, 60, 100, hour=6), check, SETTINGS, confidence_level=0.95)
    each = [smallest(place, usual) for place, usual in enumerate((0.2, 0.3, 0.5))]
    assert said.rows == rows
    assert said.shift == pytest.approx(max(each))


def test_the_look_back_over_most_rows_is_that_of_the_check_at_which_it_was_tested() -> None:
    # Each check has as many rows as its number times ten.
    def tested(checks: range, look_backs: int = 9) -> tuple[int, int] | None:
        windows = [window(10 * check, 0, 0, hour=check) for check in checks]
        found = latest_look_back(windows, checks[-1] if checks else 0, look_backs)
        return None if found is None else (found[0], found[1].rows)

    assert tested(range(1, 1)) is None
    assert tested(range(1, 2)) == (1, 10)
    assert tested(range(1, 5)) == (4, 100)
    # At check 9 the newest four have 300 rows; the newest eight were tested at check 8, and had 360.
    assert tested(range(1, 10)) == (8, 360)
    # At check 5 those over 8 and 16 checks held the rows of 1 to 4, 100: the newest four have 140.
    assert tested(range(1, 6)) == (5, 140)
    # The last alarm was at check 8: since then no look-back over more than four was due.
    assert tested(range(9, 10)) == (9, 90)
    # Two look-backs: no more than two checks are ever tested together.
    assert tested(range(1, 10), look_backs=2) == (9, 170)


def test_a_tested_look_back_is_due_and_none_over_more_rows_was_tested_since_the_alarm() -> None:
    for first in (1, 6):
        for last in range(first, first + 40):
            windows = [window(check % 7 + 1, 0, 0, hour=check) for check in range(first, last + 1)]
            found = latest_look_back(windows, last, 5)
            rows = [
                sum(one.rows for one in windows[: check - first + 1][-(1 << power) :])
                for check in range(first, last + 1)
                for power in range(5)
                if is_due(power, check) and last - check < max(1, (1 << power) // 4)
            ]
            assert found is not None
            assert found[1].rows == max(rows)
