"""Texts scored batch by batch, wherever that happens: what goes in, what comes back, and the plainest way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sentimon.scoring.scorer import Scorer, bounded
from sentimon.scoring.scores import ScoredText


@dataclass(frozen=True, slots=True)
class UnscorableText:
    """Stands in place of scores: the text ended each worker that was to score it."""

    reason: str
    """For people; the rest of a sentence whose subject is the text."""


Answer = ScoredText | UnscorableText


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a model said about the texts of a batch."""

    answers: list[Answer]
    """In the order of the texts."""
    model: str = ""
    """Empty where the batch has no texts; the same holds for `revision`."""
    revision: str = ""


class TextBatch(Protocol):
    """Some texts that are scored together, with whatever they belong to."""

    @property
    def texts(self) -> list[str]:
        """Return the texts."""

    def __len__(self) -> int:
        """Return how many rows it stands for, with or without a text."""


Batch = TypeVar("Batch", bound=TextBatch)


@dataclass(frozen=True, slots=True)
class PlainTexts:
    """A batch of texts that belong to nothing."""

    texts: list[str]

    def __len__(self) -> int:
        return len(self.texts)


def score_here(
    load: Callable[[], Scorer], batches: Iterable[Batch], *, chunk_texts: int
) -> Iterator[tuple[Batch, Answers]]:
    """Yield each batch with its answers, scored in this process, `chunk_texts` texts at once.

    `load` gives the model; it is called once, when the first text comes.
    """
    scorer: Scorer | None = None
    for batch in batches:
        texts = batch.texts
        if not texts:
            yield batch, Answers(answers=[])
            continue
        scorer = scorer or load()
        answers: list[Answer] = []
        for chunk in chunks_of(texts, chunk_texts):
            answers += scorer.score(chunk)
        yield batch, Answers(answers=answers, model=scorer.model, revision=scorer.revision)


def chunks_of(texts: Iterable[str], chunk_texts: int) -> Iterator[list[str]]:
    """Yield the texts that are scored at once; where they are cut depends on the texts alone."""
    return bounded(texts, count=chunk_texts, length=len)
