from __future__ import annotations

from itertools import combinations

import pytest

from sentimon.ingest import column_names
from sentimon.ingest.column_names import (
    ID_COLUMNS,
    LABEL_COLUMNS,
    MODEL_COLUMNS,
    RATING_COLUMNS,
    TEXT_COLUMNS,
    TIME_COLUMNS,
    is_usual_name,
    plain_name,
    usual_columns,
)

KINDS = (TIME_COLUMNS, TEXT_COLUMNS, ID_COLUMNS, LABEL_COLUMNS, RATING_COLUMNS, MODEL_COLUMNS)


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("timestamp", TIME_COLUMNS),
        ("Created At", TIME_COLUMNS),
        ("created-at", TIME_COLUMNS),
        (" DATA ORA ", TIME_COLUMNS),
        ("Fecha", TIME_COLUMNS),
        ("heure", TIME_COLUMNS),
        ("publishedAt", TIME_COLUMNS),
        ("Informazioni cronologiche", TIME_COLUMNS),
        ("reviewText", TEXT_COLUMNS),
        ("Comments", TEXT_COLUMNS),
        ("Zeitpunkt", TIME_COLUMNS),
        ("data_hora", TIME_COLUMNS),
        ("Testo", TEXT_COLUMNS),
        ("RESEÑA", TEXT_COLUMNS),
        ("review_id", ID_COLUMNS),
        ("Gold Label", LABEL_COLUMNS),
        ("stelle", RATING_COLUMNS),
        ("modèle", MODEL_COLUMNS),
    ],
)
def test_a_usual_name_is_known_in_any_case_with_any_separator(name: str, names: tuple[str, ...]) -> None:
    assert is_usual_name(name, names)
    assert usual_columns(["x", name], names) == [name]


def test_a_name_that_only_contains_a_usual_one_is_not_usual() -> None:
    assert not is_usual_name("update", TIME_COLUMNS)
    assert not is_usual_name("text2", TEXT_COLUMNS)
    assert not is_usual_name("", ID_COLUMNS)


def test_no_name_is_usual_for_two_kinds_of_column_and_each_stands_once() -> None:
    plain = [[plain_name(name) for name in names] for names in KINDS]
    assert all(len(names) == len(set(names)) for names in plain)
    assert not [set(one) & set(other) for one, other in combinations(plain, 2) if set(one) & set(other)]
    assert len(KINDS) == len([name for name in vars(column_names) if name.endswith("_COLUMNS")])


def test_columns_come_in_the_order_of_the_list_of_names_and_equals_in_their_own() -> None:
    assert usual_columns(["body", "Text", "TEXT", "id"], TEXT_COLUMNS) == ["Text", "TEXT", "body"]


def test_the_names_that_were_known_before_come_first() -> None:
    assert LABEL_COLUMNS[:4] == ("label", "labels", "sentiment", "feeling")
    assert TEXT_COLUMNS[:4] == ("text", "sentence", "tweet", "content")
