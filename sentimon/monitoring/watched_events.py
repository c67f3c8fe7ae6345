"""The events that the monitor watches: yes-or-no facts about a row, counted from sums instead of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from operator import add
from typing import Annotated

import msgspec

from sentimon.labels import THREE, Classes, names_of
from sentimon.prediction_log.summary import CONFIDENCE_BINS, Summary
from sentimon.statistics.dispersion import mean_cluster_size

HOURS_OF_DAY = 24
MOST_ROWS = 1 << 53
"""Largest count that is accepted from a file."""
_DECILES = range(1, 10)


Rows = Annotated[int, msgspec.Meta(ge=0, le=MOST_ROWS)]


class Counted(msgspec.Struct, frozen=True):
    """For each event of a group: how many of `n` rows it is true of."""

    n: Rows
    counts: tuple[Rows, ...]

    def __add__(self, other: Counted) -> Counted:
        """Return the counts of both sets of rows."""
        return Counted(self.n + other.n, tuple(map(add, self.counts, other.counts)))


class EventWindow(msgspec.Struct, frozen=True, kw_only=True):
    """The event counts of some rows, for each group of events, and their number by hour."""

    groups: tuple[Counted, ...]
    hours: Mapping[int, Rows]
    """Number of rows in each hour that has any; the key is the hour since 1970, UTC."""

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return self.groups[0].n

    @property
    def clock(self) -> list[int]:
        """Return the number of rows in each of the 24 hours of the day, UTC, from 00:00."""
        clock = [0] * HOURS_OF_DAY
        for hour, rows in self.hours.items():
            clock[hour % HOURS_OF_DAY] += rows
        return clock

    @property
    def mean_cluster_size(self) -> float:
        """Return the mean over the rows of the number of rows in the same hour, itself included."""
        return mean_cluster_size(self.hours.values())


def sum_windows(windows: Iterable[EventWindow]) -> EventWindow:
    """Return the sum of at least one window."""
    first, *rest = windows
    groups, hours = first.groups, dict(first.hours)
    for window in rest:
        groups = tuple(map(add, groups, window.groups))
        for hour, rows in window.hours.items():
            hours[hour] = hours.get(hour, 0) + rows
    return EventWindow(groups=groups, hours=hours)


def is_possible(one: Counted) -> bool:
    """Return whether no event of a group has more rows than there are, or fewer than none."""
    return all(0 <= count <= one.n for count in one.counts)


class EventGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Events of one kind, with their counts in the baseline."""

    name: str
    events: tuple[str, ...]
    """Their names; "" for that of a class which there is not, and which is not watched."""
    reference: Counted

    @property
    def watched(self) -> list[tuple[int, str]]:
        """Return (place, name) of each event that is watched."""
        return [(place, event) for place, event in enumerate(self.events) if event]


def class_group(summary: Summary, classes: Classes = THREE) -> EventGroup:
    """Return the events "the label is negative", "... neutral", "... positive", of the classes there are."""
    return EventGroup(name="class", events=names_of(classes), reference=class_counts(summary))


def class_counts(summary: Summary) -> Counted:
    """Return the rows of each class, in Sentiment order."""
    return Counted(summary.count, summary.counts)


def confidence_cuts(summary: Summary) -> tuple[int, ...]:
    """Return the deciles of the confidence in `summary`, in hundredths, 1 .. 99, ascending.

    Each decile is rounded to the nearest border of two bins. A border that several deciles round to comes
    once, one with all rows on one side not at all; where all rows are in one bin, its two borders are taken.
    Without a row that has a confidence there are none.
    """
    below = list(accumulate(_confidences(summary), initial=0))
    rows = below[-1]
    nearest = {min(range(len(below)), key=lambda cut: abs(10 * below[cut] - d * rows)) for d in _DECILES}
    cuts = {cut for cut in nearest if 0 < below[cut] < rows}
    if rows and not cuts:
        above = below.index(rows)
        cuts = {above - 1, above} & set(range(1, CONFIDENCE_BINS))
    return tuple(sorted(cuts))


def confidence_group(summary: Summary) -> EventGroup:
    """Return the events "the confidence is below this decile of the baseline"."""
    cuts = confidence_cuts(summary)
    return EventGroup(
        name="confidence",
        events=tuple(f"below {cut / CONFIDENCE_BINS:.2f}" for cut in cuts),
        reference=confidence_counts(summary, cuts),
    )


def confidence_counts(summary: Summary, cuts: Sequence[int]) -> Counted:
    """Return how many of the rows that have a confidence have one below each of `cuts`, in hundredths."""
    below = list(accumulate(_confidences(summary), initial=0))
    return Counted(below[-1], tuple(below[cut] for cut in cuts))


def _confidences(summary: Summary) -> list[int]:
    return [
        sum(bins) for bins in zip(*(tally.confidence_histogram for tally in summary.classes), strict=True)
    ]
