"""What the monitor says after a check: the verdict, the effect, and the smallest shift it could detect."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sentimon.config.settings import MonitorSettings, Settings
from sentimon.labels import Sentiment
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.drift_decision import Reason, Verdict, reason_of
from sentimon.monitoring.finding import Finding, ValueFinding, reaches_delta, share_difference
from sentimon.monitoring.incident import Incident
from sentimon.monitoring.monitor_check import MonitorCheck
from sentimon.monitoring.monitor_reference import ADVISED_ROWS, FEWEST_ROWS, Reference
from sentimon.monitoring.monitor_state import MonitorState
from sentimon.monitoring.onset import Onset
from sentimon.monitoring.shift_tests import event_limits, latest_look_back, scaled_down
from sentimon.monitoring.slice_shifts import whole_settings
from sentimon.monitoring.watched_events import EventWindow, sum_windows
from sentimon.prediction_log.slices import OTHER
from sentimon.statistics.distances import wasserstein_distance, wasserstein_interval
from sentimon.statistics.fisher_test import shift_p_value
from sentimon.statistics.intervals import Estimate, normal_quantile

_MOST_ROWS = 1 << 24


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorReport:
    """The result of one check; `look` is None where there were too few new rows for a check."""

    baseline: Baseline
    reference: Reference
    look: MonitorCheck | None
    checks: int
    """Checks since the baseline was made, this one included."""
    new: int
    """New rows; where there was no check they are part of the next one."""
    min_samples: int
    delta: float
    threshold: float
    """How large a change has to be, 0 .. 1, that rows must be able to show before they count as stable.

    It is that of a single look, and at least delta: the monitor looks for nothing smaller.
    """
    confidence_level: float
    incident: Incident | None
    """The incident that is open, or that this check closed."""
    over: int
    """Number of checks, the newest ones, that `score` and `counts` cover; 0 without a check."""
    counts: tuple[int, int, int]
    """Rows of each class in those checks, in Sentiment order."""
    score: Estimate
    """Wasserstein-1 distance of those rows from the baseline, 0 .. 1."""
    in_this: DetectableShift | None
    """The smallest shift of a class share that would have raised an alarm in the new rows alone.

    Of a first look, which judges one day after the other, in those of the last day.
    """
    in_all: DetectableShift | None
    """The same in the most rows since the last alarm that were tested together; None without any."""
    needed: int | None
    """Rows since the last alarm in which a change as large as the threshold would be seen.

    None where those that were tested are enough, or no number is.
    """
    crowded: Mapping[str, int]
    """For each watched field the hours with too many of its values to tell them apart: of these hours nothing
    is known by that field. Fields without such hours are not in it."""

    @property
    def reason(self) -> Reason:
        """Return the line of the table of verdicts that fits.

        Above the threshold is an open incident; more than chance and below it are shares that moved by
        less than delta.
        """
        if self.look is None and not self.drifting:
            return Reason.TOO_FEW_ROWS
        return reason_of(
            above=self.drifting, surely=self.drifting or bool(self.warnings), detectable=self.enough
        )

    @property
    def verdict(self) -> Verdict:
        """Return the verdict that follows from the reason."""
        return self.reason.verdict

    @property
    def enough(self) -> bool:
        """Return whether a change as large as the threshold would have been seen since the last alarm."""
        smallest = None if self.in_all is None else self.in_all.shift
        return self.closed or (smallest is not None and smallest <= self.threshold)

    @property
    def drifting(self) -> bool:
        """Return whether an incident is open."""
        return self.incident is not None and not self.closed

    @property
    def opened(self) -> bool:
        """Return whether this check opened the incident."""
        return self.look is not None and self.look.opened

    @property
    def closed(self) -> bool:
        """Return whether this check closed the incident."""
        return self.look is not None and self.look.closed

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Return the events that moved by more than chance, but by less than delta."""
        return () if self.look is None else self.look.warnings

    @property
    def values(self) -> tuple[ValueFinding, ...]:
        """Return the values of declared fields that this check found to be new, or gone."""
        return () if self.look is None else self.look.values

    @property
    def small(self) -> int | None:
        """Return how many rows the baseline should have, None where it has enough for a monitor."""
        return ADVISED_ROWS if self.reference.rows < FEWEST_ROWS else None

    @property
    def moved_most(self) -> float | None:
        """Return the largest change of a watched share, 0 .. 1: of the incident, else of the classes."""
        if self.largest_finding is not None:
            return abs(self.largest_finding.difference)
        known = self.reference.groups[0].reference
        rows = sum(self.counts)
        changes = (
            abs(share_difference((b, known.n), (x, rows)))
            for b, x in zip(known.counts, self.counts, strict=True)
            if rows
        )
        return max(changes, default=None)

    @property
    def risen_most(self) -> Sentiment | None:
        """Return the class whose share rose most in the checks that `counts` covers; None without rows.

        Where a slice drifted, it is the class that rose in the slice; None where none has risen for sure.
        """
        if self.moved_slice is not None and self.incident is not None:
            inside = [one for one in self.incident.findings if one.where == self.incident.findings[0].where]
            return next((Sentiment(one.place) for one in inside if one.difference > 0), None)
        known, rows = self.reference.groups[0].reference, sum(self.counts)
        if not rows:
            return None
        return max(Sentiment, key=lambda place: self.counts[place] / rows - known.counts[place] / known.n)

    @property
    def open_onset(self) -> Onset | None:
        """Return when the change behind the open incident began; None without one, or where unknown."""
        return self.incident.onset if self.incident is not None and self.drifting else None

    @property
    def told(self) -> bool:
        """Return whether a trigger has fired on the incident."""
        return self.incident is not None and self.incident.told

    @property
    def moved_slice(self) -> tuple[str, str] | None:
        """Return the slice (field, value) that the most significant finding of the open incident is of.

        None where that is the whole, or the rows of all values that are not watched, which have no name.
        """
        where = self.incident.findings[0].where if self.incident is not None and self.drifting else None
        return None if where is None or where[1] == OTHER else where

    @property
    def largest_finding(self) -> Finding | None:
        """Return the finding of the open incident whose share moved most; None where none is open."""
        found = self.incident.findings if self.incident is not None and self.drifting else ()
        return max(found, key=lambda one: abs(one.difference), default=None)


def monitor_report(
    baseline: Baseline,
    reference: Reference,
    look: MonitorCheck | None,
    settings: Settings,
    *,
    new: int,
    before: MonitorState,
    crowded: Mapping[str, int] = MappingProxyType({}),
) -> MonitorReport:
    """Return the report of a check of `new` rows by a monitor in the state `before`.

    `look` is None where they were too few for a check: what the last one could have seen still holds.
    `crowded` are the hours of each field that have too many of its values.
    """
    level = settings.drift.confidence_level
    over, counts, score = 0, (0, 0, 0), Estimate(value=None, low=None, high=None, n=0)
    if look is not None:
        over = look.alarms[0].windows if look.alarms else len(look.windows)
        window = sum_windows(look.windows[-over:])
        negative, neutral, positive = window.groups[0].counts
        counts, score = (negative, neutral, positive), score_of(reference, window, confidence_level=level)
    # Slices have their share of alpha.
    monitor = whole_settings(settings.monitor, len(baseline.watched_fields))
    threshold = max(settings.drift.threshold, settings.monitor.delta)
    in_this, in_all, needed = _power(
        reference, look, before, monitor, threshold=threshold, confidence_level=level
    )
    return MonitorReport(
        baseline=baseline,
        reference=reference,
        look=look,
        checks=before.checks if look is None else look.check,
        new=new,
        min_samples=settings.drift.min_samples,
        threshold=threshold,
        delta=settings.monitor.delta,
        confidence_level=level,
        incident=before.incident if look is None else look.incident,
        over=over,
        counts=counts,
        score=score,
        in_this=in_this,
        in_all=in_all,
        needed=needed,
        crowded=crowded,
    )


def _power(
    reference: Reference,
    look: MonitorCheck | None,
    before: MonitorState,
    settings: MonitorSettings,
    *,
    threshold: float,
    confidence_level: float,
) -> tuple[DetectableShift | None, DetectableShift | None, int | None]:
    """Return what could have been seen, as `in_this`, `in_all` and `needed` of a report."""

    def detectable(tested: tuple[int, EventWindow] | None) -> DetectableShift | None:
        if tested is None:
            return None
        check, window = tested
        return detectable_shift(reference, window, check, settings, confidence_level=confidence_level)

    most = settings.look_backs
    if look is None:
        return None, detectable(latest_look_back(before.windows, before.checks, most)), None
    # A first look judges its rows day by day, and not as one.
    in_this = detectable((look.check, look.windows[-1]))
    in_all = detectable(latest_look_back(look.windows, look.check, most))
    if in_all is None or (in_all.shift or 1.0) <= threshold:
        return in_this, in_all, None
    needed = rows_to_detect_shift(
        reference,
        sum_windows(look.windows),
        look.check,
        settings,
        threshold=threshold,
        confidence_level=confidence_level,
    )
    return in_this, in_all, needed


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectableShift:
    """The smallest shift of a class share that would raise an alarm among some number of rows."""

    rows: int
    shift: float | None
    """0 .. 1, the largest over the classes; None where no shift would raise an alarm."""


def score_of(reference: Reference, window: EventWindow, *, confidence_level: float) -> Estimate:
    """Return the Wasserstein-1 distance, 0 .. 1, of some rows from the baseline; `n` is their number.

    The baseline is taken at the hours of the day that the rows come from.
    """
    before = [reference.expected(0, place, window.clock)[0] for place in range(3)]
    after = window.groups[0].counts
    low, high = wasserstein_interval(before, after, confidence_level=confidence_level)
    return Estimate(value=wasserstein_distance(before, after), low=low, high=high, n=window.rows)


def detectable_shift(
    reference: Reference,
    window: EventWindow,
    check: int,
    settings: MonitorSettings,
    *,
    confidence_level: float,
    rows: int | None = None,
) -> DetectableShift:
    """Return the smallest shift that would raise an alarm at a check of as many rows as in `window`.

    With `rows` it is that of so many rows of the same hours of the day.
    """
    limit = event_limits(reference, check, settings)[0]
    size = window.rows if rows is None else rows
    shifts = [
        _smallest(reference, place, window, limit, settings, confidence_level, size)
        for place, _ in reference.groups[0].watched
    ]
    possible = [shift for shift in shifts if shift is not None]
    return DetectableShift(rows=size, shift=max(possible, default=None))


def rows_to_detect_shift(
    reference: Reference,
    window: EventWindow,
    check: int,
    settings: MonitorSettings,
    *,
    threshold: float,
    confidence_level: float,
) -> int | None:
    """Return the fewest rows like those in `window` in which a shift by `threshold` would raise an alarm.

    None where no number of rows is enough, as the baseline has too few.
    """

    def enough(rows: int) -> bool:
        found = detectable_shift(
            reference, window, check, settings, confidence_level=confidence_level, rows=rows
        )
        return found.shift is not None and found.shift <= threshold

    most = max(1, window.rows)
    while not enough(most):
        most *= 2
        if most > _MOST_ROWS:
            return None
    return 1 + bisect_left(range(1, most), True, key=enough)


def _smallest(
    reference: Reference,
    place: int,
    window: EventWindow,
    limit: float,
    settings: MonitorSettings,
    confidence_level: float,
    rows: int,
) -> float | None:
    """Return the smallest rise or fall, 0 .. 1, of a class share that would raise an alarm, if any."""
    classes = reference.groups[0]
    b, m = classes.reference.counts[place], classes.reference.n
    before = scaled_down((b, m), reference.divisor_at(0, place, window.clock))
    divisor = reference.divisor_of(window)

    def alarms(count: int) -> bool:
        p = shift_p_value(scaled_down((count, rows), divisor), before, tolerance=settings.tau, enough=limit)
        return p <= limit and reaches_delta(
            (b, m), (count, rows), settings.delta, confidence_level=confidence_level
        )

    middle, share = b * rows // m, b / m
    error = math.sqrt(share * (1 - share) * (divisor / rows + 1 / before[1]))
    likely = round(rows * max(settings.tau + normal_quantile(1 - limit) * error, settings.delta - 2 * error))
    rise = _first(rows - middle, likely, lambda more: alarms(middle + more))
    fall = _first(middle, likely, lambda fewer: alarms(middle - fewer))
    counts = [count for count in (middle + rise, middle - fall) if alarms(count)]
    return min((abs(count / rows - b / m) for count in counts), default=None)


def _first(size: int, likely: int, holds: Callable[[int], bool]) -> int:
    """Return the first number below `size` for which `holds` is true, as it is for all after it, else `size`.

    It is looked for around the `likely` one: each question takes an exact test.
    """
    low, high, at, step = 0, size, likely, max(1, likely // 16)
    while low < high and (low == 0 or high == size):
        at = min(max(at, low), high - 1)
        if holds(at):
            high, at = at, at - step
        else:
            low, at = at + 1, at + step
        step *= 2
    return low + bisect_left(range(low, high), True, key=holds)
