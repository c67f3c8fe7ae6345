"""Rows to label drawn from each slice of the traffic by itself, so that no slice is left out."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sentimon.errors import UsageError
from sentimon.gold_labels.gold_label import Key
from sentimon.gold_labels.sampling import Draw, PrioritySample, SampledRow, drawn_with, priority
from sentimon.prediction_log.record import PredictionRecord

EVEN = 0.5
"""Share of the rows to draw that is shared out evenly among the slices; the rest goes by their rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceDraw:
    """What was drawn of one slice."""

    value: str
    rows: int
    """Number of its candidates; equal texts without an id count each time."""
    drawn: int


def allocate(counts: Mapping[str, int], n: int) -> dict[str, int]:
    """Return how many of `n` rows to draw from each slice, which has so many candidates, above 0.

    One each, so that every row can be drawn; a share EVEN of all is for all slices alike, the rest in
    proportion to their candidates; a slice that has fewer gives the rest to the others.

    >>> allocate({"app": 900, "mail": 100}, 100)
    {'app': 70, 'mail': 30}
    >>> allocate({"app": 900, "mail": 10}, 100)
    {'app': 90, 'mail': 10}

    Raises:
        UsageError: there are more slices than rows to draw.
    """
    if n < len(counts):
        raise UsageError(
            f"-n {n} is fewer than the {len(counts)} slices, of which each must be drawn from",
            hint="draw more, or lower segments.most_values",
        )
    sizes = dict.fromkeys(counts, 1)
    wanted = {
        value: n * (EVEN / len(counts) + (1 - EVEN) * count / sum(counts.values()))
        for value, count in counts.items()
    }
    # The next row goes to the slice that is farthest below its share, of those that have more.
    queue = [(1 / wanted[value], value) for value, count in counts.items() if count > 1]
    heapq.heapify(queue)
    for _ in range(min(n, sum(counts.values())) - len(counts)):
        _, value = queue[0]
        sizes[value] += 1
        if sizes[value] < counts[value]:
            heapq.heapreplace(queue, (sizes[value] / wanted[value], value))
        else:
            heapq.heappop(queue)
    return sizes


def draw_from_slices(
    candidates: Callable[[], Iterable[tuple[Key, PredictionRecord]]],
    *,
    sizes: Mapping[str, int],
    slice_of: Callable[[PredictionRecord], str],
    seed: str,
    weigh: Callable[[PredictionRecord], float],
) -> tuple[Draw, tuple[SliceDraw, ...]]:
    """Return the rows drawn from all slices, as many of each as `sizes` says, and what was drawn of each.

    Within a slice it is the draw of `draw_rows`. Rows with the same key are drawn together, also where they
    are in several slices: the key has one number u for all of them, so that it is drawn where any slice draws
    it, with the largest of their probabilities. So the sheet may have fewer rows than asked for. The
    `candidates` are read twice: the second time for the slices of what was drawn.

    Source: Brewer, Early & Joyce (1972), Aust. J. Stat. 14, 231-238 (one number for all samples).
    """
    samples = {value: PrioritySample(size) for value, size in sizes.items()}
    rows = dict.fromkeys(sizes, 0)
    for number, (key, record) in enumerate(candidates()):
        value = slice_of(record)
        if value in samples:
            rows[value] += 1
            samples[value].offer(priority(seed, key, weigh(record)), key, number, record)
    picked = {value: sample.picked() for value, sample in samples.items()}
    together = sorted((one for own in picked.values() for one in own), key=lambda one: one[1])
    first = {key: record for key, _, record in reversed(together)}
    chances = dict.fromkeys((key for key, _, _ in together), 0.0)
    for key, record in candidates():
        value = slice_of(record)
        if key in chances and value in samples:
            chance = drawn_with(weigh(record), samples[value].threshold_without(key))
            chances[key] = max(chances[key], chance)
    drawn = tuple(
        SampledRow(record=first[key], key=key, probability=chance) for key, chance in chances.items()
    )
    return Draw(rows=drawn, frame=sum(rows.values())), tuple(
        SliceDraw(value=value, rows=rows[value], drawn=len(own)) for value, own in picked.items()
    )
