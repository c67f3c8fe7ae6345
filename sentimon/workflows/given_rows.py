"""Rows that a caller brings, in place of those of the log: what a service or a notebook holds in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Protocol, TypeVar

from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.slice_fields import SliceField
from sentimon.prediction_log.slices import GrowingSlices, Slices
from sentimon.prediction_log.summary import GrowingSummary, Summary, summarise
from sentimon.prediction_log.windows import Calendar, Period, Window, summarise_windows
from sentimon.scoring.scores import SCALE
from sentimon.timestamps import hour_of

K = TypeVar("K")


class RowsAtHand(Protocol):
    """Rows that a caller brings, which answer in place of the log; see `sentimon.workflows.given_rows`."""

    def summary(self, period: Period) -> Summary:
        """Return the sum over the rows in `period`."""

    def windows(self, period: Period, calendar: Calendar, *, now: datetime) -> tuple[list[Window], Summary]:
        """Return (the windows of the rows in `period`, the sum over them)."""

    def hours(self, period: Period) -> Iterator[tuple[int, GrowingSummary]]:
        """Yield the rows in `period` by hour since 1970, UTC."""

    def knows(self, field: SliceField) -> bool:
        """Return whether it can divide its rows by a field."""

    def slices(self, period: Period, field: SliceField) -> Slices:
        """Return the sums over the rows in `period` by the values of a field."""

    def slice_hours(self, period: Period, field: SliceField) -> dict[int, Slices]:
        """Return the sums over the rows in `period` by hour since 1970, UTC, and by the values of a field."""

    def slice_windows(self, period: Period, field: SliceField, calendar: Calendar) -> dict[datetime, Slices]:
        """Return the sums over the rows in `period` by start of the window, and by the values of a field."""

    def trouble(self) -> Summary:
        """Return the sum over all bad lines."""

    def rows(self, period: Period) -> Iterable[PredictionRecord]:
        """Return the rows in `period`."""


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

    def knows(self, field: SliceField) -> bool:
        """Return True: the rows have all their fields."""
        return True

    def slices(self, period: Period, field: SliceField) -> Slices:
        """Return the sums over the rows in `period` by the values of a field."""
        return self._slices_by(period, field, lambda moment: None).get(None, Slices())

    def slice_hours(self, period: Period, field: SliceField) -> dict[int, Slices]:
        """Return the sums over the rows in `period` by hour since 1970, UTC, and by the values of a field."""
        return self._slices_by(period, field, hour_of)

    def slice_windows(self, period: Period, field: SliceField, calendar: Calendar) -> dict[datetime, Slices]:
        """Return the sums over the rows in `period` by start of the window, and by the values of a field."""
        return self._slices_by(period, field, calendar.start_of)

    def _slices_by(self, period: Period, field: SliceField, key: Callable[[datetime], K]) -> dict[K, Slices]:
        found: dict[K, GrowingSlices] = {}
        for one in sorted(self.rows(period), key=attrgetter("timestamp")):
            confidence = None if one.confidence is None else round(one.confidence * SCALE)
            sums = found.setdefault(key(one.timestamp), GrowingSlices())
            sums.add(field.value(one, one.extra), one.sentiment, confidence)
        return {at: sums.slices() for at, sums in found.items()}

    def trouble(self) -> Summary:
        """Return the sum over no bad line."""
        return Summary()
