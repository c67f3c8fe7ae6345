"""Whether fewer or more rows come a day than in the baseline on the same days of the week.

Judged are whole days. The counts of a day spread far more than chance alone would spread them: they are taken
as negative binomial, with the spread that the days of the baseline show. The test is sequential: the
probability that unchanged traffic is ever called changed, however often one looks within ten years, is at
most `alpha`.
"""

from __future__ import annotations

import enum
import heapq
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo
from itertools import accumulate
from statistics import median
from typing import NamedTuple

from sentimon.monitoring.onset import Onset
from sentimon.prediction_log.summary import Counts
from sentimon.statistics.intervals import Estimate, normal_quantile
from sentimon.timestamps import in_zone, start_of_hour

FEWEST_DAYS = 7
"""Fewest whole days of a baseline that say how many rows are usual: with fewer the week is not known."""
LOOK_BACK_DAYS = 91
"""Days that are looked back on: a change that has lasted longer shows in them as well."""
SPECIAL_DAYS = 8
"""Days of any stretch that may have fewer rows than usual and are no change: holidays, a week off."""
EMPTY_DAYS = 2
"""How many of these may have no rows at all; the others have at least LEAST_OF_A_DAY of the usual."""
LEAST_OF_A_DAY = 0.1
BUSY_DAYS = 3
"""Days of any stretch that may have more rows than usual, however many: a campaign."""
MOST_OF_A_DAY = 3.0
"""The most that one day can say for a change, in nats: no two or three odd days make one."""
_MOST_OF_A_SILENT_DAY = 7.0
"""The same of a day with fewer rows than any holiday has."""
_RECOVERED = 5.0
"""Evidence, in nats, of the newest days that a change is over: what was before does not count any more."""
NO_NEWS = 1.1
"""A factor between 1 / NO_NEWS and NO_NEWS is no change."""
FEWER_FACTORS = (0.01, 0.1, 0.25, 0.4, 0.5, 0.65)
MORE_FACTORS = (1.5, 2.0, 3.0, 6.0, 20.0)
"""What is tested against no change: so many times as many rows as usual."""
_HORIZON_DAYS = 3650
_DAYS_OF_WEEK = 7
_WEEKDAYS = 5
_SMALLEST_SPREAD = 0.1
"""Of the logarithm of a day's rows: no baseline is trusted to vary less."""
_OUTLIER = 3.0
_NORMAL_MAD = 1.4826
_QUANTILE_90 = 1.2816
_MEDIAN_VARIANCE = math.pi / 2
"""Variance of a median as a multiple of that of a mean."""
_LEAST_LEVEL = 0.1
"""A day of the week that has less than this share of the rows of the busiest one says too little."""
_HOURS = 24


class Direction(enum.StrEnum):
    """Whether fewer or more rows come than in the baseline."""

    FEWER = "fewer"
    MORE = "more"


class Day(NamedTuple):
    """The rows of one day of the calendar."""

    number: int
    """Days since 1970."""
    rows: int

    @property
    def weekday(self) -> int:
        """Return the day of the week; 0 is Monday."""
        # The first day of 1970 was a Thursday.
        return (self.number + 3) % _DAYS_OF_WEEK


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyRows:
    """How many rows a day has in the baseline, by its day of the week, and how far that varies."""

    levels: tuple[float, ...]
    """The usual rows of each day of the week from Monday on; 0.0 where it is unknown or too few to judge."""
    shapes: tuple[float, ...]
    """The shape of the negative binomial of each of these days: 1 / its relative variance."""
    spread: float
    """Standard deviation of the logarithm of a day's rows, with a margin for what so few days leave open."""
    level_error: float
    """Standard error of the logarithm of all levels together."""
    days: int
    """Whole days of the baseline."""

    @classmethod
    def of(cls, days: Sequence[Day]) -> DailyRows | None:
        """Return what whole days of the baseline show, robust against single odd ones.

        None with fewer than FEWEST_DAYS, or where most of them have no rows. With two weeks or more each day
        of the week may have a level of its own; else the working days share one, and the weekend another.

        Source: Hampel (1974), J. Am. Stat. Assoc. 69, 383-393 (median and MAD; three of these apart is odd).
        """
        if len(days) < FEWEST_DAYS:
            return None
        groupings = [[min(place // _WEEKDAYS, 1) for place in range(_DAYS_OF_WEEK)]]
        if len(days) >= 2 * _DAYS_OF_WEEK:
            groupings.append(list(range(_DAYS_OF_WEEK)))
        found = [one for one in (_fitted(days, kinds) for kinds in groupings) if one is not None]
        return min(found, key=lambda one: one.spread, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """The rows of the days after a baseline against those that are usual."""

    usual: DailyRows
    days: int
    """Whole days after the baseline that were judged, of the newest LOOK_BACK_DAYS."""
    change: Direction | None
    """What has surely changed and still lasts; None where nothing has."""
    since: int | None
    """The most likely first day of the change, in days since 1970; None without one."""
    factor: Estimate
    """Rows as a multiple of the usual: since the change, else over the newest week; `n` is days."""
    rows: int
    """The rows of these days."""
    expected: float
    """The rows that these days would have in the baseline."""
    earlier: bool = False
    """Whether the change may have begun before the days that were looked back on."""


def whole_days(hours: Mapping[int, Counts], first: int, end: int, zone: tzinfo | None) -> list[Day]:
    """Return the days of the calendar in `zone` that lie wholly in the hours from `first` to before `end`.

    `hours` holds rows per class by hour since 1970, UTC; a day without rows has none. A zone that is off by
    half hours is taken by whole ones.
    """
    offsets = {day: _offset(day, zone) for day in range(first // _HOURS, (end - 1) // _HOURS + 1)}
    if not offsets:
        return []
    rows: dict[int, int] = {}
    for hour, (negative, neutral, positive) in hours.items():
        if first <= hour < end:
            day = (hour + offsets[hour // _HOURS]) // _HOURS
            rows[day] = rows.get(day, 0) + negative + neutral + positive
    begin = -(-(first + offsets[first // _HOURS]) // _HOURS)
    until = (end + offsets[(end - 1) // _HOURS]) // _HOURS
    return [Day(day, rows.get(day, 0)) for day in range(begin, until)]


def days_of_baseline(hours: Mapping[int, Counts], zone: tzinfo | None) -> list[Day]:
    """Return the whole days of a baseline: its first and last one only where rows came all day.

    A day at the edge counts where the hours of the day that it lacks have less than a tenth of all rows.
    """
    if not hours:
        return []
    first, last = min(hours), max(hours)
    by_hour = _rows_by_hour_of_day(hours, zone)
    begin = (first + _offset(first // _HOURS, zone)) % _HOURS
    end = (last + _offset(last // _HOURS, zone)) % _HOURS
    few = _LEAST_LEVEL * sum(by_hour)
    start = first - begin if sum(by_hour[:begin]) <= few else first
    until = last + _HOURS - end if sum(by_hour[end + 1 :]) <= few else last
    return whole_days(hours, start, until, zone)


def _rows_by_hour_of_day(hours: Mapping[int, Counts], zone: tzinfo | None) -> list[int]:
    """Return the rows in each of the 24 hours of the day, by the calendar in `zone`."""
    by_hour = [0] * _HOURS
    for hour, counts in hours.items():
        by_hour[(hour + _offset(hour // _HOURS, zone)) % _HOURS] += sum(counts)
    return by_hour


def judge_volume(days: Sequence[Day], usual: DailyRows, *, alpha: float, confidence_level: float) -> Volume:
    """Return whether fewer or more rows come on `days`, the whole ones since the baseline, than usual.

    Evidence for a factor since a day is the likelihood ratio of that factor to the nearest one that is no
    news (NO_NEWS, and what the baseline leaves open); of each stretch the days that speak loudest for a
    change do not count, SPECIAL_DAYS or BUSY_DAYS of them, as such days are part of unchanged traffic. It is
    found once the evidence for any of the factors, since any of the days, exceeds log(factors * days of ten
    years / alpha), and is over once it no longer does, or the newest days alone speak clearly against it.

    Source: Wasserman, Ramdas & Balakrishnan (2020), PNAS 117, 16880-16890 (universal inference: the ratio
    to the best null); Shin, Ramdas & Rinaldo (2024), New Engl. J. Stat. Data Sci. 2, 229-260 (e-detectors:
    one test started each day).
    """
    recent = [day for day in days[-LOOK_BACK_DAYS:] if usual.levels[day.weekday] > 0]
    best, change = evidence_limit(alpha), None
    for direction in Direction:
        found = _strongest(recent, usual, direction, beyond=best)
        if found > best:
            best, change = found, direction
    start = (
        _likely_start(recent, usual, change) if change is not None else max(0, len(recent) - _DAYS_OF_WEEK)
    )
    stretch = recent[start:]
    rows, expected = sum(day.rows for day in stretch), sum(usual.levels[day.weekday] for day in stretch)
    return Volume(
        usual=usual,
        days=len(recent),
        change=change,
        since=None if change is None else stretch[0].number,
        factor=_factor(stretch, usual, confidence_level),
        rows=rows,
        expected=expected,
        earlier=change is not None and start == 0 and len(days) > LOOK_BACK_DAYS,
    )


def change_onset(
    volume: Volume,
    baseline: Mapping[int, Counts],
    hours: Mapping[int, Counts],
    days: Sequence[Day],
    zone: tzinfo | None,
    *,
    confidence_level: float,
) -> Onset | None:
    """Return when the change that `volume` found began, to the hour; None without one, or if it is unclear.

    `baseline` and `hours` hold rows per class by hour since 1970, of the baseline and after it; `days` are
    the whole ones after it. In each hour as many rows are expected as are usual on the day of the week,
    spread over the day as in the baseline.
    """
    if volume.change is None:
        return None
    # Most traffic is as usual: what finds change points is loaded where there is a change.
    from sentimon.monitoring.onset_search import volume_onset

    spread = _rows_by_hour_of_day(baseline, zone)
    expected = {
        start_of_day(day.number, zone) + hour: volume.usual.levels[day.weekday] * rows / max(1, sum(spread))
        for day in days[-LOOK_BACK_DAYS:]
        for hour, rows in enumerate(spread)
    }
    return volume_onset(
        expected,
        {hour: sum(counts) for hour, counts in hours.items()},
        baseline_rows=sum(map(sum, baseline.values())),
        confidence_level=confidence_level,
    )


def evidence_limit(alpha: float) -> float:
    """Return the evidence, in nats, from which on a change is found."""
    return math.log((len(FEWER_FACTORS) + len(MORE_FACTORS)) * _HORIZON_DAYS / alpha)


def start_of_day(day: int, zone: tzinfo | None) -> int:
    """Return the first hour, since 1970 UTC, of a day of the calendar in `zone`."""
    return day * _HOURS - _offset(day, zone)


def _offset(day: int, zone: tzinfo | None) -> int:
    """Return the whole hours by which `zone` is ahead of UTC on a day since 1970."""
    if zone is UTC:
        return 0
    noon = start_of_hour(day * _HOURS + _HOURS // 2)
    offset = None if noon is None else in_zone(noon, zone).utcoffset()
    return 0 if offset is None else math.floor(offset / timedelta(hours=1))


def _fitted(days: Sequence[Day], kinds: Sequence[int]) -> DailyRows | None:
    """Return the levels of the days of the week, those of one kind alike; None where most days are empty."""
    groups: dict[int, list[int]] = {}
    for day in days:
        groups.setdefault(kinds[day.weekday], []).append(day.rows)
    medians = {kind: float(median(rows)) for kind, rows in groups.items()}
    least = max(1.0, _LEAST_LEVEL * max(medians.values()))
    judged = {kind: level for kind, level in medians.items() if level >= least}
    residuals = [
        math.log((rows + 0.5) / (level + 0.5)) for kind, level in judged.items() for rows in groups[kind]
    ]
    degrees = len(residuals) - len(judged)
    if degrees < _WEEKDAYS - 1:
        return None
    chance = sum(len(groups[kind]) / level for kind, level in judged.items()) / len(residuals)
    spread = _spread(residuals, degrees, chance)
    shapes = {kind: 1 / (spread * spread * (1 + _MEDIAN_VARIANCE / len(groups[kind]))) for kind in judged}
    return DailyRows(
        levels=tuple(judged.get(kind, 0.0) for kind in kinds),
        shapes=tuple(shapes.get(kind, 1.0) for kind in kinds),
        spread=spread,
        level_error=math.sqrt(_MEDIAN_VARIANCE * (spread * spread + chance) / len(residuals)),
        days=len(days),
    )


def _spread(residuals: Sequence[float], degrees: int, chance: float) -> float:
    """Return the upper 90 % limit of the standard deviation of days, beyond `chance` and without odd ones.

    Source: Wilson & Hilferty (1931), Proc. Natl. Acad. Sci. 17, 684-688, for the chi-square quantile.
    """
    scale = _NORMAL_MAD * median(abs(one) for one in residuals)
    kept = [one for one in residuals if abs(one) <= _OUTLIER * max(scale, _SMALLEST_SPREAD)]
    left = max(1, degrees - (len(residuals) - len(kept)))
    variance = max(0.0, sum(one * one for one in kept) / left - chance)
    part = 2 / (9 * left)
    low = max(0.05, (1 - part - _QUANTILE_90 * math.sqrt(part)) ** 3)
    return max(_SMALLEST_SPREAD, math.sqrt(variance / low))


def nearest_null(usual: DailyRows, direction: Direction) -> float:
    """Return the factor nearest to a change that is no news."""
    edge = NO_NEWS * math.exp(2 * usual.level_error)
    return edge if direction is Direction.MORE else 1 / edge


def day_evidence(day: Day, usual: DailyRows, factor: float, null: float) -> float:
    """Return the log likelihood ratio, cut from above, of the usual rows times `factor` to times `null`."""
    level, shape = usual.levels[day.weekday], usual.shapes[day.weekday]
    ratio = math.log((shape + factor * level) / (shape + null * level))
    most = _MOST_OF_A_SILENT_DAY if day.rows < LEAST_OF_A_DAY * level else MOST_OF_A_DAY
    return min(most, day.rows * math.log(factor / null) - (day.rows + shape) * ratio)


def _strongest(days: Sequence[Day], usual: DailyRows, direction: Direction, *, beyond: float) -> float:
    """Return the largest evidence of any stretch up to the last day, for any factor; `beyond` at least."""
    edge, best = nearest_null(usual, direction), beyond
    for factor in FEWER_FACTORS if direction is Direction.FEWER else MORE_FACTORS:
        if (factor < edge) is not (direction is Direction.FEWER):
            continue
        gains = [day_evidence(day, usual, factor, edge) for day in reversed(days)]
        # Mostly not even all of the evidence is enough, and nothing has to be taken off it.
        if max(accumulate(gains), default=0.0) > best:
            gains = gains[: _lasting(gains)]
            silent = [_excess(day, usual, factor, direction) for day in reversed(days[-len(gains) :])]
            best = max(best, *_counted_evidence(gains, silent, direction))
    return best


def _lasting(gains: Sequence[float]) -> int:
    """Return how many days, the newest first, to look back on: none from before a change was over."""
    total = 0.0
    for place, gain in enumerate(gains):
        # One odd day does not end a change either.
        total += max(gain, -MOST_OF_A_DAY)
        if total < -_RECOVERED:
            return place + 1
    return len(gains)


def _counted_evidence(
    gains: Sequence[float], silent: Sequence[float], direction: Direction
) -> Iterator[float]:
    """Yield the evidence of each stretch, the shortest first, without what special days may explain.

    `gains` and `silent` are the evidence of each day, the newest first, and the part of it that no holiday
    explains.
    """
    most = SPECIAL_DAYS if direction is Direction.FEWER else BUSY_DAYS
    total = 0.0
    loudest: list[tuple[float, float]] = []
    for gain, excess in zip(gains, silent, strict=True):
        total += gain
        heapq.heappush(loudest, (gain, excess))
        if len(loudest) > most:
            heapq.heappop(loudest)
        yield total - _uncounted(loudest, direction)


def _excess(day: Day, usual: DailyRows, factor: float, direction: Direction) -> float:
    """Return the evidence of a day that not even a holiday explains: fewer rows than any holiday has."""
    level = usual.levels[day.weekday]
    if direction is Direction.MORE or factor >= LEAST_OF_A_DAY or day.rows >= LEAST_OF_A_DAY * level:
        return 0.0
    return max(0.0, day_evidence(day, usual, factor, LEAST_OF_A_DAY))


def _uncounted(loudest: Iterable[tuple[float, float]], direction: Direction) -> float:
    """Return the evidence that does not count, as its days may be special: (all of it, beyond a holiday)."""
    ranked = sorted(((gain, excess) for gain, excess in loudest if gain > 0), reverse=True)
    free = EMPTY_DAYS if direction is Direction.FEWER else BUSY_DAYS
    return sum(gain - (excess if place >= free else 0.0) for place, (gain, excess) in enumerate(ranked))


def _likely_start(days: Sequence[Day], usual: DailyRows, change: Direction) -> int:
    """Return the place of the first day of the stretch, up to the last day, that is likeliest changed."""
    edge, best, start = nearest_null(usual, change), -math.inf, 0
    for factor in FEWER_FACTORS if change is Direction.FEWER else MORE_FACTORS:
        gains = [day_evidence(day, usual, factor, edge) for day in reversed(days)]
        for place, total in enumerate(accumulate(gains[: _lasting(gains)]), start=1):
            if total > best:
                best, start = total, len(days) - place
    return start


def _factor(days: Sequence[Day], usual: DailyRows, confidence_level: float) -> Estimate:
    """Return the rows of some days as a multiple of the usual ones, with its interval.

    It holds what the days, and the levels of the baseline, vary by.
    """
    expected = [usual.levels[day.weekday] for day in days]
    whole, rows = sum(expected), sum(day.rows for day in days)
    if not whole:
        return Estimate(value=None, low=None, high=None, n=0)
    varied = usual.spread**2 * sum(one * one for one in expected) / whole**2
    error = math.sqrt(varied + usual.level_error**2 + 1 / (rows + 0.5))
    wide = math.exp(normal_quantile(confidence_level) * error)
    value = rows / whole
    return Estimate(value=value, low=value / wide, high=(rows + 0.5) / whole * wide, n=len(days))
