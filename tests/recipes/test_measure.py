"""The figures that the recipes are judged by, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from recipes.default_model.measure import calibration_error, macro_f1, macro_recall
from sentimon.evaluation.confusion import confusion_table, recalls
from sentimon.evaluation.scaling import softmax
from sentimon.finetuning.calibrate import fit_temperature

GOLD = np.array([0, 0, 1, 1, 2, 2])
SAID = np.array([0, 1, 1, 1, 2, 0])


def test_macro_recall_is_the_mean_of_the_recalls() -> None:
    assert recalls(confusion_table(GOLD.tolist(), SAID.tolist())) == [0.5, 1.0, 0.5]
    assert macro_recall(SAID, GOLD) == pytest.approx(2 / 3)


def test_macro_f1_is_the_mean_of_the_f1_scores() -> None:
    # precision 1/2, 2/3, 1 and recall 1/2, 1, 1/2
    assert macro_f1(SAID, GOLD) == pytest.approx((1 / 2 + 4 / 5 + 2 / 3) / 3)


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    probabilities = np.array([[0.8, 0.1, 0.1]] * 10)
    assert calibration_error(probabilities, np.array([0] * 8 + [1] * 2), bins=1) == pytest.approx(0.0)
    assert calibration_error(probabilities, np.array([0] * 5 + [1] * 5), bins=1) == pytest.approx(0.3)


def test_the_temperature_undoes_overconfidence() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 1.5, size=(4000, 3))
    gold = np.array([generator.choice(3, p=row) for row in softmax(logits)])
    assert fit_temperature([(3 * logits, gold)]) == pytest.approx(3, rel=0.1)
