from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from scipy import stats

from sentimon.evaluation.error_rate_monitor import (
    ErrorRateCheck,
    check_error_rate,
    monitor_losses,
)
from sentimon.evaluation.realised_quality import Judged
from sentimon.gold_labels.gold_label import GoldLabel
from sentimon.labels import Sentiment
from sentimon.statistics.betting_test import largest_capital
from tests.support.rows import START

ALPHA = 0.05


def track(reference: list[float], current: list[float], **options: float) -> ErrorRateCheck:
    given = {"tolerance": 0.05, "confidence_level": 1 - ALPHA, "min_labels": 50} | options
    return monitor_losses(reference, current, **given)


def coins(random: np.random.Generator, rate: float, n: int) -> list[float]:
    return [float(one) for one in random.random(n) < rate]


def test_the_bound_of_the_reference_is_clopper_s_and_pearson_s() -> None:
    found = track([1.0] * 12 + [0.0] * 88, [0.0])
    assert found.reference.value == 0.12
    assert found.reference.high == pytest.approx(stats.beta.ppf(1 - ALPHA / 2, 13, 88), abs=1e-9)
    assert found.limit == pytest.approx(found.reference.high + 0.05)
    assert track([0.0] * 60, []).reference.high == pytest.approx(1 - (ALPHA / 2) ** (1 / 60))


def test_the_capital_of_three_labels_is_the_one_worked_by_hand() -> None:
    # Limit 0.2, belief 0.5 worth ten labels: mean 0.5, spread 0.25, bet 0.3 / (0.25 + 0.09).
    first = 0.3 / 0.34
    mean = (1 + 5) / 11
    second = (mean - 0.2) / (mean - mean**2 + (mean - 0.2) ** 2)
    expected = (1 + first * 0.8) * (1 + second * 0.8)
    assert largest_capital(np.array([1.0, 1.0]), 0.2, 0.5) == pytest.approx(expected)
    assert largest_capital(np.array([0.0, 0.0]), 0.2, 0.5) == 1
    assert largest_capital(np.array([]), 0.2, 0.5) == 1


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.6])
def test_the_bet_is_falsely_won_at_any_time_in_no_more_than_its_level_of_runs(rate: float) -> None:
    random = np.random.default_rng(3)
    runs = 400
    won = sum(
        largest_capital((random.random(1000) < rate) * 1.0, rate, rate) >= 2 / ALPHA for _ in range(runs)
    )
    assert won <= runs * ALPHA / 2 + 3 * np.sqrt(runs * ALPHA / 2)


@pytest.mark.parametrize(("before", "since"), [(0.2, 0.2), (0.2, 0.25), (0.02, 0.07)])
def test_an_alarm_is_ever_false_in_no_more_than_five_of_a_hundred_runs(before: float, since: float) -> None:
    random = np.random.default_rng(7)
    runs = 200
    alarms = sum(track(coins(random, before, 300), coins(random, since, 1000)).alarm for _ in range(runs))
    assert alarms <= ALPHA * runs


def test_weighted_losses_keep_the_level_too() -> None:
    random = np.random.default_rng(5)
    alarms = 0
    for _ in range(200):
        chance = random.choice([0.2, 1.0], size=800)
        kept = random.random(800) < chance
        losses = ((random.random(800) < 0.25) / chance)[kept]
        alarms += track(coins(random, 0.2, 300), list(losses / (1 / chance[kept]).mean())).alarm
    assert alarms <= 10


def test_labels_of_rows_that_are_hard_and_drawn_for_it_raise_no_alarm() -> None:
    random = np.random.default_rng(6)
    alarms = 0
    for _ in range(60):
        rows = [judged(number, wrong=bool(random.random() < 0.2), minute=number) for number in range(600)]
        number = 600
        for draw in range(2):
            hard = random.random(1500) < 0.3
            wrong = random.random(1500) < np.where(hard, 0.5, 0.2 - 0.3 * 0.3 / 0.7)
            chance = np.where(hard, 0.5, 0.1)
            for place in np.flatnonzero(random.random(1500) < chance):
                drawn = {"probability": float(chance[place]), "draw": START + timedelta(days=draw + 1)}
                rows.append(judged(number, wrong=bool(wrong[place]), minute=number, **drawn))
                number += 1
        order = {one.label.key: place for place, one in enumerate(rows)}
        in_reference = [place < 400 for place in range(len(rows))]
        found = check_error_rate(
            rows, order, in_reference,
            tolerance=0.05, confidence_level=0.95, min_labels=50, reference_labels=60,
        )  # fmt: skip
        alarms += found.alarm
        assert found.current.value == pytest.approx(0.22, abs=0.09)
    assert alarms <= 3


@pytest.mark.parametrize("quiet", [0, 2000])
def test_a_doubled_error_rate_is_found_within_some_hundred_labels_also_after_a_long_quiet_time(
    quiet: int,
) -> None:
    random = np.random.default_rng(9)
    found = 0
    for _ in range(40):
        losses = coins(random, 0.2, quiet) + coins(random, 0.4, 600)
        found += track(coins(random, 0.2, 500), losses).alarm
    assert found >= 36


def test_the_lower_bound_stays_below_the_truth_in_nineteen_of_twenty_runs() -> None:
    random = np.random.default_rng(11)
    lows = [track(coins(random, 0.2, 300), coins(random, 0.3, 500)).current.low for _ in range(100)]
    assert sum(low > 0.3 for low in lows) <= 5
    assert np.median(lows) > 0.22


def test_without_labels_there_is_no_verdict_and_no_alarm() -> None:
    for found in (track([], []), track([0.0] * 60, []), track([0.0] * 10, [1.0] * 4)):
        assert not found.decided
        assert found.to_rule().met is None
    assert track([], [1.0] * 60).limit is None


def test_the_rule_has_what_the_decision_needs() -> None:
    rule = track([0.0, 1.0] * 30, [1.0] * 200).to_rule()
    assert (rule.name, rule.side, rule.met, rule.value, rule.n) == ("error rate", "above", True, 1.0, 200)
    assert rule.low > rule.limit > 0.55


def judged(number: int, wrong: bool, minute: int, **rest: object) -> Judged:
    label = GoldLabel(key=("id", str(number)), label=Sentiment(int(wrong)), timestamp=START, **rest)
    return Judged(
        timestamp=START + timedelta(minutes=minute), predicted=Sentiment.NEGATIVE, label=label,
        scores=(0.8, 0.1, 0.1), text=None,
    )  # fmt: skip


def test_labels_count_once_in_the_order_they_came_and_the_first_are_the_reference() -> None:
    rows = [judged(number, wrong=number >= 60, minute=-number) for number in range(80)]
    rows += [judged(3, wrong=True, minute=1)]
    order = {("id", str(number)): number for number in range(80)}
    options = {"tolerance": 0.05, "confidence_level": 0.95, "min_labels": 50}
    found = check_error_rate(rows, order, [False] * 81, reference_labels=60, **options)
    assert (found.reference.value, found.reference.n) == (0, 60)
    assert (found.current.value, found.current.n) == (1, 20)
    in_reference = [one.timestamp <= START - timedelta(minutes=20) for one in rows]
    found = check_error_rate(rows, order, in_reference, reference_labels=60, **options)
    assert (found.reference.n, found.current.n) == (60, 20)
    assert found.reference.value == pytest.approx(20 / 60)
