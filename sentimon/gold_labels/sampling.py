"""Which rows to label next: drawn at random with known probabilities, and written as a sheet to label."""

from __future__ import annotations

import csv
import hashlib
import heapq
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sentimon.csv_cells import guarded
from sentimon.gold_labels.gold_label import ID, ROW_ID, Key
from sentimon.prediction_log.output_files import OutputFile
from sentimon.prediction_log.record import PredictionRecord
from sentimon.timestamps import format_moment

COLUMNS = ("id", "text", ROW_ID, "text_hash", "probability", "draw")
"""The columns of the sheet. The prediction is left out: annotators who see it agree with it too often.

The id comes twice, because annotation tools overwrite a column named `id` with their own.
"""

_UNITS = 2**64


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledRow:
    """A row that was drawn for labelling."""

    record: PredictionRecord
    key: Key
    probability: float
    """Probability, above 0 to 1, with which it was drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """The rows drawn for labelling, in log order, and the number of candidates."""

    rows: tuple[SampledRow, ...]
    frame: int
    """Number of candidates; equal texts without an id count each time."""


def draw_rows(
    candidates: Iterable[tuple[Key, PredictionRecord]],
    *,
    n: int,
    seed: str,
    weigh: Callable[[PredictionRecord], float],
) -> Draw:
    """Return `n` of the `candidates`, or all where there are fewer; one pass, `n` rows in memory.

    Rows with the same key are drawn together, represented by the first of them. `weigh` returns the weight
    of a row, above 0: rows with a larger weight are more likely to be drawn. The same `seed` and candidates
    give the same rows, whatever the order of the candidates.

    This is priority sampling. Key and seed determine a uniform number u, above 0 to 1. Drawn are the n keys
    with the largest weight / u; with t the next largest, a drawn row has the probability min(1, weight / t).
    A sum over the drawn rows, each divided by its probability, is an unbiased estimate of the sum over all
    candidates, and the contributions of the rows are uncorrelated.

    Source: Duffield, Lund & Thorup (2007), J. ACM 54(6), article 32, theorems 1 and 2.
    """
    sample = PrioritySample(n)
    frame = 0
    for number, (key, record) in enumerate(candidates):
        frame += 1
        sample.offer(priority(seed, key, weigh(record)), key, number, record)
    rows = [
        SampledRow(
            record=record, key=key, probability=drawn_with(weigh(record), sample.threshold_without(key))
        )
        for key, _, record in sample.picked()
    ]
    return Draw(rows=tuple(rows), frame=frame)


class PrioritySample:
    """The `n` candidates with the highest priorities so far, and the next one: their threshold."""

    def __init__(self, n: int) -> None:
        self.n = n
        self._heap: list[tuple[float, Key, int, PredictionRecord]] = []
        self._held: set[Key] = set()

    def offer(self, priority: float, key: Key, number: int, record: PredictionRecord) -> None:
        """Take a candidate, the `number`-th, unless `n` others have higher priorities."""
        if key in self._held:
            return
        entry = (priority, key, number, record)
        if len(self._heap) <= self.n:
            heapq.heappush(self._heap, entry)
            self._held.add(key)
        elif entry[:2] > self._heap[0][:2]:
            self._held.add(key)
            self._held.discard(heapq.heapreplace(self._heap, entry)[1])

    def picked(self) -> list[tuple[Key, int, PredictionRecord]]:
        """Return those that are drawn, with their numbers, in the order in which they came."""
        drawn = [entry[1:] for entry in self._heap[1:]] if self._full else [entry[1:] for entry in self._heap]
        return sorted(drawn, key=lambda one: one[1])

    def threshold_without(self, key: Key) -> float:
        """Return the `n`-th highest priority of the other candidates, which `key` must exceed to be drawn.

        It is 0 where there are at most `n` candidates.
        """
        if not self._full:
            return 0.0
        lowest = self._heap[0]
        # In a heap the lowest but one is a child of the lowest.
        return lowest[0] if key in self._held and key != lowest[1] else min(self._heap[1:3])[0]

    @property
    def _full(self) -> bool:
        return len(self._heap) > self.n


def priority(seed: str, key: Key, weight: float) -> float:
    """Return the priority of a candidate: its weight, divided by a number from its key and the seed."""
    return weight / _uniform(seed, key)


def drawn_with(weight: float, threshold: float) -> float:
    """Return the probability that the priority of a weight exceeds a threshold."""
    return min(1.0, weight / threshold) if threshold else 1.0


def _uniform(seed: str, key: Key) -> float:
    """Return a pseudo-random number, above 0 to 1, that the seed and the key determine."""
    digest = hashlib.blake2b("\0".join((seed, *key)).encode(errors="surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(digest, "big") + 1) / _UNITS


def write_sheet(output: OutputFile, rows: Iterable[SampledRow], *, draw: datetime) -> None:
    """Write `rows` to `output` in one step, UTF-8.

    `label import` reads it back once a column of labels is added. Rows are identified by their id, those
    without one by the keyed hash of their text; `draw` is the moment of the draw, which all rows share.
    Cells that a spreadsheet or terminal would execute are guarded by `csv_cells.guarded`, which the import
    undoes.

    Raises:
        StoreError: the file cannot be written.
    """
    with output.writing() as file:
        out = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        # Everything is quoted, because a carriage return in a tweet would end the row.
        sheet = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
        sheet.writerow(COLUMNS)
        for one in rows:
            kind, value = one.key
            row_id, text_hash = (value, "") if kind == ID else ("", value)
            name, text = guarded(row_id), guarded(one.record.text or "")
            cells = (name, text, name, text_hash, repr(one.probability), format_moment(draw))
            sheet.writerow(cells)
        out.detach()
