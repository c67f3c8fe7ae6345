from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.compat.prediction_logger import PredictionLogger
from sentimon.errors import DataError
from sentimon.prediction_log.extra_fields import checked_extra
from sentimon.prediction_log.record import CORE_FIELDS, OPTIONAL_FIELDS
from sentimon.workflows.metrics import measure_period
from sentimon.workflows.opening import open_workspace

SCORES = {"negative": 0.1, "neutral": 0.2, "positive": 0.7}
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=5,
)


def itself() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


@given(VALUES)
def test_what_json_has_is_kept_as_it_is(value: Any) -> None:
    assert checked_extra({"given": value}) == {"given": value}


def test_further_fields_are_in_the_row_and_divide_the_log(tmp_path: Path) -> None:
    logger = PredictionLogger(log_dir=tmp_path)
    for channel in ("app", "app", "mail"):
        logger.log_prediction("Ottimo!", SCORES, extra={"channel": channel, "customer": {"tier": 2}})
    logger.log_prediction("Ottimo!", SCORES)
    first, *_, last = (tmp_path / "predictions.jsonl").read_text(encoding="utf-8").strip().split("\n")
    assert json.loads(first)["customer"] == {"tier": 2}
    assert "channel" not in json.loads(last)
    by = measure_period(open_workspace(tmp_path), by="channel").by
    assert by is not None
    assert [(one.value, one.total) for one in by.slices] == [("app", 2), ("(missing)", 1), ("mail", 1)]


@pytest.mark.parametrize("name", [*CORE_FIELDS, *OPTIONAL_FIELDS])
def test_a_field_of_ours_is_no_further_field(name: str) -> None:
    with pytest.raises(DataError, match=f"'{name}' is a field of sentimon's own"):
        checked_extra({name: "x"})


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ({"a": float("nan")}, "extra.a: nan is no value that JSON has"),
        ({"a": {"b": [1, float("inf")]}}, r"extra.a.b\[1\]: inf is no value"),
        ({"a": datetime(2026, 1, 1)}, "extra.a: datetime.datetime"),
        ({"a": {1, 2}}, "extra.a: {1, 2} is no value"),
        ({"a": b"x"}, "is no value that JSON has"),
        ({"a": 2**64}, "is no value that JSON has"),
        ({1: "a"}, "extra: 1 names no field"),
        ({"": "a"}, "extra: '' names no field"),
        ({"a": {None: 1}}, "extra.a: None names no field"),
        ({"a": itself()}, "more than 32 deep"),
        ([("a", 1)], "extra is not fields by name"),
    ],
)
def test_what_json_has_not_is_refused_by_its_place_and_nothing_is_logged(
    tmp_path: Path, extra: Any, says: str
) -> None:
    logger = PredictionLogger(log_dir=tmp_path)
    with pytest.raises(DataError, match=says):
        logger.log_prediction("Ottimo!", SCORES, extra=extra)
    assert logger.get_logs_count() == 0


def test_broken_unicode_is_mended_as_it_is_in_texts() -> None:
    assert checked_extra({"a\ud800": "b\ud800"}) == {"a�": "b�"}
