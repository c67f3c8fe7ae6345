"""What a monitor says after a look: the verdict, the effect, and how small a shift it could have seen."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from sentimon.config.settings import MonitorSettings, Settings
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.class_mix_drift import Verdict
from sentimon.monitoring.finding import Finding, difference, matters
from sentimon.monitoring.incident import Incident
from sentimon.monitoring.monitor_check import Look
from sentimon.monitoring.monitor_reference import ADVISED_ROWS, FEWEST_ROWS, Reference
from sentimon.monitoring.shift_tests import divided, event_limits
from sentimon.monitoring.watched_events import Window, total
from sentimon.statistics.distances import wasserstein_distance, wasserstein_interval
from sentimon.statistics.fisher_test import shift_p_value
from sentimon.statistics.intervals import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorReport:
    """The result of one look; without one (`look` is None) there were too few new rows to count it."""

    baseline: Baseline
    reference: Reference
    look: Look | None
    checks: int
    """How many looks there were so far, this one included."""
    new: int
    """New rows; where there was no look they wait for the next."""
    min_samples: int
    delta: float
    confidence_level: float
    incident: Incident | None
    """The one that is open, or was closed by this look."""
    over: int
    """How many looks, the newest ones, `score` and `counts` are over; 0 without a look."""
    counts: tuple[int, int, int]
    """Rows of each class in them, in Sentiment order."""
    score: Estimate
    """Wasserstein-1 distance of these from the baseline, 0 .. 1."""
    in_this: Detectable | None
    """The smallest shift of a class share that the new rows alone would have raised an alarm on."""
    in_all: Detectable | None
    """The same of all rows since the last alarm that are looked back on."""

    @property
    def verdict(self) -> Verdict:
        """Return drift while an incident is open, no verdict where there were too few new rows."""
        if self.drifting:
            return Verdict.DRIFT
        return Verdict.NO_VERDICT if self.look is None else Verdict.STABLE

    @property
    def drifting(self) -> bool:
        """Return whether an incident is open."""
        return self.incident is not None and not self.closed

    @property
    def opened(self) -> bool:
        """Return whether this look opened the incident."""
        return self.look is not None and self.look.opened

    @property
    def closed(self) -> bool:
        """Return whether this look closed the incident."""
        return self.look is not None and self.look.closed

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Return events that moved by more than chance, but by less than matters."""
        return () if self.look is None else self.look.warnings

    @property
    def small(self) -> int | None:
        """Return the rows that a baseline should have, where this one has too few for a monitor."""
        return ADVISED_ROWS if self.reference.rows < FEWEST_ROWS else None

    @property
    def moved_most(self) -> float | None:
        """Return the largest change of a watched share, 0 .. 1: of the incident, else of the classes."""
        if self.incident is not None and not self.closed:
            return max(abs(one.difference) for one in self.incident.findings)
        known = self.reference.groups[0].reference
        rows = sum(self.counts)
        changes = (
            abs(difference((b, known.n), (x, rows)))
            for b, x in zip(known.counts, self.counts, strict=True)
            if rows
        )
        return max(changes, default=None)


def monitor_report(
    baseline: Baseline,
    reference: Reference,
    look: Look | None,
    settings: Settings,
    *,
    new: int,
    checks: int,
    incident: Incident | None,
) -> MonitorReport:
    """Return what a look says; `incident` is the one that was open where there was no look."""
    level = settings.drift.confidence_level
    over, counts, score = 0, (0, 0, 0), Estimate(value=None, low=None, high=None, n=0)
    in_this = in_all = None
    if look is not None:
        over = look.alarms[0].windows if look.alarms else len(look.windows)
        window = total(look.windows[-over:])
        negative, neutral, positive = window.groups[0].counts
        counts, score = (negative, neutral, positive), score_of(reference, window, confidence_level=level)
        in_this, in_all = (
            detectable(reference, rows, look.check, settings.monitor, confidence_level=level)
            for rows in (look.window, total(look.windows))
        )
    return MonitorReport(
        baseline=baseline,
        reference=reference,
        look=look,
        checks=checks,
        new=new,
        min_samples=settings.drift.min_samples,
        delta=settings.monitor.delta,
        confidence_level=level,
        incident=incident if look is None else look.incident,
        over=over,
        counts=counts,
        score=score,
        in_this=in_this,
        in_all=in_all,
    )


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
