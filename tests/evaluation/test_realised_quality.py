from __future__ import annotations

from datetime import UTC, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from sentimon.evaluation.classification_metrics import (
    macro_f1,
    macro_recall,
    weighted_share,
)
from sentimon.evaluation.realised_quality import Judged, judge, realised_quality_of, realised_quality_windows
from sentimon.gold_labels.gold_label import GoldLabel, design_weights
from sentimon.gold_labels.sampling import draw_rows
from sentimon.gold_labels.sampling_strategies import uncertainty_weight
from sentimon.labels import Sentiment
from sentimon.prediction_log.windows import Calendar
from sentimon.statistics.intervals import wilson
from tests.support.rows import START, record

LEVEL = {"confidence_level": 0.95}
pairs = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(1, 5)), min_size=1, max_size=30)


def label(place: int = 0, *, minutes: float = 0, probability: float | None = None, draw: float | None = None):  # type: ignore[no-untyped-def]
    return GoldLabel(
        key=("id", "1"),
        label=Sentiment(place),
        timestamp=START + timedelta(minutes=minutes),
        probability=probability,
        draw=None if draw is None else START + timedelta(minutes=draw),
    )


def test_without_a_draw_every_row_counts_once() -> None:
    assert design_weights([label(), label(), label(probability=0.5)]) == [1, 1, 1]


def test_in_one_draw_a_row_counts_by_its_probability_and_what_was_labelled_before_it_once() -> None:
    given_labels = [label(probability=0.25, draw=5), label(minutes=1), label(minutes=9)]
    assert design_weights(given_labels) == [4, 1, 0]


def test_two_draws_are_averaged_in_proportion_to_their_labels() -> None:
    first = [label(probability=0.1, draw=5)]
    second = [label(probability=0.5, draw=8)] * 3
    # In the first draw: 10 and nothing; in the second: 1 and 2. Shares 1/4 and 3/4.
    assert design_weights(first + second) == pytest.approx([10 / 4 + 3 / 4, 1.5, 1.5, 1.5])


@given(st.integers(1, 60), st.integers(0, 60))
def test_with_equal_weights_it_is_wilson_s_interval(n: int, right: int) -> None:
    right = min(n, right)
    found = weighted_share(np.arange(n) < right, np.full(n, 2.5), **LEVEL)
    expected = wilson(right, n)
    assert (found.value, found.low, found.high) == pytest.approx(
        (expected.value, expected.low, expected.high), abs=1e-9
    )


def test_the_effective_number_of_rows_is_the_one_worked_by_hand() -> None:
    # Share 3/4 of the weight; variance (9 (1/4)^2 + 1 (3/4)^2) / 16 = 9/128; worth (3/16) / (9/128) = 8/3,
    # but no more than the two rows there are.
    found = weighted_share(np.array([True, False]), np.array([3.0, 1.0]), **LEVEL)
    assert (found.value, found.n) == (0.75, 2)
    assert weighted_share(np.array([True]), np.array([0.0]), **LEVEL).value is None


@given(pairs)
@settings(max_examples=40, deadline=None)
def test_the_weighted_values_are_those_of_scikit_learn(rows: list[tuple[int, int, int]]) -> None:
    gold, predicted, weights = (np.array(one) for one in zip(*rows, strict=True))
    present = sorted(set(gold.tolist()))
    theirs = {"labels": present, "average": "macro", "zero_division": 0, "sample_weight": weights}
    recall = macro_recall(gold, predicted, weights.astype(float), **LEVEL)
    f1 = macro_f1(gold, predicted, weights.astype(float), seed=0, **LEVEL)
    assert recall.value == pytest.approx(metrics.recall_score(gold, predicted, **theirs))
    assert f1.value == pytest.approx(metrics.f1_score(gold, predicted, **theirs))
    for one in (recall, f1):
        assert 0 <= one.low <= one.value + 1e-9 <= one.high + 2e-9 <= 1 + 4e-9


def test_labels_of_uncertain_rows_give_the_accuracy_of_all_rows_with_an_interval_that_covers() -> None:
    random = np.random.default_rng(2)
    rows = []
    for number in range(3000):
        confidence = float(np.round(random.uniform(0.4, 1), 6))
        rows.append((record(0, number, confidence, id=str(number)), bool(random.random() < confidence)))
    truth = np.mean([right for _, right in rows])
    right_of = {one.id: right for one, right in rows}
    plain, weighted, covered = [], [], 0
    for seed in range(60):
        draw = draw_rows(
            [(("id", str(one.id)), one) for one, _ in rows], n=200, seed=str(seed), weigh=uncertainty_weight
        )
        judged = [
            Judged(
                timestamp=START, predicted=Sentiment.NEGATIVE, scores=(0.8, 0.1, 0.1), text=None,
                label=label(0 if right_of[one.record.id] else 1, probability=one.probability, draw=1),
            )
            for one in draw.rows
        ]  # fmt: skip
        found = realised_quality_of(judged, confidence_level=0.95)
        plain.append(np.mean([not one.wrong for one in judged]))
        weighted.append(found.accuracy.value)
        covered += found.accuracy.low <= truth <= found.accuracy.high
        assert found.weighted
    assert abs(np.mean(plain) - truth) > 0.05
    assert abs(np.mean(weighted) - truth) < 0.015
    assert covered >= 54


def test_windows_are_those_of_the_calendar_and_those_without_labels_stay_visible() -> None:
    rows = [(record(0), label(0)), (record(1, 1), None), (record(2, 2 * 24 * 60), label(0))]
    calendar = Calendar.of("1d", UTC)
    judged, counts = judge(rows, calendar)
    now = START + timedelta(days=2)
    windows = realised_quality_windows(judged, counts, calendar, now=now, confidence_level=0.95)
    assert [(one.rows, one.quality.n, one.quality.accuracy.value, one.complete) for one in windows] == [
        (2, 1, 1.0, True), (0, 0, None, True), (1, 1, 0.0, False),
    ]  # fmt: skip
    assert realised_quality_windows([], {}, calendar, now=now, confidence_level=0.95) == []


def test_no_labels_give_no_numbers() -> None:
    found = realised_quality_of([], confidence_level=0.95)
    assert (found.n, found.accuracy.value, found.macro_recall.value, found.macro_f1.value) == (
        0, None, None, None,
    )  # fmt: skip
