"""What a report needs of the log and of what lies beside it: read, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentimon.cli.reading import count_collected, latest, newer
from sentimon.errors import StoreError, UsageError
from sentimon.files import is_there

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.cli.session import Session
    from sentimon.logbook.rollup.sums import Sums
    from sentimon.logbook.summary import Summary
    from sentimon.logbook.windows import Period, Window
    from sentimon.monitoring.baseline import Baseline
    from sentimon.monitoring.collecting import Collecting
    from sentimon.monitoring.growth import Growth
    from sentimon.monitoring.monitor import MonitorState
    from sentimon.monitoring.retraining import LastTrigger
    from sentimon.reporting.report.report_value import Known, Report

_WINDOWS = 90
"""Where nobody says how long windows are, the shortest are taken of which there are no more."""
_MOST_WINDOWS = 3_000
_LENGTHS = {"1h": 1, "6h": 6, "1d": 24, "1w": 168, "4w": 672}
_LATEST_TEXTS = 2_000
_WORDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a report is asked for."""

    period: Period
    baseline: Path
    every: str | None
    evaluate: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What lies beside the log, and which rows are new by it."""

    baseline: Baseline | None
    collecting: Collecting | None
    """Why there is none, where that of a new model is still to come."""
    state: MonitorState
    """What the monitor of the baseline remembers."""
    last: LastTrigger | None
    """The last that fired."""
    compared: Period
    """Of the rows that are compared with the baseline."""
    untold: Period
    """Of those that no trigger that fired has seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the log says."""

    every: str
    windows: Sequence[Window]
    summary: Summary
    """Of the rows of the period."""
    current: Summary
    """Of those that are compared with the baseline."""
    untold: Summary
    """Of those that no trigger that fired has seen."""
    words: Sequence[Growth]
    texts: int


def read_report(session: Session, asked: Asked) -> Report:
    """Return the report of the log; the monitor's memory is read, and no look is made.

    Raises:
        UsageError: there would be too many windows.
        StoreError: something that is there cannot be read.
        DataError: the rows are of another model than the baseline.
    """
    kept = _read_kept(session, asked)
    found = session.index.ask(lambda sums: _read(sums, session, asked, kept))
    return _told(session, asked, kept, found)


def _read_kept(session: Session, asked: Asked) -> Kept:
    from sentimon.api.stores import read_baseline, read_last_fired
    from sentimon.api.succession import wanted_at
    from sentimon.logbook.history import TRIGGERS_FILE
    from sentimon.monitoring.monitor import MonitorState

    wanted, baseline = wanted_at(asked.baseline), None
    if wanted is None and is_there(asked.baseline):
        baseline = read_baseline(asked.baseline)
    last, _ = read_last_fired(session.folder / TRIGGERS_FILE, zone=session.naive_zone)
    ended = None if baseline is None or asked.period.since else baseline.last
    if wanted is not None:
        ended = wanted.since
    return Kept(
        baseline=baseline,
        collecting=None if wanted is None else count_collected(session, wanted),
        state=MonitorState() if baseline is None else _remembered(session, asked.baseline, baseline),
        last=last,
        compared=newer(session, asked.period, ended),
        untold=newer(session, asked.period, ended, None if last is None else last.seen),
    )


def _told(session: Session, asked: Asked, kept: Kept, found: Found) -> Report:
    """Return all that follows from what was read."""
    import sentimon
    from sentimon.cli.report_decision import decision, settings_of
    from sentimon.cli.report_labels import read_labelled
    from sentimon.logbook.history import DRIFT_FILE, read_entries
    from sentimon.monitoring.drift import detect_drift
    from sentimon.monitoring.metrics import measure
    from sentimon.reporting.report.report_value import Report, Watch, score_windows
    from sentimon.reporting.report.saved_checks import recall

    settings, level = session.settings, session.settings.drift.confidence_level
    baseline, state = kept.baseline, kept.state
    reference = None if baseline is None else baseline.summary
    entries, bad = read_entries(session.folder / DRIFT_FILE)
    return Report(
        made=session.now,
        version=sentimon.__version__,
        source=session.source,
        zone=session.zone,
        zone_name=settings.metrics.time_zone,
        names=session.names,
        confidence_level=level,
        min_samples=settings.drift.min_samples,
        delta=settings.monitor.delta,
        confidence_threshold=settings.retraining.confidence_threshold,
        every=found.every,
        summary=found.summary,
        metrics=measure(found.summary, confidence_level=level),
        windows=score_windows(found.windows, reference, confidence_level=level),
        baseline=_known(baseline),
        drift=detect_drift(baseline, found.current, settings.drift, collecting=kept.collecting),
        watch=Watch(checks=state.checks, incident=state.incident),
        past=recall(entries, state.incident, session.naive_zone, unreadable=len(bad)),
        words=found.words,
        latest_texts=found.texts,
        trigger=decision(session, asked.period, baseline, found.untold, state, kept.last, kept.collecting),
        labelled=read_labelled(session, asked.period, asked.evaluate),
        settings=settings_of(session),
    )


def _remembered(session: Session, path: Path, baseline: Baseline) -> MonitorState:
    """Return what the monitor of a baseline remembers.

    Raises:
        StoreError: it cannot be read, or tells of events that the baseline does not have.
    """
    from sentimon.api.monitors import MONITOR_FILE, peek_monitor
    from sentimon.monitoring.monitor import fits
    from sentimon.monitoring.reference import Reference

    state = peek_monitor(session.folder, path)
    if state.incident is not None and not fits(state, Reference.of(baseline)):
        raise StoreError(
            f"{session.folder / MONITOR_FILE}: is not of the events of {path}",
            hint="`sentimon drift --reset` starts anew",
        )
    return state


def _read(sums: Sums, session: Session, asked: Asked, kept: Kept) -> Found:
    every = asked.every or _length(sums.summary(asked.period))
    windows, summary = sums.windows(asked.period, session.calendar(every), now=session.now)
    if len(windows) > _MOST_WINDOWS:
        raise UsageError(
            f"--every {every}: a report shows at most {_MOST_WINDOWS} windows, these are {len(windows)}",
            hint="choose longer windows, or fewer rows with --since and --until",
        )
    current = sums.summary(kept.compared)
    words, texts = _grown(sums, kept.compared, current, kept.baseline)
    return Found(
        every=every,
        windows=windows,
        summary=summary,
        current=current,
        untold=current if kept.untold == kept.compared else sums.summary(kept.untold),
        words=words,
        texts=texts,
    )


def _length(summary: Summary) -> str:
    """Return the shortest windows of which there are not too many to be seen."""
    span = max(summary.hours, default=0) - min(summary.hours, default=0) + 1
    return next((name for name, hours in _LENGTHS.items() if span <= _WINDOWS * hours), "4w")


def _grown(
    sums: Sums, period: Period, summary: Summary, baseline: Baseline | None
) -> tuple[list[Growth], int]:
    """Return (the words that grew most in the latest texts, how many texts that is about)."""
    from collections import Counter

    from sentimon.logbook.rollup.rows import open_rows
    from sentimon.logbook.tokens import hash_word, words_of
    from sentimon.monitoring.growth import grown_words

    vocabulary = None if baseline is None else baseline.vocabulary
    if vocabulary is None or vocabulary.keyed or not summary.count:
        return [], 0
    found: Counter[str] = Counter()
    texts = 0
    with ExitStack() as stack:
        for row in open_rows(sums, latest(period, summary, _LATEST_TEXTS), stack):
            if row.text is not None:
                texts += 1
                found.update(set(words_of(row.text)))
    if not texts:
        return [], 0
    hashed = {word: (hash_word(word), count) for word, count in found.items()}
    return grown_words(hashed, texts, vocabulary, most=_WORDS), texts


def _known(baseline: Baseline | None) -> Known | None:
    from sentimon.logbook.moments import from_microseconds
    from sentimon.reporting.report.report_value import Known

    if baseline is None:
        return None
    first = baseline.summary.first
    return Known(
        name=baseline.name,
        created=baseline.created,
        first=None if first is None else from_microseconds(first),
        last=baseline.last,
    )
