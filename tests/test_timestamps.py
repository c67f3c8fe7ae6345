from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentimon.errors import DataError
from sentimon.timestamps import (
    format_moment,
    from_microseconds,
    parse_bound,
    parse_moment,
    to_microseconds,
)

ROME = ZoneInfo("Europe/Rome")
NOW = datetime(2026, 9, 10, 12, tzinfo=UTC)
moments = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-02-06T10:49:40Z", "2026-02-06T10:49:40Z"),
        ("2026-02-06t10:49:40.101704z", "2026-02-06T10:49:40.101704Z"),
        ("2026-02-06 10:49:40+02:00", "2026-02-06T08:49:40Z"),
        ("2026-02-06T10:49:40-0130", "2026-02-06T12:19:40Z"),
    ],
)
def test_rfc_3339_is_read_and_written_in_utc(text: str, utc: str) -> None:
    moment, naive = parse_moment(text, ROME)
    assert (format_moment(moment), naive) == (utc, False)


def test_a_naive_time_is_read_in_the_zone_and_said_to_be_naive() -> None:
    moment, naive = parse_moment("2026-02-06T10:49:40", ROME)
    assert (format_moment(moment), naive) == ("2026-02-06T09:49:40Z", True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "06/02/2026",
        "2026-02-30T00:00:00Z",
        "2026-02-06T25:00:00Z",
        "20260206T104940Z",
        "1767225600",
    ],
)
def test_what_is_no_timestamp_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="is not a timestamp"):
        parse_moment(text, UTC)


def test_a_bound_is_a_time_a_date_or_a_duration_before_now() -> None:
    assert parse_bound("24h", now=NOW, zone=ROME) == datetime(2026, 9, 9, 12, tzinfo=UTC)
    assert parse_bound("2026-09-01", now=NOW, zone=ROME) == datetime(2026, 8, 31, 22, tzinfo=UTC)
    assert parse_bound("2026-09-01T00:00:00Z", now=NOW, zone=ROME) == datetime(2026, 9, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["soon", "9999999w", "0001-01-01"])
def test_a_bound_that_is_none_of_these_is_refused(text: str) -> None:
    with pytest.raises(DataError):
        parse_bound(text, now=NOW, zone=ROME)


@given(moments)
def test_microseconds_are_exact(moment: datetime) -> None:
    assert from_microseconds(to_microseconds(moment)) == moment


@given(moments)
def test_what_is_written_is_read_back(moment: datetime) -> None:
    assert parse_moment(format_moment(moment), ROME) == (moment, False)
