from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from sentimon.ingest.input_row import InputRow
from sentimon.jsonl import BadLine
from sentimon.prediction_log.intake import check_rows, checked_batches
from sentimon.prediction_log.record import PredictionRecord
from sentimon.scoring.batch_scoring import score_here
from sentimon.scoring.scorer import score_stream
from sentimon.scoring.scores import ScoredText, Scores
from tests.support.rows import row

NOW = datetime(2026, 9, 30, tzinfo=UTC)


class CountingScorer:
    """Calls everything positive, and remembers how many texts it was given at once."""

    model = "fake"
    revision = "1"

    def __init__(self) -> None:
        self.batches: list[int] = []

    def score(self, texts: Sequence[str]) -> list[ScoredText]:
        self.batches.append(len(texts))
        scores = Scores.from_probabilities([0.0, 0.25, 0.75])
        return [ScoredText(scores=scores, tokens=len(text), truncated=len(text) > 5) for text in texts]


def given(number: int, content: str | None, **fields: Any) -> InputRow:
    return InputRow(path="x", line=number, text=content, fields=fields)


def take(
    rows: list[InputRow | BadLine], scorer: CountingScorer, size: int = 10
) -> list[PredictionRecord | BadLine]:
    batches = checked_batches(check_rows(rows, clock=lambda: NOW, zone=UTC), chunk_texts=size)
    scored = score_here(lambda: scorer, batches, chunk_texts=size)
    return [one for batch, answers in scored for one in batch.records(answers)]


def test_rows_keep_their_order_whichever_way_they_get_their_scores() -> None:
    scorer = CountingScorer()
    bad = BadLine(path="x", line=3, kind="json", reason="broken")
    rows = [given(1, "mine"), given(2, "theirs", **row(0)), bad, given(4, "longer than five")]
    found = take(rows, scorer)
    assert [one.text if isinstance(one, PredictionRecord) else one for one in found] == [
        "mine", "theirs", bad, "longer than five",
    ]  # fmt: skip
    first, second, _, last = found
    assert isinstance(first, PredictionRecord)
    assert isinstance(second, PredictionRecord)
    assert isinstance(last, PredictionRecord)
    assert (first.model, first.timestamp, first.truncated, first.confidence) == ("fake", NOW, False, 0.75)
    assert (second.model, second.sentiment.label) == (None, "negative")
    assert last.truncated
    assert scorer.batches == [2]


def test_the_model_is_not_loaded_where_no_row_needs_it() -> None:
    def refuse() -> CountingScorer:
        raise AssertionError("loaded")

    rows = [given(1, "theirs", **row(0)), given(2, None)]
    batches = checked_batches(check_rows(rows, clock=lambda: NOW, zone=UTC), chunk_texts=10)
    ((batch, answers),) = score_here(refuse, batches, chunk_texts=10)
    assert [type(one) for one in batch.records(answers)] == [PredictionRecord, BadLine]


def test_own_fields_survive_and_ours_are_read() -> None:
    (found,) = take(
        [given(1, "a", id=5, timestamp="2026-09-01T00:00:00", shop={"city": "Roma"})], CountingScorer()
    )
    assert isinstance(found, PredictionRecord)
    assert (found.id, found.naive, found.extra) == ("5", True, {"shop": {"city": "Roma"}})
    assert found.to_dict()["shop"] == {"city": "Roma"}


def test_a_row_without_text_may_bring_scores_alone() -> None:
    (found,) = take([given(1, None, scores=row(2)["scores"])], CountingScorer())
    assert isinstance(found, PredictionRecord)
    assert (found.text, found.to_dict()["text"]) == (None, None)


def test_a_row_with_a_class_is_a_prediction_of_another_model_and_is_not_scored_again() -> None:
    scorer = CountingScorer()
    rows = [
        given(1, "best", sentiment="neg", confidence=0.6, model="theirs"),
        given(2, "alone", sentiment="Positivo", confidence=None, scores=None),
        given(3, None, sentiment="neutral"),
        given(4, "sure of all", scores=row(0)["scores"], sentiment="negative"),
    ]
    best, alone, no_text, full = take(rows, scorer)
    for one in (best, alone, no_text, full):
        assert isinstance(one, PredictionRecord)
    assert (best.sentiment.label, best.confidence, best.scores, best.model) == (
        "negative",
        0.6,
        None,
        "theirs",
    )
    assert (alone.sentiment.label, alone.confidence, alone.scores) == ("positive", None, None)
    assert (no_text.text, no_text.sentiment.label) == (None, "neutral")
    assert (full.confidence, full.scores.label.label) == (0.8, "negative")
    assert scorer.batches == []


@pytest.mark.parametrize(
    ("fields", "kind", "says"),
    [
        ({"confidence": 0.9}, "scores", "neither a sentiment nor scores"),
        ({"sentiment": "joy"}, "label", "'joy'"),
        ({"sentiment": "positive", "confidence": 0.33}, "disagreement", "1/3 or more"),
        ({"sentiment": "positive", "confidence": -0.1}, "disagreement", "from 0 to 1"),
        ({"sentiment": "positive", "confidence": float("nan")}, "disagreement", "from 0 to 1"),
        ({"sentiment": "positive", "confidence": "0.9"}, "field", "confidence"),
        ({"sentiment": "positive", "scores": {}}, "scores", "lack"),
    ],
)
def test_a_prediction_that_cannot_be_is_a_bad_line(fields: dict[str, Any], kind: str, says: str) -> None:
    (found,) = take([given(1, "a", **fields)], CountingScorer())
    assert isinstance(found, BadLine)
    assert found.kind == kind
    assert says in found.reason


def test_texts_are_scored_in_bounded_chunks_and_only_as_they_are_asked_for() -> None:
    scorer = CountingScorer()
    drawn: list[int] = []

    def endless() -> Any:
        for number in range(10**9):
            drawn.append(number)
            yield f"text {number}"

    stream = score_stream(scorer, endless(), buffer_size=4)
    assert [next(stream)[0] for _ in range(6)] == [f"text {number}" for number in range(6)]
    assert scorer.batches == [4, 4]
    assert len(drawn) == 8


def test_long_texts_make_short_chunks() -> None:
    scorer = CountingScorer()
    texts = ["x" * 400_000] * 7
    assert len(list(score_stream(scorer, texts, buffer_size=100))) == 7
    assert scorer.batches == [3, 3, 1]
    rows = [given(number, "x" * 400_000) for number in range(7)]
    assert len(take(rows, scorer, size=100)) == 7
    assert scorer.batches[3:] == [3, 3, 1]
