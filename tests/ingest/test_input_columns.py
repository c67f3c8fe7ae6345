"""Which column is what: by an option, by its usual name, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from sentimon.config.settings import InputSettings
from sentimon.errors import DataError
from sentimon.ingest.input_columns import InputColumns, Need, find_columns
from sentimon.ingest.prediction_columns import PredictionColumns, find_prediction, score_columns

Row = dict[str, Any]


def columns_of(row: Row, need: Need = Need.PREDICTIONS, **settings: str) -> InputColumns:
    return find_columns(list(row), [row], InputSettings(**settings), need=need)


def named(row: Row, need: Need = Need.PREDICTIONS, **settings: str) -> dict[str, str]:
    found = columns_of(row, need, **settings)
    roles = {
        "text": found.text,
        "time": found.time,
        "id": found.id,
        "model": found.model,
        "label": found.label,
    }
    return {role: one.name for role, one in roles.items() if one is not None}


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"data": "23/11/2026", "stelle": 5, "recensione": "Ottimo"}, {"text": "recensione", "time": "data"}),
        (
            {"Review": "a", "Created At": "x", "Review ID": "7"},
            {"text": "Review", "time": "Created At", "id": "Review ID"},
        ),
        ({"fecha": "x", "reseña": "y"}, {"text": "reseña", "time": "fecha"}),
        ({"Datum": "x", "Kommentar": "y"}, {"text": "Kommentar", "time": "Datum"}),
        ({"whatever": "one column alone is the text"}, {"text": "whatever"}),
    ],
)  # fmt: skip
def test_usual_names_are_found_in_six_languages(row: Row, found: dict[str, str]) -> None:
    assert named(row) == found


def test_a_named_column_comes_before_a_usual_one_and_must_exist() -> None:
    row = {"text": "a", "other": "b"}
    assert named(row, text_column="other")["text"] == "other"
    with pytest.raises(DataError, match="has no column 'missing'") as error:
        columns_of(row, text_column="missing")
    assert error.value.hint == "there are: text, other"


def test_a_file_without_a_column_of_texts_is_refused_with_the_option_and_its_columns() -> None:
    with pytest.raises(DataError, match="usual name of a column of texts") as error:
        columns_of({"a": 1, "b": 2})
    assert error.value.hint == "name it with --text-column: a, b"


GOLD_NAMED = {"label", "sentiment"}


@pytest.mark.parametrize(
    "row",
    [
        {"text": "a", "sentiment": "positive", "confidence": 0.9},
        {"text": "a", "sentiment": "positive", "scores": {"positive": 1.0}},
        {"text": "a", "label": "POSITIVE", "score": 0.93},
        {"text": "a", "label": "positive", "negative": 0.1, "neutral": 0.2, "positive": 0.7},
        {"text": "a", "label": "positive", "scores": [{"label": "positive", "score": 0.9}]},
        {"text": "a", "sentiment": "positive", "neg": 0.0, "neu": 0.7, "pos": 0.3, "compound": 0.4},
        {"text": "a", "sentiment": "positive", "confidence": 95},
        {"text": "a", "sentiment": "positive", "confidence": "high"},
        {"text": "a", "sentiment": "positive", "confidenceScores": {"positive": 0.9, "negative": 0.1}},
    ],
)
@pytest.mark.parametrize("need", [Need.LABELLED, Need.LABELS])
def test_what_a_model_predicted_is_not_taken_for_gold(row: Row, need: Need) -> None:
    with pytest.raises(DataError, match="may be what a model predicted") as error:
        columns_of(row, need)
    assert "--label-column" in str(error.value.hint)
    name = next(one for one in row if one in GOLD_NAMED)
    assert named(row, need, label_column=name)["label"] == name


@pytest.mark.parametrize(
    ("row", "label"),
    [
        ({"text": "a", "sentiment": "positive"}, "sentiment"),
        ({"text": "a", "label": "positive", "sentiment": "neutral", "confidence": 0.4}, "label"),
        ({"text": "a", "label": 1, "prediction": "neutral", "probability": 0.4}, "label"),
        ({"text": "a", "label": "positive", "score": 137}, "label"),
        ({"row_id": "1", "text": "a", "probability": 0.01, "draw": "x", "label": "neutral"}, "label"),
        ({"recensione": "a", "stelle": 4}, "stelle"),
    ],
)
def test_gold_labels_are_found_beside_what_is_certainly_something_else(row: Row, label: str) -> None:
    assert named(row, Need.LABELLED)["label"] == label


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"sentiment": "positive", "confidence": 0.9}, {"label": "sentiment", "confidence": "confidence"}),
        ({"label": "5 stars", "score": 0.71}, {"label": "label", "confidence": "score"}),
        ({"prediction": "neg", "probability": "0,71"}, {"label": "prediction", "confidence": "probability"}),
        ({"prediction": "neg"}, {"label": "prediction"}),
        ({"scores": {"negative": 0.1}}, {"scores": "scores"}),
        ({"scores": '[{"label": "a", "score": 1.0}]'}, {"scores": "scores"}),
        ({"NEG": 0.1, "NEU": 0.2, "POS": 0.7}, {"by_class": ("NEG", "NEU", "POS")}),
        (
            {"prob_negative": 0.1, "prob_neutral": 0.2, "prob_positive": 0.7, "label": "positive"},
            {"by_class": ("prob_negative", "prob_neutral", "prob_positive")},
        ),
        ({"confidenceScores": {"positive": 0.9, "negative": 0.1}}, {"scores": "confidenceScores"}),
        ({"scores": "[{'label': 'NEG', 'score': 1.0}]"}, {"scores": "scores"}),
        ({"out": "[{'label': 'neg', 'score': 1}, {'label': 'pos', 'score': 0}]"}, {"scores": "out"}),
        (
            {"negative_score": 0.1, "positive_score": 0.9},
            {"by_class": ("negative_score", None, "positive_score")},
        ),
    ],
)  # fmt: skip
def test_what_another_model_predicted_is_found(row: Row, found: dict[str, Any]) -> None:
    row = {"text": "a", **row}
    assert find_prediction(list(row), [row], InputSettings()) == PredictionColumns(**found)


@pytest.mark.parametrize(
    "row",
    [
        {"label": "positive"},
        {"label": "positive", "score": 12},
        {"label": "positive", "score": "n/a"},
        {"negatively": 1, "positively": 2},
        {"note": "x"},
        {"neg": 0.0, "neu": 0.7, "pos": 0.3, "compound": 0.4},
        {"places": {"positive": "Rome", "negative": "Turin"}},
        {"list": "[" * 5000},
    ],
)
def test_what_may_be_something_else_is_not_taken_for_a_prediction(row: Row) -> None:
    row = {"text": "a", **row}
    assert find_prediction(list(row), [row], InputSettings()) is None


def test_score_columns_are_named_by_class_or_as_one() -> None:
    assert score_columns(" p ") == {"": "p"}
    assert score_columns("neg=a, Neutro=b,positive=c") == {"negative": "a", "neutral": "b", "positive": "c"}
    for wrong in (
        "negative=a",
        "negative=a,positive=",
        "negative=a,good=b",
        "negative=a,negativo=b,positive=c",
    ):
        with pytest.raises(DataError, match="--score-columns"):
            score_columns(wrong)


def test_an_empty_column_is_not_the_text_where_another_has_one() -> None:
    assert named({"text": "", "review": "Great"})["text"] == "review"
    assert named({"text": None, "message": None})["text"] == "text"
    assert named({"text": "", "review": "Great"}, text_column="text")["text"] == "text"


def test_texts_are_scored_whatever_a_file_says_of_classes_where_that_is_asked_for() -> None:
    row = {"text": "a", "sentiment": "positive", "scores": {"positive": 1.0}, "kept": 1}
    found = columns_of(row, label_column="-")
    assert found.prediction is None
    assert found.unread == {"sentiment", "scores"}


@pytest.mark.parametrize("confidence", [95, "98%", "high", 1.5])
def test_a_confidence_that_is_no_probability_is_not_read(confidence: object) -> None:
    row = {"text": "a", "sentiment": "positive", "confidence": confidence}
    found = columns_of(row)
    assert found.prediction == PredictionColumns(label="sentiment")
    assert found.unread == {"confidence"}
    assert columns_of({**row, "confidence": 1}).unread == frozenset()


def test_the_day_is_the_time_where_the_hour_has_a_column_of_its_own() -> None:
    assert named({"date": "2026-11-02", "time": "10:30", "text": "a"})["time"] == "date"
    assert named({"time": "10:30", "text": "a"})["time"] == "time"
    assert named({"date": "2026-11-02", "time": "2026-11-02 10:30", "text": "a"})["time"] == "time"


def test_a_first_row_that_is_taken_for_the_heading_is_said() -> None:
    with pytest.raises(DataError, match="usual name of a column of texts") as error:
        columns_of({"4": "0", "1467810369": "1467810370", "Mon Apr 06": "x", "Great, love it": "y"})
    assert "looks like a row (4, 1467810369, Mon Apr 06, Great, love it)" in str(error.value.hint)
    assert "write the names of the columns above it" in str(error.value.hint)
