"""Periods of time, and their windows on the calendar of a time zone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo

import msgspec

from sentimon.config.durations import parse_duration
from sentimon.errors import DataError
from sentimon.jsonl import BadLine
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import GrowingSummary, Summary
from sentimon.timestamps import from_microseconds

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_BEGIN = datetime(1, 1, 1, tzinfo=UTC)
"""The first moment of the calendar, a Monday: in UTC windows of all lengths are aligned to it."""
MOST_WINDOWS = 100_000


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """A period from `since` (included), or later than `after`, to `until` (excluded); None: open.

    All times have a time zone.
    """

    since: datetime | None = None
    until: datetime | None = None
    after: datetime | None = None

    def select(self, rows: Iterable[PredictionRecord | BadLine]) -> Iterator[PredictionRecord | BadLine]:
        """Yield the rows in the period, and all bad lines, which have no time."""
        for row in rows:
            if isinstance(row, BadLine) or self.holds(row.timestamp):
                yield row

    def holds(self, moment: datetime) -> bool:
        """Return whether `moment` lies inside."""
        return (
            (self.since is None or moment >= self.since)
            and (self.after is None or moment > self.after)
            and (self.until is None or moment < self.until)
        )


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """One window: from `start` (included) to `end` (excluded), with the sum of its rows."""

    start: datetime
    end: datetime
    complete: bool
    """Whether the window was over at the time of the question."""
    summary: Summary


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """Windows of one length, aligned to the calendar of a zone (None: local time)."""

    every: timedelta
    zone: tzinfo | None

    @classmethod
    def of(cls, every: str, zone: tzinfo | None) -> Calendar:
        """Return the calendar for windows such as `15m`, `1h`, `6h`, `1d`, `1w`.

        Raises:
            DataError: the length does not divide an hour or a day, and is not a number of whole days.
        """
        length = parse_duration(every)
        minutes, rest = divmod(length, timedelta(minutes=1))
        fits = minutes > 0 and not rest
        if length <= _HOUR:
            fits = fits and _HOUR % length == timedelta()
        elif length <= _DAY:
            fits = fits and _DAY % length == timedelta() and length % _HOUR == timedelta()
        else:
            fits = fits and length % _DAY == timedelta()
        if not fits:
            raise DataError(
                f"windows of {every} do not fit the calendar",
                hint="use a part of an hour or of a day, or whole days: 15m, 1h, 6h, 1d, 1w",
            )
        return cls(every=length, zone=zone)

    def start_of(self, moment: datetime) -> datetime:
        """Return the start of the window that holds `moment`, in UTC.

        Raises:
            DataError: the window begins or ends outside of the calendar.
        """
        try:
            if self.zone is UTC:
                # No clock changes there, and a long log has thousands of windows.
                return moment - (moment - _BEGIN) % self.every
            return self._clock_start(moment) if self.every <= _HOUR else self._wall_start(moment)
        except OverflowError as error:
            raise _outside(moment) from error

    def after(self, start: datetime) -> datetime:
        """Return the end of the window that starts at `start`, which is the start of the next.

        Raises:
            DataError: it ends outside of the calendar.
        """
        try:
            if self.zone is UTC:
                return start - (start - _BEGIN) % self.every + self.every
            if self.every <= _HOUR:
                end = start - self._past(start) + self.every
                return end if self._offset(end) == self._offset(start) else self._transition(start, end)
            wall = start.astimezone(self.zone).replace(tzinfo=None) + self.every
            return self._wall_start(self._to_utc(wall))
        except OverflowError as error:
            raise _outside(start) from error

    def _clock_start(self, moment: datetime) -> datetime:
        # Windows of up to an hour follow the clock: an hour that is repeated when the clocks change is two
        # windows, and a change of half an hour ends one window and begins another.
        start = (moment - self._past(moment)).astimezone(UTC)
        return start if self._offset(start) == self._offset(moment) else self._transition(start, moment)

    def _wall_start(self, moment: datetime) -> datetime:
        # Longer windows follow local time: 00:00 to 06:00 is one window, even if it has five hours or seven.
        wall = moment.astimezone(self.zone).replace(tzinfo=None, fold=0)
        if self.every < _DAY:
            hour = wall.hour - wall.hour % (self.every // _HOUR)
            return self._to_utc(wall.replace(hour=hour, minute=0, second=0, microsecond=0))
        days = self.every // _DAY
        # Day 1 of the calendar is a Monday, so windows of whole weeks start on Mondays.
        day = wall.toordinal() - 1
        return self._to_utc(datetime.fromordinal(day - day % days + 1))

    def _past(self, moment: datetime) -> timedelta:
        """Return how much of its window has passed at `moment`, by local time."""
        wall = moment.astimezone(self.zone).replace(tzinfo=None)
        return (wall - datetime.combine(wall.date(), time.min)) % self.every

    def _offset(self, moment: datetime) -> timedelta | None:
        return moment.astimezone(self.zone).utcoffset()

    def _transition(self, before: datetime, after: datetime) -> datetime:
        """Return the moment between two, to the second, at which the offset from UTC changes."""
        low, high = 0, -int((before - after) // _SECOND)
        while high - low > 1:
            middle = (low + high) // 2
            same = self._offset(before + middle * _SECOND) == self._offset(before)
            low, high = (middle, high) if same else (low, middle)
        return before + high * _SECOND

    def _to_utc(self, wall: datetime) -> datetime:
        return (wall.replace(tzinfo=self.zone) if self.zone else wall).astimezone(UTC)


def _outside(moment: datetime) -> DataError:
    return DataError(
        f"the window of {moment:%Y-%m-%d} does not fit the calendar",
        hint="leave those rows out with --since and --until",
    )


def summarise_windows(
    rows: Iterable[PredictionRecord | BadLine], calendar: Calendar, *, now: datetime
) -> tuple[list[Window], Summary]:
    """Return (the windows from the first row to the last, with the empty ones; the sum over all rows).

    Rows may come in any order. A window that ends after `now` is marked incomplete.

    Raises:
        DataError: the rows span more than MOST_WINDOWS windows.
    """
    whole = GrowingSummary()
    parts: dict[datetime, GrowingSummary] = {}
    for row in rows:
        whole.add(row)
        if isinstance(row, PredictionRecord):
            start = calendar.start_of(row.timestamp)
            parts.setdefault(start, GrowingSummary()).add(row)
    total = whole.summary()
    return lay_out({start: part.summary() for start, part in parts.items()}, total, calendar, now=now), total


def lay_out(
    parts: Mapping[datetime, Summary], total: Summary, calendar: Calendar, *, now: datetime
) -> list[Window]:
    """Return the windows from the first to the last row of `total`; `parts` holds those with rows.

    Raises:
        DataError: the rows span more than MOST_WINDOWS windows.
    """
    if total.first is None or total.last is None:
        return []
    first, last = from_microseconds(total.first), from_microseconds(total.last)
    if (last - first) / calendar.every > MOST_WINDOWS:
        raise DataError(
            f"the rows span {first:%Y-%m-%d} to {last:%Y-%m-%d}: too many windows to show",
            hint="use longer windows with --every, or fewer rows with --since and --until",
        )
    windows = []
    start = calendar.start_of(first)
    while start <= last:
        end = calendar.after(start)
        summary = parts.get(start, Summary())
        windows.append(Window(start=start, end=end, complete=end <= now, summary=summary))
        start = end
    return windows
