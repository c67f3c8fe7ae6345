"""How old the newest row is, against the longest time without rows that is normal for the log."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import median

from sentimon.config.durations import parse_duration
from sentimon.prediction_log.summary import Counts

_HOUR = timedelta(hours=1)
FEW_ROWS = 20
"""Rows that usually come in a time that is no news to pass without any."""
SHORTEST = 6
"""Hours without rows that are never news: a deployment, a restart."""
_DAY = 24
WEEK = 7 * _DAY
NO_WEEKEND_KNOWN = 3 * _DAY
"""Hours without rows that may be normal where less than a week of the log is known."""
NO_NIGHT_KNOWN = WEEK
"""The same where less than a day is known: rows may well come once a week."""
_HORIZON_HOURS = 10 * 365 * _DAY
_FALSE_ALARM = 0.05
"""Probability that chance alone makes a longer gap within ten years."""


class AgeSource(StrEnum):
    """What says how old the newest row may be."""

    SETTING = "setting"
    BASELINE = "baseline"
    LOG = "log"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualGaps:
    """The times without rows in some history."""

    longest: int | None
    """The longest time between two rows, in hours, rounded up; None with rows in one hour at most."""
    span: int
    """Hours from the first row to the last."""
    max_age: int
    """Hours after which the newest row is older than is normal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How old the newest row is, and how old it may be."""

    newest: datetime | None
    """The time of the newest row that is not dated in the future; None without one."""
    max_age: timedelta
    source: AgeSource
    """What `max_age` is told from."""
    gaps: UsualGaps
    """The times without rows in the baseline, or in the log where the baseline is none or too short."""

    def age(self, now: datetime) -> timedelta | None:
        """Return how old the newest row is; None without one."""
        return None if self.newest is None else now - self.newest

    def is_stale(self, now: datetime) -> bool:
        """Return whether rows have stopped coming: the newest one is older than is normal."""
        age = self.age(now)
        return age is not None and age > self.max_age


def usual_gaps(hours: Mapping[int, Counts]) -> UsualGaps:
    """Return the times without rows; `hours` holds rows per class by hour since 1970.

    Twice the longest one is still normal. So are, up to three times, the time that usually brings FEW_ROWS,
    as a holiday has a tenth of them, and what chance makes of the longest gap in ten years. Chance is the
    smaller of two: each hour has rows or not, independently; or the longest gap beyond the usual one
    grows with the logarithm of their number. So neither nights and weekends nor a job that runs once a
    day widen it. Less history than a week or a day leaves more open.

    >>> usual_gaps({24 * day: (0, 0, 100) for day in range(28)}).max_age  # a hundred rows a day, all at once
    50
    """
    known = sorted(hours)
    if len(known) < 2:
        return UsualGaps(longest=None, span=0, max_age=NO_NIGHT_KNOWN)
    span = known[-1] - known[0]
    # From the first minute of the one hour to the last of the other.
    gaps = [after - before + 1 for before, after in pairwise(known)]
    longest = max(gaps)
    slow = FEW_ROWS * span / sum(map(sum, hours.values()))
    normal = max(SHORTEST, 2 * longest, min(3 * longest, math.ceil(max(slow, _by_chance(gaps, span)))))
    unknown = NO_NIGHT_KNOWN if span < _DAY else NO_WEEKEND_KNOWN if span < WEEK - 1 else 0
    return UsualGaps(longest=longest, span=span, max_age=max(normal, unknown))


def _by_chance(gaps: list[int], span: int) -> float:
    """Return the longest gap, in hours, that chance makes in ten years but for _FALSE_ALARM."""
    times = max(1.0, _HORIZON_HOURS / span) / _FALSE_ALARM
    # There are fewer gaps than hours.
    filled = len(gaps) / (span + 1)
    independent = math.log(len(gaps) * times) / -math.log1p(-filled)
    usual = median(gaps)
    more = math.log(times) / math.log(len(gaps)) if len(gaps) > 1 else math.inf
    excess = max(gaps) - usual
    growing = usual + excess * (1 + more) if excess else usual
    return min(independent, growing)


def is_long_enough(hours: Iterable[int]) -> bool:
    """Return whether some hours with rows, since 1970, span the week that nights and weekends show in."""
    known = list(hours)
    return bool(known) and max(known) - min(known) >= WEEK - 1


def judge_freshness(
    newest: datetime | None, hours: Mapping[int, Counts], *, source: AgeSource, setting: str = ""
) -> Freshness:
    """Return how old the newest row may be: the `setting` if it is given, or what the `hours` tell.

    `hours` holds the rows per hour of the baseline or the log, as `source` says.
    """
    gaps = usual_gaps(hours)
    if setting:
        return Freshness(newest=newest, max_age=parse_duration(setting), source=AgeSource.SETTING, gaps=gaps)
    return Freshness(newest=newest, max_age=gaps.max_age * _HOUR, source=source, gaps=gaps)
