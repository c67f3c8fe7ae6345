"""Do rows still come, and as many as in the baseline: told from the rows per hour and the time alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sentimon.files import is_there

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from sentimon.monitoring.baseline import Baseline
    from sentimon.monitoring.freshness import Freshness
    from sentimon.monitoring.onset import Onset
    from sentimon.monitoring.traffic import TrafficReport, Unjudged
    from sentimon.monitoring.traffic_volume import Volume
    from sentimon.prediction_log.summary import Counts, Summary
    from sentimon.workflows.drift import BaselineComparison
    from sentimon.workflows.workspace import Workspace

_INSTANT = timedelta(microseconds=1)
_DAY = timedelta(days=1)


def check_traffic(
    workspace: Workspace,
    path: Path | None = None,
    *,
    baseline: Baseline | None = None,
    compared: BaselineComparison | None = None,
) -> TrafficReport:
    """Return whether the newest row is too old, and whether fewer or more rows come than in the baseline.

    The baseline is the one at `path`, beside the log without one. A caller that has read it, or `compared`
    rows with it, gives that: so nothing is read twice. Nothing is remembered: everything follows from the
    rows per hour and the time of the question.

    Raises:
        StoreError: the log or the baseline cannot be read.
    """
    known = None
    if compared is not None:
        baseline, known = compared.baseline, _all_after(compared)
    return workspace.ask(lambda log: _check(log, path or log.baseline_path(None), baseline, known))


def _all_after(compared: BaselineComparison) -> Summary | None:
    """Return the sum over all rows later than the baseline, where these were compared."""
    from sentimon.prediction_log.windows import Period

    last = None if compared.baseline is None else compared.baseline.last
    return compared.summary if last is not None and compared.compared == Period(after=last) else None


def _check(log: Workspace, path: Path, baseline: Baseline | None, after: Summary | None) -> TrafficReport:
    from sentimon.monitoring.freshness import is_long_enough
    from sentimon.monitoring.traffic import TrafficReport, Unjudged, history_of
    from sentimon.timestamps import hour_of
    from sentimon.workflows.next_baseline import wanted_at
    from sentimon.workflows.slices import known_baseline

    collecting = baseline is None and wanted_at(path) is not None
    if baseline is None and not collecting and is_there(path):
        baseline = known_baseline(log, path)
    known: Mapping[int, Counts] = {}
    if baseline is not None:
        known = history_of(baseline.summary.hours, hour_of(min(baseline.created, log.now)))
    rows = _RowsAfter.of(log, baseline, after, recent=is_long_enough(known))
    volume: Volume | None
    unjudged: Unjudged | None
    onset: Onset | None = None
    if baseline is None:
        volume, unjudged = None, Unjudged.COLLECTING if collecting else Unjudged.NO_BASELINE
    else:
        volume, unjudged, onset = _volume(log, baseline.last, known, rows)
    return TrafficReport(
        now=log.now,
        zone=log.zone,
        freshness=_freshness(log, known, rows),
        volume=volume,
        unjudged=unjudged,
        has_baseline=baseline is not None or collecting,
        onset=onset,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _RowsAfter:
    """The rows later than a baseline, all without one; none that are dated in the future."""

    hours: Mapping[int, Counts]
    newest: datetime | None
    """The newest of them, or of the baseline."""

    @classmethod
    def of(
        cls, log: Workspace, baseline: Baseline | None, known: Summary | None, *, recent: bool
    ) -> _RowsAfter:
        """Return them; `known` is the sum over them all, if it is, else with `recent` the latest are enough.

        Raises:
            StoreError: the log cannot be read.
        """
        from sentimon.monitoring.traffic_volume import LOOK_BACK_DAYS
        from sentimon.prediction_log.windows import Period

        begin = None if baseline is None else baseline.last
        until = log.now + _INSTANT
        # All hours of years would cost more than they tell.
        since = log.now - (LOOK_BACK_DAYS + 2) * _DAY if recent else None
        found = known or log.summary(Period(since=since, after=begin, until=until))
        if not found.count and since is not None and known is None:
            found = log.summary(Period(after=begin, until=until))
        last = _newest_of(found, log.now)
        if last is None and baseline is not None:
            last = _newest_of(baseline.summary, log.now)
        return cls(hours=found.hours, newest=last)


def _newest_of(summary: Summary, now: datetime) -> datetime | None:
    """Return when the newest row of a sum was made; only its hour, with others dated in the future."""
    from sentimon.timestamps import from_microseconds, hour_of, start_of_hour

    if summary.last is not None and from_microseconds(summary.last) <= now:
        return from_microseconds(summary.last)
    past = [hour for hour in summary.hours if hour <= hour_of(now)]
    return start_of_hour(max(past)) if past else None


def _freshness(log: Workspace, baseline: Mapping[int, Counts], rows: _RowsAfter) -> Freshness:
    """Return how old the newest row may be, by the hours of the baseline, or of the log if they are few."""
    from sentimon.monitoring.freshness import AgeSource, is_long_enough, judge_freshness
    from sentimon.monitoring.traffic import history_of
    from sentimon.timestamps import hour_of

    known, source = baseline, AgeSource.BASELINE
    if not is_long_enough(known):
        whole = dict(rows.hours)
        for hour, counts in baseline.items():
            others = whole.get(hour, (0, 0, 0))
            whole[hour] = (counts[0] + others[0], counts[1] + others[1], counts[2] + others[2])
        known, source = history_of(whole, hour_of(log.now)), AgeSource.LOG
    return judge_freshness(rows.newest, known, source=source, setting=log.settings.monitor.max_age)


def _volume(
    log: Workspace, ended: datetime | None, baseline: Mapping[int, Counts], rows: _RowsAfter
) -> tuple[Volume | None, Unjudged | None, Onset | None]:
    """Return (fewer or more rows than in the baseline, why that is not known, when it changed).

    Of the first two one is None.
    """
    from sentimon.monitoring.traffic import Unjudged
    from sentimon.monitoring.traffic_volume import (
        FEWEST_DAYS,
        LOOK_BACK_DAYS,
        DailyRows,
        change_onset,
        days_of_baseline,
        judge_volume,
        start_of_day,
        whole_days,
    )
    from sentimon.timestamps import hour_of

    days = days_of_baseline(baseline, log.zone)
    usual = DailyRows.of(days)
    if usual is None or ended is None:
        return None, Unjudged.SHORT_BASELINE if len(days) < FEWEST_DAYS else Unjudged.IRREGULAR, None
    now = hour_of(log.now)
    first = max(hour_of(ended) + 1, now - 24 * (LOOK_BACK_DAYS + 2))
    newest = hour_of(log.now if rows.newest is None else rows.newest)
    since = [
        day
        for day in whole_days(rows.hours, first, now, log.zone)
        # Days after the newest row are a silence, which has a limit of its own.
        if start_of_day(day.number, log.zone) <= newest
    ]
    if not since:
        return None, Unjudged.NO_WHOLE_DAY, None
    level = log.settings.drift.confidence_level
    found = judge_volume(since, usual, alpha=log.settings.monitor.alpha, confidence_level=level)
    onset = change_onset(found, baseline, rows.hours, since, log.zone, confidence_level=level)
    return found, None, onset
