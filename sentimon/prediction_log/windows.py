"""Periods of time, and their windows on the calendar of a time zone."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo

import msgspec

from sentimon.config.durations import parse_duration
from sentimon.errors import DataError
from sentimon.jsonl import BadLine
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import GrowingSummary, Summary
from sentimon.timestamps import NO_SUCH_YEAR

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_BEGIN = datetime(1, 1, 1, tzinfo=UTC)
"""The first moment of the calendar, a Monday: in UTC windows of all lengths are aligned to it."""
CALENDAR_END = datetime.max.replace(tzinfo=UTC)
"""The last moment of the calendar, which belongs to the last window."""
MOST_WINDOWS = 100_000
MOST_EMPTY = 1_000
"""Empty windows in a row that are shown where all windows would be too many."""


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

        A window that would begin before year 1 begins with it.
        """
        try:
            if self.zone is UTC:
                # No clock changes there, and a long log has thousands of windows.
                return moment - (moment - _BEGIN) % self.every
            return self._clock_start(moment) if self.every <= _HOUR else self._wall_start(moment)
        except NO_SUCH_YEAR:
            return self._at_edge(moment)[0]

    def after(self, start: datetime) -> datetime:
        """Return the end of the window that starts at `start`, which is the start of the next.

        A window that would end after year 9999 ends with it, at CALENDAR_END, and there is no next.
        """
        try:
            if self.zone is UTC:
                return start - (start - _BEGIN) % self.every + self.every
            if self.every <= _HOUR:
                end = start - self._past(start) + self.every
                return end if self._offset(end) == self._offset(start) else self._transition(start, end)
            wall = start.astimezone(self.zone).replace(tzinfo=None) + self.every
            return self._wall_start(self._to_utc(wall))
        except NO_SUCH_YEAR:
            return self._at_edge(start)[1]

    def around(self, starts: Collection[datetime]) -> Iterator[tuple[datetime, datetime]]:
        """Yield (start, end) of the windows from the first of `starts` to the last, and of those between.

        If these are more than MOST_WINDOWS, runs of more than MOST_EMPTY windows that are not among
        `starts` are left out: one row with a wrong year must not hide all others.

        Raises:
            DataError: even so there are more than MOST_WINDOWS.
        """
        ordered = sorted(starts)
        if not ordered:
            return
        all_fit = (ordered[-1] - ordered[0]) / self.every <= MOST_WINDOWS
        count = 0
        for start, following in zip(ordered, [*ordered[1:], None], strict=True):
            end = self.after(start)
            yield start, end
            count += 1
            if following is None or not (all_fit or (following - end) / self.every <= MOST_EMPTY):
                continue
            while end < following:
                begin, end = end, self.after(end)
                yield begin, end
                count += 1
            if count > MOST_WINDOWS + 1:
                raise DataError(
                    f"the rows span {ordered[0].date()} to {ordered[-1].date()}: too many windows to show",
                    hint="use longer windows with --every, or fewer rows with --since and --until",
                )

    def _at_edge(self, moment: datetime) -> tuple[datetime, datetime]:
        """Return (start, end) of the window of a moment at an edge of the calendar, cut there.

        The clocks of no zone change there, and years of the zone begin before those of UTC, or end later.
        """
        nearest = min(max(moment, _BEGIN + 2 * _DAY), CALENDAR_END - 2 * _DAY)
        past = (moment - _BEGIN + (self._offset(nearest) or timedelta())) % self.every
        return _shifted(moment, -past), _shifted(moment, self.every - past)

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


def _shifted(moment: datetime, by: timedelta) -> datetime:
    """Return `moment` shifted, at most to the edge of the calendar."""
    try:
        return moment + by
    except OverflowError:
        return CALENDAR_END if by > timedelta() else _BEGIN


def summarise_windows(
    rows: Iterable[PredictionRecord | BadLine], calendar: Calendar, *, now: datetime
) -> tuple[list[Window], Summary]:
    """Return (the windows from the first row to the last, with the empty ones; the sum over all rows).

    Rows may come in any order. A window that ends after `now` is marked incomplete.

    Raises:
        DataError: these are too many windows; see `Calendar.around`.
    """
    whole = GrowingSummary()
    parts: dict[datetime, GrowingSummary] = {}
    for row in rows:
        whole.add(row)
        if isinstance(row, PredictionRecord):
            start = calendar.start_of(row.timestamp)
            parts.setdefault(start, GrowingSummary()).add(row)
    total = whole.summary()
    return lay_out({start: part.summary() for start, part in parts.items()}, calendar, now=now), total


def lay_out(parts: Mapping[datetime, Summary], calendar: Calendar, *, now: datetime) -> list[Window]:
    """Return the windows from the first to the last of `parts`, which holds those with rows.

    Raises:
        DataError: these are too many windows; see `Calendar.around`.
    """
    return [
        Window(start=start, end=end, complete=end <= now, summary=parts.get(start, Summary()))
        for start, end in calendar.around(parts)
    ]


def gaps(windows: Sequence[Window]) -> list[tuple[datetime, datetime]]:
    """Return (begin, end) of the times between windows that `Calendar.around` left out."""
    return [(one.end, other.start) for one, other in itertools.pairwise(windows) if one.end != other.start]
