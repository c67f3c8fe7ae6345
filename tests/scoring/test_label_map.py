from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.errors import DataError, ModelError
from sentimon.labels import Sentiment
from sentimon.scoring.label_map import map_labels

NEGATIVE, NEUTRAL, POSITIVE = Sentiment


def outputs(*labels: str) -> dict[int, str]:
    return dict(enumerate(labels))


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (("negative", "neutral", "positive"), (NEGATIVE, NEUTRAL, POSITIVE)),
        (("POSITIVE", "Negative", " neutral "), (POSITIVE, NEGATIVE, NEUTRAL)),
        (("LABEL_0", "LABEL_1", "LABEL_2"), (NEGATIVE, NEUTRAL, POSITIVE)),
        (("POS", "NEU", "NEG"), (POSITIVE, NEUTRAL, NEGATIVE)),
        (("Negativo", "Neutro", "Positivo"), (NEGATIVE, NEUTRAL, POSITIVE)),
        (("NEGATIVE", "POSITIVE"), (NEGATIVE, POSITIVE)),
        (
            ("1 star", "2 stars", "3 stars", "4 stars", "5 stars"),
            (NEGATIVE, NEGATIVE, NEUTRAL, POSITIVE, POSITIVE),
        ),
        (("5 stelle", "1 stella", "3 STARS"), (POSITIVE, NEGATIVE, NEUTRAL)),
        (
            ("Very Negative", "Negative", "Neutral", "Positive", "Very Positive"),
            (NEGATIVE, NEGATIVE, NEUTRAL, POSITIVE, POSITIVE),
        ),
        (("strongly_negative", "molto positivo"), (NEGATIVE, POSITIVE)),
        (("négatif", "neutre", "positif"), (NEGATIVE, NEUTRAL, POSITIVE)),
        (("Extremely Negative", "Extremely Positive"), (NEGATIVE, POSITIVE)),
    ],
)
def test_the_names_that_models_use_are_known(labels: tuple[str, ...], classes: tuple[Sentiment, ...]) -> None:
    assert map_labels(outputs(*labels)) == classes


@given(st.permutations(["negative", "neutral", "positive"]))
def test_a_class_follows_its_name_wherever_it_stands(labels: list[str]) -> None:
    assert [one.label for one in map_labels(outputs(*labels))] == labels


def test_outputs_are_read_in_the_order_of_their_numbers() -> None:
    assert map_labels({2: "negative", 0: "positive", 1: "neutral"}) == (POSITIVE, NEUTRAL, NEGATIVE)


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (("LABEL_0", "LABEL_1"), "2 numbered labels do not say which class each one is"),
        (("LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3", "LABEL_4"), "5 numbered labels"),
        (("joy", "anger", "neutral"), "unknown label 'joy'"),
        (("negative", "neutral"), "no label means positive"),
        (("positive", "neutral"), "no label means negative"),
        (("6 stars", "1 star"), "unknown label '6 stars'"),
    ],
)
def test_a_label_set_that_is_not_sentiment_is_an_error_that_shows_the_toml_to_write(
    labels: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(ModelError, match=reason) as error:
        map_labels(outputs(*labels))
    assert f'[model.label_map] with "{labels[0]}" = "..."' in (error.value.hint or "")


def test_the_label_map_comes_before_what_is_known_and_ignores_case() -> None:
    chosen = {"Joy": "positive", "anger": "Negativo"}
    assert map_labels(outputs("ANGER", "joy", "neutral"), label_map=chosen) == (NEGATIVE, POSITIVE, NEUTRAL)
    assert map_labels(
        outputs("positive", "negative"), label_map={"positive": "negative", "negative": "positive"}
    ) == (
        NEGATIVE,
        POSITIVE,
    )


def test_the_label_map_may_name_numbered_labels_of_any_number() -> None:
    chosen = {"LABEL_0": "negative", "LABEL_1": "positive"}
    assert map_labels(outputs("LABEL_0", "LABEL_1"), label_map=chosen) == (NEGATIVE, POSITIVE)


def test_a_label_map_onto_a_class_that_does_not_exist_is_an_error() -> None:
    with pytest.raises((ModelError, DataError), match="great"):
        map_labels(outputs("joy", "anger"), label_map={"joy": "great", "anger": "negative"})
