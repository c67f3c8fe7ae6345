"""The traffic of a log with a baseline of four weeks, made to order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sentimon.monitoring.freshness import AgeSource, judge_freshness
from sentimon.monitoring.traffic import TrafficReport
from sentimon.monitoring.traffic_volume import DailyRows, Day, judge_volume

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIRST = 20_700
HOURS = {FIRST * 24 + hour: (20, 30, 40) for hour in range(24 * 28) if hour % 24 < 12}


def traffic_report(factor: float = 1.0, *, age: timedelta = 5 * HOUR / 60, days: int = 40) -> TrafficReport:
    """A log with a baseline of four weeks, and the days after it."""
    usual = DailyRows.of([Day(FIRST + day, 1000) for day in range(28)])
    assert usual is not None
    rows = [Day(FIRST + 28 + day, 1000) for day in range(10)]
    rows += [Day(FIRST + 38 + day, round(1000 * factor)) for day in range(days - 10)]
    return TrafficReport(
        now=NOW,
        zone=UTC,
        freshness=judge_freshness(NOW - age, HOURS, source=AgeSource.BASELINE),
        volume=judge_volume(rows, usual, alpha=0.05, confidence_level=0.95),
        unjudged=None,
        has_baseline=True,
    )
