from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.errors import DataError
from sentimon.labels import Sentiment
from sentimon.scoring.scores import Scores

parts = st.lists(st.integers(0, 10**6), min_size=3, max_size=3).filter(sum)
probabilities = parts.map(lambda found: [one / sum(found) for one in found])


@given(probabilities)
def test_scores_are_the_probabilities_to_six_digits(vector: list[float]) -> None:
    scores = Scores.from_probabilities(vector)
    assert scores.vector == pytest.approx(vector, abs=5.1e-7)
    assert scores.vector == tuple(round(one, 6) for one in scores.vector)


@given(probabilities)
def test_rounding_again_changes_nothing(vector: list[float]) -> None:
    scores = Scores.from_probabilities(vector)
    assert Scores.from_probabilities(scores.vector) == scores


@given(probabilities)
def test_the_label_is_the_class_with_the_highest_score(vector: list[float]) -> None:
    scores = Scores.from_probabilities(vector)
    assert scores.vector[scores.label] == scores.confidence == max(scores.vector)
    assert 1 / 3 - 1e-6 <= scores.confidence <= 1
    assert -1 <= scores.polarity <= 1


@given(probabilities)
def test_the_dictionary_has_the_canonical_names_in_order(vector: list[float]) -> None:
    scores = Scores.from_probabilities(vector)
    assert list(scores.to_dict()) == ["negative", "neutral", "positive"]
    assert Scores(**scores.to_dict()) == scores


@pytest.mark.parametrize(
    ("vector", "label"),
    [
        ((0.4, 0.4, 0.2), Sentiment.NEGATIVE),
        ((0.2, 0.4, 0.4), Sentiment.NEUTRAL),
        ((1 / 3, 1 / 3, 1 / 3), Sentiment.NEGATIVE),
    ],
)
def test_of_equal_scores_the_first_class_wins(vector: tuple[float, ...], label: Sentiment) -> None:
    assert Scores.from_probabilities(vector).label is label


def test_scores_that_were_rounded_elsewhere_are_taken() -> None:
    assert Scores.from_probabilities([0.333, 0.333, 0.333]).vector == (0.333, 0.333, 0.333)


@pytest.mark.parametrize(
    ("vector", "reason"),
    [
        ([0.5, 0.5], "scores need 3 numbers, got 2"),
        ([0.25] * 4, "scores need 3 numbers, got 4"),
        ([0.5, 0.3, 0.1], "scores sum to 0.9000, not to 1"),
        ([float("nan"), 0.5, 0.5], "score of negative is nan"),
        ([0.5, float("inf"), 0.5], "score of neutral is inf"),
        ([-0.1, 0.6, 0.5], "score of negative is -0.1"),
        ([0.0, 0.0, 1.01], "score of positive is 1.01"),
    ],
)
def test_what_is_no_distribution_over_three_classes_is_an_error(vector: list[float], reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        Scores.from_probabilities(vector)


def test_scores_cannot_be_changed() -> None:
    scores = Scores.from_probabilities([0.2, 0.3, 0.5])
    with pytest.raises(AttributeError):
        scores.negative = 1.0  # type: ignore[misc]
