from __future__ import annotations

import math
from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentimon.gold_labels.sampling import Draw, draw_rows
from sentimon.gold_labels.sampling_strategies import (
    UNIFORM,
    cluster_of,
    count_clusters,
    count_words,
    diversity_weights,
    drift_weights,
    equal_weight,
    uncertainty_weight,
)
from sentimon.prediction_log.record import PredictionRecord
from tests.support.rows import record


def rows(count: int, **rest: object) -> list[PredictionRecord]:
    return [record(number % 3, number, id=str(number), **rest) for number in range(count)]


def keyed(records: list[PredictionRecord]) -> list[tuple[tuple[str, str], PredictionRecord]]:
    return [(("id", str(one.id)), one) for one in records]


def weight_of(one: PredictionRecord) -> float:
    return 0.1 + (int(one.id or 0) * 7 % 11) / 11


def picked(draw: Draw) -> list[str]:
    return [one.key[1] for one in draw.rows]


@given(st.integers(0, 40), st.integers(1, 20), st.text(max_size=3), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_same_seed_and_rows_give_the_same_draw_in_whatever_order_they_come(
    count: int, n: int, seed: str, random: Random
) -> None:
    given_rows = keyed(rows(count))
    draw = draw_rows(given_rows, n=n, seed=seed, weigh=weight_of)
    random.shuffle(given_rows)
    again = draw_rows(given_rows, n=n, seed=seed, weigh=weight_of)
    assert {one.key: one.probability for one in draw.rows} == {one.key: one.probability for one in again.rows}
    assert len(draw.rows) == min(n, count)
    assert draw.frame == count
    assert all(0 < one.probability <= 1 for one in draw.rows)
    if count <= n:
        assert all(one.probability == 1 for one in draw.rows)


def test_weighted_sums_have_the_expectation_of_the_sum_over_all_rows() -> None:
    given_rows = keyed(rows(60))
    values = {key: float(number % 5 == 0) + number / 100 for number, (key, _) in enumerate(given_rows)}
    totals, counts = [], []
    for seed in range(3000):
        draw = draw_rows(given_rows, n=12, seed=str(seed), weigh=weight_of)
        totals.append(sum(values[one.key] / one.probability for one in draw.rows))
        counts.append(sum(1 / one.probability for one in draw.rows))
    for found, truth in ((totals, sum(values.values())), (counts, 60)):
        assert abs(np.mean(found) - truth) < 4 * np.std(found) / math.sqrt(len(found))


def test_rows_with_one_key_are_picked_together_and_stand_once_in_the_draw() -> None:
    same = record(0, text="again")
    given_rows = [(("text_hash", "a"), same)] * 500 + keyed(rows(20))
    times = Counter(
        key
        for seed in range(400)
        for key in picked(draw_rows(given_rows, n=5, seed=str(seed), weigh=equal_weight))
    )
    # 21 things to label, five of them each time: the repeated one no more often than any other.
    assert abs(times["a"] - 400 * 5 / 21) < 4 * math.sqrt(400 * 5 / 21)
    assert draw_rows(given_rows, n=5, seed="0", weigh=equal_weight).frame == 520


def test_every_row_can_be_picked_by_every_strategy() -> None:
    sure = record(2, confidence=1.0, text="")
    before, now = count_words(rows(50)), count_words([*rows(50), sure])
    assert uncertainty_weight(sure) == pytest.approx(UNIFORM)
    assert drift_weights(before, now)(sure) >= UNIFORM
    assert diversity_weights(count_clusters([*rows(50), sure]))(sure) >= UNIFORM / 51
    assert equal_weight(sure) == 1


def test_two_near_scores_weigh_more_than_a_sure_one() -> None:
    # 0.5 against 0.25 and 0.9 against 0.05: 1 - margin is 0.75 and 0.15.
    assert uncertainty_weight(record(0, confidence=0.5)) == pytest.approx(0.1 + 0.9 * 0.75)
    assert uncertainty_weight(record(0, confidence=0.9)) == pytest.approx(0.1 + 0.9 * 0.15)


def test_a_row_without_all_scores_weighs_by_its_confidence_and_one_without_that_like_a_sure_one() -> None:
    # With 0.75 the second highest is 0.25 at most; with 0.4 it may be as high.
    assert uncertainty_weight(record(0, confidence=0.75, scores=None)) == pytest.approx(0.1 + 0.9 * 0.5)
    assert uncertainty_weight(record(0, confidence=0.4, scores=None)) == pytest.approx(1)
    assert uncertainty_weight(record(0, confidence=None)) == UNIFORM


def test_a_class_that_grew_weighs_by_the_part_of_it_that_is_new() -> None:
    before = [record(place, text=None) for place in [0] * 100 + [1] * 900]
    now = [record(place, text=None) for place in [0] * 400 + [1] * 600]
    weigh = drift_weights(count_words(before), count_words(now))
    error = math.sqrt(101 / 1000**2 + 401 / 1000**2)
    assert weigh(now[0]) == pytest.approx(UNIFORM + (1 - UNIFORM) * (0.4 - 0.1 - 2 * error) / 0.4)
    assert weigh(now[-1]) == pytest.approx(UNIFORM)


def test_a_word_that_grew_lifts_the_rows_that_hold_it() -> None:
    before = [record(1, text="the parcel came") for _ in range(300)]
    now = [record(1, text="the strike delays it" if one % 2 else "the parcel came") for one in range(300)]
    weigh = drift_weights(count_words(before), count_words(now))
    assert weigh(record(1, text="a STRIKE!")) > 0.7
    assert weigh(record(1, text="the parcel came")) == pytest.approx(UNIFORM)


def test_a_drifted_draw_finds_the_new_topic_more_often_than_a_plain_one() -> None:
    topic = rows(50, text="courier strike again")
    others = [record(1, number, id=f"x{number}", text="all is fine here") for number in range(950)]
    before = count_words([record(1, text="all is fine here") for _ in range(1000)])
    weigh = drift_weights(before, count_words([*topic, *others]))
    found = draw_rows(keyed([*topic, *others]), n=40, seed="0", weigh=weigh)
    assert sum("strike" in (one.record.text or "") for one in found.rows) >= 8


def test_diverse_takes_small_clusters_as_often_as_large_ones() -> None:
    common = [record(1, number, id=f"c{number}", text="thanks a lot") for number in range(900)]
    rare = [record(1, number, id=f"r{number}", text="il pacco non arriva mai") for number in range(20)]
    assert cluster_of(common[0].text) != cluster_of(rare[0].text)
    weigh = diversity_weights(count_clusters([*common, *rare]))
    shares = [
        sum(one.key[1].startswith("r") for one in found.rows) / 10
        for found in (
            draw_rows(keyed([*common, *rare]), n=10, seed=str(seed), weigh=weigh) for seed in range(100)
        )
    ]
    assert 0.35 < np.mean(shares) < 0.6
