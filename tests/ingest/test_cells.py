from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.ingest.cells import is_missing, number_of, shown
from sentimon.ingest.date_words import is_weekday, month_named


@pytest.mark.parametrize(
    "value", [None, "", "  ", "nan", "NaN", "NaT", "null", "NA", "n/a", "#N/A", "<NA>", float("nan"),
              pandas.NaT, Decimal("nan"), "\\N"],
)  # fmt: skip
def test_what_says_nothing_is_missing(value: object) -> None:
    assert is_missing(value)


@pytest.mark.parametrize(
    "value", [0, 0.0, "0", False, "none", "-", "no", [], datetime(2026, 1, 1), float("inf"), " " * 1000 + "x"]
)
def test_what_says_something_is_not_missing(value: object) -> None:
    assert not is_missing(value)


@pytest.mark.parametrize("value", [1, 1.0, "1", " 1.0 ", "+1", "1e0", "1.", Decimal("1.00")])
def test_a_number_is_one_however_it_is_written(value: object) -> None:
    assert number_of(value) == 1


@pytest.mark.parametrize(
    "value", [True, None, "", "1,5", "0x1", "١", "½", "1_000", "nan", "inf", float("nan"), float("-inf"), [1],
              10**5000, "1" * 200, "1e9999", Decimal("nan")],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_is_no_number_has_none(value: object) -> None:
    assert number_of(value) is None


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**20), 10**20))
def test_a_number_is_exactly_what_is_written(value: float) -> None:
    assert number_of(value) == Decimal(str(value)) == number_of(str(value))


@given(st.text() | st.integers() | st.lists(st.text()) | st.binary())
def test_any_value_is_shown_short_and_printable(value: object) -> None:
    assert len(shown(value)) <= 60
    assert shown(value).isprintable()


def test_a_number_too_long_to_print_is_described() -> None:
    assert shown(10**5000) == "a value of type int that is too long to print"
    assert shown({"a": 10**5000}) == "a value of type dict that is too long to print"


@pytest.mark.parametrize(
    ("words", "month"),
    [("January gennaio enero janvier Januar janeiro Jän gen ene janv.", 1), ("mar März mars Maerz marzo", 3),
     ("May maggio mayo mai Mai maio mag", 5), ("août Aug ago agosto", 8), ("dic déc Dez dezembro DEC", 12)],
)  # fmt: skip
def test_months_are_known_in_six_languages(words: str, month: int) -> None:
    assert [month_named(word) for word in words.split()] == [month] * len(words.split())


@pytest.mark.parametrize("word", ["jui", "ja", "", "foo", "januaryy", "ma"])
def test_a_beginning_of_two_months_or_of_none_is_no_month(word: str) -> None:
    assert month_named(word) is None


def test_weekdays_are_known_in_six_languages() -> None:
    assert all(
        map(is_weekday, ["Tue", "martedì", "mié.", "jeu", "Fr", "sábado", "segunda-feira", "Sonnabend"])
    )
    assert not any(map(is_weekday, ["", "x", "foo", "t", "march"]))
