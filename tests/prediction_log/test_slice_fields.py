"""The value that a row has of a field: of its own, or told from it."""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.config.segment_settings import _OURS, DERIVED_FIELDS
from sentimon.errors import MissingPackageError, UsageError
from sentimon.prediction_log.record import CORE_FIELDS, OPTIONAL_FIELDS, parse_row
from sentimon.prediction_log.slice_fields import (
    DERIVED,
    EMPTY,
    LONGEST_VALUE,
    MISSING,
    NESTED,
    UNKNOWN,
    SliceField,
    check_fields,
    parse_conditions,
    value_text,
)
from tests.support.rows import record, row


def value(field: str, **fields: Any) -> str:
    """The value of a row that holds some fields."""
    line = json.dumps(row(1) | {"sentiment": "neutral", "confidence": 0.8} | fields).encode()
    found = parse_row(line, zone=None, whole=True)
    return SliceField(field).value(found, found.extra)


def test_a_field_of_the_rows_own_is_found_by_its_path() -> None:
    assert value("channel", channel="app") == "app"
    assert value("customer.land", customer={"land": "it"}) == "it"
    assert value("a.b.c", a={"b": {"c": 1}}) == "1"
    assert value("a.b.c", a={"b.c": 2}) == "2"


def test_a_key_with_a_dot_in_it_comes_before_a_path() -> None:
    assert value("customer.land", **{"customer.land": "de", "customer": {"land": "it"}}) == "de"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", EMPTY), (None, MISSING), ({"a": 1}, NESTED), ([1], NESTED), (True, "true"), (False, "false"),
        (3, "3"), (3.0, "3"), (2.5, "2.5"), (-0.0, "0"), (1e300, "1e+300"), ("3", "3"),
    ],
)  # fmt: skip
def test_every_content_is_a_value(content: object, expected: str) -> None:
    assert value("channel", channel=content) == expected


def test_a_row_without_the_field_is_missing() -> None:
    assert value("channel") == MISSING
    assert value("customer.land", customer="nobody") == MISSING


@given(st.text(), st.text())
def test_values_are_bounded_and_those_that_differ_at_the_begin_stay_apart(one: str, other: str) -> None:
    assert 0 < len(value_text(one)) <= LONGEST_VALUE
    if one[: LONGEST_VALUE - 1] != other[: LONGEST_VALUE - 1]:
        assert value_text(one) != value_text(other) or EMPTY in (one, other)


@pytest.mark.parametrize(
    ("text", "length", "script"),
    [
        ("", "0-19", "(no letters)"), ("a" * 19, "0-19", "latin"), ("a" * 20, "20-49", "latin"),
        ("a" * 1000, "1000+", "latin"), ("привет, мир", "0-19", "cyrillic"), ("最高です", "0-19", "han"),
        ("perché così", "0-19", "latin"), ("😀 123", "0-19", "(no letters)"), (None, MISSING, MISSING),
    ],
)  # fmt: skip
def test_length_and_script_are_told_from_the_text(text: str | None, length: str, script: str) -> None:
    one = record(1, text=text)
    assert SliceField("@length").value(one, {}) == length
    assert SliceField("@script").value(one, {}) == script


def test_the_model_has_its_revision() -> None:
    assert SliceField("@model").value(record(1, model="m", revision="v2"), {}) == "m@v2"
    assert SliceField("@model").value(record(1, model="m"), {}) == "m"
    assert SliceField("@model").value(record(1), {}) == MISSING


def test_the_language_is_told_or_unknown() -> None:
    def language(text: str | None) -> str:
        return SliceField("@language").value(record(1, text=text), {})

    assert language("Questo prodotto è davvero ottimo, lo consiglio a tutti.") == "it"
    assert language("The delivery was late and nobody answered the phone.") == "en"
    assert language("😀 12") == UNKNOWN
    assert language(None) == MISSING


def test_the_names_of_derived_fields_are_those_of_the_settings() -> None:
    assert set(DERIVED) == set(DERIVED_FIELDS)
    assert set(_OURS) == {*CORE_FIELDS, *OPTIONAL_FIELDS}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("text", "text is a field of sentimon's own"), ("scores.positive", "sentimon's own"),
        ("model", "sentimon's own"), ("@colour", "none of the fields that are told"), ("", "no path"),
        ("a..b", "no path"), ("x" * 201, "no path"),
    ],
)  # fmt: skip
def test_what_is_no_field_is_refused(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_fields([name], origin="--by")


def test_the_language_needs_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py3langid", None)
    with pytest.raises(MissingPackageError, match="--by: @language needs py3langid") as caught:
        check_fields(["@language"], origin="--by")
    assert caught.value.hint == "pip install 'sentimon[language]'"


def test_a_condition_is_a_field_and_a_value() -> None:
    (one,) = parse_conditions(["customer.land=it=de"], origin="--where")
    assert (one.field.name, one.value, str(one)) == ("customer.land", "it=de", "customer.land=it=de")
    (empty,) = parse_conditions(["channel="], origin="--where")
    assert empty.value == EMPTY
    with pytest.raises(UsageError, match="names no value"):
        parse_conditions(["channel"], origin="--where")


def test_a_given_row_may_hold_values_or_raw_json() -> None:
    one = record(1, extra={"channel": "app", "customer": msgspec.Raw(b'{"land":"it"}')})
    assert SliceField("channel").value(one, one.extra) == "app"
    assert SliceField("customer.land").value(one, one.extra) == "it"
