"""A file as an annotation tool exports it is labelled texts: what its annotators agree on is the label."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from sentimon.errors import DataError
from sentimon.ingest.label_coding import LabelCoding
from sentimon.ingest.tables import open_table
from sentimon.jsonl import BadLine


def rows_of(content: object, file_format: str = "jsonl") -> list[dict[str, Any]]:
    written = content if isinstance(content, bytes) else json.dumps(content).encode()
    found = list(open_table(io.BytesIO(written), "export", file_format).numbered)
    assert not [one for one in found if isinstance(one, BadLine)]
    return [one[1] for one in found if not isinstance(one, BadLine)]


def annotation(*choices: str, **more: object) -> dict[str, Any]:
    result = {
        "value": {"choices": list(choices)},
        "id": "x",
        "from_name": "mood",
        "to_name": "text",
        "type": "choices",
    }
    return {
        "id": 7,
        "completed_by": 1,
        "result": [result],
        "was_cancelled": False,
        "ground_truth": False,
        **more,
    }


def task(*annotations: dict[str, Any], **data: object) -> dict[str, Any]:
    return {
        "id": 31,
        "annotations": list(annotations),
        "drafts": [],
        "predictions": [],
        "data": {"text": "Arrivato rotto", **data},
        "meta": {},
        "project": 4,
    }


def test_a_task_of_label_studio_is_its_data_with_the_choice_as_label() -> None:
    moment = "2026-11-02T10:00:00.000000Z"
    (row,) = rows_of([task(annotation("Negative", created_at=moment), id="r-1", channel="app")])
    assert row == {
        "text": "Arrivato rotto",
        "id": "r-1",
        "channel": "app",
        "label": "Negative",
        "task_id": 31,
        "labelled_at": moment,
    }


@pytest.mark.parametrize(
    ("annotations", "label"),
    [
        ([], None),
        ([annotation("Negative", was_cancelled=True)], None),
        ([annotation("Negative"), annotation("Negative")], "Negative"),
        ([annotation("Negative"), annotation("Neutral")], ["Negative", "Neutral"]),
        ([annotation("Negative"), annotation("Neutral", ground_truth=True)], "Neutral"),
        ([annotation("Negative", "Neutral")], ["Negative", "Neutral"]),
        ([{"result": [{"from_name": "stars", "value": {"rating": 4}}]}], 4),
        ([{"result": [{"from_name": "span", "value": {"start": 0, "end": 2, "labels": ["X"]}}]}], None),
    ],
)
def test_the_label_of_a_task_is_what_its_annotators_agree_on(
    annotations: list[dict[str, Any]], label: object
) -> None:
    (row,) = rows_of([task(*annotations)])
    assert row.get("label") == label
    assert "id" not in row


def test_two_questions_of_a_task_are_two_fields() -> None:
    both = annotation("Negative")
    both["result"].append({"value": {"choices": ["Delivery"]}, "from_name": "topic", "type": "choices"})
    (row,) = rows_of([task(both)])
    assert (row["mood"], row["topic"], "label" in row) == ("Negative", "Delivery", False)


SMALL = [
    {"text": "a", "id": 1, "sentiment": "Positive", "annotator": 1, "annotation_id": 5, "lead_time": 2.5},
    {"text": "a", "id": 1, "sentiment": "Neutral", "annotator": 2, "annotation_id": 6, "lead_time": 3.5},
    {"text": "b", "id": 2, "sentiment": "Negative", "annotator": 1, "annotation_id": 7, "lead_time": 1.5},
    {"text": "b", "id": 2, "sentiment": "Negative", "annotator": 2, "annotation_id": 8, "lead_time": 1.5},
    {"text": "c", "id": 3, "annotator": 1, "annotation_id": 9, "lead_time": 1.5},
]


def test_the_small_export_of_label_studio_is_one_row_a_task() -> None:
    rows = rows_of(SMALL)
    assert [(row["text"], row.get("sentiment"), row["task_id"]) for row in rows] == [
        ("a", ["Positive", "Neutral"], 1),
        ("b", "Negative", 2),
        ("c", None, 3),
    ]
    table = "id,text,sentiment,annotator,annotation_id\n" + "".join(
        f"{row['id']},{row['text']},{row.get('sentiment', '')},{row['annotator']},{row['annotation_id']}\n"
        for row in SMALL
    )
    assert [row["sentiment"] for row in rows_of(table.encode(), "csv")] == [
        ["Positive", "Neutral"],
        "Negative",
        "",
    ]


def record(*answers: tuple[str, str]) -> dict[str, Any]:
    given = [{"value": value, "user_id": user} for value, user in answers]
    return {
        "id": "r-1",
        "fields": {"text": "Bello"},
        "metadata": {"channel": "app"},
        "suggestions": {"label": {"value": "neutral", "score": 0.4, "agent": "m"}},
        "responses": {"label": given} if given else {},
        "vectors": {},
        "status": "completed",
        "_server_id": "s",
    }


def test_a_record_of_argilla_has_the_response_as_label_and_not_the_suggestion() -> None:
    (row,) = rows_of([record(("positive", "u1"), ("positive", "u2"))])
    assert row == {"id": "r-1", "text": "Bello", "channel": "app", "label": "positive", "status": "completed"}
    assert rows_of([record(("positive", "u1"), ("neutral", "u2"))])[0]["label"] == ["positive", "neutral"]
    assert "label" not in rows_of([record()])[0]


def test_a_data_set_of_argilla_has_only_submitted_responses_as_label() -> None:
    flat = {
        "id": "r-1",
        "text": "Bello",
        "mood.responses": ["positive", "neutral"],
        "mood.responses.users": ["u1", "u2"],
        "mood.responses.status": ["submitted", "discarded"],
        "mood.suggestion": "neutral",
    }
    assert rows_of([flat])[0]["label"] == "positive"
    older = {
        "text": "Bello",
        "label": [{"user_id": "u1", "value": "positive", "status": "submitted"}],
        "id": "r-1",
    }
    assert rows_of([older])[0] == {"text": "Bello", "label": "positive", "id": "r-1"}
    first = {"text": "Bello", "inputs": {"text": "Bello"}, "annotation": "positive", "annotation_agent": "u1"}
    assert rows_of([first])[0]["label"] == "positive"


def test_a_row_of_doccano_has_its_only_label() -> None:
    lines = [
        {"id": 1, "text": "a", "label": ["positive"], "Comments": []},
        {"id": 2, "text": "b", "label": []},
        {"id": 3, "text": "c", "label": ["positive", "negative"]},
    ]
    written = "".join(json.dumps(one) + "\n" for one in lines).encode()
    for rows in (rows_of(lines), rows_of(written)):
        assert [row["label"] for row in rows] == ["positive", None, ["positive", "negative"]]
        assert [row["task_id"] for row in rows] == [1, 2, 3]
    spans = {"id": 1, "text": "Anna", "label": [[0, 4, "PER"]]}
    assert rows_of([spans]) == [spans]


def test_a_label_that_annotators_disagree_about_is_refused_with_what_they_said() -> None:
    read = LabelCoding(name="names").read
    assert read("positive").name == "POSITIVE"
    with pytest.raises(DataError, match="several labels for one text: positive, neutral"):
        read(["positive", "neutral"])


def test_other_rows_are_left_as_they_are() -> None:
    for row in ({"text": "a", "labels": ["x", "y"], "scores": [0.4, 0.6]}, {"text": "a", "data": {"x": 1}}):
        assert rows_of([row]) == [row]
