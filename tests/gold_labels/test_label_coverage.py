from __future__ import annotations

from datetime import UTC, timedelta

import numpy as np
import pytest
from scipy import stats

from sentimon.gold_labels.gold_label import GoldLabel
from sentimon.gold_labels.label_coverage import FEWEST, compare_groups, cover
from sentimon.labels import Sentiment
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import summarise
from sentimon.prediction_log.windows import Calendar
from tests.support.rows import START, record, records, summary

DAY = timedelta(days=1)


def gold(place: int, *, hours: float = 0, **rest: object) -> GoldLabel:
    return GoldLabel(
        key=("id", "1"), label=Sentiment(place), timestamp=START + timedelta(hours=hours), **rest
    )


def covered(rows: list[tuple[PredictionRecord, GoldLabel | None]], every: str | None = None):  # type: ignore[no-untyped-def]
    calendar = None if every is None else Calendar.of(every, UTC)
    return cover(rows, calendar=calendar, now=START + 2 * DAY, confidence_level=0.95)


def test_coverage_is_counted_by_class_and_window_and_empty_windows_stay_visible() -> None:
    rows = [(record(0), gold(0)), (record(0, 1), None), (record(2, 2 * 24 * 60), gold(1))]
    found = covered(rows, "1d")
    assert (found.all.counts, found.labelled.counts) == ((2, 0, 1), (1, 0, 1))
    assert [(one.all.count, one.labelled.count, one.complete) for one in found.windows] == [
        (2, 1, True), (0, 0, True), (1, 1, False),
    ]  # fmt: skip


def test_the_delay_is_that_of_the_middle_label_and_of_the_ninth_of_ten() -> None:
    found = covered([(record(0), gold(0, hours=hours)) for hours in range(11)])
    assert (found.delay.median_hours, found.delay.ninetieth_hours, found.delay.n) == (5, 9, 11)
    assert covered([(record(0), None)]).delay is None


def test_rows_drawn_with_a_probability_are_counted() -> None:
    rows = [(record(0), gold(0, probability=0.5, draw=START)), (record(0), gold(0, probability=0.5))]
    assert covered(rows).drawn == 1


def test_the_tests_are_those_of_scipy() -> None:
    one = records(30, 50, 20, confidence=0.6) + records(10, 10, 5, confidence=0.9)
    other = records(60, 30, 10, confidence=0.6) + records(10, 10, 5, confidence=0.7)
    found = compare_groups(summarise(one), summarise(other), confidence_level=0.95)
    table = np.array([[40, 60, 25], [70, 40, 15]])
    assert found.mix_p == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)
    a, b = ([row.confidence for row in group] for group in (one, other))
    assert found.confidence_difference == pytest.approx(np.mean(a) - np.mean(b))
    error = np.sqrt(np.var(a, ddof=1) / len(a) + np.var(b, ddof=1) / len(b))
    assert found.confidence_p == pytest.approx(2 * stats.norm.sf(abs(np.mean(a) - np.mean(b)) / error))
    assert found.mix_distance == pytest.approx((30 + 20 + 10) / 125 / 2)
    assert not found.random_sample


def test_two_classes_are_compared_with_one_degree_of_freedom() -> None:
    found = compare_groups(summary(30, 30, 0), summary(40, 20, 0), confidence_level=0.95)
    expected = stats.chi2_contingency([[30, 30], [40, 20]], correction=False).pvalue
    assert found.mix_p == pytest.approx(expected)
    assert compare_groups(summary(30, 0, 0), summary(30, 0, 0), confidence_level=0.95).random_sample


def test_confidences_are_compared_where_enough_rows_of_either_have_one() -> None:
    sure = records(30, 0, 0)
    alone = [record(0, number, None) for number in range(30)]
    level = 0.95
    none = compare_groups(summarise(alone), summarise(sure), confidence_level=level)
    assert (none.confidence_difference, none.confidence_p, none.random_sample) == (None, None, True)
    # Nineteen are too few, and rows without one are no part of a mean.
    few = [*alone, *records(19, 0, 0, confidence=0.5)]
    assert compare_groups(summarise(few), summarise(sure), confidence_level=level).confidence_p is None
    some = [*alone, *records(20, 0, 0, confidence=0.5)]
    found = compare_groups(summarise(some), summarise(sure), confidence_level=level)
    assert found.confidence_difference == pytest.approx(-0.3)
    assert not found.random_sample


def test_few_rows_are_not_compared() -> None:
    assert compare_groups(summary(FEWEST - 1, 0, 0), summary(500, 0, 0), confidence_level=0.95) is None


def test_a_random_sample_is_called_unfair_in_about_one_of_twenty() -> None:
    random = np.random.default_rng(0)
    called = 0
    for _ in range(200):
        groups = []
        for size in (100, 400):
            confidence = np.round(random.uniform(0.4, 1, size), 6)
            places = random.choice(3, size, p=[0.3, 0.5, 0.2])
            rows = [record(int(p), confidence=float(c)) for p, c in zip(places, confidence, strict=True)]
            groups.append(summarise(rows))
        called += not compare_groups(*groups, confidence_level=0.95).random_sample
    assert called <= 20
