"""Texts scored batch by batch, wherever that happens: what a command hands over, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sentimon.scoring.scorer import Scorer, bounded
from sentimon.scoring.scores import ScoredText

B = TypeVar("B", bound=Sized)


@dataclass(frozen=True, slots=True)
class Poison:
    """Instead of scores: the text ended each worker that was to score it."""

    reason: str
    """For people; the rest of a sentence whose subject is the text."""


Answer = ScoredText | Poison


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a model said about the texts of a batch, in their order."""

    found: list[Answer]
    model: str = ""
    """Empty where the batch has no texts; the same holds for `revision`."""
    revision: str = ""


class Scoring(Protocol):
    """A place where texts are scored: this process, or a cluster; a text's scores are the same in each."""

    def __call__(self, batches: Iterable[B], texts: Callable[[B], list[str]]) -> Iterator[tuple[B, Answers]]:
        """Yield each batch with what was found for what `texts` says are its texts."""


def score_here(
    load: Callable[[], Scorer],
    batches: Iterable[B],
    texts: Callable[[B], list[str]],
    *,
    chunk_texts: int,
) -> Iterator[tuple[B, Answers]]:
    """Yield each batch with its answers, scored in this process, `chunk_texts` texts at once.

    `load` is called once, when the first text comes.
    """
    scorer: Scorer | None = None
    for batch in batches:
        answers = Answers(found=[])
        waiting = texts(batch)
        if waiting:
            scorer = scorer or load()
            found: list[Answer] = []
            for chunk in chunks_of(waiting, chunk_texts):
                found += scorer.score(chunk)
            answers = Answers(found=found, model=scorer.model, revision=scorer.revision)
        yield batch, answers


def chunks_of(texts: Iterable[str], chunk_texts: int) -> Iterator[list[str]]:
    """Yield the texts that are scored at once; where they are cut depends on the texts alone."""
    return bounded(texts, count=chunk_texts, length=len)
