"""A block of lines at once, where each holds a usual row; any other line is left to `parse_row`.

What is accepted here is a part of what `parse_row` accepts, and it counts the same; the tests hold that.
"""

from __future__ import annotations

import contextlib
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from sentimon.labels import LABELS
from sentimon.prediction_log.index.cells import Cells, Slot
from sentimon.prediction_log.index.text_sums import Floats, Integers, floats, integers, sum_texts
from sentimon.prediction_log.row_parser import AGREEMENT, OptionalFields
from sentimon.prediction_log.summary import CONFIDENCE_BINS, POLARITY_BINS, GrowingSummary
from sentimon.scoring.scores import SCALE, SUM_TOLERANCE
from sentimon.timestamps import HOUR_MICROSECONDS, from_microseconds, to_microseconds


class UsualScores(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The scores under their canonical names; not yet checked to be a distribution."""

    negative: float
    neutral: float
    positive: float


class UsualRow(OptionalFields, kw_only=True, gc=False):
    """What is summed of a row."""

    timestamp: Annotated[datetime, msgspec.Meta(tz=True)]
    sentiment: Literal["negative", "neutral", "positive"]
    confidence: float
    scores: UsualScores


class _OurRow(UsualRow, kw_only=True, gc=False, forbid_unknown_fields=True):
    pass


_decode_ours = msgspec.json.Decoder(_OurRow).decode_lines
_decode = msgspec.json.Decoder(UsualRow).decode_lines


def decode_block(block: bytes | memoryview) -> tuple[Sequence[UsualRow], npt.NDArray[np.int64]] | None:
    """Return (the rows of a block of lines, one a line; where each line begins, and where the last ends).

    None where a line holds something else. The decoder takes values one after the other, wherever
    lines end. But no string holds a bare newline, and a brace that closes is followed by one that opens
    only between two values. So where each line begins with a brace and ends with one, each newline lies
    between two values; and if there are as many values as lines, each line holds one.
    """
    characters = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(characters == ord("\n"))
    offsets = np.concatenate(([0], ends + 1))
    if (
        offsets[-1] != len(block)
        or (characters[offsets[:-1]] != ord("{")).any()
        or (characters[ends - 1] != ord("}")).any()
    ):
        return None
    try:
        rows = _decoded(block)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return (rows, offsets) if len(rows) == len(ends) else None


def _decoded(block: bytes | memoryview) -> Sequence[UsualRow]:
    with contextlib.suppress(msgspec.ValidationError):
        return _decode_ours(block)
    # Fields that are passed over are to be UTF-8, too, which the decoder looks at only in those it keeps.
    for line in bytes(block).split(b"\n"):
        line.isascii() or str(line, "utf-8")
    return _decode(block)


MOST_ROWS = 8192
MOST_CELLS = 256
"""Rows and cells that wait for their sum, about."""
_CLOSE = 1e-5
"""How near to a limit a row is left to `parse_row`, which rounds before it compares."""
_CODES = {label: code for code, label in enumerate(LABELS)}
_CLASSES = len(LABELS)


class Columns:
    """The classes, confidences and scores of some rows, one array each."""

    def __init__(self, rows: Sequence[UsualRow]) -> None:
        scores = [row.scores for row in rows]
        self.classes = integers([_CODES[row.sentiment] for row in rows])
        self.confidence = floats([row.confidence for row in rows])
        self.negative = floats([one.negative for one in scores])
        self.neutral = floats([one.neutral for one in scores])
        self.positive = floats([one.positive for one in scores])

    def usual(self) -> bool:
        """Return whether the numbers of each row pass the checks of `parse_row` with room to spare."""
        highest = np.maximum(np.maximum(self.negative, self.neutral), self.positive)
        lowest = np.minimum(np.minimum(self.negative, self.neutral), self.positive)
        if min(lowest.min(), self.confidence.min()) < 0 or max(highest.max(), self.confidence.max()) > 1:
            # Their sums may be beyond all numbers.
            return False
        own = np.choose(self.classes, (self.negative, self.neutral, self.positive))
        return bool(
            abs(self.negative + self.neutral + self.positive - 1).max() < SUM_TOLERANCE - _CLOSE
            and (highest - own).max() < AGREEMENT - _CLOSE
            and abs(self.confidence - own).max() < AGREEMENT - _CLOSE
        )


class Pending:
    """Columns that wait to be summed, and the cells that their rows belong to."""

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._count = 0
        self._columns: list[Columns] = []
        self._cells: dict[int, GrowingSummary] = {}
        self._runs: list[tuple[int, int]] = []

    def add(self, columns: Columns, runs: Sequence[tuple[GrowingSummary, int]]) -> None:
        """Add rows, at most MOST_ROWS; each run is (the sum of its cell, number of rows), in their order.

        The sum has its span already, which lies within one hour.
        """
        if self._count + len(columns.classes) > MOST_ROWS or len(self._cells) > MOST_CELLS:
            self.sum_up()
        self._count += len(columns.classes)
        self._columns.append(columns)
        for sums, length in runs:
            self._cells[id(sums)] = sums
            self._runs.append((id(sums), length))

    def sum_up(self) -> None:
        """Add what waits to the sums of its cells."""
        if self._columns:
            self._sum_up()
        self._clear()

    def _sum_up(self) -> None:
        confidence = _millionths([one.confidence for one in self._columns])
        positive = _millionths([one.positive for one in self._columns])
        polarity = positive - _millionths([one.negative for one in self._columns])
        place_of = {key: place for place, key in enumerate(self._cells)}
        places = np.array([place_of[key] for key, _ in self._runs])
        groups = np.repeat(places * _CLASSES, [length for _, length in self._runs])
        groups += np.concatenate([one.classes for one in self._columns])
        tallies = [tally for sums in self._cells.values() for tally in sums.classes]
        counts = np.bincount(groups, minlength=len(tallies))
        totals = [_total(groups, one, counts) for one in (confidence, confidence * confidence, polarity)]
        by_confidence = _histograms(groups, confidence, CONFIDENCE_BINS, 0, len(tallies))
        by_polarity = _histograms(groups, polarity, POLARITY_BINS, -SCALE, len(tallies))
        for place, (tally, count, *sums) in enumerate(zip(tallies, counts.tolist(), *totals, strict=True)):
            tally.count += count
            tally.confidence += sums[0]
            tally.confidence_squares += sums[1]
            tally.polarity += sums[2]
            _include(tally.confidence_histogram, by_confidence[place])
            _include(tally.polarity_histogram, by_polarity[place])
        for cell in self._cells.values():
            # A cell lies within an hour, so what it counts is what that hour counts.
            if cell.ends:
                first, second, third = (tally.count for tally in cell.classes)
                cell.hours[cell.ends[0] // HOUR_MICROSECONDS] = (first, second, third)


def _include(histogram: array[int], counts: Integers) -> None:
    held = np.frombuffer(histogram, np.int64)
    held += counts


def _millionths(columns: Sequence[Floats]) -> Floats:
    return np.rint(np.concatenate(columns) * SCALE)


def _total(groups: Integers, weights: Floats, counts: Integers) -> list[int]:
    totals: list[int] = np.bincount(groups, weights=weights, minlength=len(counts)).astype(np.int64).tolist()
    return totals


def _histograms(groups: Integers, values: Floats, width: int, lowest: int, amount: int) -> Integers:
    """Return shape (amount, width): for each group its rows in equal bins from `lowest` to SCALE."""
    bins = np.minimum((values.astype(np.int64) - lowest) // ((SCALE - lowest) // width), width - 1)
    counts: Integers = np.bincount(groups * width + bins, minlength=amount * width)
    return counts.reshape(amount, width)


EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""What is dated outside is no usual row: far enough from the edges of the calendar to compute freely."""


class BulkReader:
    """Takes blocks of usual rows into their cells."""

    def __init__(self, cells: Cells, slot: Slot) -> None:
        self._cells = cells
        self._slot = slot
        self._pending = Pending()

    def take(self, block: bytes | memoryview, begin: int) -> int:
        """Take in a block of whole lines that begins at that byte of the file; return the number of its rows.

        None is taken in (0) where one of them is not usual, or holds numbers near a limit, or where they
        are more than can be summed at once.
        """
        decoded = decode_block(block)
        if decoded is None or not 0 < len(decoded[0]) <= MOST_ROWS:
            return 0
        rows, offsets = decoded
        times = [row.timestamp for row in rows]
        order: Sequence[int] = range(len(rows))
        in_order = times == sorted(times)
        if not in_order:
            order = sorted(order, key=times.__getitem__)
            rows, times = [rows[place] for place in order], sorted(times)
        columns = Columns(rows)
        if times[0] < EARLIEST or times[-1] >= LATEST or not columns.usual():
            return 0
        found = list(self._runs(times))
        texts = sum_texts([row.text for row in rows], [first for _, first, _ in found])
        runs = []
        for (key, first, end), properties in zip(found, texts, strict=True):
            cell, part, places = self._cells[key], rows[first:end], order[first:end]
            low, high = (first, end - 1) if in_order else (min(places), max(places))
            cell.found(begin + int(offsets[low]), begin + int(offsets[high + 1]))
            cell.sums.span(to_microseconds(times[first]), to_microseconds(times[end - 1]))
            cell.sums.add_properties(properties)
            _add_origins(cell.sums, part)
            runs.append((cell.sums, end - first))
        self._pending.add(columns, runs)
        return len(rows)

    def finish(self) -> None:
        """Sum up what was taken in."""
        self._pending.sum_up()

    def _runs(self, times: Sequence[datetime]) -> Iterator[tuple[int, int, int]]:
        """Yield (key, its first place, the place after its last) for each cell of some ordered times."""
        first = 0
        while first < len(times):
            key, after = self._slot(to_microseconds(times[first]))
            end = max(first + 1, bisect_left(times, from_microseconds(after), first))
            yield key, first, end
            first = end


def _add_origins(sums: GrowingSummary, rows: Sequence[UsualRow]) -> None:
    models, revisions = [row.model for row in rows], [row.revision for row in rows]
    # Mostly they are all of one, which is cheaper to see than to count.
    if models.count(models[0]) == len(rows) == revisions.count(revisions[0]):
        sums.add_model((models[0], revisions[0]), len(rows))
    else:
        for model, count in Counter(zip(models, revisions, strict=True)).items():
            sums.add_model(model, count)
    sums.add_property("truncated", [row.truncated for row in rows].count(True))
