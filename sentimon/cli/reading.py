"""What several commands read of the log: its rows, their sum, its comparison with the baseline."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sentimon.cli.output import counted, note
from sentimon.cli.session import Session
from sentimon.files import is_there

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sentimon.logbook.rollup.sums import Sums
    from sentimon.logbook.summary import Summary
    from sentimon.logbook.windows import Period
    from sentimon.monitoring.baseline import Baseline
    from sentimon.monitoring.collecting import Collecting, Wanted
    from sentimon.monitoring.drift import DriftReport
    from sentimon.monitoring.vocabulary import Vocabulary


def read_summary(session: Session, period: Period) -> Summary:
    """Return the sum over the rows of the log in `period`, and over all its bad lines."""
    return session.index.ask(lambda sums: sums.summary(period))


def compare(
    session: Session,
    path: Path,
    period: Period,
    *seen: datetime | None,
    whole: bool = False,
    season: bool = False,
) -> tuple[Baseline | None, Summary, DriftReport]:
    """Return (the baseline at `path` if there is one, the sum over the rows compared, the comparison).

    Compared are the rows in `period` later than all of `seen`; unless `whole` or `--since` says
    otherwise, only those newer than the baseline, and where older ones are of another model these always.
    With `season` like is compared with like: the baseline is weighted as the rows are spread over the
    hours of the week. While a baseline is being collected there is none.

    Raises:
        StoreError: the log or the baseline cannot be read.
        DataError: the rows are of another model than the baseline.
        NoVerdictError: the baseline is too short for a season.
    """
    from sentimon.api.stores import read_baseline
    from sentimon.api.succession import wanted_at
    from sentimon.monitoring.drift import detect_drift, foreign_models

    wanted = wanted_at(path)
    if wanted is not None:
        collecting = count_collected(session, wanted)
        summary = read_summary(session, newer(session, period, wanted.since, *seen))
        return None, summary, detect_drift(None, summary, session.settings.drift, collecting=collecting)
    baseline = read_baseline(path) if is_there(path) else None
    ended = None if baseline is None or whole or period.since else baseline.last
    summary = read_summary(session, newer(session, period, ended, *seen))
    if baseline is not None and period.since and foreign_models(baseline, summary):
        # The period reaches back to the model before, which says nothing about this one.
        summary = read_summary(session, newer(session, period, baseline.last, *seen))
    matched = None
    if season and baseline is not None and summary.count:
        from sentimon.monitoring.season import match_season

        matched = match_season(baseline.summary, summary, session.zone)
    return baseline, summary, detect_drift(baseline, summary, session.settings.drift, matched)


def has_baseline(path: Path) -> bool:
    """Return whether there is a baseline at `path` to compare with: not while one is being collected."""
    from sentimon.api.succession import wanted_at

    return is_there(path) and wanted_at(path) is None


def count_collected(session: Session, wanted: Wanted) -> Collecting:
    """Return how many rows of the baseline to come are logged."""
    from sentimon.logbook.windows import Period
    from sentimon.monitoring.collecting import count_rows

    return count_rows(wanted, read_summary(session, Period(after=wanted.since)).models)


def read_baseline_rows(session: Session, period: Period) -> tuple[Summary, Vocabulary | None]:
    """Return (the sum over the rows in `period` and all bad lines, the words of the latest texts)."""
    from sentimon.cli.progress import watched
    from sentimon.logbook.rollup.rows import open_rows
    from sentimon.monitoring.words import MOST_TEXTS, vocabulary_of

    def question(sums: Sums) -> tuple[Summary, Vocabulary | None]:
        summary = sums.summary(period)
        with ExitStack() as stack:
            rows = open_rows(sums, latest(period, summary, MOST_TEXTS), stack)
            return summary, vocabulary_of(watched(rows, "texts read"))

    return session.index.ask(question)


def latest(period: Period, summary: Summary, rows: int) -> Period:
    """Return the part of `period`, of whole hours, that holds so many of the latest rows in `summary`."""
    from msgspec.structs import replace

    from sentimon.logbook.moments import start_of_hour

    found = 0
    for hour, counts in sorted(summary.hours.items(), reverse=True):
        found += sum(counts)
        if found >= rows:
            starts = [one for one in (start_of_hour(hour), period.since) if one is not None]
            return replace(period, since=max(starts, default=None))
    return period


def within_hours(period: Period, hours: Collection[int]) -> Period:
    """Return the part of `period` from the first to the last of some hours, counted since 1970."""
    from msgspec.structs import replace

    from sentimon.logbook.moments import start_of_hour

    begin, end = start_of_hour(min(hours)), start_of_hour(max(hours) + 1)
    return replace(period, since=begin, until=end)


def note_not_kept(reason: str | None) -> None:
    """Say on stderr why a look of the monitor could not be remembered, if it could not."""
    if reason is not None:
        note(f"{reason}: this check is not remembered, and the next one judges its rows again")


def note_trouble(session: Session, summary: Summary) -> None:
    """Say on stderr how many lines were bad, which were the first, and what had to be assumed."""
    from sentimon.logbook.moments import from_microseconds

    if summary.bad_count:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(summary.bad.items()))
        note(f"{counted(summary.bad_count, 'bad line')} left out ({kinds}); the first:")
        for line in summary.bad_lines:
            note(f"  {line}")
    naive = summary.properties.get("naive_timestamp", 0)
    if naive:
        zone = session.settings.logs.naive_time_zone
        note(f"{counted(naive, 'timestamp')} without a time zone read as {zone} time (logs.naive_time_zone)")
    latest = session.now if summary.last is None else from_microseconds(summary.last)
    if latest > session.now:
        note(f"some rows are dated in the future, the latest {latest:%Y-%m-%d %H:%M} UTC")


def newer(session: Session, period: Period, *seen: datetime | None) -> Period:
    """Return the part of `period` that is later than all of `seen`.

    What is dated in the future hides nothing that comes until then.
    """
    from msgspec.structs import replace

    known = [min(moment, session.now) for moment in seen if moment is not None]
    return replace(period, after=max(known, default=None))
