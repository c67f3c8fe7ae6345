"""How far the class mix is from the baseline over some looks, and how small a shift they could show."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from sentimon.config.settings import MonitorSettings
from sentimon.monitoring.monitor_look import divided, event_limits, matters
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.watched_events import Window
from sentimon.statistics.distances import wasserstein_distance, wasserstein_interval
from sentimon.statistics.intervals import Estimate
from sentimon.statistics.shift_test import shift_p_value


@dataclass(frozen=True, slots=True, kw_only=True)
class Detectable:
    """The smallest change of a share that so many rows would raise an alarm on."""

    rows: int
    shift: float | None
    """0 .. 1; the largest over the classes. None where no change would."""


def score_of(reference: Reference, window: Window, *, confidence_level: float) -> Estimate:
    """Return the Wasserstein-1 distance of some rows from the baseline; `n` is their number."""
    before = [reference.expected(0, place, window.clock)[0] for place in range(3)]
    after = window.groups[0].counts
    low, high = wasserstein_interval(before, after, confidence_level=confidence_level)
    return Estimate(value=wasserstein_distance(before, after), low=low, high=high, n=window.rows)


def detectable(
    reference: Reference, window: Window, check: int, settings: MonitorSettings, *, confidence_level: float
) -> Detectable:
    """Return the smallest shift of a class share that as many rows as in `window` would raise an alarm on."""
    limit = event_limits(reference, check, settings)[0]
    shifts = [_smallest(reference, place, window, limit, settings, confidence_level) for place in range(3)]
    possible = [shift for shift in shifts if shift is not None]
    return Detectable(rows=window.rows, shift=max(possible, default=None))


def _smallest(
    reference: Reference,
    place: int,
    window: Window,
    limit: float,
    settings: MonitorSettings,
    confidence_level: float,
) -> float | None:
    """Return the smaller of the least rise and the least fall of a class share that would alarm."""
    classes = reference.groups[0]
    b, m, rows = classes.reference.counts[place], classes.reference.n, window.rows
    before, divisor = divided((b, m), reference.divisor), reference.divisor_of(window)

    def alarms(count: int) -> bool:
        p = shift_p_value(divided((count, rows), divisor), before, tolerance=settings.tau, enough=limit)
        return p <= limit and matters(
            (b, m), (count, rows), settings.delta, confidence_level=confidence_level
        )

    middle = b * rows // m
    rise = bisect_left(range(rows - middle), True, key=lambda more: alarms(middle + more))
    fall = bisect_left(range(middle), True, key=lambda fewer: alarms(middle - fewer))
    counts = [count for count in (middle + rise, middle - fall) if alarms(count)]
    return min((abs(count / rows - b / m) for count in counts), default=None)
