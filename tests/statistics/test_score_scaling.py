from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from sentimon.statistics.score_scaling import (
    BIAS_CORRECTED,
    KINDS,
    TEMPERATURE,
    UNCHANGED,
    VECTOR,
    Calibrator,
    _calibrator,
    _parameters,
    fit_scaling,
    fit_temperature,
    held_out_losses,
    log_loss,
    softmax,
)


def drawn(n: int, seed: int = 0, *, sharper: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Scores of n rows and classes drawn from them; scores are then made so much sharper."""
    random = np.random.default_rng(seed)
    truth = softmax(random.normal(size=(n, 3)) * 2)
    gold = (truth.cumsum(axis=1) > random.random((n, 1))).argmax(axis=1)
    return softmax(np.log(truth) * sharper), gold


def parameters(one: Calibrator) -> np.ndarray:
    return np.array([*one.weights, *one.biases])


def test_a_model_that_is_twice_too_sure_gets_the_temperature_two() -> None:
    scores, gold = drawn(8000, sharper=2.0)
    found = fit_scaling(scores, gold, TEMPERATURE)
    assert found.temperature == pytest.approx(2.0, abs=0.1)
    assert (found.kind, found.biases) == (TEMPERATURE, (0, 0, 0))


@pytest.mark.parametrize("kind", KINDS)
def test_the_parameters_are_those_that_a_general_minimiser_finds(kind: str) -> None:
    scores, gold = drawn(300, sharper=1.5)
    counts = np.random.default_rng(1).integers(0, 4, 300).astype(float)
    logits = np.log(scores)

    def unpack(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        weights = theta[:3] if kind == VECTOR else np.full(3, theta[0])
        biases = np.zeros(3) if kind == TEMPERATURE else np.array([theta[-2], 0, theta[-1]])
        return weights, biases

    size = {TEMPERATURE: 1, BIAS_CORRECTED: 3, VECTOR: 5}[kind]
    start = np.array([1.0] * (3 if kind == VECTOR else 1) + [0.0] * (size - (3 if kind == VECTOR else 1)))

    def loss(theta: np.ndarray) -> float:
        weights, biases = unpack(theta)
        chosen = softmax(logits * weights + biases)[np.arange(300), gold]
        return float(-counts @ np.log(chosen) + 0.5 * ((theta - start) ** 2).sum())

    best = minimize(loss, start, method="BFGS", options={"gtol": 1e-6}).x
    weights, biases = unpack(best)
    found = fit_scaling(scores, gold, kind, counts=counts)
    assert found.weights == pytest.approx(weights, abs=1e-3)
    assert found.biases == pytest.approx(biases, abs=1e-3)


def test_where_it_starts_from_makes_no_difference() -> None:
    scores, gold = drawn(400, sharper=0.5)
    far = Calibrator(kind=VECTOR, weights=(5.0, 0.1, 3.0), biases=(2.0, 0.0, -4.0))
    one, other = fit_scaling(scores, gold, VECTOR), fit_scaling(scores, gold, VECTOR, start=far)
    assert parameters(one) == pytest.approx(parameters(other), abs=1e-4)


@given(st.integers(2, 40), st.sampled_from(KINDS), st.integers(0, 100))
@settings(max_examples=40, deadline=None)
def test_calibrated_scores_are_scores_and_fit_no_worse_than_raw_ones(n: int, kind: str, seed: int) -> None:
    scores, gold = drawn(n, seed)
    found = fit_scaling(scores, gold, kind)
    calibrated = found.apply(scores)
    assert calibrated.sum(axis=1) == pytest.approx(np.ones(n))
    assert log_loss(calibrated, gold).sum() <= log_loss(scores, gold).sum() + 1e-6
    assert found == fit_scaling(scores, gold, kind)


def test_rows_that_are_all_right_and_sure_have_a_calibration_all_the_same() -> None:
    scores = np.eye(3)[[0, 1, 2] * 20]
    found = fit_scaling(scores, np.array([0, 1, 2] * 20), VECTOR)
    assert np.all(np.isfinite(parameters(found)))
    assert found.apply(scores).max(axis=1) == pytest.approx(np.ones(60))


def test_the_temperature_keeps_the_class_of_every_row() -> None:
    scores, gold = drawn(200, sharper=3.0)
    calibrated = fit_scaling(scores, gold, TEMPERATURE).apply(scores)
    assert np.array_equal(calibrated.argmax(axis=1), scores.argmax(axis=1))


def test_unchanged_changes_nothing() -> None:
    scores, _ = drawn(20)
    assert UNCHANGED.apply(scores) == pytest.approx(scores)
    assert UNCHANGED.temperature == 1
    assert Calibrator(kind=VECTOR, weights=(1, 2, 3), biases=(0, 0, 0)).temperature is None


def test_held_out_losses_are_of_calibrators_that_have_not_seen_the_row() -> None:
    scores, gold = drawn(400, sharper=2.0)
    held_out = held_out_losses(scores, gold, TEMPERATURE, seed=0)
    assert held_out.shape == (400,)
    inside = log_loss(fit_scaling(scores, gold, TEMPERATURE).apply(scores), gold).mean()
    assert inside < held_out.mean() < log_loss(scores, gold).mean()
    assert np.array_equal(held_out, held_out_losses(scores, gold, TEMPERATURE, seed=0))


@pytest.mark.parametrize("kind", KINDS)
def test_scores_of_two_classes_are_scaled_without_a_third(kind: str) -> None:
    random = np.random.default_rng(3)
    truth = softmax(random.normal(size=(8000, 2)))
    gold = (random.random(8000) < truth[:, 1]).astype(np.int64)
    sharp = softmax(np.log(truth) * 2)
    found = fit_scaling(sharp, gold, kind)
    assert found.apply(sharp)[:, 1] == pytest.approx(truth[:, 1], abs=0.05)
    assert found.apply(sharp).sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_parameters_and_calibrator_say_the_same(kind: str, size: int) -> None:
    count = {TEMPERATURE: 1, BIAS_CORRECTED: 3, VECTOR: size + 2}[kind]
    theta = np.array([0.5, 2.0, 3.0, -0.25, 0.75])[-count:]
    found = _calibrator(theta, kind, size)
    assert _parameters(found, kind, size) == pytest.approx(theta)
    # What is added to all biases changes no score.
    moved = Calibrator(kind=kind, weights=found.weights, biases=tuple(one + 7 for one in found.biases))  # type: ignore[arg-type]
    assert _parameters(moved, kind, size) == pytest.approx(theta)


def test_weights_and_biases_by_hand() -> None:
    theta = np.array([0.5, 2.0, 3.0, -0.25, 0.75])
    assert _calibrator(theta, VECTOR, 3) == Calibrator(
        kind=VECTOR, weights=(0.5, 2.0, 3.0), biases=(-0.25, 0.0, 0.75)
    )
    # Of two classes the neutral one, which there is not, keeps its weight.
    assert _calibrator(theta[[0, 2, 3, 4]], VECTOR, 2).weights == (0.5, 1.0, 3.0)
    assert _calibrator(theta[2:], BIAS_CORRECTED, 3).weights == (3.0, 3.0, 3.0)
    # Odds of 2 to 1 to 1 become 4 to 2 to 1 with a weight of 2 and biases of 0, ln 2 and 0.
    some = Calibrator(kind=BIAS_CORRECTED, weights=(2.0, 2.0, 2.0), biases=(0.0, float(np.log(2)), 0.0))
    assert some.apply(np.array([[0.5, 0.25, 0.25]])) == pytest.approx(np.array([[4, 2, 1]]) / 7)
    assert some.temperature == 0.5
    two = Calibrator(kind=VECTOR, weights=(2.0, 9.0, 1.0), biases=(0.0, 9.0, float(np.log(2))))
    # 0.64 against 2 * 0.2.
    assert two.apply(np.array([[0.8, 0.2]])) == pytest.approx(np.array([[0.64, 0.4]]) / 1.04)
    assert Calibrator(kind=TEMPERATURE, weights=(0.0,) * 3, biases=(0.0,) * 3).temperature is None


def test_a_loss_is_minus_the_logarithm_of_the_score_of_the_true_class_and_finite() -> None:
    scores = np.array([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]])
    assert log_loss(scores, np.array([1, 0])) == pytest.approx([np.log(4), 0.0])
    # A score of 0 may have been up to half of a millionth.
    assert log_loss(scores, np.array([1, 2]))[1] == pytest.approx(np.log(2_000_000))
    assert log_loss(scores, np.array([1, 2]), smallest=0.01)[1] == pytest.approx(np.log(100))


@pytest.mark.parametrize("row", range(0, 50, 8))
def test_a_row_s_class_has_no_part_in_the_calibrator_that_scores_its_fold(row: int) -> None:
    scores, gold = drawn(50, sharper=2.0)
    other = gold.copy()
    other[row] = (gold[row] + 1) % 3
    before, after = (held_out_losses(scores, one, TEMPERATURE, seed=0) for one in (gold, other))
    # Of 50 rows in five folds ten are scored together, this one among them; 40 are scored by what it taught.
    assert np.count_nonzero(np.abs(np.delete(before - after, row)) > 1e-12) == 40


def test_languages_count_alike_in_the_temperature_whatever_their_size() -> None:
    scores, gold = drawn(600, sharper=3.0)
    logits = np.log(scores)
    few, many = (logits[:100], gold[:100]), (logits[100:], gold[100:])
    # Five copies of the few weigh as much as the many.
    copies = (np.concatenate([few[0]] * 5), np.concatenate([few[1]] * 5))
    alike = fit_temperature([few, many])
    assert alike == pytest.approx(fit_temperature([copies, many]), rel=0.01)
    assert alike != pytest.approx(fit_temperature([(logits, gold)]), rel=1e-3)
    assert 1 / alike == pytest.approx(1 / 3, abs=0.06)
    # Logits that say the opposite have no temperature.
    assert fit_temperature([(-logits, gold)]) == 1.0


def test_each_loss_is_pulled_towards_no_change_as_by_one_row() -> None:
    # One row, scored 0.8 and right: the loss -w ln 0.8 + ln(0.8**w + 0.2**w) + (w - 1)**2 / 2 is least here.
    found = fit_scaling(np.array([[0.8, 0.2]]), np.array([0]), TEMPERATURE)
    w = found.weights[0]
    odds = 4.0**w
    assert 1 < w < 2
    # Its derivative: - ln 4 / (1 + 4**w) + (w - 1).
    assert np.log(4) / (1 + odds) == pytest.approx(w - 1, abs=1e-6)
    twice = fit_scaling(np.array([[0.8, 0.2]]), np.array([0]), TEMPERATURE, counts=np.array([2.0])).weights[0]
    assert 2 * np.log(4) / (1 + 4.0**twice) == pytest.approx(twice - 1, abs=1e-6)
