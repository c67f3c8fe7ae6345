"""Whether rows still come, and as many as in the baseline: one verdict on the traffic of a log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING

from sentimon.monitoring.freshness import Freshness
from sentimon.monitoring.onset import Onset
from sentimon.monitoring.traffic_volume import Direction, Volume, start_of_day
from sentimon.prediction_log.summary import Counts
from sentimon.timestamps import start_of_hour

if TYPE_CHECKING:
    from datetime import timedelta


_STRAY = 1000
"""One row in so many may be dated wrongly."""


class TrafficVerdict(StrEnum):
    """The answer on the traffic of a log."""

    STABLE = "stable"
    SILENT = "silent"
    FEWER = "fewer rows"
    MORE = "more rows"
    NO_VERDICT = "no verdict"


class Unjudged(StrEnum):
    """Why it is not known whether fewer or more rows come than usual."""

    NO_BASELINE = "no baseline"
    COLLECTING = "the baseline is being collected"
    SHORT_BASELINE = "the baseline has fewer than 7 whole days"
    IRREGULAR = "most days of the baseline have no rows"
    NO_WHOLE_DAY = "no whole day has passed since the baseline"


def history_of(hours: Mapping[int, Counts], end: int) -> Mapping[int, Counts]:
    """Return the rows per hour up to the hour `end`, without a few stray old ones.

    A clock that was wrong once must not make a gap of years normal: up to a thousandth of the rows is left
    out at the begin.
    """
    known = {hour: hours[hour] for hour in sorted(hours) if hour <= end}
    few, passed = sum(map(sum, known.values())) // _STRAY, 0
    for hour in list(known):
        passed += sum(known[hour])
        if passed > few:
            break
        del known[hour]
    return known


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficReport:
    """Whether the newest row is too old, and whether fewer or more rows come than in the baseline."""

    now: datetime
    zone: tzinfo | None
    """The time zone of the days; None is local time."""
    freshness: Freshness
    volume: Volume | None
    """None where it cannot be judged."""
    unjudged: Unjudged | None
    """Why it cannot; None where it can."""
    has_baseline: bool
    """Whether there is a baseline, or one is being collected."""
    onset: Onset | None = None
    """When the rows became fewer or more, to the hour; None where they did not, or where it is unclear."""

    @property
    def verdict(self) -> TrafficVerdict:
        """Return the verdict; silence comes first, as fewer rows follow from it."""
        if self.freshness.is_stale(self.now):
            return TrafficVerdict.SILENT
        if self.volume is None or self.freshness.newest is None:
            return TrafficVerdict.NO_VERDICT
        if self.volume.change is None:
            return TrafficVerdict.STABLE
        return TrafficVerdict.FEWER if self.volume.change is Direction.FEWER else TrafficVerdict.MORE

    @property
    def in_trouble(self) -> bool:
        """Return whether rows stopped, or surely fewer or more of them come."""
        return self.verdict not in (TrafficVerdict.STABLE, TrafficVerdict.NO_VERDICT)

    @property
    def age(self) -> timedelta | None:
        """Return how old the newest row is; None without one."""
        return self.freshness.age(self.now)

    @property
    def since(self) -> datetime | None:
        """Return when the rows became fewer or more, to the day; None where they did not."""
        if self.volume is None or self.volume.since is None:
            return None
        return start_of_hour(start_of_day(self.volume.since, self.zone))
