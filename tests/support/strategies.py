"""What hypothesis draws: scores, records, and lists of them."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from sentimon.jsonl import BadLine
from sentimon.prediction_log.record import PredictionRecord
from sentimon.scoring.scores import Scores

counts = st.tuples(*[st.integers(0, 200)] * 3).filter(any)


@st.composite
def scores(draw: st.DrawFn) -> Scores:
    parts = draw(st.tuples(*[st.integers(0, 1000)] * 3).filter(any))
    return Scores.from_probabilities([part / sum(parts) for part in parts])


@st.composite
def records(draw: st.DrawFn) -> PredictionRecord:
    """Rows with all scores, and now and then with a confidence alone, or a class alone."""
    given = draw(scores())
    lacks = draw(st.sampled_from(["nothing", "nothing", "nothing", "scores", "confidence"]))
    return PredictionRecord(
        timestamp=draw(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))),
        text=draw(st.none() | st.text(max_size=30)),
        sentiment=given.label,
        confidence=None if lacks == "confidence" else given.confidence,
        scores=given if lacks == "nothing" else None,
        id=draw(st.none() | st.text(max_size=5)),
        model=draw(st.sampled_from([None, "a", "b"])),
        revision=draw(st.sampled_from([None, "1"])),
        truncated=draw(st.sampled_from([None, True, False])),
        unreadable=draw(st.sampled_from([None, True, False])),
        naive=draw(st.booleans()),
    )


bad_lines = st.builds(
    BadLine,
    path=st.sampled_from(["x.jsonl", "y.jsonl"]),
    line=st.integers(1, 50),
    kind=st.sampled_from(["json", "field"]),
    reason=st.just("bad"),
)
log_rows = st.lists(records() | bad_lines, max_size=20)
