"""Which rows to label next: drawn at random, each with the probability that it was picked."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sentimon.gold_labels.gold_label import GoldLabel, Key
from sentimon.prediction_log.record import PredictionRecord

_UNITS = 2**64


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A row to label."""

    record: PredictionRecord
    key: Key
    probability: float
    """With which it was picked, above 0 to 1, whatever the other rows drew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Rows to label, in log order, and how many there were to choose from."""

    rows: tuple[Drawn, ...]
    frame: int
    """Rows that could have been picked; equal texts without an id count each time."""


def draw_rows(
    candidates: Iterable[tuple[Key, PredictionRecord]],
    *,
    n: int,
    seed: str,
    weigh: Callable[[PredictionRecord], float],
) -> Draw:
    """Return `n` of the `candidates`, or all where there are fewer; one pass, `n` rows in memory.

    Rows with one key are one thing to label and are picked together, as the first of them. A row is
    preferred as `weigh` says, a number above 0. The same `seed` and candidates give the same rows, in
    whatever order they come.

    Each key has a number u, above 0 to 1, that follows from it and the seed. Picked are the n keys with
    the largest weight / u; with t the next largest, a picked row has the probability min(1, weight / t).
    Sums in which each picked row counts 1 / probability times have the expectation of the sum over all
    candidates, exactly, and the rows' contributions are uncorrelated (priority sampling).

    Source: Duffield, Lund & Thorup (2007), J. ACM 54(6), article 32, theorems 1 and 2.
    """
    heap: list[tuple[float, Key, int, PredictionRecord]] = []
    held: set[Key] = set()
    frame = 0
    for number, (key, record) in enumerate(candidates):
        frame += 1
        if key in held:
            continue
        entry = (weigh(record) / _uniform(seed, key), key, number, record)
        if len(heap) <= n:
            heapq.heappush(heap, entry)
            held.add(key)
        elif entry[:2] > heap[0][:2]:
            held.add(key)
            held.discard(heapq.heapreplace(heap, entry)[1])
    threshold = heap[0][0] if len(heap) > n else 0.0
    picked = sorted(heap, key=lambda entry: entry[0])[-n:]
    rows = [
        Drawn(
            record=record,
            key=key,
            probability=min(1.0, weigh(record) / threshold) if threshold else 1.0,
        )
        for _, key, _, record in sorted(picked, key=lambda entry: entry[2])
    ]
    return Draw(rows=tuple(rows), frame=frame)


def _uniform(seed: str, key: Key) -> float:
    """Return a number above 0 to 1 that looks random, always the same for a seed and a key."""
    digest = hashlib.blake2b("\0".join((seed, *key)).encode(errors="surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(digest, "big") + 1) / _UNITS


def weights_of(labels: Sequence[GoldLabel]) -> list[float]:
    """Return the weight of each labelled row, >= 0; all 1 where none was drawn with a probability.

    Each draw by itself gives an unbiased sum over all rows that were logged by then: what was labelled
    before it counts 1, what it drew 1 / probability, what was labelled later otherwise 0, for nobody
    knows why those rows were. The sums of several draws are averaged in proportion to their labels.

    Source: Horvitz & Thompson (1952), J. Am. Stat. Assoc. 47, 663-685.
    """
    sizes = Counter(label.draw for label in labels if label.drawn)
    if not sizes:
        return [1.0] * len(labels)
    total = sum(sizes.values())
    shares = [(draw, size / total) for draw, size in sizes.items() if draw is not None]
    return [sum(share * _in_draw(label, draw) for draw, share in shares) for label in labels]


def _in_draw(label: GoldLabel, draw: datetime) -> float:
    if label.probability is not None and label.draw is not None:
        return 1 / label.probability if label.draw == draw else float(label.draw < draw)
    return float(label.timestamp < draw)
