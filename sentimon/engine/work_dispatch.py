"""Batches of texts shared out among workers that may end at any time; knows nothing of what a worker is.

No text is lost and none is answered twice: what a worker had in hand when it ended is given to another
one. A text that ends its worker again and again is found by splitting, and is left out as poison.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar

from sentimon.errors import EngineError
from sentimon.scoring.batch_scoring import Answer, Answers, UnscorableText, chunks_of

B = TypeVar("B", bound=Sized)

AHEAD = 2
"""Tasks that a worker has in hand: one that runs, and the next."""
_BESIDE = 4
"""Tasks for each worker that may be done before the oldest batch is."""
_DEATHS = 2
"""Workers that a task may end before it is taken to be the reason."""
_PIECES = 8
"""Parts that a task is split into to find the text that ends its workers."""
_MOST_DEATHS = 30
"""Of workers in a row, with nothing scored in between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringTask:
    """Some texts of one batch, for one worker."""

    batch: int
    place: int
    """Of its first text among those of the batch."""
    texts: Sequence[str]
    deaths: int = 0
    """Workers that ended while they had it."""
    suspect: bool = False
    """Whether it is a piece of one that ended its workers."""

    @property
    def alone(self) -> bool:
        """Return whether its worker must have nothing else in hand, so that there is no doubt."""
        return self.suspect or self.deaths > 0

    def pieces(self) -> Iterator[ScoringTask]:
        """Yield it in a few parts, all of them suspect."""
        size = -(-len(self.texts) // _PIECES)
        for begin in range(0, len(self.texts), size):
            texts = self.texts[begin : begin + size]
            yield replace(self, place=self.place + begin, texts=texts, deaths=0, suspect=True)


@dataclass(frozen=True, slots=True)
class TaskScored:
    """A task has been scored."""

    task: ScoringTask
    answers: Sequence[Answer]


@dataclass(frozen=True, slots=True)
class WorkerEnded:
    """The worker that had a task has ended."""

    task: ScoringTask
    reason: str
    blamed: bool
    """Whether it was at work on this task, not on one before it."""


class WorkerPool(Protocol):
    """The workers, as seen from here."""

    size: int
    model: str
    revision: str
    """Known once a task is done."""

    def has_room(self, *, alone: bool) -> bool:
        """Return whether some worker may be given a task, or one that it must have alone."""

    def give(self, task: ScoringTask) -> None:
        """Give it to a worker that has room."""

    def events(self) -> Sequence[TaskScored | WorkerEnded]:
        """Return what has happened; wait a while for it."""


def share_out(
    pool: WorkerPool,
    batches: Iterable[B],
    texts: Callable[[B], list[str]],
    *,
    chunk_texts: int,
    ordered: bool = True,
) -> Iterator[tuple[B, Answers]]:
    """Yield each batch with its answers, in the order of `batches` or as they are done.

    Batches are asked for as workers have room: besides the oldest that is not done, and besides the one
    asked for last, no more than some tasks a worker are held.

    Raises:
        EngineError: workers end one after another, and nothing is scored.
    """
    work = _BatchQueue(batches, texts, chunk_texts=chunk_texts, most_beside=_BESIDE * pool.size)
    while True:
        while task := work.next_for(pool):
            pool.give(task)
        for batch, found in work.settled(ordered=ordered):
            yield batch, Answers(answers=found, model=pool.model, revision=pool.revision)
        if work.over:
            return
        if work.unanswered or not pool.has_room(alone=False):
            for events in pool.events():
                work.take(events)


@dataclass(slots=True)
class _OpenBatch(Generic[B]):
    batch: B
    tasks: int
    found: list[Answer | None]
    left: int = field(init=False)

    def __post_init__(self) -> None:
        self.left = len(self.found)


class _BatchQueue(Generic[B]):
    """What is still to do, what is being done, and what is done and not yet handed on."""

    def __init__(
        self,
        batches: Iterable[B],
        texts: Callable[[B], list[str]],
        *,
        chunk_texts: int,
        most_beside: int,
    ) -> None:
        self._batches = enumerate(batches)
        self._texts = texts
        self._chunk_texts = chunk_texts
        self._most_beside = most_beside
        self._fresh: deque[ScoringTask] = deque()
        self._again: deque[ScoringTask] = deque()
        self._open: dict[int, _OpenBatch[B]] = {}
        self._exhausted = False
        self._deaths = 0

    @property
    def over(self) -> bool:
        return self._exhausted and not self._open

    @property
    def unanswered(self) -> bool:
        return any(one.left for one in self._open.values())

    def next_for(self, pool: WorkerPool) -> ScoringTask | None:
        """Return a task that the pool has room for."""
        if self._again:
            # Nothing new before it: a worker that is never without work is never alone with one task.
            return self._again.popleft() if pool.has_room(alone=self._again[0].alone) else None
        if not pool.has_room(alone=False):
            return None
        while not self._fresh and self._may_open():
            self._open_next()
        return self._fresh.popleft() if self._fresh else None

    def settled(self, *, ordered: bool) -> Iterator[tuple[B, list[Answer]]]:
        """Yield the batches that are done, and forget them."""
        for number in list(self._open):
            one = self._open[number]
            if not one.left:
                del self._open[number]
                yield one.batch, [answer for answer in one.found if answer is not None]
            elif ordered:
                return

    def take(self, events: TaskScored | WorkerEnded) -> None:
        """Note what has happened to a task."""
        if isinstance(events, TaskScored):
            self._deaths = 0
            self._answer(events.task, events.answers)
        elif events.blamed:
            self._deaths += 1
            if self._deaths > _MOST_DEATHS:
                raise EngineError(
                    f"{self._deaths} workers ended in a row, and nothing was scored: {events.reason}",
                    hint="see the logs of Ray on that machine; is there memory enough for the model?",
                )
            self._judge(replace(events.task, deaths=events.task.deaths + 1), events.reason)
        else:
            self._again.append(events.task)

    def _may_open(self) -> bool:
        if self._exhausted:
            return False
        beside = sum(max(one.tasks, 1) for one in list(self._open.values())[1:])
        return beside < self._most_beside

    def _open_next(self) -> None:
        number, batch = next(self._batches, (0, None))
        if batch is None:
            self._exhausted = True
            return
        place = 0
        for texts in chunks_of(self._texts(batch), self._chunk_texts):
            self._fresh.append(ScoringTask(batch=number, place=place, texts=texts))
            place += len(texts)
        self._open[number] = _OpenBatch(batch=batch, tasks=len(self._fresh), found=[None] * place)

    def _answer(self, task: ScoringTask, found: Sequence[Answer]) -> None:
        one = self._open[task.batch]
        one.found[task.place : task.place + len(task.texts)] = found
        one.left -= len(task.texts)

    def _judge(self, task: ScoringTask, reason: str) -> None:
        single = len(task.texts) == 1
        # A piece of a suspect needs no second try to be split, but no text is accused after one.
        if task.deaths < _DEATHS and (single or not task.suspect):
            self._again.append(task)
        elif single:
            self._answer(task, [UnscorableText(f"ended its worker {task.deaths} times: {reason}")])
        else:
            self._again.extend(task.pieces())
