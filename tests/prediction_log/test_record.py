import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.jsonl import LineError, encode
from sentimon.labels import Sentiment
from sentimon.prediction_log.record import CORE_FIELDS, PredictionRecord, parse_row
from sentimon.scoring.scores import ScoredText, Scores
from sentimon.timestamps import format_moment
from tests.support.strategies import records

GOOD = {
    "timestamp": "2026-02-06T10:49:40.101704",
    "text": "Che bello",
    "sentiment": "Positivo",
    "confidence": 0.9,
    "scores": {"Negativo": 0.04, "Neutro": 0.06, "Positivo": 0.9},
}


def test_a_row_of_the_replaced_program_reads_without_a_flag() -> None:
    row = parse_row(json.dumps(GOOD).encode(), zone=UTC)
    assert row.sentiment is Sentiment.POSITIVE
    assert row.scores is not None
    assert row.scores.vector == (0.04, 0.06, 0.9)
    assert format_moment(row.timestamp) == "2026-02-06T10:49:40.101704Z"
    assert row.naive


LACKING = {
    "no scores": ({"scores": ...}, 0.9),
    "scores that are null": ({"scores": None}, 0.9),
    "a third, rounded": ({"confidence": 0.333, "scores": None}, 0.333),
    "all for one class": ({"confidence": 1, "scores": None}, 1.0),
    "a sentiment alone": ({"confidence": ..., "scores": ...}, None),
    "nulls beside a sentiment": ({"confidence": None, "scores": None}, None),
}


@pytest.mark.parametrize(("change", "confidence"), LACKING.values(), ids=LACKING.keys())
def test_a_prediction_may_lack_scores_and_its_confidence(
    change: dict[str, object], confidence: float | None
) -> None:
    row = {name: value for name, value in (GOOD | change).items() if value is not ...}
    found = parse_row(json.dumps(row).encode(), zone=UTC)
    assert (found.sentiment, found.confidence, found.scores) == (Sentiment.POSITIVE, confidence, None)
    written = found.to_dict()
    assert list(written)[:5] == list(CORE_FIELDS)
    assert (written["confidence"], written["scores"]) == (confidence, None)


@given(st.tuples(*[st.floats(0, 1)] * 3).filter(lambda parts: sum(parts) > 0))
def test_scores_rounded_to_three_digits_are_good_and_stay_good_when_written_again(
    parts: tuple[float, ...],
) -> None:
    rounded = [round(part / sum(parts), 3) for part in parts]
    scores = Scores.from_probabilities(rounded)
    again = Scores.from_probabilities(scores.vector)
    assert again == scores


def test_fields_that_are_not_ours_are_passed_over() -> None:
    assert parse_row(json.dumps(GOOD | {"shop": {"id": [1, None]}}).encode(), zone=UTC).text == "Che bello"


@given(records())
def test_a_record_is_read_back_as_it_was_written(record: PredictionRecord) -> None:
    line = encode(record.to_dict())
    assert list(json.loads(line))[:5] == list(CORE_FIELDS)
    again = parse_row(line, zone=None)
    assert again.to_dict() == record.to_dict()


DAMAGE = {
    "no timestamp": ({"timestamp": ...}, "field", "timestamp"),
    "a timestamp that is a number": ({"timestamp": 1767225600}, "field", "timestamp"),
    "a timestamp that is none": ({"timestamp": "06/02/2026 10:49"}, "field", "timestamp"),
    "a day that is none": ({"timestamp": "2026-02-30T10:00:00Z"}, "field", "timestamp"),
    "no sentiment": ({"sentiment": ...}, "field", "sentiment"),
    "an unknown label": ({"sentiment": "happy"}, "label", "'happy'"),
    "no confidence": ({"confidence": ...}, "field", "confidence"),
    "a confidence in quotes": ({"confidence": "0.9"}, "field", "confidence"),
    "a confidence that is true": ({"confidence": True}, "field", "confidence"),
    "a confidence that is null": ({"confidence": None}, "field", "confidence"),
    "another confidence than the score": ({"confidence": 0.5}, "disagreement", "confidence is 0.5"),
    "another class than the scores": (
        {"sentiment": "negative", "confidence": 0.04},
        "disagreement",
        "positive scores",
    ),
    "a confidence above one": (
        {"confidence": 1.0019, "scores": {"neg": 0, "neu": 0, "pos": 1}},
        "disagreement",
        "0 to 1",
    ),
    "neither a sentiment nor scores": ({"sentiment": ..., "scores": ...}, "field", "sentiment"),
    "a null for a sentiment": ({"sentiment": None, "scores": None}, "field", "sentiment"),
    "a confidence that is not of the best of three classes": (
        {"confidence": 0.33, "scores": None},
        "disagreement",
        "1/3 or more",
    ),
    "a confidence above one without scores": (
        {"confidence": 1.001, "scores": None},
        "disagreement",
        "0 to 1",
    ),
    "a confidence in quotes without scores": ({"confidence": "0.9", "scores": ...}, "field", "confidence"),
    "scores in a list": ({"scores": [0.04, 0.06, 0.9]}, "field", "scores"),
    "a class without a score": ({"scores": {"Negativo": 0.1, "Positivo": 0.9}}, "scores", "lack neutral"),
    "a class scored twice": (
        {"scores": {"Negativo": 0.1, "negative": 0.0, "Positivo": 0.9}},
        "scores",
        "twice",
    ),
    "a score of an unknown class": ({"scores": {"joy": 1.0}}, "label", "'joy'"),
    "a negative score": ({"scores": {"neg": -0.1, "neu": 0.2, "pos": 0.9}}, "scores", "score of negative"),
    "a score above one": ({"scores": {"neg": 0, "neu": 0, "pos": 1.1}}, "scores", "score of positive"),
    "scores that do not sum to one": (
        {"scores": {"neg": 0.3, "neu": 0.3, "pos": 0.9}},
        "scores",
        "sum to 1.5",
    ),
    "a text that is a number": ({"text": 7}, "field", "text"),
    "a model that is a list": ({"model": []}, "field", "model"),
}


@pytest.mark.parametrize(("change", "kind", "says"), DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_row_says_what_is_wrong(change: dict[str, object], kind: str, says: str) -> None:
    row = {name: value for name, value in (GOOD | change).items() if value is not ...}
    with pytest.raises(LineError, match=says) as caught:
        parse_row(json.dumps(row).encode(), zone=UTC)
    assert caught.value.kind == kind


def test_a_lone_surrogate_in_a_line_is_bad_and_is_never_written() -> None:
    with pytest.raises(LineError):
        parse_row(json.dumps(GOOD | {"text": "\ud800"}).encode(), zone=UTC)
    written = encode({**parse_row(json.dumps(GOOD).encode(), zone=UTC).to_dict()})
    assert b"\\ud8" not in written


@pytest.mark.parametrize(("unreadable", "written"), [(True, {"unreadable": True}), (False, {})])
def test_a_scored_row_says_that_it_is_unreadable_only_where_it_is(
    unreadable: bool, written: dict[str, bool]
) -> None:
    scores = Scores(negative=0.1, neutral=0.2, positive=0.7)
    scored = ScoredText(scores=scores, tokens=3, truncated=False, unknown=0.3, unreadable=unreadable)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    row = PredictionRecord.of("x", scored, timestamp=moment, model="m", revision="r").to_dict()
    ours = ("timestamp", "text", "sentiment", "confidence", "scores", "model", "revision", "truncated")
    assert list(row) == [*ours, *written]
    assert parse_row(encode(row), zone=UTC).unreadable is (unreadable or None)
