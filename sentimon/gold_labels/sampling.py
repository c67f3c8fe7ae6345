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
from sentimon.prediction_log.output_files import Output
from sentimon.prediction_log.record import PredictionRecord
from sentimon.timestamps import format_moment

COLUMNS = ("id", "text", ROW_ID, "text_hash", "probability", "draw")
"""Not among them is what the model said: who labels with it in view agrees with it too often.

The id stands there twice, for annotation tools put their own into a column of that name.
"""

_UNITS = 2**64


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledRow:
    """A row to label."""

    record: PredictionRecord
    key: Key
    probability: float
    """With which it was picked, above 0 to 1, whatever the other rows drew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Rows to label, in log order, and how many there were to choose from."""

    rows: tuple[SampledRow, ...]
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
        SampledRow(
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


def write_sheet(output: Output, rows: Iterable[SampledRow], *, draw: datetime) -> None:
    """Write `rows` to `output` in one step, UTF-8.

    `label import` reads it back once a column of labels is added: rows are named by their id, those
    without one by the keyed hash of their text; `draw` is the moment that they share. No cell acts on a
    spreadsheet or a terminal: what `cells.guarded` does to ids and texts is undone as they are read.

    Raises:
        StoreError: the file cannot be written.
    """
    with output.writing() as file:
        out = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        # All quoted: a lone carriage return in a tweet would end the row otherwise.
        sheet = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
        sheet.writerow(COLUMNS)
        for one in rows:
            kind, value = one.key
            row_id, text_hash = (value, "") if kind == ID else ("", value)
            name, text = guarded(row_id), guarded(one.record.text or "")
            cells = (name, text, name, text_hash, repr(one.probability), format_moment(draw))
            sheet.writerow(cells)
        out.detach()
