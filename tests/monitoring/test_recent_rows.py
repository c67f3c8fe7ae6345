"""The newest rows that belong together: a late change is found, and the search is paid for."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sentimon.config.settings import DriftSettings
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.class_mix_drift import DriftReport, detect_drift
from sentimon.monitoring.drift_decision import Reason
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.recent_rows import (
    ComparedWindow,
    _part,
    all_rows,
    find_recent_rows,
    window_starts,
)
from sentimon.prediction_log.summary import Counts
from sentimon.statistics.dispersion import Wave
from sentimon.statistics.distances import wasserstein_interval
from tests.support.monitors import by_hour
from tests.support.rows import START

USUAL, MOVED = (0.4, 0.2, 0.4), (0.2, 0.2, 0.6)
FIRST = 500_000
"""The first hour after the baseline."""
SETTINGS = DriftSettings()
Hours = dict[int, Counts]


def drawn(generator: random.Random, rows: int, mix: tuple[float, float, float]) -> Counts:
    places = generator.choices(range(3), mix, k=rows)
    return places.count(0), places.count(1), places.count(2)


def baseline(hours: Hours) -> Baseline:
    return Baseline(name="b", created=START, source="logs", summary=by_hour(hours))


def even(rows: int = 20, hours: int = 240) -> Baseline:
    return baseline(dict.fromkeys(range(hours), (rows * 2 // 5, rows // 5, rows * 2 // 5)))


def find(known: Baseline, hours: Hours) -> ComparedWindow:
    return find_recent_rows(known, hours, fewest=50, threshold=0.15, confidence_level=0.95)


def judge(known: Baseline, hours: Hours) -> DriftReport:
    window = find(known, hours)
    part = {hour: counts for hour, counts in hours.items() if window.since is None or hour >= window.since}
    return detect_drift(known, by_hour(part), SETTINGS, window=window)


def stepped(generator: random.Random, quiet: int, moved: int, rows: int = 20) -> Hours:
    return {
        FIRST + hour: drawn(generator, rows, USUAL if hour < quiet else MOVED)
        for hour in range(quiet + moved)
    }


def test_windows_hold_whole_hours_and_each_has_at_least_twice_the_rows_of_the_one_before() -> None:
    hours = {FIRST + hour: (10, 0, 0) for hour in range(100)}
    starts = list(window_starts(hours, 50))
    sizes = [10 * (FIRST + 100 - start) for start in starts]
    assert sizes == [50, 100, 200, 400, 800, 1000]


@given(st.dictionaries(st.integers(0, 500), st.tuples(*[st.integers(0, 60)] * 3), min_size=1))
def test_the_last_window_is_that_of_all_rows_and_the_others_grow(hours: Hours) -> None:
    starts = list(window_starts(hours, 50))
    assert starts[-1] == min(hours)
    assert starts == sorted(set(starts), reverse=True)
    sizes = [sum(sum(counts) for hour, counts in hours.items() if hour >= start) for start in starts]
    assert all(size >= 50 for size in sizes[:-1])
    assert all(later >= 2 * earlier for earlier, later in pairwise(sizes[:-1]))


def test_a_step_in_the_last_tenth_is_found_though_all_rows_together_are_below_the_threshold() -> None:
    known, hours = even(), stepped(random.Random(3), quiet=225, moved=25)
    assert detect_drift(known, by_hour(hours), SETTINGS).reason is not Reason.CHANGED
    report = judge(known, hours)
    assert report.reason is Reason.CHANGED
    assert report.window.since is not None
    assert abs(report.window.since - (FIRST + 225)) <= 25


def test_a_change_from_the_first_row_on_is_judged_on_all_rows() -> None:
    report = judge(even(), stepped(random.Random(4), quiet=0, moved=250))
    assert report.reason is Reason.CHANGED
    assert report.window.since is None
    assert report.window.searched == 8


def test_unchanged_rows_are_judged_all_together() -> None:
    report = judge(even(), stepped(random.Random(5), quiet=250, moved=0))
    assert report.reason is Reason.UNCHANGED
    assert (report.window.since, report.window.searched) == (None, 8)


def test_rows_of_one_hour_are_one_window_without_a_search() -> None:
    window = find(even(), {FIRST: (100, 100, 100)})
    assert (window.since, window.searched, window.level(0.95)) == (None, 1, 0.95)


def test_the_interval_pays_for_every_window() -> None:
    window = ComparedWindow(since=None, searched=4, before=(40.0, 20.0, 40.0), adjusted=False)
    assert window.level(0.95) == pytest.approx(0.9875)
    assert window.interval((10, 10, 30), 0.95) == wasserstein_interval(
        (40, 20, 40), (10, 10, 30), confidence_level=window.level(0.95)
    )


def test_counts_are_divided_by_their_design_effects() -> None:
    window = ComparedWindow(
        since=1, searched=1, before=(40.0, 20.0, 40.0), adjusted=False, divisors=(2.0, 5.0)
    )
    assert window.scaled((10, 10, 30)) == ([20.0, 10.0, 20.0], [2.0, 2.0, 6.0])
    power, plain = window.power(50, 0.15, 0.95), all_rows((20.0, 10.0, 20.0)).power(10, 0.15, 0.95)
    assert power.smallest == plain.smallest
    assert (power.more_rows, plain.more_rows) == (5 * 331, 331)


def test_what_is_missing_is_counted_in_rows_as_they_come() -> None:
    # Against a large baseline 54 independent rows show 0.15; where five rows say as much as one, 270 do.
    large = (400_000.0, 200_000.0, 400_000.0)
    assert all_rows(large).power(50, 0.15, 0.95).more_rows == 4
    assert all_rows(large).power(54, 0.15, 0.95).more_rows == 0
    bursty = ComparedWindow(since=1, searched=1, before=large, adjusted=False, divisors=(1.0, 5.0))
    assert bursty.power(50, 0.15, 0.95).more_rows == 220


def test_the_night_is_compared_with_the_nights_of_the_baseline() -> None:
    generator = random.Random(6)

    def mix(hour: int) -> tuple[float, float, float]:
        moved = 0.2 * math.sin(2 * math.pi * hour / 24)
        return (0.4 + moved, 0.2, 0.4 - moved)

    known = baseline({hour: drawn(generator, 30, mix(hour)) for hour in range(24 * 14)})
    start = (FIRST // 24) * 24
    for end in range(24, 49):
        hours = {start + hour: drawn(generator, 30, mix(hour)) for hour in range(end)}
        assert judge(known, hours).reason is not Reason.CHANGED
    window = find(known, {start + hour: (27, 1, 2) for hour in range(18)} | {start + 18: (0, 0, 90)})
    assert window.adjusted is (window.since is not None)


def test_rows_of_an_hour_that_are_alike_are_no_drift() -> None:
    """In a busy log one customer's hundred mails of an hour say as little as a few."""
    generator = random.Random(7)

    def hour_of_bursts() -> Counts:
        first = generator.choices(range(3), USUAL)[0]
        mix = [0.5 * share + 0.5 * (place == first) for place, share in enumerate(USUAL)]
        return drawn(generator, 60, (mix[0], mix[1], mix[2]))

    known = baseline({hour: hour_of_bursts() for hour in range(400)})
    found = [judge(known, {FIRST + hour: hour_of_bursts() for hour in range(40)}).reason for _ in range(40)]
    assert found.count(Reason.CHANGED) <= 2


def test_unchanged_rows_drift_in_few_looks_and_late_steps_in_most() -> None:
    generator = random.Random(8)
    quiet = [judge(even(), stepped(generator, quiet=n, moved=0)) for n in (3, 5, 10, 50) for _ in range(50)]
    assert sum(one.drifted for one in quiet) <= 8
    late = [judge(even(), stepped(generator, quiet=90, moved=10)) for _ in range(30)]
    assert sum(one.drifted for one in late) >= 24


def test_a_baseline_is_adjusted_where_any_of_its_classes_has_a_day() -> None:
    known, part = Reference.of(even()), {FIRST: (8, 4, 8)}
    daily = replace(known, waves=(Wave(0.4, 0.1), Wave(0.2), Wave(0.4, -0.1)))
    assert _part(daily, part, FIRST, 2, None).adjusted
    assert not _part(known, part, FIRST, 2, None).adjusted
