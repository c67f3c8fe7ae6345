"""Whether rows still come, and as many as in the baseline, in sentences and as the object of `--json`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sentimon.monitoring.freshness import AgeSource, Freshness
from sentimon.monitoring.traffic import TrafficReport, TrafficVerdict, Unjudged
from sentimon.monitoring.traffic_volume import Volume
from sentimon.reporting.plain_text import counted
from sentimon.reporting.verdict_sentences import explain_onset
from sentimon.statistics.intervals import Estimate
from sentimon.timestamps import format_moment, in_zone

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
_FEWEST_OF_A_UNIT = 2
_WHOSE = {AgeSource.BASELINE: "in the baseline", AgeSource.LOG: "in the log"}
_WHY = {
    Unjudged.NO_BASELINE: "there is no baseline",
    Unjudged.COLLECTING: "the baseline is still being collected",
    Unjudged.SHORT_BASELINE: "the baseline has fewer than 7 whole days",
    Unjudged.IRREGULAR: "most days of the baseline have no rows",
    Unjudged.NO_WHOLE_DAY: "no whole day has passed since the baseline",
}
NO_BASELINE = (
    "There is no baseline, so that nothing says whether the predictions drift: `sentimon baseline create` "
    "makes one."
)
BASELINE_AGAIN = "There is a baseline now."


def explain_traffic(report: TrafficReport) -> list[str]:
    """Return what is known of the traffic as sentences: whether rows still come, then how many."""
    return [*explain_trouble(report), *([] if report.in_trouble else _usual(report))]


def explain_trouble(report: TrafficReport | None) -> list[str]:
    """Return the sentences on what is wrong with the traffic; none where nothing is, or nobody looked."""
    if report is None:
        return []
    if report.verdict is TrafficVerdict.SILENT:
        return [explain_silence(report)]
    changed = report.verdict in (TrafficVerdict.FEWER, TrafficVerdict.MORE)
    return [explain_change(report), *explain_onset("That", report.onset)] if changed else []


def explain_silence(report: TrafficReport) -> str:
    """Return how long no row has come, and how long that usually is at most."""
    age = report.age
    passed = "No row has come" if age is None else f"No row has come for {length(age)}"
    return f"{passed}; {_usual_pauses(report.freshness)}."


def explain_change(report: TrafficReport) -> str:
    """Return since when how many more or fewer rows come, against the same days of the week."""
    volume, since = report.volume, report.since
    if volume is None or since is None:
        return ""
    begin = "For more than 13 weeks" if volume.earlier else f"Since {_date(since, report)}"
    more = report.verdict is TrafficVerdict.MORE
    return (
        f"{begin} {'more' if more else 'fewer'} rows come than in the baseline on the same days of the week: "
        f"{_times(volume.factor)}, {volume.rows:,} instead of {volume.expected:,.0f} over "
        f"{counted(volume.factor.n, 'day')}."
    )


def explain_recovery(report: TrafficReport) -> str:
    """Return that the log is no longer silent: rows come again, or may now be older."""
    usual = length(report.freshness.max_age)
    return f"{_age_of(report)}, and pauses of up to {usual} are usual: the log is no longer silent."


def explain_return(report: TrafficReport) -> str:
    """Return that as many rows come again as in the baseline."""
    volume = report.volume
    figures = "" if volume is None else f": {_times(volume.factor)} over {counted(volume.factor.n, 'day')}"
    return f"The number of rows no longer differs surely from that of the baseline{figures}."


def traffic_key(report: TrafficReport | None) -> dict[str, Any]:
    """Return the key under which a result holds the traffic; none where nobody looked at it."""
    return {} if report is None else {"traffic": traffic_object(report)}


def traffic_object(report: TrafficReport) -> dict[str, Any]:
    """Return the traffic as `--json` holds it; hours are numbers, factors multiples of the baseline."""
    freshness, volume, age = report.freshness, report.volume, report.age
    return {
        "verdict": report.verdict.value,
        "reason": " ".join(explain_traffic(report)),
        "newest_row": _moment(freshness.newest),
        "age_hours": None if age is None else age / timedelta(hours=1),
        "max_age_hours": freshness.max_age / timedelta(hours=1),
        "max_age_from": freshness.source.value,
        "longest_gap_hours": freshness.gaps.longest,
        "silent": None if age is None else freshness.is_stale(report.now),
        "change": None if volume is None or volume.change is None else volume.change.value,
        "since": _moment(report.since),
        "onset": None if report.onset is None else report.onset.to_dict(),
        "factor": None if volume is None else volume.factor.to_dict(),
        "rows": None if volume is None else volume.rows,
        "expected_rows": None if volume is None else volume.expected,
        "days": None if volume is None else volume.days,
        "baseline_days": None if volume is None else volume.usual.days,
    }


def _usual(report: TrafficReport) -> list[str]:
    """Return what is known of a traffic that nothing is wrong with."""
    if report.freshness.newest is None:
        return ["There are no rows yet."]
    said = [f"{_age_of(report)}; {_usual_pauses(report.freshness)}."]
    if report.unjudged is not None:
        return [*said, f"Whether fewer or more rows come than usual is not known: {_WHY[report.unjudged]}."]
    return [*said, *([] if report.volume is None else [_as_many(report.volume)])]


def _as_many(volume: Volume) -> str:
    if not volume.factor.n:
        return "No day of the week has passed yet that has rows in the baseline."
    return (
        f"Over the last {counted(volume.factor.n, 'day')} {_times(volume.factor)} as in the baseline on the "
        "same days of the week: no sure change."
    )


def _age_of(report: TrafficReport) -> str:
    age = report.age
    return "There are no rows" if age is None else f"The newest row is {length(age)} old"


def _usual_pauses(freshness: Freshness) -> str:
    """Return how long pauses between rows were, and how long they may be before they are news."""
    usual = length(freshness.max_age)
    if freshness.source is AgeSource.SETTING:
        return f"pauses of up to {usual} are usual, as monitor.max_age says"
    gaps, whose = freshness.gaps, _WHOSE[freshness.source]
    if gaps.longest is None:
        return f"pauses of up to {usual} are taken as usual until more is known (monitor.max_age sets that)"
    longest = length(timedelta(hours=gaps.longest))
    return (
        f"the longest pause {whose} was {longest}, and up to {usual} would still be usual "
        "(monitor.max_age sets that)"
    )


def length(passed: timedelta) -> str:
    """Return a length of time in the largest unit that it holds twice, rounded down.

    >>> length(timedelta(hours=47)), length(timedelta(hours=49)), length(timedelta(seconds=20))
    ('47 hours', '2 days', 'less than a minute')
    """
    seconds = int(passed.total_seconds())
    for size, unit in _UNITS:
        if seconds >= _FEWEST_OF_A_UNIT * size:
            return counted(seconds // size, unit)
    return "1 minute" if seconds >= _UNITS[-1][0] else "less than a minute"


def _times(factor: Estimate) -> str:
    if factor.value is None or factor.low is None or factor.high is None:
        return "unknown"
    return f"{factor.value:.2f} times as many ({factor.low:.2f} to {factor.high:.2f})"


def _date(moment: datetime, report: TrafficReport) -> str:
    return f"{in_zone(moment, report.zone):%Y-%m-%d}"


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else format_moment(moment)
