"""Each window with its class mix, its confidence, and how far its class mix is from the baseline's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sentimon.logbook.summary import Counts, Summary
from sentimon.logbook.windows import Window
from sentimon.monitoring.distance import wasserstein_distance, wasserstein_interval
from sentimon.monitoring.intervals import Estimate
from sentimon.monitoring.metrics import mean_confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredWindow:
    """One window: from `start` (included) to `end` (excluded)."""

    start: datetime
    end: datetime
    complete: bool
    counts: Counts
    """Rows of each class, in Sentiment order."""
    confidence: Estimate
    """The mean over all rows."""
    score: Estimate
    """Wasserstein-1 distance from the baseline, 0 .. 1; None without a baseline or rows."""

    @property
    def total(self) -> int:
        """Return the number of rows."""
        return sum(self.counts)

    @property
    def shares(self) -> tuple[float, ...]:
        """Return the share of each class; nothing where there are no rows."""
        total = self.total
        return tuple(count / total for count in self.counts) if total else ()


def score_windows(
    windows: Iterable[Window], baseline: Summary | None, *, confidence_level: float
) -> list[ScoredWindow]:
    """Return what each window says by itself, and against the rows that `baseline` sums up."""
    return [
        ScoredWindow(
            start=one.start,
            end=one.end,
            complete=one.complete,
            counts=one.summary.counts,
            confidence=mean_confidence(*one.summary.classes, confidence_level=confidence_level),
            score=_score(baseline, one.summary, confidence_level),
        )
        for one in windows
    ]


def _score(baseline: Summary | None, window: Summary, level: float) -> Estimate:
    if baseline is None or not baseline.count or not window.count:
        return Estimate(value=None, low=None, high=None, n=window.count)
    low, high = wasserstein_interval(baseline.counts, window.counts, confidence_level=level)
    value = wasserstein_distance(baseline.counts, window.counts)
    return Estimate(value=value, low=low, high=high, n=window.count)
