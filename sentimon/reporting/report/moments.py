"""Times as a report shows them: in its time zone, to the minute."""

from __future__ import annotations

from datetime import UTC, datetime

from sentimon.errors import DataError
from sentimon.monitoring.onset import Onset
from sentimon.reporting.report.report_value import Report
from sentimon.timestamps import in_zone, parse_moment


def when(report: Report, moment: datetime) -> str:
    """Return a date and time to the minute, in the time zone of the report."""
    return f"{in_zone(moment, report.zone):%Y-%m-%d %H:%M}"


def when_saved(report: Report, text: str) -> str:
    """Return a saved timestamp in the time zone of the report; one that cannot be read as it is."""
    try:
        return when(report, parse_moment(text, UTC)[0])
    except DataError:
        return text


def tell_onset(report: Report, onset: Onset) -> str:
    """Return when a change began: the interval, and the most probable hour in it."""
    began, earliest, latest = onset.began, onset.earliest, onset.latest
    if began is None or earliest is None or latest is None:
        return "at a time that is not known"
    if onset.from_the_start and not onset.looked_back:
        return (
            f"by {when(report, latest)} {report.zone_name}, perhaps before {when(report, earliest)}: only "
            "the texts since then were looked at"
        )
    if onset.from_the_start:
        return f"with the first rows after the baseline, or by {when(report, latest)} {report.zone_name}"
    return (
        f"about {when(report, began)} {report.zone_name}, between {when(report, earliest)} and "
        f"{when(report, latest)}"
    )
