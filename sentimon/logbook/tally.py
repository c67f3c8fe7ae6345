"""The sum over rows of one class: counts, confidence, polarity, and how both are spread."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable

import msgspec

from sentimon.scoring.scores import SCALE

CONFIDENCE_BINS = 100
POLARITY_BINS = 40


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """The sum over rows of one class."""

    count: int = 0
    confidence: int = 0
    """Sum of confidences, in millionths."""
    confidence_squares: int = 0
    """Sum of squared confidences, in millionths squared."""
    polarity: int = 0
    """Sum of positive minus negative score, in millionths."""
    confidence_histogram: tuple[int, ...] = (0,) * CONFIDENCE_BINS
    """Rows per hundredth of confidence, 0 .. 1."""
    polarity_histogram: tuple[int, ...] = (0,) * POLARITY_BINS
    """Rows per twentieth of polarity, -1 .. 1."""

    def __add__(self, other: Tally) -> Tally:
        """Return the tally of both sets of rows."""
        return Tally(
            count=self.count + other.count,
            confidence=self.confidence + other.confidence,
            confidence_squares=self.confidence_squares + other.confidence_squares,
            polarity=self.polarity + other.polarity,
            confidence_histogram=_added(self.confidence_histogram, other.confidence_histogram),
            polarity_histogram=_added(self.polarity_histogram, other.polarity_histogram),
        )


def _no_rows(bins: int) -> Callable[[], array[int]]:
    return lambda: array("q", bytes(8 * bins))


class GrowingTally(msgspec.Struct):
    """A tally that rows are still being added to; `tally()` is its value so far."""

    count: int = 0
    confidence: int = 0
    confidence_squares: int = 0
    polarity: int = 0
    confidence_histogram: array[int] = msgspec.field(default_factory=_no_rows(CONFIDENCE_BINS))
    polarity_histogram: array[int] = msgspec.field(default_factory=_no_rows(POLARITY_BINS))

    def add(self, confidence: int, polarity: int) -> None:
        """Add one row; both numbers in millionths."""
        self.count += 1
        self.confidence += confidence
        self.confidence_squares += confidence * confidence
        self.polarity += polarity
        self.confidence_histogram[min(confidence * CONFIDENCE_BINS // SCALE, CONFIDENCE_BINS - 1)] += 1
        self.polarity_histogram[
            min((polarity + SCALE) * POLARITY_BINS // (2 * SCALE), POLARITY_BINS - 1)
        ] += 1

    def include(self, other: GrowingTally) -> None:
        """Add the rows of another tally."""
        self.count += other.count
        self.confidence += other.confidence
        self.confidence_squares += other.confidence_squares
        self.polarity += other.polarity
        self.confidence_histogram = _included(self.confidence_histogram, other.confidence_histogram)
        self.polarity_histogram = _included(self.polarity_histogram, other.polarity_histogram)

    def tally(self) -> Tally:
        """Return the sum so far."""
        return Tally(
            count=self.count,
            confidence=self.confidence,
            confidence_squares=self.confidence_squares,
            polarity=self.polarity,
            confidence_histogram=tuple(self.confidence_histogram),
            polarity_histogram=tuple(self.polarity_histogram),
        )


def _included(one: array[int], other: array[int]) -> array[int]:
    # Each bin has 64 bits and counts no more than rows, so one sum of two long integers adds all bins.
    both = int.from_bytes(one, sys.byteorder) + int.from_bytes(other, sys.byteorder)
    return array("q", both.to_bytes(one.itemsize * len(one), sys.byteorder))


def _added(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(one, other, strict=True))
