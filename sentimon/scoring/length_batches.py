"""Texts of mixed length in batches that waste little and fit: sorted, bounded, halved when out of memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

Result = TypeVar("Result")


def plan_batches(lengths: Sequence[int], *, max_texts: int, max_tokens: int) -> list[list[int]]:
    """Return the positions of `lengths`, each once, in batches of similar length, the longest first.

    A batch holds at most `max_texts` texts, and at most `max_tokens` tokens once all are padded to its
    longest; a text longer than `max_tokens` gets a batch of its own. Longest first, so that a lack of
    memory shows at the start.

    >>> plan_batches([3, 9, 3, 8], max_texts=32, max_tokens=18)
    [[1, 3], [0, 2]]
    """
    batches: list[list[int]] = []
    for position in sorted(range(len(lengths)), key=lambda at: -lengths[at]):
        batch = batches[-1] if batches else []
        longest = lengths[batch[0]] if batch else 0
        if batch and len(batch) < max_texts and longest * (len(batch) + 1) <= max_tokens:
            batch.append(position)
        else:
            batches.append([position])
    return batches


def run_batches(
    batches: Iterable[list[int]],
    lengths: Sequence[int],
    run: Callable[[list[int]], Sequence[Result]],
    *,
    is_out_of_memory: Callable[[BaseException], bool],
) -> Iterator[tuple[int, Result]]:
    """Yield each position with its result; a batch that does not fit into memory is halved until it does.

    After a halving no later batch of as many padded tokens is tried, so memory runs out once, not
    every time.

    Raises:
        Whatever `run` raises: other errors at once, a lack of memory only for a batch of one text.
    """
    waiting = list(batches)[::-1]
    too_many = math.inf
    while waiting:
        batch = waiting.pop()
        tokens = len(batch) * max(lengths[at] for at in batch)
        half = len(batch) // 2
        if half and tokens >= too_many:
            waiting += [batch[half:], batch[:half]]
            continue
        try:
            results = run(batch)
        except (RuntimeError, MemoryError) as error:
            if not half or not is_out_of_memory(error):
                raise
            too_many = tokens
            waiting.append(batch)
            continue
        yield from zip(batch, results, strict=True)
