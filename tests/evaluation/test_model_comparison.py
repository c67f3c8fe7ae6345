from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from sentimon.errors import NoVerdictError
from sentimon.evaluation.datasets import LabelledText
from sentimon.evaluation.model_comparison import (
    Comparison,
    PromotionCheck,
    compare_models,
    compare_pair,
    failed_examples,
    mcnemar_p,
    parts_of,
)
from sentimon.labels import Sentiment

N, U, P = Sentiment

LEVEL = {"confidence_level": 0.95, "seed": 0}
rows = st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=1, max_size=40)


def compared(gold: list[int], a: list[int], b: list[int], **options: object) -> Comparison:
    given_options = {
        "parts": {}, "seconds": (0.5, 1.0), "tolerance": 0.01, "confidence_level": 0.95, "fewest": 5,
    } | options  # fmt: skip
    return compare_models(*(np.array(one) for one in (gold, a, b)), **given_options)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_s_test_is_the_binomial_one_of_scipy(only_a: int, only_b: int) -> None:
    n = only_a + only_b
    expected = stats.binomtest(only_a, n, 0.5).pvalue if n else 1.0
    assert mcnemar_p(only_a, only_b) == pytest.approx(expected)


def test_mcnemar_s_test_holds_with_many_rows() -> None:
    assert mcnemar_p(5000, 5200) == pytest.approx(stats.binomtest(5000, 10_200, 0.5).pvalue)
    assert mcnemar_p(0, 3000) == 0.0 or mcnemar_p(0, 3000) < 1e-300


@given(rows)
def test_the_differences_are_those_of_scikit_learn_and_change_sign_with_the_models(
    labelled: list[tuple[int, int, int]],
) -> None:
    gold, a, b = (np.array(one) for one in zip(*labelled, strict=True))
    found, turned = compare_pair("all", gold, a, b, **LEVEL), compare_pair("all", gold, b, a, **LEVEL)
    accuracy = np.mean(b == gold) - np.mean(a == gold)
    options = {"labels": sorted(set(gold.tolist())), "average": "macro", "zero_division": 0}
    recall = metrics.recall_score(gold, b, **options) - metrics.recall_score(gold, a, **options)
    assert found.accuracy_difference.value == pytest.approx(accuracy)
    assert found.recall_difference.value == pytest.approx(recall)
    assert turned.accuracy_difference.value == pytest.approx(-accuracy)
    assert (found.only_a, found.only_b) == (turned.only_b, turned.only_a)
    for one in (found.accuracy_difference, found.recall_difference):
        assert one.low <= one.value <= one.high


def test_a_small_table_has_the_numbers_worked_by_hand() -> None:
    found = compare_pair(
        "all",
        np.array([0, 0, 0, 0, 2, 2]),
        np.array([0, 0, 1, 1, 2, 2]),
        np.array([0, 0, 0, 0, 2, 1]),
        **LEVEL,
    )
    assert (found.accuracy_a, found.accuracy_b) == (4 / 6, 5 / 6)
    assert found.accuracy_difference.value == pytest.approx(1 / 6)
    assert found.recall_difference.value == pytest.approx((0.5 - 0.5) / 2)
    assert (found.only_a, found.only_b, found.agreement) == (1, 2, 3 / 6)


def test_a_model_is_not_worse_than_itself() -> None:
    found = compared([0, 1, 2] * 20, [0, 1, 1] * 20, [0, 1, 1] * 20)
    assert not found.worse
    assert (found.whole.accuracy_difference.low, found.whole.mcnemar_p) == (0, 1)
    assert found.cost_ratio == 2


def test_a_model_that_errs_more_is_worse_and_the_tolerance_says_what_is_borne() -> None:
    gold = [0, 1, 2] * 40
    b = [0 if number < 12 else one for number, one in enumerate(gold)]
    assert compared(gold, gold, b).worse
    assert not compared(gold, gold, b, tolerance=0.2).worse
    assert not compared(gold, b, gold).worse


def test_the_interval_covers_the_true_difference_in_nineteen_of_twenty_samples() -> None:
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(100):
        gold = random.integers(0, 3, 300)
        a = np.where(random.random(300) < 0.8, gold, (gold + 1) % 3)
        b = np.where(random.random(300) < 0.7, gold, np.where(random.random(300) < 0.5, a, (gold + 2) % 3))
        # B is right in 0.7, and where it follows A in 0.3 * 0.5 * 0.8 more.
        found = compare_pair("all", gold, a, b, **LEVEL).accuracy_difference
        covered += found.low <= 0.7 + 0.12 - 0.8 <= found.high
    assert covered >= 90


def test_parts_are_gold_classes_values_of_the_column_and_lengths() -> None:
    parts = parts_of(
        np.array([0, 1, 1]), ["a" * 50, "a" * 51, "a" * 101], "language", ["it", "en", "(missing)"]
    )
    assert {name: np.flatnonzero(own).tolist() for name, own in parts.items()} == {
        "gold negative": [0], "gold neutral": [1, 2], "gold positive": [],
        "language (missing)": [2], "language en": [1], "language it": [0],
        "up to 50 characters": [0], "51 to 100 characters": [1], "over 100 characters": [2],
    }  # fmt: skip
    assert len(parts_of(np.array([0]), [""], "language", [None])) == 6


def test_parts_with_few_rows_have_no_numbers_and_too_few_rows_at_all_no_verdict() -> None:
    own = np.array([True] * 3 + [False] * 7)
    found = compared([0] * 10, [0] * 10, [1] * 10, parts={"x": own, "y": ~own})
    few, enough = found.parts
    assert (few.n, few.accuracy_difference.value, few.mcnemar_p) == (3, None, None)
    assert enough.accuracy_difference.value == -1
    with pytest.raises(NoVerdictError, match="4 labelled rows, at least 5"):
        compared([0] * 4, [0] * 4, [0] * 4)


def test_a_listed_text_is_broken_where_the_candidate_says_another_label() -> None:
    rows = [LabelledText(text="a", label=P), LabelledText(text="b", label=N), LabelledText(text="c", label=U)]
    (broken,) = failed_examples(rows, [P, P, P], [P, U, U])
    assert (broken.text, broken.label, broken.before, broken.now) == ("b", N, P, U)


def test_one_broken_text_keeps_the_gate_shut_and_none_opens_it() -> None:
    rows = [LabelledText(text="a", label=P)]
    assert PromotionCheck(comparison=None, listed=1, broken=failed_examples(rows, [P], [P])).open
    assert not PromotionCheck(comparison=None, listed=1, broken=failed_examples(rows, [P], [N])).open
