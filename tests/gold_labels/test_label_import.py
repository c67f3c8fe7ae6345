from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest

from sentimon.errors import DataError
from sentimon.gold_labels.label_import import LabelFile, address, read_label_file
from sentimon.ingest.input_row import InputRow
from sentimon.jsonl import BadLine
from sentimon.labels import Sentiment
from tests.support.rows import START, record


def hashed(text: str) -> str:
    return f"h:{text}"


def inbox(*fields: dict[str, Any] | BadLine, **options: Any) -> LabelFile:
    rows = [
        one if isinstance(one, BadLine) else InputRow(path="l.csv", line=number, text=None, fields=one)
        for number, one in enumerate(fields, start=2)
    ]
    given = {"by": None, "label_field": None} | options
    return read_label_file(rows, now=START, zone=UTC, hash_text=hashed, **given)


def test_a_row_is_named_by_id_then_hash_then_text_as_it_may_be_kept() -> None:
    fields = {"row_id": 7, "text_hash": "AB", "text": "mail a@b.org", "label": "Negativo"}
    (one,) = inbox(fields).labels
    assert one.keys == (
        ("id", "7"),
        ("text_hash", "ab"),
        ("text_hash", "h:mail a@b.org"),
        ("text_hash", "h:mail [email]"),
    )
    assert one.label.label is Sentiment.NEGATIVE
    assert [one.keys for one in inbox(fields, by="text-hash").labels] == [(("text_hash", "ab"),)]


def test_names_of_columns_may_be_in_any_case_and_the_first_of_two_alike_counts() -> None:
    fields = {"ID": "a", "Text": "hello", "LABEL ": "neutral", "Probability": "0.5", "label": "positive"}
    (one,) = inbox(fields).labels
    assert one.keys[0] == ("id", "a")
    assert (one.label.label, one.label.probability) == (Sentiment.NEUTRAL, 0.5)
    assert len(inbox(fields, label_field="Label").labels) == 1


def test_the_first_key_that_a_logged_row_has_is_taken() -> None:
    found = inbox({"id": "other", "text": "hello", "label": 2}, {"id": "x", "label": 0})
    arrivals, strangers = address(found.labels, [record(0, text="hello", id="1")], hashed)
    assert [(one.line, one.label.key) for one in arrivals] == [(2, ("text_hash", "h:hello"))]
    assert [str(one) for one in strangers] == ["l.csv:3: no logged row has id 'x'"]


def test_the_number_that_an_annotation_tool_writes_into_id_is_passed_over() -> None:
    found = inbox(
        {"id": "1", "row_id": "a", "label": "neutral"}, {"id": "2", "text_hash": "h:x", "label": "neutral"}
    )
    rows = [record(0, id=name, text="x" if name == "b" else "y") for name in ("1", "2", "a", "b")]
    arrivals, _ = address(found.labels, rows, hashed)
    assert [one.label.key for one in arrivals] == [("id", "a"), ("text_hash", "h:x")]
    assert [one.keys for one in inbox({"id": 5, "label": "positive"}, by="id").labels] == [(("id", "5"),)]


def test_a_redacted_log_is_met_by_its_redacted_text() -> None:
    found = inbox({"text": "call +39 340 1234567", "label": "neutral"}, by="text")
    rows = [record(0, text="call [phone]")]
    assert len(address(found.labels, rows, hashed)[0]) == 1


def test_probability_draw_and_the_time_of_the_label_are_kept() -> None:
    moment = (START + timedelta(days=1)).isoformat()
    given = {"id": "1", "label": "0", "probability": "0.25", "draw": moment, "labelled_at": moment}
    (one,) = inbox(given, {"id": "2", "label": "2"}).labels[:1]
    assert (one.label.probability, one.label.draw, one.label.timestamp) == (
        0.25, START + timedelta(days=1), START + timedelta(days=1),
    )  # fmt: skip
    assert inbox(given, {"id": "2", "label": "2"}).labels[1].label.timestamp == START


def test_rows_that_nobody_labelled_are_counted_and_bad_ones_named() -> None:
    found = inbox(
        {"id": "1", "choice": "positive"},
        {"id": "2"},
        {"id": "6", "choice": "N/A"},
        {"choice": "positive"},
        {"id": "3", "choice": "angry"},
        {"id": "4", "choice": "neutral", "probability": "2"},
        {"id": "5", "choice": "neutral", "labelled_at": "yesterday"},
        BadLine(path="l.csv", line=9, kind="json", reason="torn"),
    )
    assert (len(found.labels), found.without_label) == (1, 2)
    assert [line.line for line in found.bad_lines] == [5, 6, 7, 8, 9]


def test_a_file_without_labels_says_what_it_has() -> None:
    with pytest.raises(DataError, match="no labels: no row has any of label") as caught:
        inbox({"id": "1", "note": "x"})
    assert "id, note" in str(caught.value.hint)
    with pytest.raises(DataError, match="no row has 'gold'"):
        inbox({"id": "1", "label": "neutral"}, label_field="gold")


def test_star_ratings_are_never_taken_for_codes_and_nothing_of_the_file_is_read() -> None:
    with pytest.raises(DataError, match="has the numbers 1, 2, 5, which do not say") as caught:
        inbox({"id": "1", "stelle": 5, "label": "5"}, {"id": "2", "label": "1"}, {"id": "3", "label": 2})
    assert "--labels stars" in str(caught.value.hint)
