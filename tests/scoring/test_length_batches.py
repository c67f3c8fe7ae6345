from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.scoring.length_batches import plan_batches, run_batches

lengths = st.lists(st.integers(1, 600), max_size=80)


class Memory:
    """A device that holds so many padded tokens at once, and counts how often more was asked of it."""

    def __init__(self, room: int, texts: list[int]) -> None:
        self.room, self.texts, self.refused = room, texts, 0

    def run(self, batch: list[int]) -> list[int]:
        if len(batch) * max(self.texts[at] for at in batch) > self.room:
            self.refused += 1
            raise MemoryError
        return [self.texts[at] for at in batch]


def is_full(error: BaseException) -> bool:
    return isinstance(error, MemoryError)


@given(lengths, st.integers(1, 40), st.integers(1, 2000))
def test_every_text_is_in_one_batch_and_every_batch_is_within_bounds(
    texts: list[int], max_texts: int, max_tokens: int
) -> None:
    batches = plan_batches(texts, max_texts=max_texts, max_tokens=max_tokens)
    assert sorted(at for batch in batches for at in batch) == list(range(len(texts)))
    for batch in batches:
        assert len(batch) <= max_texts
        assert len(batch) == 1 or len(batch) * max(texts[at] for at in batch) <= max_tokens


@given(lengths)
def test_batches_go_from_long_texts_to_short_ones(texts: list[int]) -> None:
    order = [texts[at] for batch in plan_batches(texts, max_texts=8, max_tokens=900) for at in batch]
    assert order == sorted(texts, reverse=True)


@given(lengths, st.integers(600, 3000))
def test_halving_loses_and_doubles_nothing_in_any_memory_that_holds_the_longest(
    texts: list[int], room: int
) -> None:
    memory = Memory(room, texts)
    batches = plan_batches(texts, max_texts=32, max_tokens=20_000)
    found = dict(run_batches(batches, texts, memory.run, is_out_of_memory=is_full))
    assert found == dict(enumerate(texts))


def test_memory_runs_out_once_a_size_and_not_once_a_batch() -> None:
    texts = [100] * 320
    memory = Memory(900, texts)
    batches = plan_batches(texts, max_texts=32, max_tokens=4_000)
    assert len(dict(run_batches(batches, texts, memory.run, is_out_of_memory=is_full))) == 320
    assert len(batches) == 10
    assert memory.refused == 2  # 32 and 16 texts; 8 fit


def test_one_text_that_does_not_fit_is_an_error() -> None:
    memory = Memory(50, [60, 40])
    with pytest.raises(MemoryError):
        dict(run_batches([[0, 1]], [60, 40], memory.run, is_out_of_memory=is_full))


def test_another_error_is_not_taken_for_a_lack_of_memory() -> None:
    def broken(batch: list[int]) -> list[int]:
        raise RuntimeError("shape mismatch")

    with pytest.raises(RuntimeError, match="shape mismatch"):
        dict(run_batches([[0, 1]], [1, 1], broken, is_out_of_memory=is_full))
