"""One verdict on the traffic of a log: silent, fewer rows, more rows, as usual, or unknown."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sentimon.monitoring.freshness import AgeSource, judge_freshness
from sentimon.monitoring.traffic import TrafficVerdict, Unjudged, history_of
from tests.support.traffic import FIRST, HOUR, NOW, traffic_report


def test_the_history_ends_with_the_hour_asked_for() -> None:
    hours = {5: (1, 0, 0), 7: (0, 2, 0), 6: (0, 0, 3)}
    assert history_of(hours, 7) == hours
    assert list(history_of(hours, 6)) == [5, 6]
    assert history_of(hours, 4) == {}


def test_a_thousandth_of_the_rows_is_left_out_where_the_history_begins() -> None:
    # Of 2,000 rows the first two may be stray, and of 1,999 one.
    later = {100: (0, 998, 0), 101: (0, 999, 0)}
    assert list(history_of({1: (1, 0, 0), 2: (1, 0, 0), **later, 102: (0, 1, 0)}, 200)) == [100, 101, 102]
    assert list(history_of({1: (1, 0, 0), 2: (1, 0, 0), **later}, 200)) == [2, 100, 101]
    assert list(history_of({1: (3, 0, 0), **later}, 200)) == [1, 100, 101]


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [(0.5, TrafficVerdict.FEWER), (1.0, TrafficVerdict.STABLE), (2.0, TrafficVerdict.MORE)],
)
def test_the_verdict_on_rows_that_come_is_that_on_their_number(
    factor: float, verdict: TrafficVerdict
) -> None:
    found = traffic_report(factor)
    assert found.verdict is verdict
    assert found.in_trouble == (verdict is not TrafficVerdict.STABLE)
    assert found.age == timedelta(minutes=5)


def test_silence_comes_before_fewer_rows() -> None:
    # Two nights of 12 hours are still usual, 14 hours from the last row to the next at most.
    assert traffic_report(0.5, age=28 * HOUR).verdict is TrafficVerdict.FEWER
    silent = traffic_report(0.5, age=28 * HOUR + timedelta(seconds=1))
    assert (silent.verdict, silent.in_trouble) == (TrafficVerdict.SILENT, True)


def test_without_a_judged_volume_or_any_row_there_is_no_verdict() -> None:
    known = traffic_report(0.5)
    unknown = replace(known, volume=None, unjudged=Unjudged.NO_WHOLE_DAY)
    nothing = replace(known, freshness=judge_freshness(None, {}, source=AgeSource.LOG))
    for one in (unknown, nothing, replace(unknown, freshness=nothing.freshness)):
        assert (one.verdict, one.in_trouble) == (TrafficVerdict.NO_VERDICT, False)
    assert (nothing.age, unknown.since) == (None, None)


def test_a_change_began_with_a_day_of_the_zone() -> None:
    assert traffic_report(1.0).since is None
    # Ten days as usual after the baseline of 28, then half of the rows.
    began = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=FIRST + 38)
    assert traffic_report(0.5).since == began < NOW
