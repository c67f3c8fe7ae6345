"""Points in time: RFC 3339 in, RFC 3339 UTC with `Z` out, microseconds since 1970 in between."""

from __future__ import annotations

import functools
import os
import re
import time
from datetime import UTC, datetime, timedelta, tzinfo
from zlib import crc32

from sentimon.config.durations import parse_duration
from sentimon.errors import DataError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_MICROSECONDS = 3_600_000_000
NO_SUCH_YEAR = (OverflowError, ValueError, OSError)
"""What `datetime` raises before year 1 and after year 9999."""
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:?\d\d)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def time_zone(name: str) -> tzinfo | None:
    """Return the zone called `name`; None for `local`, which `datetime.astimezone` reads as the system's."""
    if name == "local":
        return None
    if name == "UTC":
        # The one zone that needs no database, which a bare system may lack.
        return UTC
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def zone_rules(zone: tzinfo | None) -> int:
    """Return a checksum of a zone's offsets, week by week from 1970 to 2040; None is local time.

    Two machines whose zones have the same one read naive timestamps alike.
    """
    return _rules(zone, local_time() if zone is None else None)


def local_time() -> tuple[object, ...]:
    """Return what decides which zone local time is."""
    return os.environ.get("TZ"), os.path.realpath("/etc/localtime"), time.tzname


@functools.lru_cache(maxsize=8)
def _rules(zone: tzinfo | None, _: tuple[object, ...] | None) -> int:
    begin, week = EPOCH, timedelta(weeks=1)
    offsets = [(begin + number * week).astimezone(zone).utcoffset() for number in range(70 * 52)]
    return crc32(repr(offsets).encode())


def parse_moment(text: str, zone: tzinfo | None) -> tuple[datetime, bool]:
    """Return (the moment in UTC, whether it was naive); a naive one is read in `zone`, None is local time.

    >>> parse_moment("2026-02-06T10:49:40+01:00", UTC)
    (datetime.datetime(2026, 2, 6, 9, 49, 40, tzinfo=datetime.timezone.utc), False)

    Raises:
        DataError: not an RFC 3339 timestamp, or no such day or hour.
    """
    if _RFC3339.fullmatch(text) is None:
        raise DataError(f"{text!r:.60} is not a timestamp", hint="write it as RFC 3339: 2026-02-06T10:49:40Z")
    try:
        moment = datetime.fromisoformat(text.upper())
        return in_utc(moment, zone), moment.tzinfo is None
    except (ValueError, OverflowError) as error:
        raise DataError(f"{text!r:.60} is not a timestamp: {error}") from error


def hour_of(moment: datetime) -> int:
    """Return the number of whole hours since 1970, UTC, of an aware moment."""
    return to_microseconds(moment) // HOUR_MICROSECONDS


def start_of_hour(hour: int) -> datetime | None:
    """Return the start of an hour counted since 1970, in UTC; None outside of the calendar."""
    try:
        return from_microseconds(hour * HOUR_MICROSECONDS)
    except OverflowError:
        return None


def in_utc(moment: datetime, zone: tzinfo | None) -> datetime:
    """Return `moment` in UTC; a naive one is read in `zone`, None is local time.

    Raises:
        DataError: the moment lies at the very edge of the calendar, so that UTC has no such year.
    """
    try:
        if moment.tzinfo is None and zone is not None:
            moment = moment.replace(tzinfo=zone)
        return moment.astimezone(UTC)
    except NO_SUCH_YEAR as error:
        raise DataError(f"{moment.isoformat()} has no counterpart in UTC") from error


def in_zone(moment: datetime, zone: tzinfo | None) -> datetime:
    """Return `moment` (aware) in `zone`, None is local time; in UTC where the zone has no such year."""
    try:
        return moment.astimezone(zone)
    except NO_SUCH_YEAR:
        return moment.astimezone(UTC)


def parse_bound(text: str, *, now: datetime, zone: tzinfo | None) -> datetime:
    """Return the moment that `--since` or `--until` names.

    An RFC 3339 timestamp, a date (its midnight in `zone`), or a duration before `now` such as `7d`.

    Raises:
        DataError: it is none of these.
    """
    if _DATE.fullmatch(text):
        text += "T00:00:00"
    if _RFC3339.fullmatch(text):
        return parse_moment(text, zone)[0]
    try:
        return now - parse_duration(text)
    except (DataError, OverflowError) as error:
        raise DataError(
            f"{text!r:.60} is neither a timestamp nor a duration",
            hint="write 2026-02-06T10:49:40Z, 2026-02-06, 7d or 24h",
        ) from error


def format_moment(moment: datetime) -> str:
    """Return `moment` (aware) as RFC 3339 UTC with `Z`; microseconds only where there are any."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def to_microseconds(moment: datetime) -> int:
    """Return the exact number of microseconds from 1970 to `moment` (aware)."""
    passed = moment - EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def from_microseconds(microseconds: int) -> datetime:
    """Return the moment in UTC that many microseconds after 1970."""
    return EPOCH + timedelta(microseconds=microseconds)


def format_microseconds(microseconds: int | None) -> str | None:
    """Return the moment that many microseconds after 1970 as RFC 3339; None stays None."""
    return None if microseconds is None else format_moment(from_microseconds(microseconds))
