"""What the monitor expects of a baseline at the hours of the day that some rows come from."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec.structs import replace as changed

from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.watched_events import Counted, EventGroup, EventWindow
from sentimon.prediction_log.summary import summarise
from sentimon.statistics.dispersion import Wave
from tests.monitoring.test_finding import VOCABULARY
from tests.support.monitors import baseline
from tests.support.rows import record

CLASSES = EventGroup(
    name="class", events=("negative", "neutral", "positive"), reference=Counted(100, (30, 50, 20))
)
SURE = EventGroup(name="confidence", events=("below 0.60",), reference=Counted(80, (8,)))
FLAT = Reference.from_hours((CLASSES, SURE), {0: (30, 50, 20)}, cuts=(60,))
WAVES = changed(FLAT, waves=(Wave(0.3, cosine=0.2), Wave(0.5), Wave(0.2, cosine=-0.3)))


def clock(**hours: int) -> list[int]:
    return [hours.get(f"h{hour}", 0) for hour in range(24)]


def test_without_a_daily_wave_the_counts_of_the_baseline_are_expected_at_any_hour() -> None:
    assert [FLAT.expected(0, place, clock(h3=7)) for place in range(3)] == [(30, 100), (50, 100), (20, 100)]
    assert FLAT.expected(1, 0, clock(h3=7)) == (8, 80)


def test_a_wave_moves_the_share_to_that_of_the_hours_of_the_rows() -> None:
    # Three of four rows come at 0 h, where the share is 0.2 higher, one at 12 h, where it is 0.2 lower.
    assert WAVES.expected(0, 0, clock(h0=3, h12=1)) == (pytest.approx(30 + 100 * 0.1), 100)
    assert WAVES.expected(0, 1, clock(h0=3, h12=1)) == (50, 100)
    assert WAVES.expected(0, 2, clock(h12=1)) == (pytest.approx(50), 100)
    # A share is never below nothing, nor a confidence moved by the hour.
    assert WAVES.expected(0, 2, clock(h0=5)) == (0.0, 100)
    assert WAVES.expected(1, 0, clock(h0=5)) == (8, 80)
    assert WAVES.expected(0, 0, clock()) == (30, 100)
    steep = changed(WAVES, waves=(Wave(0.3, cosine=0.9), Wave(0.5), Wave(0.2)))
    assert steep.expected(0, 0, clock(h0=5)) == (100, 100)


def test_counts_are_divided_where_rows_of_an_hour_are_alike() -> None:
    assert (FLAT.divided, FLAT.divisor_at(0, 0, clock(h5=4))) == (False, 1.0)
    alike = changed(FLAT, correlation=0.25, mean_cluster_size=9.0)
    assert (alike.divided, alike.divisor_at(0, 0, clock(h5=4))) == (True, 3.0)
    # What the error of a wave adds is for the classes alone, which follow it.
    waves = (Wave(0.3, 0.1, kept=0.5), Wave(0.5), Wave(0.2))
    assert changed(alike, waves=waves).divisor_at(0, 0, clock(h5=4)) == pytest.approx(6.0)
    assert changed(alike, waves=waves).divisor_at(1, 0, clock(h5=4)) == 3.0
    window = EventWindow(groups=(), hours={0: 15, 1: 5, 24: 5})
    # Of 25 rows 15 are in an hour of 15, ten in hours of five: 11 in the mean.
    assert alike.divisor_of(window) == pytest.approx(1 + 10 * 0.25)
    assert changed(FLAT, correlation=1e-9).divided


def test_bursts_of_a_baseline_are_told_from_chance() -> None:
    # Hours of all one class or all another: chi-square is 10 an hour, with nine degrees of freedom for ten.
    hours = {hour: (10, 0, 0) if hour % 2 else (0, 10, 0) for hour in range(10)}
    of_two = changed(CLASSES, reference=Counted(100, (50, 50, 0)))
    bursts = Reference.from_hours((of_two,), hours, cuts=())
    assert bursts.design_effect == pytest.approx(100 / 9)
    assert bursts.correlation == 1.0
    assert (bursts.mean_cluster_size, bursts.rows, bursts.groups) == (10.0, 100, (of_two,))
    even = Reference.from_hours((of_two,), dict.fromkeys(range(10), (5, 5, 0)), cuts=())
    assert (even.design_effect, even.correlation) == (1.0, 0.0)


def test_the_reference_of_a_baseline_has_its_classes_its_confidences_and_its_words_if_it_has_any() -> None:
    made = baseline(600, 900, 1500)
    without = Reference.of(made)
    assert [group.name for group in without.groups] == ["class", "confidence"]
    assert (without.rows, without.groups[0].reference.counts) == (3000, (600, 900, 1500))
    assert without.cuts == (54, 58, 62, 66, 70, 74, 78, 82, 86)
    assert [group.name for group in Reference.of(replace(made, vocabulary=VOCABULARY)).groups][2:] == [
        "words"
    ]


def test_a_window_counts_rows_by_class_by_confidence_and_by_hour() -> None:
    rows = [record(0, 0, 0.5), record(2, 1, 0.59), record(2, 61, 0.6), record(1, 62, None)]
    found = FLAT.window(summarise(rows))
    assert found.groups == (Counted(4, (1, 1, 2)), Counted(3, (2,)))
    assert (sorted(found.hours.values()), found.rows) == ([2, 2], 4)
