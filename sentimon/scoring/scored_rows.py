"""The rows of an input and what a model says about their texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sentimon.ingest.input_row import InputRow
from sentimon.jsonl import BadLine
from sentimon.scoring.batch_scoring import Answers, Poison
from sentimon.scoring.scores import ScoredText


def length_of(row: InputRow | BadLine) -> int:
    """Return how many characters of text a row holds."""
    return 0 if isinstance(row, BadLine) else len(row.text or "")


def content_of(row: InputRow | BadLine) -> bytes:
    """Return bytes that stand for what a row holds and for its line, wherever its file lies."""
    if isinstance(row, BadLine):
        return repr((row.line, row.kind, row.reason)).encode()
    return repr((row.line, row.text, row.fields)).encode()


def texts_in(rows: Iterable[InputRow | BadLine]) -> list[str]:
    """Return the texts of the rows that have one."""
    return [row.text for row in rows if isinstance(row, InputRow) and row.text is not None]


def answered(
    rows: Sequence[InputRow | BadLine], answers: Answers
) -> Iterator[tuple[str, ScoredText] | BadLine]:
    """Yield what became of each row: its text with the scores, or a bad line."""
    found = iter(answers.found)
    for row in rows:
        if isinstance(row, BadLine):
            yield row
        elif row.text is None:
            yield row.bad("field", "has no text")
        else:
            answer = next(found)
            yield row.bad("poison", answer.reason) if isinstance(answer, Poison) else (row.text, answer)
