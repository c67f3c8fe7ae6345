import math
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.onset import ConfidenceSums, Onset
from sentimon.monitoring.onset_search import (
    _as_independent,
    _mix_change,
    _rows_with_rhythm,
    class_mix_onset,
    confidence_onset,
    event_onset,
    volume_onset,
)
from sentimon.monitoring.watched_events import Counted, EventGroup
from sentimon.prediction_log.summary import Counts, GrowingSummary, summarise
from sentimon.scoring.scores import SCALE
from sentimon.statistics.change_points import mix_change_point
from sentimon.statistics.dispersion import Wave
from tests.support.rows import record

START = 490_000
NORMAL, CHANGED = (0.3, 0.4, 0.3), (0.1, 0.4, 0.5)
"""Shares of the classes."""


def drawn(generator: random.Random, shares: Sequence[float], rows: int) -> Counts:
    places = generator.choices(range(3), shares, k=rows)
    return places.count(0), places.count(1), places.count(2)


def hours_of(
    generator: random.Random, hours: range, rows: int, shares: Callable[[int], Sequence[float]]
) -> dict[int, Counts]:
    return {hour: drawn(generator, shares(hour), rows) for hour in hours}


def wave(hour: int) -> tuple[float, float, float]:
    swing = 0.15 * math.cos(2 * math.pi * hour / 24)
    return 0.3 - swing, 0.4, 0.3 + swing


def bursts(generator: random.Random, shares: Sequence[float]) -> list[float]:
    parts = [generator.gammavariate(9 * share, 1) for share in shares]
    return [part / sum(parts) for part in parts]


def sums(rows: int, mean: float, deviation: float = 0.1) -> ConfidenceSums:
    total = round(rows * mean * SCALE)
    squares = round(rows * (mean * mean + deviation * deviation) * SCALE * SCALE)
    return ConfidenceSums(rows=rows, total=total, squares=squares)


def steady(hours: range, counts: Counts) -> dict[int, Counts]:
    return dict.fromkeys(hours, counts)


BASELINE = steady(range(START - 100, START), (12, 16, 12))


def test_an_onset_is_told_in_hours_in_moments_and_in_rows() -> None:
    later = steady(range(START, START + 30), (12, 16, 12)) | steady(
        range(START + 30, START + 50), (2, 16, 22)
    )
    onset = class_mix_onset(BASELINE, later)
    assert onset == Onset(
        hour=START + 30,
        first_hour=START + 29,
        last_hour=START + 30,
        rows=20 * 40,
        confidence_level=0.95,
        from_the_start=False,
    )
    assert onset.began == datetime(2025, 11, 25, 22, tzinfo=UTC)
    assert onset.to_dict() == {
        "began": "2025-11-25T22:00:00Z",
        "earliest": "2025-11-25T21:00:00Z",
        "latest": "2025-11-25T23:00:00Z",
        "rows": 800,
        "confidence_level": 0.95,
        "from_the_start": False,
        "looked_back": True,
    }


def test_a_change_that_came_with_the_first_rows_may_be_older_than_they_are() -> None:
    onset = class_mix_onset(BASELINE, steady(range(START, START + 20), (2, 16, 22)))
    assert onset is not None
    assert onset.from_the_start
    assert onset.hour == onset.first_hour == START
    assert onset.rows == 20 * 40


def test_rows_that_came_in_the_last_hour_of_the_baseline_are_later_ones_too() -> None:
    later = {START - 1: (1, 8, 11), **steady(range(START, START + 20), (2, 16, 22))}
    onset = class_mix_onset(BASELINE, later)
    assert onset is not None
    assert onset.hour == START - 1


def test_nothing_began_without_rows() -> None:
    assert class_mix_onset(BASELINE, {}) is None
    assert class_mix_onset({}, BASELINE) is None
    assert class_mix_onset(BASELINE, {START: (0, 0, 0)}) is None
    assert confidence_onset(sums(0, 0.0), {START: sums(5, 0.8)}) is None
    assert confidence_onset(sums(5, 0.8), {START: sums(0, 0.0)}) is None
    assert volume_onset({}, {START: 5}, baseline_rows=100) is None
    assert volume_onset({START: 0.0}, {START: 5}, baseline_rows=100) is None


def test_what_is_as_usual_again_has_no_onset() -> None:
    normal = (12, 16, 12)
    later = (
        steady(range(START, START + 20), normal)
        | steady(range(START + 20, START + 40), (2, 16, 22))
        | steady(range(START + 40, START + 80), normal)
    )
    assert class_mix_onset(BASELINE, later) is None
    again = later | steady(range(START + 80, START + 90), (2, 16, 22))
    onset = class_mix_onset(BASELINE, again)
    assert onset is not None
    assert onset.hour == START + 80


def test_a_wave_of_the_day_is_not_taken_for_an_onset() -> None:
    generator = random.Random(3)
    baseline = hours_of(generator, range(START - 168, START), 60, wave)
    step = START + 60 + 9

    def shares(hour: int) -> tuple[float, float, float]:
        negative, neutral, positive = wave(hour)
        moved = 0.08 * (hour >= step)
        return negative - moved, neutral + moved, positive

    later = hours_of(generator, range(START, START + 120), 60, shares)
    reference = Reference.from_hours(
        (EventGroup(name="class", events=("a", "b", "c"), reference=Counted(1, (1, 0, 0))),),
        baseline,
        cuts=(),
    )
    assert reference.waves[0].amplitude == pytest.approx(0.15, abs=0.03)
    onset = class_mix_onset(baseline, later)
    assert onset is not None
    assert onset.first_hour <= step <= onset.last_hour
    assert onset.last_hour - onset.first_hour < 12


def test_a_wave_that_the_baseline_is_too_short_for_is_found_in_the_later_rows() -> None:
    generator = random.Random(4)
    baseline = hours_of(generator, range(START - 12, START), 60, lambda _: NORMAL)
    step = START + 75

    def shares(hour: int) -> tuple[float, float, float]:
        negative, neutral, positive = wave(hour)
        moved = 0.1 * (hour >= step)
        return negative - moved, neutral + moved, positive

    onset = class_mix_onset(baseline, hours_of(generator, range(START, START + 120), 60, shares))
    assert onset is not None
    assert onset.first_hour <= step <= onset.last_hour


def test_bursts_widen_the_interval_also_where_the_baseline_has_too_few_hours_to_show_them() -> None:
    generator, step, widths = random.Random(5), START + 60, []
    covered = 0
    for _ in range(20):
        baseline = hours_of(generator, range(START - 3, START), 100, lambda _: bursts(generator, NORMAL))
        later = hours_of(
            generator,
            range(START, START + 120),
            100,
            lambda hour: bursts(generator, CHANGED if hour >= step else NORMAL),
        )
        onset = class_mix_onset(baseline, later)
        assert onset is not None
        widths.append(onset.last_hour - onset.first_hour + 1)
        covered += onset.first_hour <= step <= onset.last_hour
    even = class_mix_onset(
        BASELINE, steady(range(START, step), (30, 40, 30)) | steady(range(step, START + 120), (10, 40, 50))
    )
    assert even is not None
    assert even.last_hour - even.first_hour + 1 <= 2
    assert sum(widths) / len(widths) > 3
    assert covered >= 17


def test_hours_that_go_astray_together_widen_the_interval() -> None:
    def width(lasting: float, seed: int) -> int:
        generator, swing, later = random.Random(seed), 0.0, {}
        for hour in range(START, START + 200):
            swing = lasting * swing + generator.gauss(0, 0.06 * math.sqrt(1 - lasting**2))
            moved = swing + 0.12 * (hour >= START + 120)
            later[hour] = drawn(generator, (0.3 + moved, 0.4, 0.3 - moved), 200)
        onset = class_mix_onset(steady(range(START - 100, START), (60, 80, 60)), later)
        assert onset is not None
        return onset.last_hour - onset.first_hour + 1

    assert sum(width(0.8, seed) for seed in range(6)) > 1.5 * sum(width(0.0, seed) for seed in range(6))


@settings(max_examples=25)
@given(
    st.dictionaries(st.integers(0, 60), st.tuples(*[st.integers(0, 20)] * 3), min_size=1, max_size=30),
    st.permutations(range(3)),
    st.integers(-400_000, 400_000),
)
def test_an_onset_moves_with_its_hours_and_lies_among_them(
    later: Mapping[int, Counts], order: list[int], days: int
) -> None:
    def moved(hours: Mapping[int, Counts]) -> dict[int, Counts]:
        return {hour + 24 * days: counts for hour, counts in hours.items()}

    baseline = steady(range(-100, 0), (12, 16, 12))
    here, there = class_mix_onset(baseline, later), class_mix_onset(moved(baseline), moved(later))
    if here is None or there is None:
        assert here is there
        return
    assert there.hour - here.hour == there.first_hour - here.first_hour == there.last_hour - here.last_hour
    assert there.hour - here.hour == 24 * days
    seen = {hour for hour, counts in later.items() if sum(counts)}
    assert here.hour in seen
    assert min(seen) <= here.first_hour <= here.hour <= here.last_hour <= max(seen)
    assert here.rows == sum(sum(counts) for hour, counts in later.items() if hour >= here.hour)


def test_the_share_of_an_event_that_rises_is_found_in_its_hour() -> None:
    later = {START + hour: Counted(40, (8, 4 if hour < 30 else 20)) for hour in range(50)}
    onset = event_onset(Counted(4_000, (800, 400)), later, 1)
    assert onset is not None
    assert onset.hour == START + 30
    assert START + 29 <= onset.first_hour <= onset.last_hour <= START + 30
    assert onset.rows == 20 * 40
    # As if the two classes, in and out, had been counted.
    as_classes = {hour: (one.counts[1], 0, one.n - one.counts[1]) for hour, one in later.items()}
    assert class_mix_onset(steady(range(START - 96, START), (4, 0, 36)), as_classes) == onset
    assert event_onset(Counted(0, (0, 0)), later, 1) is None
    assert event_onset(Counted(9, (1, 1)), {START: Counted(0, (0, 0))}, 1) is None


def test_a_mean_confidence_that_falls_is_found_in_its_hour() -> None:
    later = {START + hour: sums(40, 0.8 if hour < 30 else 0.7) for hour in range(50)}
    onset = confidence_onset(sums(4_000, 0.8), later)
    assert onset is not None
    assert onset.hour == START + 30
    assert START + 28 <= onset.first_hour <= onset.last_hour <= START + 31
    assert onset.rows == 20 * 40


def test_a_confidence_that_swings_over_the_day_is_no_onset() -> None:
    generator, step = random.Random(6), START + 90

    def mean(hour: int) -> float:
        swing = 0.05 * math.cos(2 * math.pi * hour / 24) + generator.gauss(0, 0.1 / math.sqrt(40))
        return 0.8 + swing - 0.04 * (hour >= step)

    later = {hour: sums(40, mean(hour)) for hour in range(START, START + 144)}
    onset = confidence_onset(sums(5_000, 0.8), later)
    assert onset is not None
    assert onset.first_hour <= step <= onset.last_hour
    assert onset.last_hour - onset.first_hour < 12


def test_confidences_that_vary_from_hour_to_hour_widen_the_interval() -> None:
    def onset(noise: float) -> Onset:
        generator = random.Random(7)
        means = [0.8 - 0.06 * (hour >= 60) + generator.gauss(0, noise) for hour in range(120)]
        found = confidence_onset(
            sums(5_000, 0.8), {START + hour: sums(400, one) for hour, one in enumerate(means)}
        )
        assert found is not None
        return found

    even, uneven = onset(0.1 / math.sqrt(400)), onset(0.04)
    assert even.last_hour - even.first_hour <= 1
    assert uneven.last_hour - uneven.first_hour >= 3
    assert uneven.first_hour <= START + 60 <= uneven.last_hour


def test_the_sums_of_an_hour_are_those_of_its_rows() -> None:
    growing = GrowingSummary()
    for row in (record(0, confidence=0.5), record(2, confidence=0.75), record(2, confidence=0.625)):
        growing.add(row)
    found = ConfidenceSums.of_hour(growing)
    assert found == ConfidenceSums.of(growing.summary().classes)
    assert found == ConfidenceSums(rows=3, total=1_875_000, squares=1_203_125_000_000)
    assert found.mean == 0.625
    # (-.125, .125, 0) squared.
    assert found.scatter == pytest.approx(0.03125)


def test_rows_that_double_are_found_in_their_hour_and_quiet_hours_are_no_silence() -> None:
    expected = {START + hour: 40.0 if hour % 24 < 12 else 2.0 for hour in range(96)}
    generator = random.Random(8)
    rows = {
        hour: round(generator.gauss(usual, math.sqrt(usual)) if hour < START + 51 else 2 * usual)
        for hour, usual in expected.items()
    }
    onset = volume_onset(expected, rows, baseline_rows=5_000)
    assert onset is not None
    assert onset.hour == START + 51
    assert onset.rows == sum(count for hour, count in rows.items() if hour >= START + 51)


def test_rows_that_stop_are_found_though_no_row_tells() -> None:
    expected = dict.fromkeys(range(START, START + 60), 20.0)
    onset = volume_onset(expected, dict.fromkeys(range(START, START + 40), 20), baseline_rows=5_000)
    assert onset is not None
    assert onset.hour == START + 40
    assert onset.rows == 0
    assert START + 39 <= onset.first_hour <= onset.last_hour <= START + 40


def test_traffic_that_goes_astray_for_hours_widens_the_interval() -> None:
    generator, level = random.Random(9), 0.0
    rows = {}
    for hour in range(START, START + 200):
        level = 0.7 * level + generator.gauss(0, 0.3)
        rows[hour] = round(100 * math.exp(level) * (0.5 if hour >= START + 120 else 1))
    even = {hour: 100 if hour < START + 120 else 50 for hour in rows}
    expected = dict.fromkeys(rows, 100.0)
    wide, narrow = (volume_onset(expected, one, baseline_rows=20_000) for one in (rows, even))
    assert wide is not None
    assert narrow is not None
    assert wide.last_hour - wide.first_hour >= 5 > narrow.last_hour - narrow.first_hour
    assert wide.first_hour <= START + 120 <= wide.last_hour


def test_a_log_of_years_is_searched_by_day_first_and_gives_the_hour() -> None:
    step = START + 2_011
    later = steady(range(START, step), (12, 16, 12)) | steady(range(step, START + 3_000), (2, 16, 22))
    onset = class_mix_onset(BASELINE, later)
    assert onset is not None
    assert onset.hour == step
    assert step - 1 <= onset.first_hour <= onset.last_hour <= step + 1
    sure = {hour: sums(40, 0.8 if hour < step else 0.7) for hour in later}
    onset = confidence_onset(sums(5_000, 0.8), sure)
    assert onset is not None
    assert onset.hour == step


def test_counts_are_divided_by_the_design_effect_and_by_the_swing_of_their_class() -> None:
    assert _as_independent((12, 20, 8), 2.0, (3.0, 1.0, 0.5)) == (2.0, 10.0, 8.0)


def test_the_rows_of_hours_with_a_wave_of_any_class_count() -> None:
    hours = {5: (1, 2, 3), 6: (0, 4, 0)}
    swinging, flat = Wave(0.2, 0.1), Wave(0.5)
    assert _rows_with_rhythm((hours, (swinging, flat, swinging))) == 10
    assert _rows_with_rhythm((hours, (flat, flat, flat))) == 0


def test_the_rows_of_the_baseline_are_counted_as_rows_before_the_change() -> None:
    # A baseline of two hours with a row each, and two hours after it: what is known before the change is as
    # many negative and positive rows.
    baseline, later = {0: (1, 0, 0), 1: (0, 0, 1)}, {2: (10, 0, 10), 3: (20, 0, 0)}
    found = _mix_change(baseline, later, (), 0.95, recoveries=False)
    assert found == mix_change_point(
        [2, 3], [(10, 0, 10), (20, 0, 0)], (1, 0, 1), confidence_level=0.95, recoveries=False
    )


def test_the_larger_variance_of_both_sides_counts() -> None:
    """Rows that vary little after a change do not make its hour surer than the baseline's let it be."""
    later = {
        hour: ConfidenceSums.of(summarise([record(0, 0, 0.8 if hour < 24 else 0.75)] * 20).classes)
        for hour in range(48)
    }

    def hours(apart: float) -> int:
        rows = [record(0, 0, 0.8 + apart * (-1) ** number) for number in range(1_000)]
        onset = confidence_onset(ConfidenceSums.of(summarise(rows).classes), later)
        assert onset is not None
        return onset.last_hour - onset.first_hour

    assert hours(0.01) <= 1
    assert hours(0.19) >= 4
