from __future__ import annotations

import numpy as np

from sentimon.evaluation.label_shift import BINS_PER_CLASS, count_bins, fit_mixture, score_bins
from sentimon.evaluation.score_scaling import softmax

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
