from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentimon.statistics.label_shift import (
    BINS_PER_CLASS,
    RESAMPLES,
    _mixture,
    _statistic,
    adjust_scores,
    bbse_mix,
    condition_number,
    count_bins,
    em_mix,
    fit_mixture,
    project_to_simplex,
    score_bins,
)
from sentimon.statistics.score_scaling import softmax

CONFUSION = np.array([[82.0, 14, 4], [15, 140, 45], [5, 22, 73]])
PRIOR = np.array([0.2, 0.5, 0.3])

SHIFTED = np.array([0.7, 0.2, 0.1])
USUAL = np.array([0.2, 0.5, 0.3])


def scores(
    random: np.random.Generator, mix: np.ndarray, n: int, *, sure: float = 2.0
) -> tuple[np.ndarray, np.ndarray]:
    gold = random.choice(3, n, p=mix)
    return softmax(sure * np.eye(3)[gold] + random.normal(size=(n, 3))), gold


def p_of(random: np.random.Generator, mix: np.ndarray, **other: float) -> float:
    source, gold = scores(random, USUAL, 400)
    target, _ = scores(random, mix, 500, **other)
    labelled = count_bins(score_bins(source, source), gold, np.ones(400))
    observed = np.bincount(score_bins(source, target), minlength=labelled.shape[1])
    return fit_mixture(labelled, observed.astype(float), seed=0).p


def test_another_mix_of_the_same_classes_fits_as_it_should() -> None:
    random = np.random.default_rng(0)
    found = [p_of(random, mix) for mix in (USUAL, SHIFTED) for _ in range(60)]
    assert np.mean(np.array(found) < 0.01) <= 0.05
    assert 0.35 < np.mean(np.array(found) < 0.5) < 0.65


def test_classes_that_look_otherwise_than_before_do_not_fit() -> None:
    random = np.random.default_rng(1)
    assert all(p_of(random, USUAL, sure=0.5) < 0.01 for _ in range(10))
    assert all(p_of(random, USUAL, sure=4.0) < 0.01 for _ in range(10))


def test_the_same_seed_gives_the_same_numbers() -> None:
    labelled = np.array([[5.0, 1, 0], [1, 5, 1], [0, 1, 5]])
    observed = np.array([10.0, 20, 5])
    assert fit_mixture(labelled, observed, seed=3) == fit_mixture(labelled, observed, seed=3)


def test_every_row_is_in_the_bin_of_its_class_and_of_its_quarter() -> None:
    source = softmax(np.random.default_rng(0).normal(size=(400, 3)))
    bins = score_bins(source, source)
    assert np.array_equal(bins // BINS_PER_CLASS, source.argmax(axis=1))
    counts = np.bincount(bins, minlength=3 * BINS_PER_CLASS)
    for place in range(3):
        own = counts[place * BINS_PER_CLASS : (place + 1) * BINS_PER_CLASS]
        assert max(own) - min(own) <= 1


def test_bins_are_counted_by_gold_class_with_their_weight() -> None:
    found = count_bins(np.array([0, 0, 5]), np.array([1, 1, 2]), np.array([1.0, 2.0, 4.0]))
    assert (found[1, 0], found[2, 5], found.sum()) == (3, 4, 7)


def test_a_class_that_is_never_predicted_has_one_bin() -> None:
    source = np.array([[0.8, 0.1, 0.1]] * 5)
    target = np.array([[0.1, 0.8, 0.1]])
    assert score_bins(source, target).tolist() == [BINS_PER_CLASS]


def mixes() -> st.SearchStrategy[np.ndarray]:
    parts = st.tuples(*[st.integers(0, 50)] * 3).filter(any)
    return parts.map(lambda one: np.array(one) / sum(one))


@given(mixes())
def test_the_mix_behind_exact_shares_is_found_exactly(mix: np.ndarray) -> None:
    rates = CONFUSION / CONFUSION.sum(axis=1, keepdims=True)
    assert bbse_mix(CONFUSION, mix @ rates) == pytest.approx(mix, abs=1e-9)


def test_two_classes_that_are_never_confused_with_the_third_are_solved_by_hand() -> None:
    # Negative is seen as neutral in 2 of 10, neutral as negative in 4 of 10: 0.8 q + 0.4 (1 - q) = 0.6.
    confusion = np.array([[8.0, 2, 0], [4, 6, 0], [0, 0, 10]])
    assert bbse_mix(confusion, np.array([0.6, 0.4, 0.0])) == pytest.approx([0.5, 0.5, 0.0])


@given(st.tuples(*[st.floats(-3, 3)] * 3), mixes())
@settings(max_examples=60)
def test_no_mix_is_nearer_than_the_nearest_one(values: tuple[float, float, float], other: np.ndarray) -> None:
    found = project_to_simplex(np.array(values))
    assert found.sum() == pytest.approx(1)
    assert found.min() >= 0
    assert np.sum((found - values) ** 2) <= np.sum((other - values) ** 2) + 1e-9


@given(mixes())
def test_a_mix_is_its_own_nearest_mix(mix: np.ndarray) -> None:
    assert project_to_simplex(mix) == pytest.approx(mix, abs=1e-12)


def world(mix: np.ndarray, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows of three classes in the plane: their classes, and p(x | class) up to a factor."""
    random = np.random.default_rng(seed)
    centres = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 1.5]])
    gold = random.choice(3, n, p=mix)
    x = centres[gold] + random.normal(size=(n, 2))
    density = np.exp(-((x[:, None, :] - centres) ** 2).sum(axis=2) / 2)
    return gold, density


def posteriors(density: np.ndarray, prior: np.ndarray) -> np.ndarray:
    joint = density * prior
    return joint / joint.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("mix", [[0.2, 0.5, 0.3], [0.7, 0.2, 0.1], [0.05, 0.05, 0.9]])
def test_calibrated_scores_of_another_mix_give_it_away(mix: list[float]) -> None:
    gold, density = world(np.array(mix), 20_000)
    found = em_mix(posteriors(density, PRIOR), PRIOR)
    assert found == pytest.approx(np.bincount(gold) / 20_000, abs=0.012)


def test_what_is_found_is_the_most_likely_of_all_mixes() -> None:
    _, density = world(np.array([0.6, 0.3, 0.1]), 300)
    found = em_mix(posteriors(density, PRIOR), PRIOR)

    def likelihood(mix: np.ndarray) -> float:
        return float(np.log(density @ mix).sum())

    steps = np.arange(0, 1.01, 0.05)
    others = [np.array([a, b, 1 - a - b]) for a in steps for b in steps if a + b <= 1]
    assert likelihood(found) >= max(likelihood(np.maximum(one, 1e-9)) for one in others)


def test_a_row_that_counts_twice_is_two_rows() -> None:
    _, density = world(np.array([0.6, 0.3, 0.1]), 50)
    scores = posteriors(density, PRIOR)
    twice = em_mix(np.concatenate([scores, scores[:20]]), PRIOR)
    counts = np.where(np.arange(50) < 20, 2.0, 1.0)
    assert em_mix(scores, PRIOR, counts=counts) == pytest.approx(twice, abs=1e-6)


def test_adapted_scores_are_the_posteriors_of_the_new_mix() -> None:
    mix = np.array([0.7, 0.2, 0.1])
    _, density = world(mix, 40)
    assert adjust_scores(posteriors(density, PRIOR), PRIOR, mix) == pytest.approx(posteriors(density, mix))


def test_the_condition_number_says_how_much_errors_are_blown_up() -> None:
    assert condition_number(np.eye(3) * 7) == pytest.approx(1)
    assert condition_number(np.ones((3, 3))) > 1e12


def test_a_misfit_worked_by_hand() -> None:
    # Shares of 0.55 and 0.45 are expected, 0.6 and 0.4 seen among 50 rows; 10 and 20 rows are labelled.
    rates = np.array([[[0.8, 0.2], [0.3, 0.7]]])
    mix, shares, sizes = np.array([[0.5, 0.5]]), np.array([[0.6, 0.4]]), np.array([10.0, 20.0])
    variance = 0.55 * 0.45 / 50 + 0.25 * 0.8 * 0.2 / 10 + 0.25 * 0.3 * 0.7 / 20
    square, distance = _statistic(rates, mix, shares, sizes, 50)
    assert square == pytest.approx([2 * 0.05**2 / variance])
    assert distance == pytest.approx([0.05])


def test_the_best_mixture_of_several_problems_at_once() -> None:
    rates = np.array([[[0.9, 0.1], [0.2, 0.8]], [[1.0, 0.0], [0.0, 1.0]]])
    shares = np.array([[0.41, 0.59], [0.25, 0.75]])
    # 0.9 q + 0.2 (1 - q) = 0.41 where q is 0.3.
    assert _mixture(rates, shares) == pytest.approx(np.array([[0.3, 0.7], [0.25, 0.75]]), abs=1e-6)


def test_rows_where_no_class_has_any_fit_no_mixture() -> None:
    # An eighth of a row is added to each of four bins: a class has 0.125 / 10.5 of its rows in the last one.
    labelled = np.array([[10.0, 0, 0, 0], [0, 10, 0, 0], [0, 0, 10, 0]])
    found = fit_mixture(labelled, np.array([0.0, 0, 0, 40]), seed=1)
    assert found.distance == pytest.approx(1 - 0.125 / 10.5)
    assert found.usual < 0.2
    # Not one of the simulated distances is as large.
    assert found.p == pytest.approx(1 / (1 + RESAMPLES))
    assert RESAMPLES == 400
    # What fits exactly fits better than every simulated one.
    fits = fit_mixture(labelled, np.array([10.0, 10, 10, 0]) + 10, seed=1)
    assert fits.p < 0.01
    exact = fit_mixture(np.eye(3) * 1000, np.array([500.0, 300, 200]), seed=1)
    assert (exact.distance, exact.p) == (pytest.approx(0, abs=1e-6), 1.0)


def test_a_bin_begins_with_the_quartile_of_its_class() -> None:
    # Confidences of 0.5, 0.6, 0.7, 0.8 and 0.9: the quartiles are 0.6, 0.7 and 0.8.
    def sure(confidence: float, place: int) -> list[float]:
        rest = (1 - confidence) / 2
        return [confidence if one == place else rest for one in range(3)]

    source = np.array([sure(0.5 + 0.1 * one, 2) for one in range(5)])
    scores = np.array([sure(one, 2) for one in (0.4, 0.55, 0.65, 0.75, 0.85, 1.0)] + [sure(0.9, 0)])
    assert score_bins(source, scores).tolist() == [8, 8, 9, 10, 11, 11, 0]


def test_a_mix_is_projected_by_hand() -> None:
    # 0.9 and 0.5 are brought down by 0.2 each, and what is below 0.2 is nothing.
    assert project_to_simplex(np.array([0.9, 0.1, 0.5])) == pytest.approx([0.7, 0.0, 0.3])
    assert project_to_simplex(np.array([5.0, 0.0, 0.0])) == pytest.approx([1.0, 0.0, 0.0])
    assert project_to_simplex(np.array([0.0, 0.0, 0.0])) == pytest.approx([1 / 3] * 3)


def test_the_condition_number_is_of_rates_and_not_of_counts() -> None:
    # Of [[0.9, 0.1], [0.1, 0.9]] the eigenvalues are 1 and 0.8, however many rows each class has.
    assert condition_number(np.array([[90.0, 10], [1, 9]])) == pytest.approx(1.25)
