"""Texts shared out among workers that end: none lost, none answered twice, the guilty one found."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.engine.work_dispatch import AHEAD, ScoringTask, TaskScored, WorkerEnded, share_out
from sentimon.errors import EngineError
from sentimon.scoring.batch_scoring import Answers, UnscorableText
from sentimon.scoring.scores import ScoredText, Scores

DEADLY = "deadly"
SCORES = Scores.from_probabilities([0.0, 0.25, 0.75])


class FakePool:
    """Workers that do one task after another, in a random order, and end at a deadly text or by chance."""

    model, revision = "fake", "1"

    def __init__(self, size: int, seed: int = 0, *, mortal: float = 0.0) -> None:
        self.size = size
        self.deaths = 0
        self.most_in_hand = 0
        self.scored: Counter[str] = Counter()
        self._random = Random(seed)
        self._mortal = mortal
        self._workers: list[deque[ScoringTask]] = [deque() for _ in range(size)]

    def has_room(self, *, alone: bool) -> bool:
        return any(self._fits(worker, alone=alone) for worker in self._workers)

    def _fits(self, worker: deque[ScoringTask], *, alone: bool) -> bool:
        return len(worker) < (1 if alone else AHEAD) and not any(task.alone for task in worker)

    def give(self, task: ScoringTask) -> None:
        worker = min(
            (worker for worker in self._workers if self._fits(worker, alone=task.alone)),
            key=lambda one: len(one),
        )
        worker.append(task)
        self.most_in_hand = max(self.most_in_hand, sum(map(len, self._workers)))

    def events(self) -> list[TaskScored | WorkerEnded]:
        busy = [worker for worker in self._workers if worker]
        assert busy, "nothing to wait for"
        worker = self._random.choice(busy)
        if DEADLY in worker[0].texts or self._random.random() < self._mortal:
            self.deaths += 1
            ended = [WorkerEnded(task, "killed", blamed=not place) for place, task in enumerate(worker)]
            worker.clear()
            return list(ended)
        task = worker.popleft()
        self.scored.update(task.texts)
        return [TaskScored(task, [scored(text) for text in task.texts])]


def scored(text: str) -> ScoredText:
    """Scores that name their text: its number is the number of tokens."""
    return ScoredText(scores=SCORES, tokens=int(text), truncated=False)


def batches_of(sizes: list[int], deadly: set[int] = frozenset()) -> list[list[str]]:  # type: ignore[assignment]
    numbers = iter(range(sum(sizes)))
    return [[DEADLY if (at := next(numbers)) in deadly else str(at) for _ in range(size)] for size in sizes]


def check(batch: list[str], answers: Answers) -> None:
    assert len(batch) == len(answers.answers)
    for text, answer in zip(batch, answers.answers, strict=True):
        if text == DEADLY:
            assert answer == UnscorableText("ended its worker 2 times: killed")
        else:
            assert answer == scored(text)


@given(
    sizes=st.lists(st.integers(0, 12), max_size=8),
    deadly=st.sets(st.integers(0, 40), max_size=4),
    workers=st.integers(1, 4),
    chunk=st.integers(1, 9),
    ordered=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_each_text_gets_its_answer_and_a_deadly_one_is_left_out(
    sizes: list[int], deadly: set[int], workers: int, chunk: int, ordered: bool, seed: int
) -> None:
    batches = batches_of(sizes, deadly)
    pool = FakePool(workers, seed)
    found = list(share_out(pool, iter(batches), list, chunk_texts=chunk, ordered=ordered))
    for batch, answers in found:
        check(batch, answers)
    given = [batch for batch, _ in found]
    assert given == batches if ordered else sorted(given) == sorted(batches)
    # What was scored once is not scored again, and a deadly text ends a bounded number of workers.
    assert set(pool.scored.values()) <= {1}
    assert DEADLY not in pool.scored


def test_a_deadly_text_among_a_thousand_ends_seven_workers() -> None:
    batches = batches_of([1024], {700})
    pool = FakePool(2)
    ((batch, answers),) = share_out(pool, batches, list, chunk_texts=1024)
    check(batch, answers)
    # Twice all of it, a piece of 128, one of 16, one of 2, and twice the text alone.
    assert pool.deaths == 2 + 3 + 2


@given(seed=st.integers(0, 1000))
def test_workers_that_end_by_chance_cost_time_and_no_text(seed: int) -> None:
    batches = batches_of([8] * 20)
    pool = FakePool(3, seed, mortal=0.05)
    found = list(share_out(pool, batches, list, chunk_texts=4))
    assert [batch for batch, _ in found] == batches
    assert set(pool.scored.values()) == {1}


@pytest.mark.parametrize("ordered", [True, False])
def test_no_more_is_asked_for_than_workers_have_room_for(ordered: bool) -> None:
    drawn: list[int] = []

    def endless() -> Iterator[list[str]]:
        for number in range(10**9):
            drawn.append(number)
            yield [str(number)]

    pool = FakePool(2)
    stream = share_out(pool, endless(), list, chunk_texts=10, ordered=ordered)
    for taken in range(1, 200):
        next(stream)
        assert len(drawn) - taken <= 12
    assert pool.most_in_hand <= 4


def test_batches_without_texts_need_no_worker() -> None:
    found = list(share_out(FakePool(1), [[], []], list, chunk_texts=10))
    assert [answers.answers for _, answers in found] == [[], []]


def test_where_everything_ends_its_worker_it_stops_and_says_so() -> None:
    pool = FakePool(1, mortal=1.0)
    with pytest.raises(EngineError, match="31 workers ended in a row"):
        list(share_out(pool, batches_of([100] * 10), list, chunk_texts=10))
