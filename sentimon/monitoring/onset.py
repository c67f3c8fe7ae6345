"""When a change began, and the sums per hour of the log that tell it; `onset_search` finds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sentimon.prediction_log.summary import Counts, GrowingSummary, GrowingTally, Tally
from sentimon.scoring.scores import SCALE
from sentimon.statistics.intervals import Estimate, mean_of
from sentimon.timestamps import format_moment, start_of_hour

HourlyCounts = Mapping[int, Counts]
"""Rows per class in each hour since 1970, UTC, that has any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Onset:
    """When a change began that lasts until the newest rows."""

    hour: int
    """The most probable hour with rows, counted since 1970, UTC."""
    first_hour: int
    """The interval, which contains `hour`: the change began in this hour or later ..."""
    last_hour: int
    """... and in this hour or earlier."""
    rows: int
    """Rows in `hour` and after it."""
    confidence_level: float
    from_the_start: bool
    """Whether the interval begins with the first rows: then the change may have begun before them."""
    looked_back: bool = True
    """Whether all rows since the baseline were looked at, and not those of the latest hours alone."""

    @property
    def began(self) -> datetime | None:
        """Return the start of the most probable hour, in UTC; None outside of the calendar."""
        return start_of_hour(self.hour)

    @property
    def earliest(self) -> datetime | None:
        """Return the start of the interval, in UTC; None outside of the calendar."""
        return start_of_hour(self.first_hour)

    @property
    def latest(self) -> datetime | None:
        """Return the end of the interval, in UTC; None outside of the calendar."""
        return start_of_hour(self.last_hour + 1)

    def to_dict(self) -> dict[str, object]:
        """Return the moments and the number of rows, as JSON holds them."""
        moments = {"began": self.began, "earliest": self.earliest, "latest": self.latest}
        return {
            **{name: None if one is None else format_moment(one) for name, one in moments.items()},
            "rows": self.rows,
            "confidence_level": self.confidence_level,
            "from_the_start": self.from_the_start,
            "looked_back": self.looked_back,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceSums:
    """The sum over the rows of an hour that have a confidence."""

    rows: int = 0
    total: int = 0
    """Sum of confidences, in millionths."""
    squares: int = 0
    """Sum of squared confidences, in millionths squared."""

    @classmethod
    def of(cls, sums: Iterable[Tally | GrowingTally]) -> ConfidenceSums:
        """Return the sum over some tallies, such as those of the three classes."""
        rows = total = squares = 0
        for one in sums:
            rows += sum(one.confidence_histogram)
            total += one.confidence
            squares += one.confidence_squares
        return cls(rows=rows, total=total, squares=squares)

    @classmethod
    def of_hour(cls, sums: GrowingSummary) -> ConfidenceSums:
        """Return the sum over the rows of an hour as the log yields them."""
        return cls.of(sums.classes)

    def __add__(self, other: ConfidenceSums) -> ConfidenceSums:
        """Return the sum over both sets of rows."""
        return ConfidenceSums(
            rows=self.rows + other.rows,
            total=self.total + other.total,
            squares=self.squares + other.squares,
        )

    def estimate(self, confidence_level: float) -> Estimate:
        """Return the mean confidence, 1/3 .. 1, with its interval; None without rows."""
        return mean_of(self.total, self.squares, self.rows, scale=SCALE, confidence_level=confidence_level)

    @property
    def mean(self) -> float:
        """Return the mean confidence of at least one row."""
        return self.total / (self.rows * SCALE)

    @property
    def scatter(self) -> float:
        """Return the sum of the squared distances from the mean of at least one row."""
        # In integers: both terms nearly cancel.
        return (self.rows * self.squares - self.total * self.total) / (self.rows * SCALE * SCALE)
