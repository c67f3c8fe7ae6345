"""How much more the rows of slices vary from hour to hour than independent ones: for their decomposition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sentimon.prediction_log.summary import Counts
from sentimon.statistics.dispersion import (
    clustered_effect,
    daily_waves,
    design_effect,
    exceeds_chance,
    mean_cluster_size,
)
from sentimon.statistics.mix_decomposition import DesignEffect

HoursOfSlices = Mapping[str, Mapping[int, Counts]]
"""Rows per class by slice and hour since 1970."""
_HOURS = 24
_FEWEST_ROWS = 50
"""Of a slice, for its classes to tell anything."""


def design_effects(before: HoursOfSlices, after: HoursOfSlices) -> tuple[DesignEffect, DesignEffect]:
    """Return the design effects of both sides of a decomposition, told from the hours of the baseline.

    Of the traffic it is how much more the number of rows of each slice varies than a multinomial, around the
    traffic mix of its hour of the day; within slices, how much more the classes of a slice vary around their
    daily wave. Either gives an intraclass correlation of the rows of one hour, which holds for both sides:
    1 + (size of a cluster - 1) * correlation. It is 1 where the baseline's hours may differ by chance.

    Source: Kish (1965), Survey Sampling, 5.4 and 8.2; Rao & Scott (1981), J. Am. Stat. Assoc. 76, 221-230.
    """
    traffic, within = _correlation(_traffic(before)), _correlation(_within(before))
    of_before, of_after = (
        DesignEffect(
            traffic=clustered_effect(traffic, mean_cluster_size(_rows_by_hour(side).values())),
            within=clustered_effect(within, mean_cluster_size(_sizes(side))),
        )
        for side in (before, after)
    )
    return of_before, of_after


def _correlation(parts: Iterator[tuple[float, float, int]]) -> float:
    """Return the correlation, 0 .. 1, that parts imply, each as `_traffic` and `_within` yield them."""
    square = expected = 0.0
    degrees = 0
    for own, sizes, free in parts:
        square, expected, degrees = square + own, expected + sizes, degrees + free
    if degrees < 1 or expected <= 0 or not exceeds_chance(square / degrees, degrees):
        return 0.0
    return min(1.0, (square - degrees) / expected)


def _traffic(slices: HoursOfSlices) -> Iterator[tuple[float, float, int]]:
    """Yield (chi-square of rows by slice, degrees * (mean rows - 1), degrees) of each hour of the day."""
    totals = _rows_by_hour(slices)
    for clock in range(_HOURS):
        hours = [hour for hour in totals if hour % _HOURS == clock]
        all_rows = sum(totals[hour] for hour in hours)
        own = [[sum(counts) if (counts := one.get(hour)) else 0 for hour in hours] for one in slices.values()]
        seen = [rows for rows in own if sum(rows)]
        each = len(seen) - 1
        square = sum(
            (count - totals[hour] * sum(rows) / all_rows) ** 2 / (totals[hour] * sum(rows) / all_rows)
            for rows in seen
            for hour, count in zip(hours, rows, strict=True)
        )
        degrees = max(0, len(hours) - 1) * max(0, each)
        if degrees:
            mean = all_rows / len(hours)
            yield square, degrees * (mean - 1), degrees


def _within(slices: HoursOfSlices) -> Iterator[tuple[float, float, int]]:
    """Yield (chi-square of the classes, degrees * (mean rows - 1), degrees) of each slice."""
    for hours in slices.values():
        known = {hour: counts for hour, counts in hours.items() if any(counts)}
        rows = sum(map(sum, known.values()))
        if rows >= _FEWEST_ROWS:
            effect, degrees = _chi_square(known)
            yield effect, degrees * (rows / len(known) - 1), degrees


def _chi_square(hours: Mapping[int, Counts]) -> tuple[float, int]:
    effect, degrees = design_effect(hours, daily_waves(hours))
    return effect * degrees, degrees


def _rows_by_hour(slices: HoursOfSlices) -> dict[int, int]:
    rows: dict[int, int] = {}
    for hours in slices.values():
        for hour, counts in hours.items():
            if any(counts):
                rows[hour] = rows.get(hour, 0) + sum(counts)
    return rows


def _sizes(slices: HoursOfSlices) -> list[int]:
    return [sum(counts) for hours in slices.values() for counts in hours.values()]
