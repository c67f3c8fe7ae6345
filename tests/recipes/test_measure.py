"""The figures that the recipes are judged by, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from recipes.default_model.measure import bootstrap_interval, calibration_error, macro_f1
from sentimon.evaluation.classification_metrics import (
    confusion_table,
    mean_recall,
    recalls,
)
from sentimon.statistics.score_scaling import (
    fit_temperature,
    log_loss,
    softmax,
)

GOLD = np.array([0, 0, 1, 1, 2, 2])
SAID = np.array([0, 1, 1, 1, 2, 0])
TABLE = confusion_table(GOLD, SAID)


def test_macro_recall_is_the_mean_of_the_recalls() -> None:
    assert recalls(TABLE).tolist() == [0.5, 1.0, 0.5]
    assert mean_recall(TABLE) == pytest.approx(2 / 3)


def test_macro_recall_is_of_the_classes_that_have_labels() -> None:
    assert mean_recall(confusion_table([0, 0, 2], [0, 1, 2])) == pytest.approx((1 / 2 + 1) / 2)


def test_macro_f1_is_the_mean_of_the_f1_scores() -> None:
    # precision 1/2, 2/3, 1 and recall 1/2, 1, 1/2
    assert macro_f1(TABLE) == pytest.approx((1 / 2 + 4 / 5 + 2 / 3) / 3)


def test_the_interval_of_a_metric_holds_its_value() -> None:
    low, high = bootstrap_interval(mean_recall, np.tile(SAID, 50), np.tile(GOLD, 50))
    assert 0.55 < low < 2 / 3 < high < 0.75


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    probabilities = np.array([[0.8, 0.1, 0.1]] * 10)
    assert calibration_error(probabilities, np.array([0] * 8 + [1] * 2)) == pytest.approx(0.0)
    assert calibration_error(probabilities, np.array([0] * 5 + [1] * 5)) == pytest.approx(0.3)


def drawn(rows: int, overconfidence: float, seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 1.5, size=(rows, 3))
    gold = np.array([generator.choice(3, p=row) for row in softmax(logits)])
    return overconfidence * logits, gold


def mean_loss(groups: list[tuple[NDArray[np.float64], NDArray[np.int64]]], temperature: float) -> float:
    return float(
        sum(log_loss(softmax(one / temperature), gold, smallest=1e-12).mean() for one, gold in groups)
    )


def test_the_temperature_undoes_overconfidence() -> None:
    assert fit_temperature([drawn(4000, 3, seed=0)]) == pytest.approx(3, rel=0.1)
    # Logits as far apart as no logged score can say.
    assert fit_temperature([drawn(4000, 30, seed=0)]) == pytest.approx(30, rel=0.1)


def test_no_other_temperature_has_a_smaller_loss() -> None:
    groups = [drawn(2000, 2, seed=1), drawn(500, 0.7, seed=2)]
    found = fit_temperature(groups)
    assert 0.7 < found < 2
    assert mean_loss(groups, found) <= min(mean_loss(groups, t) for t in np.geomspace(0.4, 4, 231)) + 1e-6


def test_every_group_counts_the_same_however_many_rows_it_has() -> None:
    large, small = drawn(2000, 2, seed=1), drawn(100, 0.7, seed=2)
    twice = (np.concatenate([large[0]] * 2), np.concatenate([large[1]] * 2))
    assert fit_temperature([twice, small]) == pytest.approx(fit_temperature([large, small]), rel=1e-2)


def test_logits_that_say_the_opposite_are_left_as_they_are() -> None:
    logits, gold = drawn(1000, 1, seed=3)
    assert fit_temperature([(-logits, gold)]) == 1.0


def test_log_loss_of_a_coin_is_the_log_of_its_sides() -> None:
    assert log_loss(softmax(np.zeros((2, 3))), np.array([0, 2])).mean() == pytest.approx(np.log(3))
