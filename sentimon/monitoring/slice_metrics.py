"""Class mix and mean confidence of each slice of some rows, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

from sentimon.monitoring.prediction_metrics import ByClass
from sentimon.prediction_log.slices import OTHER, Slices, SliceTally
from sentimon.prediction_log.summary import Counts
from sentimon.scoring.scores import SCALE
from sentimon.statistics.intervals import Estimate, mean_of, wilson


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceMetrics:
    """Class mix and confidence of the rows of one slice; triples are in Sentiment order."""

    value: str
    counts: Counts
    of_all: Estimate
    """Its share among all rows, with Wilson's interval."""
    shares: ByClass
    """Share of each class among its rows, with Wilson's interval."""
    confidence: Estimate
    """Mean confidence over its rows that have one, `n`, with Student's t interval."""
    few: bool
    """Whether it has too few rows for a verdict."""

    @property
    def total(self) -> int:
        """Return the number of rows."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMetrics:
    """The rows by the values of one field: the values with the most rows, the largest first."""

    field: str
    slices: tuple[SliceMetrics, ...]
    """The last is that of the rows whose values are not told apart, if there are any."""
    values: int | None
    """How many values any row has; None where there are so many that none is told apart."""


def measure_slices(
    field: str, slices: Slices, *, most: int, min_samples: int, confidence_level: float
) -> FieldMetrics:
    """Return the metrics of the `most` largest slices, and of the rows of all others as one."""
    shown, rows = slices.told_apart(slices.largest(most)), slices.count
    return FieldMetrics(
        field=field,
        slices=tuple(
            _measure(value, tally, rows, min_samples=min_samples, confidence_level=confidence_level)
            for value, tally in shown.tallies.items()
        ),
        values=slices.distinct,
    )


def _measure(
    value: str, tally: SliceTally, rows: int, *, min_samples: int, confidence_level: float
) -> SliceMetrics:
    negative, neutral, positive = (
        wilson(count, tally.count, confidence_level=confidence_level) for count in tally.counts
    )
    return SliceMetrics(
        value=value,
        counts=tally.counts,
        of_all=wilson(tally.count, rows, confidence_level=confidence_level),
        shares=(negative, neutral, positive),
        confidence=mean_of(
            tally.confidence,
            tally.confidence_squares,
            tally.with_confidence,
            scale=SCALE,
            confidence_level=confidence_level,
        ),
        few=tally.count < min_samples,
    )


def not_told_apart(found: FieldMetrics) -> int:
    """Return the number of rows whose values are not told apart."""
    return sum(one.total for one in found.slices if one.value == OTHER)
