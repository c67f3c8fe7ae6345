"""One look of the monitor: the new rows read and judged; remembered only once the result was shown."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentimon.errors import ReadOnlyError, StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.cli.session import Session
    from sentimon.logbook.rollup.sums import Sums
    from sentimon.logbook.summary import Summary
    from sentimon.logbook.windows import Period
    from sentimon.monitoring.baseline import Baseline
    from sentimon.monitoring.events import Counted
    from sentimon.monitoring.hourly import HourlyRows
    from sentimon.monitoring.monitor import MonitorState
    from sentimon.monitoring.monitor_report import MonitorReport
    from sentimon.monitoring.reference import Reference
    from sentimon.monitoring.vocabulary import Vocabulary


@dataclass(slots=True, kw_only=True)
class Looked:
    """What a look saw, and what the monitor remembers of it."""

    report: MonitorReport
    state: MonitorState
    summary: Summary
    """The sum over the hours that hold new rows, and all bad lines."""
    hours: frozenset[int]
    """The hours that hold new rows, since 1970."""
    told: bool = False
    """Whether a trigger has fired on the incident now; set by who fires it."""
    not_kept: str | None = None
    """Why nothing could be remembered, where the folder may only be read."""


@contextlib.contextmanager
def looked(session: Session, path: Path, *, keep: bool = True) -> Iterator[Looked]:
    """Look at the rows that the monitor of the baseline at `path` has not judged, and give what it saw.

    What it says is remembered when the block ends well, so that a result that nobody could be told of
    is found again; with `keep` false never, nor in a folder that may only be read. No other program looks
    meanwhile.

    Raises:
        StoreError: the log, the baseline or the memory of the monitor cannot be read or written.
        DataError: the rows are of another model than the baseline.
    """
    from sentimon.api.monitors import held_monitor
    from sentimon.api.stores import read_baseline_file
    from sentimon.monitoring.baseline_json import decode_baseline
    from sentimon.monitoring.monitor import fits, told
    from sentimon.monitoring.reference import Reference

    content = read_baseline_file(path)
    baseline = decode_baseline(content, origin=str(path))
    with held_monitor(session.folder, content) as file:
        reference = Reference.of(baseline)
        state = file.read()
        if not fits(state, reference):
            raise StoreError(
                f"{file.path}: is not of the events of {path}", hint="`sentimon drift --reset` starts anew"
            )
        seen = _look(session, baseline, reference, state)
        yield seen
        if keep and (seen.report.look is not None or seen.told):
            try:
                file.save(told(seen.state) if seen.told else seen.state)
            except ReadOnlyError as error:
                if seen.told:
                    raise
                seen.not_kept = error.message


def _look(session: Session, baseline: Baseline, reference: Reference, state: MonitorState) -> Looked:
    from sentimon.cli.reading import newer
    from sentimon.logbook.moments import start_of_hour
    from sentimon.logbook.windows import Period
    from sentimon.monitoring.drift import check_same_model
    from sentimon.monitoring.monitor import advance, new_rows
    from sentimon.monitoring.monitor_report import monitor_report

    settings, before, look = session.settings, state.incident, None
    horizon = state.horizon(session.now)
    since = None if horizon is None else start_of_hour(horizon)
    period = newer(session, Period(since=since), baseline.last)
    rows_by_hour, words, trouble = session.index.ask(
        lambda sums: _read(sums, period, baseline, reference, state)
    )
    hours = rows_by_hour.windows(words)
    new = new_rows(state, hours)
    summary = rows_by_hour.summary(new, trouble)
    check_same_model(baseline, summary)
    rows = sum(window.rows for window in new.values())
    if rows >= settings.drift.min_samples:
        level = settings.drift.confidence_level
        state, look = advance(
            state, hours, reference, settings.monitor, now=session.now, confidence_level=level
        )
    return Looked(
        report=monitor_report(
            baseline, reference, look, settings, new=rows, checks=state.checks, incident=before
        ),
        state=state,
        summary=summary,
        hours=frozenset(new),
    )


def _read(
    sums: Sums, period: Period, baseline: Baseline, reference: Reference, state: MonitorState
) -> tuple[HourlyRows, dict[int, Counted] | None, Summary]:
    """Return (the rows of `period`, their texts by hour and new words if these count, all bad lines)."""
    from sentimon.monitoring.hourly import HourlyRows

    found, words = HourlyRows(reference, state.seen), None
    for hour, some in sums.hours(period):
        found.add(hour, some)
    if baseline.vocabulary is not None:
        words = {hour: window.groups[-1] for hour, window in state.seen.items()}
        # Texts are read only where something is new.
        changed = {hour for hour, rows in found.rows().items() if _rows_seen(state, hour) != rows}
        words |= _count_words(sums, period, changed, baseline.vocabulary)
    return found, words, sums.trouble()


def _rows_seen(state: MonitorState, hour: int) -> int:
    return state.seen[hour].rows if hour in state.seen else 0


def _count_words(sums: Sums, period: Period, hours: set[int], vocabulary: Vocabulary) -> dict[int, Counted]:
    from sentimon.cli.progress import watched
    from sentimon.cli.reading import within_hours
    from sentimon.logbook.moments import hour_of
    from sentimon.logbook.rollup.rows import open_rows
    from sentimon.logbook.tokens import tokens_of
    from sentimon.monitoring.words import WordCounter

    counter = WordCounter(vocabulary)
    found = dict.fromkeys(hours, counter.nothing)
    with ExitStack() as stack:
        rows = open_rows(sums, within_hours(period, hours), stack) if hours else ()
        for row in watched(rows, "texts read"):
            hour = hour_of(row.timestamp)
            tokens = tokens_of(row, keyed=vocabulary.keyed) if hour in hours else None
            if tokens is not None:
                found[hour] += counter.count(tokens)
    return found
