"""The rows of an input and what a model says about their texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sentimon.ingest.input_row import InputRow
from sentimon.jsonl import BadLine
from sentimon.scoring.batch_scoring import Answers, UnscorableText
from sentimon.scoring.scorer import bounded
from sentimon.scoring.scores import ScoredText

Row: TypeAlias = InputRow | BadLine


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Some rows of an input, whose texts are scored together."""

    rows: list[Row]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def texts(self) -> list[str]:
        """Return what there is to score."""
        return texts_in(self.rows)


def row_batches(rows: Iterable[Row], *, chunk_texts: int) -> Iterator[RowBatch]:
    """Yield the rows in batches of at most `chunk_texts`."""
    for batch in bounded(rows, count=chunk_texts, length=length_of):
        yield RowBatch(batch)


def length_of(row: Row) -> int:
    """Return how many characters of text a row holds."""
    return 0 if isinstance(row, BadLine) else len(row.text or "")


def content_of(row: Row) -> bytes:
    """Return bytes that stand for what a row holds and for its line, wherever its file lies."""
    if isinstance(row, BadLine):
        return repr((row.line, row.kind, row.reason)).encode()
    moment = () if row.moment is None else (row.moment,)
    return repr((row.line, row.text, row.fields, *moment)).encode()


def texts_in(rows: Iterable[Row]) -> list[str]:
    """Return the texts of the rows that have one."""
    return [row.text for row in rows if isinstance(row, InputRow) and row.text is not None]


def answered(rows: Sequence[Row], answers: Answers) -> Iterator[tuple[str, ScoredText] | BadLine]:
    """Yield what became of each row: its text with the scores, or a bad line."""
    found = iter(answers.answers)
    for row in rows:
        if isinstance(row, BadLine):
            yield row
        elif row.text is None:
            yield row.bad("field", "has no text")
        else:
            answer = next(found)
            yield (
                row.bad("poison", answer.reason) if isinstance(answer, UnscorableText) else (row.text, answer)
            )
