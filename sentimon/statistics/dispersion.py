"""Overdispersion: how much more rows vary from hour to hour than chance makes of independent ones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import msgspec

from sentimon.prediction_log.summary import Counts

_HOURS = 24
_HANDS = [
    (math.cos(2 * math.pi * hour / _HOURS), math.sin(2 * math.pi * hour / _HOURS)) for hour in range(_HOURS)
]
"""Cosine and sine of each hour of the day: computed again for each event they would be most of a check."""
_WORTH_DIVIDING = 1.2
"""A smaller design effect is ignored."""
_QUANTILE_95 = 1.6449
"""Of the standard normal distribution, one-sided."""
_COEFFICIENTS = 2
"""Of a wave; chance alone explains about one unit of variance for each."""
_MOST_ALIKE = 0.9
"""Largest correlation of successive hours that is believed."""
_FEWEST_HOURS_OF_DAY = 18
"""With fewer hours of the day a wave cannot be told from a different mean."""


class Wave(msgspec.Struct, frozen=True):
    """The share of a class over the day: share + cosine * cos(angle) + sine * sin(angle), 24 h a turn."""

    share: float
    cosine: float = 0.0
    sine: float = 0.0
    kept: float = 0.0
    """The part of the fitted cosine and sine, 0 .. 1, that is kept: what chance explains is left out."""

    @property
    def amplitude(self) -> float:
        """Return how far the share swings to either side of its mean, 0 .. 1."""
        return math.hypot(self.cosine, self.sine)

    def at(self, hour: int) -> float:
        """Return the share in an hour, counted since 1970; it may lie slightly outside 0 .. 1."""
        cosine, sine = _HANDS[hour % _HOURS]
        return self.share + self.cosine * cosine + self.sine * sine

    def variance_at(self, clock: Sequence[int]) -> float:
        """Return the variance of the share expected of some rows, as a multiple, >= 1, of the mean share's.

        `clock` holds the number of those rows in each hour of the day. Around the clock the errors of cosine
        and sine cancel out; in a single hour they treble the variance of a wave that is kept whole.

        Source: Morris (1983), J. Am. Stat. Assoc. 78, 47-55 (the variance of an estimate that is shrunk).
        """
        if not self.kept:
            return 1.0
        total = max(1, sum(clock))
        cosine = sum(rows * hand for rows, (hand, _) in zip(clock, _HANDS, strict=False)) / total
        sine = sum(rows * hand for rows, (_, hand) in zip(clock, _HANDS, strict=False)) / total
        return 1 + 2 * self.kept * (cosine * cosine + sine * sine)


def daily_waves(hours: Mapping[int, Counts]) -> tuple[Wave, Wave, Wave]:
    """Return the daily wave of the share of each class, in Sentiment order.

    `hours` holds rows per class by hour, at least one of them. Each wave of 24 hours is fitted by least
    squares, weighted by rows, and shrunk towards its mean by what chance alone explains: a wave no larger
    than chance is flat. Where the rows of an hour are alike, chance explains as many times more as the
    design effect is large. It is also flat where the rows cover fewer than 18 hours of the day.

    Source: Bliss (1958), Periodic Regression in Biology and Climatology; James & Stein (1961), Proc. 4th
    Berkeley Symp. 1, 361-379, the positive part, for the two coefficients.
    """
    covered = {hour % _HOURS for hour, counts in hours.items() if sum(counts)}
    cells = [(hour, sum(counts), counts) for hour, counts in hours.items() if sum(counts)]
    rows = sum(size for _, size, _ in cells)
    if len(covered) < _FEWEST_HOURS_OF_DAY:
        flat = [Wave(sum(counts[place] for _, _, counts in cells) / rows) for place in range(3)]
        return flat[0], flat[1], flat[2]
    negative, neutral, positive = (
        _fitted([(hour, size, counts[place]) for hour, size, counts in cells], rows) for place in range(3)
    )
    effect, degrees = design_effect(hours, [one.whole for one in (negative, neutral, positive)])
    alike = 1.0
    if exceeds_chance(effect, degrees):
        size = mean_cluster_size(size for _, size, _ in cells)
        alike = clustered_effect(intraclass_correlation(effect, hours), size)
    return negative.shrunk(alike), neutral.shrunk(alike), positive.shrunk(alike)


def design_effect(hours: Mapping[int, Counts], waves: Sequence[Wave]) -> tuple[float, int]:
    """Return (design effect, >= 1; its degrees of freedom): how far the variance per hour exceeds chance.

    It is the variance inflation of clustered sampling: Pearson's chi-square of the rows of each class in
    each hour around the daily `waves`, divided by its degrees of freedom. Without degrees of freedom it
    is 1.

    Source: Rao & Scott (1981), J. Am. Stat. Assoc. 76, 221-230; Kish (1965), Survey Sampling, 8.2.
    """
    seen = [place for place, wave in enumerate(waves) if wave.share > 0]
    fitted = 2 * sum(wave.amplitude > 0 for wave in waves)
    degrees = (len(hours) - 1) * (len(seen) - 1) - min(fitted, 4)
    if degrees < 1:
        return 1.0, 0
    square = 0.0
    for hour, counts in hours.items():
        size = sum(counts)
        for place in seen:
            # A fitted share may be negative or tiny, which would divide by almost nothing.
            expected = size * max(waves[place].at(hour), waves[place].share / 10)
            square += (counts[place] - expected) ** 2 / expected if size else 0.0
    return max(1.0, square / degrees), degrees


def intraclass_correlation(effect: float, hours: Mapping[int, Counts]) -> float:
    """Return the correlation of two rows of one hour, 0 .. 1, that a design effect implies.

    Pearson's chi-square gives each hour the same weight, so the plain mean of the hour sizes counts.

    Source: Kish (1965), Survey Sampling, 5.4.
    """
    sizes = [sum(counts) for counts in hours.values() if sum(counts)]
    mean = sum(sizes) / len(sizes) if sizes else 1.0
    return min(1.0, (effect - 1) / (mean - 1)) if mean > 1 else 0.0


def clustered_effect(correlation: float, mean_cluster_size: float) -> float:
    """Return the design effect, >= 1, of rows in clusters of a mean size; 1 where it is below 1.2.

    `mean_cluster_size` is the mean over the rows, not over the hours: where hours differ in size, most rows
    are in large ones.

    Source: Kish (1965), Survey Sampling, 5.4: 1 + (size of a cluster - 1) * correlation.
    """
    effect = 1 + max(0.0, mean_cluster_size - 1) * correlation
    return effect if effect > _WORTH_DIVIDING else 1.0


def exceeds_chance(effect: float, degrees: int) -> bool:
    """Return whether a design effect is larger than independent rows would show by chance (one-sided, 5 %).

    Source: Wilson & Hilferty (1931), Proc. Natl. Acad. Sci. 17, 684-688, for the chi-square quantile.
    """
    if degrees < 1:
        return False
    spread = 2 / (9 * degrees)
    return bool((effect ** (1 / 3) - (1 - spread)) / math.sqrt(spread) > _QUANTILE_95)


class _Fitted(msgspec.Struct, frozen=True):
    """A daily wave as it was fitted."""

    whole: Wave
    explained: float = 0.0
    """How much of the variance of independent rows it explains: by chance about one for each coefficient."""

    def shrunk(self, effect: float) -> Wave:
        """Return the wave without what chance explains of rows that have this design effect, >= 1."""
        chance = _COEFFICIENTS * effect
        kept = 1 - chance / self.explained if self.explained > chance else 0.0
        whole = self.whole
        return Wave(whole.share, kept * whole.cosine, kept * whole.sine, kept)


def _fitted(cells: Sequence[tuple[int, int, int]], rows: int) -> _Fitted:
    """Return the wave of one class; `cells` are (hour, rows, rows of the class), `rows` their sum."""
    share = sum(count for _, _, count in cells) / rows
    if not 0 < share < 1:
        return _Fitted(Wave(share))
    excesses = [(hour, size, count - size * share) for hour, size, count in cells]
    return _fit(share, excesses, share * (1 - share))


def _fit(mean: float, cells: Sequence[tuple[int, float, float]], variance: float) -> _Fitted:
    """Return the wave of numbers of this `mean` and `variance`.

    `cells` are (hour, weight, sum of the distances from the mean over all).
    """
    # A long log has thousands of hours, and the day but 24.
    sizes, excesses = [0.0] * _HOURS, [0.0] * _HOURS
    for hour, size, excess in cells:
        sizes[hour % _HOURS] += size
        excesses[hour % _HOURS] += excess
    rows = sum(sizes)
    points = [(size, excess, *hand) for size, excess, hand in zip(sizes, excesses, _HANDS, strict=True)]
    # The fit has a constant, too: both parts of the wave are taken around their weighted means.
    mean_c = sum(size * c for size, _, c, _ in points) / rows
    mean_s = sum(size * s for size, _, _, s in points) / rows
    cc = sum(size * (c - mean_c) ** 2 for size, _, c, _ in points)
    ss = sum(size * (s - mean_s) ** 2 for size, _, _, s in points)
    cs = sum(size * (c - mean_c) * (s - mean_s) for size, _, c, s in points)
    cy = sum(excess * (c - mean_c) for _, excess, c, _ in points)
    sy = sum(excess * (s - mean_s) for _, excess, _, s in points)
    determinant = cc * ss - cs * cs
    if determinant <= 0:
        return _Fitted(Wave(mean))
    cosine, sine = (cy * ss - sy * cs) / determinant, (sy * cc - cy * cs) / determinant
    return _Fitted(Wave(mean, cosine, sine, 1.0), (cosine * cy + sine * sy) / variance)


def daily_wave_of_means(cells: Mapping[int, tuple[float, float]], variance: float) -> Wave:
    """Return the daily wave of the mean of numbers that have this `variance` around it.

    `cells` holds (rows, mean) by hour; the wave is fitted and shrunk like that of a share.
    """
    rows = sum(size for size, _ in cells.values())
    mean = sum(size * one for size, one in cells.values()) / rows
    if variance <= 0 or len({hour % _HOURS for hour in cells}) < _FEWEST_HOURS_OF_DAY:
        return Wave(mean)
    excesses = [(hour, size, size * (one - mean)) for hour, (size, one) in cells.items()]
    found = _fit(mean, excesses, variance)
    around = [(size, one - found.whole.at(hour)) for hour, (size, one) in cells.items()]
    effect, degrees = design_effect_of_means(around, variance)
    alike = 1.0
    if exceeds_chance(effect, degrees):
        sizes = {hour: (round(size), 0, 0) for hour, (size, _) in cells.items()}
        size = mean_cluster_size(sum(counts) for counts in sizes.values())
        alike = clustered_effect(intraclass_correlation(effect, sizes), size)
    return found.shrunk(alike)


def design_effect_of_means(cells: Iterable[tuple[float, float]], variance: float) -> tuple[float, int]:
    """Return (design effect, >= 1; its degrees of freedom) of the means of hours, (rows, mean) each.

    It is the variance between hours over that of independent rows, which have this `variance` each: the
    ratio that an analysis of variance tests. Without degrees of freedom, or variance, it is 1.

    Source: Kish (1965), Survey Sampling, 5.4.
    """
    known = list(cells)
    degrees = len(known) - 1
    if degrees < 1 or variance <= 0:
        return 1.0, 0
    mean = sum(size * one for size, one in known) / sum(size for size, _ in known)
    between = sum(size * (one - mean) ** 2 for size, one in known) / degrees
    return max(1.0, between / variance), degrees


def mean_cluster_size(sizes: Iterable[int]) -> float:
    """Return the mean over the rows of the size of the cluster that each is in, >= 1; 1 without rows.

    >>> mean_cluster_size([30, 10])
    25.0
    """
    known = list(sizes)
    return sum(size * size for size in known) / sum(known) if any(known) else 1.0


def rate_dispersion(cells: Iterable[tuple[int, float]]) -> tuple[float, float]:
    """Return (spread, persistence) of the numbers of rows in successive hours, (rows, expected rows) each.

    With a common factor f, rows vary around f times the expected rows m: f m + spread (f m)^2 is their
    variance, and `persistence` >= 1 is what it has to be multiplied with where hours in a row go astray
    together, (1 + r) / (1 - r) at a correlation r of neighbours. Each is (0, 1) where it may be chance.

    Source: Breslow (1984), Appl. Stat. 33, 38-44, for the spread.
    """
    known = [(rows, expected) for rows, expected in cells if expected > 0]
    total, degrees = sum(rows for rows, _ in known), len(known) - 1
    if degrees < 1 or not total:
        return 0.0, 1.0
    factor = total / sum(expected for _, expected in known)
    fitted = [(rows, factor * expected) for rows, expected in known]
    square = sum((rows - mean) ** 2 / mean for rows, mean in fitted)
    spread = 0.0
    if exceeds_chance(square / degrees, degrees):
        over = sum((rows - mean) ** 2 - mean for rows, mean in fitted)
        spread = max(0.0, over / sum(mean * mean for _, mean in fitted))
    distances = [(rows - mean) / math.sqrt(mean + spread * mean * mean) for rows, mean in fitted]
    return spread, persistence([distances])


def persistence(series: Iterable[Sequence[float]], *, part: float = 1.0) -> float:
    """Return how many times the variance of a sum over successive hours is that of independent ones, >= 1.

    `series` are distances from what was expected, hour by hour, and `part` is that of their variance, 0 .. 1,
    which may persist; the rest is chance. It is (1 + r) / (1 - r) at a correlation r of neighbours, and 1
    where they may be independent.

    Source: Bartlett (1946), J. R. Stat. Soc. Suppl. 8, 27-41.
    """
    known = list(series)
    squares = sum(one * one for distances in known for one in distances)
    together = sum(one * other for distances in known for one, other in pairwise(distances))
    seen = together / squares if squares else 0.0
    if seen * math.sqrt(sum(map(len, known))) <= _QUANTILE_95:
        return 1.0
    correlation = min(seen / part, _MOST_ALIKE)
    return (1 + correlation) / (1 - correlation)


def correlation_of_mixes(parts: Iterable[tuple[Mapping[int, Counts], Sequence[Wave]]]) -> float:
    """Return the intraclass correlation of the rows of an hour, 0 .. 1; 0 where it may be chance.

    Each part has a class mix of its own: (rows per class by hour, its daily waves). Where hours in a row go
    astray together, the correlation is as much larger as makes up for it.
    """
    square, degrees = 0.0, 0
    sizes: dict[int, Counts] = {}
    series = []
    for hours, waves in parts:
        effect, own = design_effect(hours, waves)
        square, degrees = square + effect * own, degrees + own
        sizes.update(hours)
        place = max(range(3), key=lambda one: waves[one].share * (1 - waves[one].share))
        series.append(
            [_distance(counts, place, waves[place].at(hour)) for hour, counts in sorted(hours.items())]
        )
    return _correlation(square / degrees if degrees else 1.0, degrees, sizes, series)


def correlation_of_means(
    parts: Iterable[Mapping[int, tuple[int, float]]], wave: Wave, variance: float
) -> float:
    """Return the intraclass correlation of the rows of an hour, 0 .. 1; 0 where it may be chance.

    Each part holds (rows, distance from the mean of the part) by hour; the `wave` is that of all, and
    `variance` that of one row. Where hours in a row go astray together, the correlation is as much larger as
    makes up for it.
    """
    square, degrees = 0.0, 0
    sizes: dict[int, Counts] = {}
    series = []
    for part in parts:
        cells = [(rows, mean - (wave.at(hour) - wave.share)) for hour, (rows, mean) in sorted(part.items())]
        effect, own = design_effect_of_means(cells, variance)
        square, degrees = square + effect * own, degrees + own
        sizes.update({hour: (rows, 0, 0) for hour, (rows, _) in part.items()})
        series.append([math.sqrt(rows) * mean for rows, mean in cells])
    return _correlation(square / degrees if degrees else 1.0, degrees, sizes, series)


def _distance(counts: Counts, place: int, share: float) -> float:
    """Return how far the rows of a class are from its share of them, in units of the root of the rows."""
    rows = sum(counts)
    return (counts[place] - rows * share) / math.sqrt(rows) if rows else 0.0


def _correlation(
    effect: float, degrees: int, sizes: Mapping[int, Counts], series: Iterable[Sequence[float]]
) -> float:
    if not exceeds_chance(effect, degrees):
        return 0.0
    found = intraclass_correlation(effect, sizes)
    return min(1.0, found * persistence(series, part=1 - 1 / effect))
