"""When a change that has been found began: an hour with an interval, from the sums per hour of the log.

The hours before the change and after it tell how much hours vary beyond chance, and what their day is like;
both are taken into account, so that neither bursts nor a daily wave make an onset look surer than it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import add
from typing import TypeVar

from sentimon.monitoring.onset import ConfidenceSums, HourlyCounts, Onset
from sentimon.monitoring.watched_events import HOURS_OF_DAY, Counted
from sentimon.statistics.change_points import (
    ChangePoint,
    mean_change_point,
    mix_change_point,
    rate_change_point,
)
from sentimon.statistics.dispersion import (
    Wave,
    clustered_effect,
    correlation_of_means,
    correlation_of_mixes,
    daily_wave_of_means,
    daily_waves,
    mean_cluster_size,
    rate_dispersion,
)

_MANY_HOURS = 60 * 24
"""Enough to tell how hours vary; a longer log is searched for the day first."""
_SMALLEST_SWING = 0.2
"""Smallest share of a class at an hour of the day, as a part of its share over the day."""
T = TypeVar("T")
N = TypeVar("N", int, float)
Waves = tuple[Wave, Wave, Wave]
_FLAT = (Wave(1.0), Wave(1.0), Wave(1.0))
Cell = tuple[float, float, float]


def class_mix_onset(
    baseline: HourlyCounts, later: HourlyCounts, *, confidence_level: float = 0.95
) -> Onset | None:
    """Return when the class mix changed; None without rows, or where the newest hours are as usual again.

    `baseline` holds the rows of the baseline, `later` those after it. It is a change point of counts
    (`statistics.change_points`), after the counts of each hour were divided by the wave of the day and by
    their design effect. Both are found twice: in the baseline, then with the change roughly known in all
    hours before and after it.
    """
    later = {hour: counts for hour, counts in sorted(later.items()) if sum(counts)}
    baseline = {hour: counts for hour, counts in baseline.items() if sum(counts)}
    if not later or not baseline:
        return None
    return _onset_of_counts(baseline, later, baseline, confidence_level)


def event_onset(
    baseline: Counted, later: Mapping[int, Counted], place: int, *, confidence_level: float = 0.95
) -> Onset | None:
    """Return when the share of a watched event changed; None without rows, or where it is as usual again.

    It is the event at `place` of a group such as "the confidence is below a decile"; `baseline` are the
    counts of the group in the baseline, `later` those of each hour after it. The hours of the baseline are
    not known: it is taken to be spread evenly over the day, in hours as large as the later ones.
    """
    cells = {
        hour: (one.counts[place], 0, one.n - one.counts[place])
        for hour, one in sorted(later.items())
        if one.n
    }
    if not cells or not baseline.n:
        return None
    size = mean_cluster_size(map(sum, cells.values()))
    hours = HOURS_OF_DAY * max(1, round(baseline.n / (size * HOURS_OF_DAY)))
    count = baseline.counts[place]
    known = dict.fromkeys(range(hours), (count / hours, 0.0, (baseline.n - count) / hours))
    return _onset_of_counts(known, cells, {}, confidence_level)


def confidence_onset(
    baseline: ConfidenceSums, later: Mapping[int, ConfidenceSums], *, confidence_level: float = 0.95
) -> Onset | None:
    """Return when the mean confidence changed; None without rows, or where the newest are as usual again.

    `baseline` is the sum over the rows of the baseline that have a confidence, `later` that of each hour
    after it. What the day is like, and how much hours vary beyond chance, is found in the hours before and
    after the change, once it is roughly known.
    """
    later = {hour: sums for hour, sums in sorted(later.items()) if sums.rows}
    if not later or not baseline.rows:
        return None
    rough = _in_days(later, add) if _is_long(later) else later
    found = _mean_change(baseline, rough, (), confidence_level, recoveries=False)
    if found is None:
        return None
    parts = [part for part in _around(later, found.hour) if part]
    found = _mean_change(baseline, later, parts, confidence_level, recoveries=True)
    return _onset(found, {hour: sums.rows for hour, sums in later.items()}, confidence_level)


def volume_onset(
    expected: Mapping[int, float],
    rows: Mapping[int, int],
    *,
    baseline_rows: int,
    confidence_level: float = 0.95,
) -> Onset | None:
    """Return when the number of rows per hour changed; None where the newest hours are as usual again.

    `expected` holds the number of rows that is usual for each hour, from the first to the last whole one;
    `rows` those that came: an hour that it does not name had none. The expectation was made of
    `baseline_rows`. How much hours vary beyond a Poisson distribution, and whether hours in a row do so
    together, is found in the hours before and after the change, once it is roughly known.
    """
    expected = {hour: one for hour, one in sorted(expected.items()) if one > 0}
    if not expected:
        return None
    found = _rate_change(expected, rows, baseline_rows, (), confidence_level, recoveries=False)
    if found is None:
        return None
    parts = _around(expected, found.hour)
    found = _rate_change(expected, rows, baseline_rows, parts, confidence_level, recoveries=True)
    return _onset(found, {hour: rows.get(hour, 0) for hour in expected}, confidence_level)


def _is_long(hours: Mapping[int, object]) -> bool:
    """Return whether days are searched before hours, which is quicker."""
    return len(hours) > _MANY_HOURS


def _in_days(hours: Mapping[int, T], plus: Callable[[T, T], T]) -> Mapping[int, T]:
    """Return the sum over each day, at its first hour."""
    days: dict[int, T] = {}
    for hour, one in hours.items():
        day = hour - hour % HOURS_OF_DAY
        days[day] = plus(days[day], one) if day in days else one
    return days


def _around(hours: Mapping[int, T], hour: int) -> tuple[dict[int, T], dict[int, T]]:
    """Return (the last of many hours before an hour, the first of many after it); `hours` ascend."""
    before = [one for one in hours.items() if one[0] < hour]
    after = [one for one in hours.items() if one[0] > hour]
    return dict(before[-_MANY_HOURS:]), dict(after[:_MANY_HOURS])


def _onset(found: ChangePoint | None, rows: Mapping[int, int], confidence_level: float) -> Onset | None:
    if found is None:
        return None
    return Onset(
        hour=found.hour,
        first_hour=found.first,
        last_hour=found.last,
        rows=sum(count for hour, count in rows.items() if hour >= found.hour),
        confidence_level=confidence_level,
        from_the_start=found.first <= min(rows),
    )


def _onset_of_counts(
    baseline: Mapping[int, Cell], later: HourlyCounts, known: HourlyCounts, confidence_level: float
) -> Onset | None:
    """Return when the shares changed; `known` are the true hours of the baseline, if they are known."""
    if _is_long(later):
        rough = _mix_change(
            _in_days(baseline, _sum_of),
            _in_days(later, _sum_of),
            (_in_days(known, _sum_of),),
            confidence_level,
            recoveries=False,
        )
    else:
        rough = _mix_change(baseline, later, (known,), confidence_level, recoveries=False)
    if rough is None:
        return None
    usual, changed = _around(later, rough.hour)
    for hour, counts in known.items():
        usual[hour] = _sum_of(usual.get(hour, (0, 0, 0)), counts)
    found = _mix_change(baseline, later, (usual, changed), confidence_level, recoveries=True)
    return _onset(found, {hour: sum(counts) for hour, counts in later.items()}, confidence_level)


def _mix_change(
    baseline: Mapping[int, Cell],
    later: HourlyCounts,
    parts: Iterable[HourlyCounts],
    confidence_level: float,
    *,
    recoveries: bool,
) -> ChangePoint | None:
    """Return when the class mix changed; `parts` are hours of one mix each, which tell how hours vary."""
    known = [(part, daily_waves(part)) for part in parts if part]
    waves = max(known, key=_rows_with_rhythm)[1] if known else _FLAT
    correlation = correlation_of_mixes(known)
    swings = [[_swing(wave, hour) for wave in waves] for hour in range(HOURS_OF_DAY)]

    def adjusted(hour: int, counts: Cell) -> Cell:
        effect = clustered_effect(correlation, sum(counts))
        return _as_independent(counts, effect, swings[hour % HOURS_OF_DAY])

    known_before = [adjusted(hour, counts) for hour, counts in baseline.items()]
    negative, neutral, positive = (math.fsum(cell[place] for cell in known_before) for place in range(3))
    before = negative, neutral, positive
    cells = [adjusted(hour, counts) for hour, counts in later.items()]
    return mix_change_point(
        list(later), cells, before, confidence_level=confidence_level, recoveries=recoveries
    )


def _as_independent(counts: Cell, effect: float, swing: Sequence[float]) -> Cell:
    """Return the counts of an hour as if all rows were independent, and all hours of the day alike.

    `effect` is the design effect of the rows; `swing` how many times its share over the day each class has.
    """
    negative, neutral, positive = (
        count / (effect * times) for count, times in zip(counts, swing, strict=True)
    )
    return negative, neutral, positive


def _sum_of(one: tuple[N, N, N], other: tuple[N, N, N]) -> tuple[N, N, N]:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _rows_with_rhythm(known: tuple[HourlyCounts, Waves]) -> int:
    """Return the number of rows that a wave of the day was found in, 0 where there is none."""
    hours, waves = known
    return sum(map(sum, hours.values())) if any(wave.amplitude for wave in waves) else 0


def _swing(wave: Wave, hour: int) -> float:
    """Return how many times its share over the day a class has at an hour."""
    return max(_SMALLEST_SWING, wave.at(hour) / wave.share) if wave.amplitude else 1.0


def _mean_change(
    baseline: ConfidenceSums,
    later: Mapping[int, ConfidenceSums],
    parts: Sequence[Mapping[int, ConfidenceSums]],
    confidence_level: float,
    *,
    recoveries: bool,
) -> ChangePoint | None:
    """Return when the mean changed; `parts` are hours of one mean each, which tell how hours vary."""
    wholes = [_whole(part) for part in parts]
    # Where rows vary more on one side, the larger variance counts for both.
    variance = max(one.scatter / max(1, one.rows - 1) for one in (baseline, *wholes))
    around = [
        {hour: (sums.rows, sums.mean - whole.mean) for hour, sums in part.items()}
        for part, whole in zip(parts, wholes, strict=True)
    ]
    wave = daily_wave_of_means(_merged(around), variance) if around else Wave(0.0)
    correlation = correlation_of_means(around, wave, variance)
    cells = [
        (sums.rows / clustered_effect(correlation, sums.rows), sums.mean - (wave.at(hour) - wave.share))
        for hour, sums in later.items()
    ]
    size = mean_cluster_size(sums.rows for sums in later.values())
    reference = (baseline.rows / clustered_effect(correlation, size), baseline.mean)
    return mean_change_point(
        list(later),
        cells,
        reference,
        deviation=math.sqrt(variance),
        confidence_level=confidence_level,
        recoveries=recoveries,
    )


def _whole(part: Mapping[int, ConfidenceSums]) -> ConfidenceSums:
    return sum(part.values(), start=ConfidenceSums(rows=0, total=0, squares=0))


def _merged(parts: Iterable[Mapping[int, tuple[int, float]]]) -> Mapping[int, tuple[int, float]]:
    return {hour: cell for part in parts for hour, cell in part.items()}


def _rate_change(
    expected: Mapping[int, float],
    rows: Mapping[int, int],
    baseline_rows: int,
    parts: Iterable[Iterable[int]],
    confidence_level: float,
    *,
    recoveries: bool,
) -> ChangePoint | None:
    """Return when the rate changed; `parts` are hours of one rate each, which tell how hours vary."""
    found = [rate_dispersion((rows.get(hour, 0), expected[hour]) for hour in part) for part in parts]
    spread = max((one for one, _ in found), default=0.0)
    persistence = max((one for _, one in found), default=1.0)
    cells = []
    for hour, usual in expected.items():
        divisor = (1 + spread * usual) * persistence
        cells.append((rows.get(hour, 0) / divisor, usual / divisor))
    shrunk = sum(one for _, one in cells) / sum(expected.values())
    return rate_change_point(
        list(expected),
        cells,
        baseline_rows * shrunk,
        confidence_level=confidence_level,
        recoveries=recoveries,
    )
