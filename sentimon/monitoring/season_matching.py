"""The class mix of a baseline at the same hours of the week as the rows it is compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from sentimon.errors import NoVerdictError
from sentimon.monitoring.baseline import HOURS_OF_WEEK
from sentimon.prediction_log.summary import Counts, Summary
from sentimon.timestamps import in_zone, start_of_hour

FEWEST_ROWS = 30
"""Fewest rows of an hour of the week; with fewer, all hours together stand for it."""
FEWEST_HOURS = 2 * HOURS_OF_WEEK
"""Fewest hours that a baseline spans: in one week, a weekly pattern looks like chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonMatch:
    """The class mix of a baseline, weighted as some rows are spread over the hours of the week."""

    counts: tuple[float, float, float]
    """Rows of each class, in Sentiment order; together the effective sample size."""
    matched: float
    """The share of the current rows, 0 .. 1, from an hour of the week with enough rows in the baseline."""

    @property
    def rows(self) -> float:
        """Return the effective sample size."""
        return sum(self.counts)


def match_season(baseline: Summary, current: Mapping[int, Counts], zone: tzinfo | None) -> SeasonMatch:
    """Return the class mix of `baseline` at the hours of the week of some rows, at least one.

    `current` holds them per class by hour since 1970, UTC.

    Direct standardisation: the mix of each hour of the week, by the calendar of `zone` (None: local),
    is weighted with the share of the current rows that come from it. The effective sample size is
    Kish's, 1 / sum(w**2) over the weights w of the baseline rows.

    Raises:
        NoVerdictError: the baseline spans less than two weeks.

    Source: Rothman, Greenland & Lash (2008), Modern Epidemiology, ch. 4; Kish (1965), Survey Sampling, 11.7.
    """
    span = max(baseline.hours, default=0) - min(baseline.hours, default=0) + 1
    if span < FEWEST_HOURS:
        raise NoVerdictError(
            f"the baseline spans {span / 24:.1f} days: the hours of the week need two whole weeks",
            hint="make one of a longer period, or leave out --match",
        )
    cells = hours_of_week(baseline.hours, zone)
    known = {place: counts for place, counts in cells.items() if sum(counts) >= FEWEST_ROWS}
    rows = {place: sum(counts) for place, counts in hours_of_week(current, zone).items()}
    total = sum(rows.values())
    matched = sum(count for place, count in rows.items() if place in known)
    pooled = (total - matched) / total
    parts = [(rows[place] / total, counts) for place, counts in known.items() if place in rows]
    shares = [
        sum((weight * counts[one] / sum(counts) for weight, counts in parts), pooled * whole / baseline.count)
        for one, whole in enumerate(baseline.counts)
    ]
    size = 1 / _sum_of_squares(parts, pooled, baseline.count)
    negative, neutral, positive = (size * share for share in shares)
    return SeasonMatch(counts=(negative, neutral, positive), matched=matched / total)


def _sum_of_squares(parts: Sequence[tuple[float, Counts]], pooled: float, total: int) -> float:
    """Return the sum of the squared weights of the baseline rows, which sum to 1."""
    # Rows of an hour with enough rows count for that hour, and again in the pool that stands for the others.
    every = pooled / total
    rest = total - sum(sum(counts) for _, counts in parts)
    return sum(
        (sum(counts) * (weight / sum(counts) + every) ** 2 for weight, counts in parts), rest * every**2
    )


def hours_of_week(hours: Mapping[int, Counts], zone: tzinfo | None) -> dict[int, Counts]:
    """Return rows per class in each hour of the week that has any; hour 0 is Monday 00:00 in `zone`."""
    cells: dict[int, Counts] = {}
    for hour, counts in hours.items():
        start = start_of_hour(hour)
        place = _place(in_zone(start, zone)) if start else 0
        before = cells.get(place, (0, 0, 0))
        cells[place] = (before[0] + counts[0], before[1] + counts[1], before[2] + counts[2])
    return cells


def _place(wall: datetime) -> int:
    return wall.weekday() * 24 + wall.hour
