"""Rows that a caller brings, in place of those of the log: what a service or a notebook holds in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import GrowingSummary, Summary, summarise
from sentimon.prediction_log.windows import Calendar, Period, Window, summarise_windows
from sentimon.timestamps import hour_of


class GivenRows:
    """Some rows, which answer what a log answers; none of them is bad."""

    def __init__(self, records: Iterable[PredictionRecord]) -> None:
        self._records: Sequence[PredictionRecord] = list(records)

    def rows(self, period: Period) -> list[PredictionRecord]:
        """Return the rows in `period`."""
        return [one for one in self._records if period.holds(one.timestamp)]

    def summary(self, period: Period) -> Summary:
        """Return the sum over the rows in `period`."""
        return summarise(self.rows(period))

    def windows(self, period: Period, calendar: Calendar, *, now: datetime) -> tuple[list[Window], Summary]:
        """Return (the windows of the rows in `period`, the sum over them)."""
        return summarise_windows(self.rows(period), calendar, now=now)

    def hours(self, period: Period) -> Iterator[tuple[int, GrowingSummary]]:
        """Yield the rows in `period` by hour since 1970, UTC."""
        found: dict[int, GrowingSummary] = {}
        for one in self.rows(period):
            found.setdefault(hour_of(one.timestamp), GrowingSummary()).add(one)
        yield from found.items()

    def trouble(self) -> Summary:
        """Return the sum over no bad line."""
        return Summary()
