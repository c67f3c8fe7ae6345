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
from sentimon.monitoring.season_matching import match_season
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
