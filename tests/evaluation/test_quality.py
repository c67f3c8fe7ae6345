from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from sentimon.errors import DataError
from sentimon.evaluation.quality import Quality, evaluate
from sentimon.labels import Sentiment
from sentimon.scoring.scores import BestClass, Scores
from sentimon.statistics.intervals import Estimate

NEGATIVE, NEUTRAL, POSITIVE = Sentiment

classes = st.sampled_from(list(Sentiment))


@st.composite
def all_scores(draw: st.DrawFn) -> Scores:
    parts = draw(st.lists(st.integers(0, 1000), min_size=3, max_size=3).filter(sum))
    return Scores.from_probabilities([part / sum(parts) for part in parts])


rows = st.lists(st.tuples(all_scores(), classes), min_size=1, max_size=40)


def scores_of(label: Sentiment, confidence: float = 0.8) -> Scores:
    vector = [(1 - confidence) / 2] * 3
    vector[label] = confidence
    return Scores.from_probabilities(vector)


def quality_of(table: list[list[int]], **options: float) -> Quality:
    """Evaluate rows with these counts of gold (rows) and predicted (columns) classes."""
    pairs = [
        (Sentiment(gold), Sentiment(predicted))
        for gold, counts in enumerate(table)
        for predicted, count in enumerate(counts)
        for _ in range(count)
    ]
    return evaluate([scores_of(predicted) for _, predicted in pairs], [gold for gold, _ in pairs], **options)


def estimates_of(quality: Quality) -> list[Estimate]:
    whole = [
        quality.accuracy,
        quality.macro_recall,
        quality.macro_f1,
        quality.weighted_f1,
        quality.calibration_error,
        quality.brier,
        quality.negative_log_likelihood,
    ]
    return whole + [part for one in quality.classes for part in (one.precision, one.recall, one.f1)]


def test_the_numbers_of_a_small_table_are_those_worked_by_hand() -> None:
    quality = quality_of([[4, 1, 0], [2, 2, 1], [0, 0, 10]])
    negative, neutral, positive = quality.classes
    assert quality.n == 20
    assert quality.confusion_matrix == ((4, 1, 0), (2, 2, 1), (0, 0, 10))
    assert quality.accuracy.value == 16 / 20
    assert (negative.precision.value, negative.recall.value) == (4 / 6, 4 / 5)
    assert (neutral.support, neutral.predicted) == (5, 3)
    assert positive.f1.value == pytest.approx(20 / 21)
    assert quality.macro_recall.value == pytest.approx((0.8 + 0.4 + 1) / 3)
    assert quality.macro_f1.value == pytest.approx((8 / 11 + 1 / 2 + 20 / 21) / 3)
    assert quality.weighted_f1.value == pytest.approx((8 / 11 * 5 + 1 / 2 * 5 + 20 / 21 * 10) / 20)


def test_the_intervals_of_shares_are_wilson_s() -> None:
    # 81 of 263: Newcombe (1998), Stat. Med. 17, 857-872, Table I, method 3.
    quality = quality_of([[81, 182, 0], [0, 0, 0], [0, 0, 0]])
    assert quality.accuracy.low == pytest.approx(0.2553, abs=5e-5)
    assert quality.accuracy.high == pytest.approx(0.3662, abs=5e-5)
    assert quality.classes[NEGATIVE].recall == quality.accuracy


def test_the_interval_of_macro_recall_combines_the_classes_by_square_and_add() -> None:
    quality = quality_of([[8, 2, 0], [5, 15, 0], [0, 0, 0]])
    one, other = (quality.classes[at].recall for at in (NEGATIVE, NEUTRAL))
    below = math.hypot(one.value - one.low, other.value - other.low) / 2
    above = math.hypot(one.high - one.value, other.high - other.value) / 2
    assert quality.macro_recall.value == pytest.approx(0.775)
    assert quality.macro_recall.low == pytest.approx(0.775 - below)
    assert quality.macro_recall.high == pytest.approx(0.775 + above)


def test_scores_have_the_brier_score_and_likelihood_worked_by_hand() -> None:
    given_scores = [
        Scores(negative=0.7, neutral=0.2, positive=0.1),
        Scores(negative=0.0, neutral=0.0, positive=1.0),
    ]
    quality = evaluate(given_scores, [NEGATIVE, NEUTRAL])
    assert quality.brier.value == pytest.approx((0.09 + 0.04 + 0.01 + 2) / 2)
    assert quality.negative_log_likelihood.value == pytest.approx((-math.log(0.7) - math.log(1e-6)) / 2)


def test_a_class_without_gold_labels_has_no_metrics_and_no_part_in_the_means() -> None:
    quality = quality_of([[3, 0, 1], [0, 0, 0], [1, 0, 5]])
    absent = quality.classes[NEUTRAL]
    assert (absent.support, absent.precision.value, absent.recall.value, absent.f1.value) == (
        0,
        None,
        None,
        None,
    )
    assert quality.macro_recall.value == pytest.approx((3 / 4 + 5 / 6) / 2)


def test_a_class_that_is_never_predicted_has_no_precision_but_a_recall_of_0() -> None:
    neutral = quality_of([[3, 0, 0], [2, 0, 0], [0, 0, 5]]).classes[NEUTRAL]
    assert (neutral.precision.value, neutral.recall.value, neutral.f1.value) == (None, 0.0, 0.0)


def test_no_rows_have_no_quality() -> None:
    quality = evaluate([], [])
    assert quality.n == 0
    assert {(one.value, one.low, one.high, one.n) for one in estimates_of(quality)} == {(None, None, None, 0)}


def test_one_row_leaves_every_interval_wide() -> None:
    quality = evaluate([scores_of(POSITIVE)], [POSITIVE])
    assert quality.accuracy.value == 1
    assert quality.macro_f1.low < 0.4
    assert (quality.brier.low, quality.brier.high) == (0, 2)


def test_a_model_that_is_always_right_still_has_intervals_with_a_width() -> None:
    quality = quality_of([[20, 0, 0], [0, 20, 0], [0, 0, 20]])
    assert quality.macro_f1.value == quality.macro_f1.high == 1
    assert 0.8 < quality.macro_f1.low < 0.95


@given(rows, st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_a_row_without_all_scores_counts_in_what_its_class_and_confidence_say(
    labelled: list[tuple[Scores, Sentiment]], random: object
) -> None:
    given_scores, gold = [one for one, _ in labelled], [one for _, one in labelled]
    lacks = [random.choice(["nothing", "scores", "confidence"]) for _ in labelled]  # type: ignore[attr-defined]
    reduced = [
        one
        if lack == "nothing"
        else BestClass(label=one.label, confidence=one.confidence if lack == "scores" else None)
        for one, lack in zip(given_scores, lacks, strict=True)
    ]
    whole, found = evaluate(given_scores, gold), evaluate(reduced, gold)
    assert (found.n, found.accuracy, found.macro_recall, found.macro_f1, found.confusion_matrix) == (
        whole.n, whole.accuracy, whole.macro_recall, whole.macro_f1, whole.confusion_matrix,
    )  # fmt: skip
    sure = [place for place, lack in enumerate(lacks) if lack != "confidence"]
    full = [place for place, lack in enumerate(lacks) if lack == "nothing"]
    of_sure = evaluate([given_scores[place] for place in sure], [gold[place] for place in sure])
    of_full = evaluate([given_scores[place] for place in full], [gold[place] for place in full])
    assert found.calibration_error == of_sure.calibration_error
    assert (found.brier, found.negative_log_likelihood) == (of_full.brier, of_full.negative_log_likelihood)


def test_scores_and_labels_of_different_number_are_an_error() -> None:
    with pytest.raises(DataError, match="1 scores, but 0 labels"):
        evaluate([scores_of(POSITIVE)], [])


@given(rows)
@settings(max_examples=60, deadline=None)
def test_every_metric_agrees_with_scikit_learn(labelled: list[tuple[Scores, Sentiment]]) -> None:
    scores, gold = [one for one, _ in labelled], [int(label) for _, label in labelled]
    predicted = [int(one.label) for one in scores]
    present = sorted(set(gold))
    quality = evaluate(scores, [label for _, label in labelled])
    assert quality.confusion_matrix == tuple(
        tuple(row) for row in metrics.confusion_matrix(gold, predicted, labels=[0, 1, 2]).tolist()
    )
    assert quality.accuracy.value == pytest.approx(metrics.accuracy_score(gold, predicted))
    for name, ours, options in [
        ("recall", quality.macro_recall, {"average": "macro"}),
        ("f1", quality.macro_f1, {"average": "macro"}),
        ("f1", quality.weighted_f1, {"average": "weighted"}),
    ]:
        theirs = getattr(metrics, f"{name}_score")
        expected = theirs(gold, predicted, labels=present, zero_division=0, **options)
        assert ours.value == pytest.approx(expected)
    for name in ("precision", "recall", "f1"):
        theirs = getattr(metrics, f"{name}_score")
        expected = theirs(gold, predicted, labels=present, average=None, zero_division=0)
        ours = [getattr(quality.classes[at], name).value or 0.0 for at in present]
        assert ours == pytest.approx(list(expected))


@given(rows)
@settings(max_examples=60, deadline=None)
def test_every_value_lies_in_its_interval_and_strict_json_holds_them(
    labelled: list[tuple[Scores, Sentiment]],
) -> None:
    quality = evaluate([one for one, _ in labelled], [label for _, label in labelled])
    for one in estimates_of(quality):
        assert one.value is None or -1e-12 <= one.low - 1e-12 <= one.value <= one.high + 1e-12
    text = json.dumps(quality.to_dict(), allow_nan=False)
    assert json.loads(text) == quality.to_dict()


@given(rows, st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_rows_does_not_matter(
    labelled: list[tuple[Scores, Sentiment]], random: object
) -> None:
    shuffled = list(labelled)
    random.shuffle(shuffled)
    one = evaluate([row for row, _ in labelled], [label for _, label in labelled])
    other = evaluate([row for row, _ in shuffled], [label for _, label in shuffled])
    for left, right in zip(estimates_of(one), estimates_of(other), strict=True):
        assert left.to_dict() == pytest.approx(right.to_dict(), abs=1e-8)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_nearly_the_same() -> None:
    table = [[30, 6, 4], [8, 40, 9], [3, 5, 50]]
    assert quality_of(table, seed=3) == quality_of(table, seed=3)
    assert quality_of(table, seed=3).macro_f1.low == pytest.approx(
        quality_of(table, seed=4).macro_f1.low, abs=0.01
    )


def test_a_lower_confidence_level_gives_narrower_intervals() -> None:
    table = [[30, 6, 4], [8, 40, 9], [3, 5, 50]]
    wide, narrow = quality_of(table), quality_of(table, confidence_level=0.8)
    assert narrow.confidence_level == 0.8
    for one, other in zip(estimates_of(narrow), estimates_of(wide), strict=True):
        assert one.high - one.low <= other.high - other.low


def test_the_dictionary_has_the_documented_keys() -> None:
    found = quality_of([[4, 1, 0], [2, 2, 1], [0, 0, 10]]).to_dict()
    assert list(found) == [
        "n", "confidence_level", "accuracy", "macro_recall", "macro_f1", "weighted_f1", "per_class", "labels",
        "confusion_matrix", "expected_calibration_error", "brier_score", "negative_log_likelihood",
    ]  # fmt: skip
    assert found["labels"] == list(found["per_class"]) == ["negative", "neutral", "positive"]
    assert list(found["per_class"]["neutral"]) == ["support", "predicted", "precision", "recall", "f1"]
    assert found["confusion_matrix"] == [[4, 1, 0], [2, 2, 1], [0, 0, 10]]
    assert list(found["accuracy"]) == ["value", "low", "high", "n"]


@pytest.mark.parametrize("n", [40, 300])
@pytest.mark.parametrize(
    "shares",
    [
        [[0.10, 0.03, 0.02], [0.08, 0.30, 0.07], [0.02, 0.08, 0.30]],
        [[0.33, 0.0, 0.0], [0.0, 0.33, 0.01], [0.0, 0.0, 0.33]],
    ],
)
def test_the_intervals_cover_the_truth_in_nine_samples_of_ten_and_more(
    n: int, shares: list[list[float]]
) -> None:
    truth = np.array(shares) / np.sum(shares)
    right, gold, predicted = np.diag(truth), truth.sum(axis=1), truth.sum(axis=0)
    f1 = 2 * right / (gold + predicted)
    expected = {
        "accuracy": right.sum(), "macro_recall": (right / gold).mean(), "macro_f1": f1.mean(),
        "weighted_f1": f1 @ gold, "f1": f1[NEUTRAL],
    }  # fmt: skip
    random = np.random.default_rng(5)
    covered = dict.fromkeys(expected, 0)
    tables = [random.multinomial(n, truth.ravel()).reshape(3, 3) for _ in range(200)]
    for table in tables:
        quality = quality_of(table.tolist())
        for name, value in expected.items():
            found = quality.classes[NEUTRAL].f1 if name == "f1" else getattr(quality, name)
            covered[name] += found.low <= value <= found.high
    assert min(covered.values()) >= 0.9 * len(tables), covered
