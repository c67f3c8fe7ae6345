import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.config.settings import DriftSettings
from sentimon.errors import NoVerdictError
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.class_mix_drift import detect_drift
from sentimon.monitoring.drift_decision import Verdict
from sentimon.monitoring.season_matching import hours_of_week, match_season
from sentimon.prediction_log.summary import Counts, Summary, summarise
from sentimon.timestamps import hour_of
from tests.support.rows import record

ROME = ZoneInfo("Europe/Rome")
MONDAY = datetime(2026, 9, 7, tzinfo=ROME)
WEEKDAY, WEEKEND = (0.30, 0.50, 0.20), (0.22, 0.43, 0.35)


def hourly(cells: dict[int, Counts]) -> Summary:
    """So many rows of each class in some hours, counted from MONDAY."""
    rows = (
        record(place, timestamp=MONDAY + timedelta(hours=hour), text=None)
        for hour, counts in cells.items()
        for place, count in enumerate(counts)
        for _ in range(count)
    )
    return summarise(rows)


def test_a_matched_mix_worked_by_hand() -> None:
    # Two weeks: Mondays at 0 h are (30, 10, 10) each, the other hour known is Tuesday, (0, 40, 40) each.
    known = hourly(
        {0: (30, 10, 10), 168: (30, 10, 10), 24: (0, 40, 40), 24 + 168: (0, 40, 40), 335: (0, 0, 1)}
    )
    # A quarter from Mondays, half from Tuesdays, a quarter from an hour that is not known.
    current = hourly({336: (1, 0, 0), 360: (1, 1, 0), 370: (0, 0, 1)})
    found = match_season(known, current.hours, ROME)
    assert found.matched == 0.75
    shares = [0.25 * 0.6 + 0.25 * 60 / 261, 0.25 * 0.2 + 0.5 * 0.5 + 0.25 * 100 / 261]
    every = 0.25 / 261
    squares = 100 * (0.25 / 100 + every) ** 2 + 160 * (0.5 / 160 + every) ** 2 + every**2
    assert found.rows == pytest.approx(1 / squares)
    assert [count / found.rows for count in found.counts[:2]] == pytest.approx(shares)


@given(st.lists(st.tuples(st.integers(0, 335), st.integers(0, 2)), min_size=1, max_size=50))
def test_a_baseline_that_is_alike_in_all_hours_is_itself(rows: list[tuple[int, int]]) -> None:
    known = hourly(dict.fromkeys(range(0, 336, 24), (10, 20, 10)) | {335: (10, 20, 10)})
    current = summarise(
        record(place, timestamp=MONDAY + timedelta(hours=hour), text=None) for hour, place in rows
    )
    found = match_season(known, current.hours, ROME)
    assert [count / found.rows for count in found.counts] == pytest.approx([0.25, 0.5, 0.25])
    assert 0 < found.rows <= known.count + 1e-6
    assert 0 <= found.matched <= 1


def test_hours_follow_the_clock_of_the_zone_through_a_change() -> None:
    # In Rome 09:00 is 07:00 UTC in summer and 08:00 UTC in winter.
    winter = datetime(2026, 11, 2, 9, tzinfo=ROME)
    summer = [datetime(2026, 9, day, 9, tzinfo=ROME) for day in (7, 21)]
    known = summarise([record(0, timestamp=day) for day in summer for _ in range(20)])
    assert match_season(known, summarise([record(0, timestamp=winter)]).hours, ROME).matched == 1
    assert hour_of(winter) % 24 == 8


def test_less_than_two_weeks_have_no_season() -> None:
    with pytest.raises(NoVerdictError, match=r"spans 13\.9 days") as error:
        match_season(hourly({0: (1, 1, 1), 333: (1, 1, 1)}), hourly({400: (1, 0, 0)}).hours, ROME)
    assert error.value.hint


def test_a_weekend_is_drift_from_the_week_and_none_from_other_weekends() -> None:
    generator = random.Random(1)

    def day(number: int, size: int) -> Counts:
        places = generator.choices(range(3), WEEKEND if number % 7 > 4 else WEEKDAY, k=size)
        return places.count(0), places.count(1), places.count(2)

    settings = DriftSettings(threshold=0.05)
    alarms = {True: 0, False: 0}
    for _ in range(20):
        known = hourly({24 * number + 12: day(number, 300) for number in range(21)})
        baseline = Baseline(name="b", created=MONDAY, source="logs", summary=known)
        current = hourly({24 * 26 + 12: day(26, 500)})
        matched = match_season(known, current.hours, ROME)
        for season in (True, False):
            report = detect_drift(baseline, current, settings, season=matched if season else None)
            alarms[season] += report.verdict is Verdict.DRIFT
            assert (report.season is not None) == season
    assert alarms[True] <= 3
    assert alarms[False] >= 18


def test_an_hour_of_the_week_is_known_by_thirty_rows() -> None:
    known = hourly({0: (15, 0, 0), 168: (0, 0, 15), 1: (29, 0, 0), 335: (1, 0, 0)})
    found = match_season(known, hourly({336: (1, 0, 0), 337: (1, 0, 0), 338: (2, 0, 0)}).hours, ROME)
    assert found.matched == 0.25
    # A quarter is of that hour, half of it negative; three quarters are of all rows, of which 45 are.
    assert found.counts[0] / found.rows == pytest.approx(0.25 * 0.5 + 0.75 * 45 / 60)
    assert found.counts[2] / found.rows == pytest.approx(0.25 * 0.5 + 0.75 * 15 / 60)


def test_two_whole_weeks_have_a_season_and_an_hour_less_has_none() -> None:
    current = hourly({400: (1, 0, 0)}).hours
    assert match_season(hourly({0: (1, 1, 1), 335: (1, 1, 1)}), current, ROME).matched == 0
    with pytest.raises(NoVerdictError, match=r"spans 14\.0 days"):
        match_season(hourly({0: (1, 1, 1), 334: (1, 1, 1)}), current, ROME)
    with pytest.raises(NoVerdictError, match=r"spans 0\.0 days"):
        match_season(Summary(), current, ROME)


def test_rows_that_all_come_from_known_hours_weigh_as_those_hours_do() -> None:
    known = hourly({0: (40, 0, 0), 24: (0, 0, 160), 335: (0, 5, 0)})
    found = match_season(known, hourly({336: (1, 0, 0), 360: (3, 0, 0)}).hours, ROME)
    # Weights of 1/4 over 40 rows and of 3/4 over 160: their squares sum to 1/640 + 9/2560.
    assert found.rows == pytest.approx(1 / (1 / 640 + 9 / 2560))
    assert [count / found.rows for count in found.counts] == pytest.approx([0.25, 0.0, 0.75])
    assert found.matched == 1.0


def test_hours_of_the_week_are_of_the_wall_clock_from_monday_on_and_summed_over_weeks() -> None:
    first = hour_of(MONDAY)
    cells = hours_of_week(
        {first: (1, 2, 3), first + 168: (4, 0, 0), first - 1: (0, 0, 7), first + 25: (1, 1, 1)}, ROME
    )
    assert cells == {0: (5, 2, 3), 167: (0, 0, 7), 25: (1, 1, 1)}
    # An hour before the year one has no weekday, and is of the first hour.
    assert hours_of_week({-(10**9): (1, 0, 0)}, ROME) == {0: (1, 0, 0)}
