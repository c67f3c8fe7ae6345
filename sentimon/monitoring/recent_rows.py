"""The newest rows that belong together: which of the last 50, 100, 200 ... rows differ most from a baseline.

A change that came late is lost among all the rows before it. So a look goes back over windows that double,
and the more windows there are the more evidence each of them has to give.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.drift_decision import Power
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.onset import HourlyCounts
from sentimon.monitoring.watched_events import Counted, EventWindow
from sentimon.prediction_log.summary import Counts
from sentimon.statistics.detectable_distance import detectable_distance, is_detectable, rows_to_detect
from sentimon.statistics.distances import wasserstein_distance, wasserstein_interval
from sentimon.statistics.intervals import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedWindow:
    """The newest rows as they are compared with a baseline."""

    since: int | None
    """The first hour, since 1970, UTC; None where all rows are compared."""
    searched: int
    """How many windows were compared, this one included; at least 1."""
    before: tuple[float, float, float]
    """What the baseline would hold of each class at the times that the rows come from, in Sentiment order."""
    adjusted: bool
    """Whether that differs from what it holds."""
    divisors: tuple[float, float] = (1.0, 1.0)
    """Design effects, >= 1, that the baseline's counts and those of the rows are divided by for evidence."""

    def level(self, confidence_level: float) -> float:
        """Return the level of an interval that holds for all windows at once (Bonferroni)."""
        return 1 - (1 - confidence_level) / self.searched

    def interval(self, after: Sequence[float], confidence_level: float) -> tuple[float, float]:
        """Return the interval of the distance of `after`, the counts of the rows, 0 .. 1.

        It covers at `confidence_level` in all windows at once.
        """
        return wasserstein_interval(*self.scaled(after), confidence_level=self.level(confidence_level))

    def power(self, rows: int, threshold: float, confidence_level: float) -> Power:
        """Return what the comparison of so many rows, at least one, could have seen."""
        before, after = self.scaled([rows])
        level = self.level(confidence_level)
        smallest = detectable_distance(before, after[0], confidence_level=level)
        if is_detectable(before, after[0], threshold, confidence_level=level):
            return Power(smallest=smallest, more_rows=0)
        needed = rows_to_detect(before, threshold, confidence_level=level)
        more = None if needed is None else max(1, math.ceil((needed - after[0]) * self.divisors[1]))
        return Power(smallest=smallest, more_rows=more)

    def scaled(self, after: Sequence[float]) -> tuple[list[float], list[float]]:
        """Return the counts of the baseline and of the rows as independent rows would give them."""
        return [one / self.divisors[0] for one in self.before], [one / self.divisors[1] for one in after]


Expected = Callable[[HourlyCounts], tuple[float, float, float]]
"""What a baseline would hold of each class at the times of some rows."""


def all_rows(before: tuple[float, float, float], *, adjusted: bool = False) -> ComparedWindow:
    """Return the window of all rows, compared with the counts `before`, without a search."""
    return ComparedWindow(since=None, searched=1, before=before, adjusted=adjusted)


def find_recent_rows(
    baseline: Baseline,
    hours: HourlyCounts,
    *,
    fewest: int,
    threshold: float,
    confidence_level: float,
    expected: Expected | None = None,
) -> ComparedWindow:
    """Return which of the newest rows differ most from `baseline`: the window that a look judges.

    `hours` are the rows after the baseline, at least one. The windows hold whole hours: the newest `fewest`
    rows or more, then twice as many, and so on, at last all. Of those whose distance is above `threshold`
    and more than chance the one is taken with the highest lower limit; else of those that changed by more
    than chance; else all rows. All rows are compared with the baseline as it is; a part of them with what
    it holds at the same hours of the day, and rows of an hour that are alike count as fewer, as the
    monitor counts them. `expected` takes the place of both.
    """
    plain = baseline.summary.counts
    before: tuple[float, float, float] = (float(plain[0]), float(plain[1]), float(plain[2]))
    starts = list(window_starts(hours, fewest))
    whole = ComparedWindow(
        since=None,
        searched=len(starts),
        before=before if expected is None else expected(hours),
        adjusted=expected is not None,
    )
    best, rank = whole, _rank(whole, _sum(hours), threshold, confidence_level)
    if len(starts) == 1:
        return whole
    reference = Reference.of(baseline)
    for start in starts[:-1]:
        part = {hour: counts for hour, counts in hours.items() if hour >= start}
        window = _part(reference, part, start, len(starts), expected)
        its = _rank(window, _sum(part), threshold, confidence_level)
        if its > rank:
            best, rank = window, its
    return best


def window_starts(hours: HourlyCounts, fewest: int) -> Iterator[int]:
    """Yield the first hour of each window, the shortest first; the last is that of all rows.

    >>> list(window_starts({1: (40, 0, 0), 2: (9, 0, 0), 5: (10, 0, 0), 6: (15, 0, 0)}, 20))
    [5, 1]
    """
    rows, wanted = 0, fewest
    first = min(hours)
    for hour in sorted(hours, reverse=True):
        rows += sum(hours[hour])
        if hour == first:
            yield first
        elif rows >= wanted:
            yield hour
            wanted = 2 * rows


def lowest_recent_mean(means: Sequence[Estimate], limit: float) -> Estimate | None:
    """Return of several means the one whose interval ends lowest, where it ends below `limit`; else None."""
    low = [one for one in means if one.high is not None and one.high < limit]
    return min(low, key=lambda one: one.high or 0.0, default=None)


def _part(
    reference: Reference, part: HourlyCounts, start: int, searched: int, expected: Expected | None
) -> ComparedWindow:
    if expected is not None:
        return ComparedWindow(since=start, searched=searched, before=expected(part), adjusted=True)
    counts = _sum(part)
    rows = EventWindow(
        groups=(Counted(sum(counts), counts),), hours={hour: sum(one) for hour, one in part.items()}
    )
    clock = rows.clock
    negative, neutral, positive = (reference.expected(0, place, clock)[0] for place in range(3))
    return ComparedWindow(
        since=start,
        searched=searched,
        before=(negative, neutral, positive),
        adjusted=any(wave.amplitude for wave in reference.waves),
        divisors=(
            max(reference.divisor_at(0, place, clock) for place in range(3)),
            reference.divisor_of(rows),
        ),
    )


def _rank(window: ComparedWindow, after: Counts, threshold: float, level: float) -> tuple[bool, bool, float]:
    """Return how strongly a window differs: above the threshold and surely, surely, and at least so far."""
    low, _ = window.interval(after, level)
    above = wasserstein_distance(window.before, after) > threshold
    return (above and low > 0, low > 0, low)


def _sum(hours: HourlyCounts) -> Counts:
    negative, neutral, positive = (sum(counts[place] for counts in hours.values()) for place in range(3))
    return negative, neutral, positive
