import math
import random
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from sentimon.config.settings import Settings
from sentimon.labels import Sentiment
from sentimon.monitoring import simulation
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.finding import Finding
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.simulation import Result, Scenario, SimulationRun, _Traffic, simulate
from sentimon.monitoring.vocabulary import vocabulary_of
from sentimon.monitoring.watched_events import Counted, EventWindow
from sentimon.prediction_log.summary import summarise
from sentimon.statistics.dispersion import Wave
from tests.support.rows import START, record

GENERATOR = random.Random(3)
RECORDS = [
    record(
        place,
        minute,
        round(GENERATOR.uniform(0.5, 0.95), 3),
        text=" ".join(GENERATOR.choices([f"w{one}" for one in range(3000)], k=8)),
    )
    for minute, place in enumerate(GENERATOR.choices(range(3), [0.2, 0.3, 0.5], k=3000))
]
BASELINE = Baseline(
    name="b", created=START, source="logs", summary=summarise(RECORDS), vocabulary=vocabulary_of(RECORDS)
)
REFERENCE = Reference.of(BASELINE)


def run(seed: int, **scenario: float) -> SimulationRun:
    given = {"rows": 200, "hours": 1.0, "checks": 40, "shift": 0.0} | scenario
    return simulate(BASELINE, REFERENCE, Settings(), Scenario(**given), seed)  # type: ignore[arg-type]


def test_the_same_seed_is_the_same_run() -> None:
    assert run(1, shift=0.1) == run(1, shift=0.1)
    assert {run(seed, shift=0.1).alarm for seed in range(8)} != {run(0, shift=0.1).alarm}


@pytest.mark.parametrize("hours", [0.25, 1.0, 24.0])
def test_traffic_like_the_baseline_is_quiet_and_a_large_shift_is_found_at_once(hours: float) -> None:
    assert [run(seed, hours=hours).alarm for seed in range(10)] == [None] * 10
    delays = [run(seed, hours=hours, shift=0.3).delay for seed in range(10)]
    assert all(delay in (1, 2) for delay in delays)


def test_traffic_has_a_confidence_as_often_as_the_baseline() -> None:
    half = [
        one if number % 2 else replace(one, scores=None, confidence=None)
        for number, one in enumerate(RECORDS)
    ]
    for rows, low, high in (
        (half, 900, 1100),
        ([replace(one, scores=None, confidence=None) for one in RECORDS], 0, 0),
    ):
        known = Baseline(name="b", created=START, source="logs", summary=summarise(rows))
        scenario = Scenario(rows=2000, hours=1.0, checks=4, shift=0.0)
        traffic = _Traffic(known, Reference.of(known), scenario, np.random.default_rng(1))
        window = traffic.window(2)
        assert window.groups[0].n == 2000
        assert low <= window.groups[1].n <= high
        assert all(count <= window.groups[1].n for count in window.groups[1].counts)
        assert simulate(known, Reference.of(known), Settings(), scenario, 1).alarm is None


def test_the_windows_hold_so_many_rows_of_each_group() -> None:
    scenario = Scenario(rows=101, hours=6.0, checks=4, shift=0.0)
    traffic = _Traffic(BASELINE, REFERENCE, scenario, np.random.default_rng(1))
    window = traffic.window(2)
    assert [one.n for one in window.groups] == [101, 101, 101]
    assert sum(window.groups[0].counts) == 101 == sum(window.clock)
    assert sum(count > 0 for count in window.clock) == 6
    drawn = traffic.reference()
    assert [one.reference.n for one in drawn.groups] == [one.reference.n for one in REFERENCE.groups]
    assert drawn.groups[0].reference.counts != REFERENCE.groups[0].reference.counts


def test_shares_and_delays_of_runs_worked_by_hand() -> None:
    scenario = Scenario(rows=10, hours=1.0, checks=20, shift=0.1)
    alarms = [5, 11, 12, 14, None]
    result = Result(
        scenario=scenario, outcomes=tuple(SimulationRun(alarm=one, change=scenario.change) for one in alarms)
    )
    assert result.false_alarms(0.95).value == 0.2
    assert (result.found(0.95).value, result.found(0.95).n) == (0.75, 4)
    assert (result.delay(0.5), result.delay(0.75), result.delay(0.9)) == (2, 4, None)


def traffic(reference: Reference = REFERENCE, seed: int = 1, **scenario: float) -> Any:
    given = {"rows": 100, "hours": 1.0, "checks": 4, "shift": 0.0} | scenario
    return _Traffic(BASELINE, reference, Scenario(**given), np.random.default_rng(seed))  # type: ignore[arg-type]


def test_a_shift_comes_half_way_and_without_one_never() -> None:
    assert Scenario(rows=1, hours=1.0, checks=7, shift=0.1).change == 3
    assert Scenario(rows=1, hours=1.0, checks=7, shift=0.0).change == 7


@pytest.mark.parametrize(
    ("alarm", "false", "delay"), [(None, False, None), (9, True, None), (10, True, None), (11, False, 1)]
)
def test_an_alarm_up_to_the_shift_is_false_and_one_after_it_has_a_delay(
    alarm: int | None, false: bool, delay: int | None
) -> None:
    run = SimulationRun(alarm=alarm, change=10)
    assert (run.false, run.delay) == (false, delay)


def test_the_delay_of_a_share_of_the_runs_is_that_of_the_first_that_completes_it() -> None:
    def result(*alarms: int | None) -> Result:
        scenario = Scenario(rows=10, hours=1.0, checks=20, shift=0.1)
        return Result(
            scenario=scenario, outcomes=tuple(SimulationRun(alarm=one, change=10) for one in alarms)
        )

    four = result(11, 13, 12, 14)
    assert [four.delay(share) for share in (0.0, 0.01, 0.25, 0.26, 0.5, 1.0)] == [None, 1, 1, 2, 2, 4]
    assert result(5, 5).delay(0.5) is None
    assert result(5, 5).found(0.95).value is None
    assert result(11, None).found(0.95).value == 0.5
    assert (result(11, 5, None).false_alarms(0.95).value, result(11, 5, None).found(0.95).n) == (1 / 3, 2)


def test_the_rows_of_a_check_are_spread_over_its_hours_the_first_have_one_more() -> None:
    window = traffic(rows=101, hours=6.0).window(1)
    assert sorted(window.hours.values()) == [16, 17, 17, 17, 17, 17]
    assert list(window.hours) == list(range(2_400_000, 2_400_006))
    second = traffic(rows=101, hours=6.0).window(2)
    assert list(second.hours) == list(range(2_400_006, 2_400_012))
    # Four checks of a quarter of an hour share it.
    quarters = [traffic(rows=9, hours=0.25).window(check).hours for check in (1, 4, 5)]
    assert quarters == [{2_400_000: 9}, {2_400_000: 9}, {2_400_001: 9}]


@pytest.mark.parametrize("seed", range(12))
def test_a_shift_moves_as_much_from_one_class_to_another(seed: int) -> None:
    moved = sorted(traffic(seed=seed, shift=0.25)._moved)
    assert moved == [-0.25, 0.0, 0.25]
    # No class has 0.7 to give, so the largest gives all that it has.
    most = max(wave.share for wave in REFERENCE.waves)
    assert sorted(traffic(seed=seed, shift=0.7)._moved) == [-most, 0.0, most]


def test_every_class_that_has_enough_gives_and_every_other_one_takes() -> None:
    signs = {tuple(np.sign(traffic(seed=seed, shift=0.25)._moved)) for seed in range(40)}
    # The shares are about 0.2, 0.3 and 0.5: the first has not enough to give.
    assert signs == {(1, -1, 0), (0, -1, 1), (1, 0, -1), (0, 1, -1)}
    only = replace(REFERENCE.groups[0], events=("negative", "", "positive"))
    of_two = replace(REFERENCE, groups=(only, *REFERENCE.groups[1:]))
    signs = {tuple(np.sign(traffic(of_two, seed=seed, shift=0.1)._moved)) for seed in range(40)}
    assert signs == {(1, 0, -1), (-1, 0, 1)}


def test_rows_after_the_shift_are_of_the_moved_mix() -> None:
    some = traffic(rows=60_000, shift=0.25, checks=4)
    usual = np.array([wave.share for wave in REFERENCE.waves])
    before, after = (np.array(some.window(check).groups[0].counts) / 60_000 for check in (2, 3))
    assert before == pytest.approx(usual, abs=0.01)
    assert after == pytest.approx(usual + some._moved, abs=0.01)


def test_the_mix_of_an_hour_follows_the_daily_wave() -> None:
    waves = (Wave(0.2, cosine=0.1), Wave(0.3), Wave(0.5, cosine=-0.1))
    some = traffic(replace(REFERENCE, waves=waves, correlation=0.0))
    assert some._mix(0) == pytest.approx([0.3, 0.3, 0.4])
    assert some._mix(36) == pytest.approx([0.1, 0.3, 0.6])
    steep = traffic(replace(REFERENCE, waves=(Wave(0.2, cosine=0.5), Wave(0.3), Wave(0.5)), correlation=0.0))
    assert steep._mix(12) == pytest.approx([0.0, 3 / 8, 5 / 8], abs=1e-9)
    only = replace(REFERENCE.groups[0], events=("negative", "", "positive"))
    of_two = traffic(replace(REFERENCE, waves=waves, correlation=0.0, groups=(only, *REFERENCE.groups[1:])))
    assert of_two._mix(0) == pytest.approx([3 / 7, 0, 4 / 7])


@pytest.mark.parametrize("correlation", [0.05, 0.5])
def test_the_mixes_of_hours_vary_as_the_rows_of_an_hour_are_alike(correlation: float) -> None:
    waves = (Wave(0.2), Wave(0.3), Wave(0.5))
    some = traffic(replace(REFERENCE, waves=waves, correlation=correlation))
    mixes = np.array([some._mix(hour) for hour in range(4000)])
    usual = np.array([0.2, 0.3, 0.5])
    assert mixes.mean(axis=0) == pytest.approx(usual, abs=0.02)
    # The variance of a share about the usual one is correlation * share * (1 - share).
    assert mixes.var(axis=0) == pytest.approx(correlation * usual * (1 - usual), rel=0.15)
    # An hour has one mix, however often it is asked for.
    assert some._mix(7) is some._mix(7)


def test_confidences_and_words_are_drawn_as_often_as_the_baseline_has_them() -> None:
    window = traffic(rows=60_000).window(1)
    for group, drawn in zip(REFERENCE.groups[1:], window.groups[1:], strict=True):
        usual = np.array(group.reference.counts) / group.reference.n
        assert np.array(drawn.counts) / drawn.n == pytest.approx(usual, abs=0.01)
        assert list(drawn.counts) == sorted(drawn.counts)
    assert [one.n for one in window.groups] == [60_000] * 3


def test_a_drawn_baseline_counts_words_in_half_of_its_rows_and_a_check_in_all() -> None:
    some, known = traffic(), REFERENCE.groups[2].reference
    assert (known.n, some._rows) == (1500, 3000)
    assert some._count_words(known, 3000).n == 1500
    assert (some._count_words(known, 2999).n, some._count_words(known, 10).n) == (2999, 10)
    assert some._count_words(Counted(5000, known.counts), 3000).n == 3000


def test_the_drawn_baseline_has_the_hours_and_the_cuts_of_the_real_one() -> None:
    drawn = traffic().reference()
    assert (drawn.rows, drawn.cuts) == (REFERENCE.rows, REFERENCE.cuts)
    assert drawn.mean_cluster_size == REFERENCE.mean_cluster_size
    assert [one.events for one in drawn.groups] == [one.events for one in REFERENCE.groups]
    shares = [one.reference.counts[0] / one.reference.n for one in drawn.groups]
    usual = [one.reference.counts[0] / one.reference.n for one in REFERENCE.groups]
    assert shares == pytest.approx(usual, abs=4 * math.sqrt(0.25 / 1500))


def test_each_check_is_judged_by_its_number_from_the_first_to_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[int, int]] = []

    def looked(
        reference: Reference, windows: list[EventWindow], check: int, settings: object
    ) -> list[Finding]:
        seen.append((check, len(windows)))
        return []

    monkeypatch.setattr(simulation, "find_shifts", looked)
    assert run(1, checks=5).alarm is None
    assert seen == [(number, number) for number in range(1, 6)]


def test_a_class_that_the_baseline_lacks_has_any_confidence_with_the_same_probability() -> None:
    rows = [one for one in RECORDS if one.sentiment is not Sentiment.NEUTRAL]
    known = Baseline(name="b", created=START, source="logs", summary=summarise(rows), vocabulary=None)
    scenario = Scenario(rows=10, hours=1.0, checks=1, shift=0.0)
    bins = _Traffic(known, Reference.of(known), scenario, np.random.default_rng(0))._bins
    assert bins.sum(axis=1) == pytest.approx([1.0, 1.0, 1.0])
    # The first bin is for rows without a confidence.
    assert bins[1].tolist() == [0.0, *[0.01] * 100]
