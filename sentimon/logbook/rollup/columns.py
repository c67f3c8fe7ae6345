"""Usual rows in columns: checked, and summed by numpy as a loop over rows would sum them.

Every sum is exact. numpy adds the weights of a count as floats, and integers add up exactly as floats
below 2**53, about 9.0e15. The largest sum here is that of squared confidences, of at most 1e12 millionths
squared each: of MOST_ROWS rows together 8.2e15.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np

from sentimon.labels import LABELS
from sentimon.logbook.moments import HOUR_MICROSECONDS
from sentimon.logbook.rollup.arrays import Floats, Integers, floats, integers
from sentimon.logbook.rollup.usual import UsualRow
from sentimon.logbook.row import AGREEMENT
from sentimon.logbook.summary import GrowingSummary
from sentimon.logbook.tally import CONFIDENCE_BINS, POLARITY_BINS
from sentimon.scoring.scores import SCALE, SUM_TOLERANCE

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
