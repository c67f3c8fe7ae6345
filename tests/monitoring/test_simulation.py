import random

import pytest
from msgspec.structs import replace

from sentimon.config.settings import Settings
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.simulation import Result, Scenario, SimulationRun, simulate
from sentimon.monitoring.vocabulary import vocabulary_of
from sentimon.prediction_log.summary import summarise
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
    import numpy as np

    from sentimon.monitoring.simulation import _Traffic

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
    import numpy as np

    from sentimon.monitoring.simulation import _Traffic

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
