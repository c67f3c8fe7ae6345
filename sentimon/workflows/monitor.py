"""The monitor run on a log: the rows that it has not judged, its verdict, and what is behind an alarm."""

from __future__ import annotations

import contextlib
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sentimon.errors import ReadOnlyError, StoreError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sentimon.monitoring.baseline import Baseline
    from sentimon.monitoring.incident import Incident
    from sentimon.monitoring.monitor_reference import Reference
    from sentimon.monitoring.monitor_report import MonitorReport
    from sentimon.monitoring.monitor_rows import HourlyRows
    from sentimon.monitoring.monitor_state import MonitorState
    from sentimon.monitoring.onset import Onset
    from sentimon.monitoring.slice_rows import SegmentRows
    from sentimon.monitoring.traffic import TrafficReport
    from sentimon.monitoring.vocabulary import Growth, Vocabulary
    from sentimon.monitoring.watched_events import Counted, EventWindow
    from sentimon.prediction_log.record import PredictionRecord
    from sentimon.prediction_log.slice_fields import SliceField
    from sentimon.prediction_log.slices import Slices
    from sentimon.prediction_log.summary import Counts, Summary
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.workspace import Workspace


SAMPLED_TEXTS = 50_000
"""About as many texts are read of the hours that are too old for rows that come late."""
_GROWN_WORDS = 5
_EXAMPLES = 3
_TEXTS = ("examples", "grown_words")
"""Keys of a look that hold what people wrote."""


@dataclass(slots=True, kw_only=True)
class MonitorLook:
    """What the monitor saw of the rows that are new to it, and what it remembers of that."""

    made: datetime
    report: MonitorReport
    state: MonitorState
    summary: Summary
    """The sum over the hours that hold new rows, and all bad lines."""
    hours: frozenset[int]
    """The hours that hold new rows, since 1970."""
    told: bool = False
    """Whether a trigger has fired on the incident now; set by who fires it."""
    traffic: TrafficReport | None = None
    """Whether rows still come, and as many as usual; set by who looks at it."""

    @property
    def is_news(self) -> bool:
        """Return whether there is something to report also where people asked for quiet."""
        return self.report.opened or self.report.closed or bool(self.report.values)

    def to_dict(
        self, words: Sequence[Growth] = (), examples: Sequence[PredictionRecord] = ()
    ) -> Mapping[str, Any]:
        """Return the look as `--json` shows it; `words` and `examples` are those of `find_examples`."""
        from sentimon.reporting.monitor_findings import monitor_object
        from sentimon.reporting.traffic_sentences import traffic_key

        found = monitor_object(self.report, timestamp=self.made, words=words, examples=examples)
        return {**found, **traffic_key(self.traffic)}

    @property
    def entry(self) -> Mapping[str, Any]:
        """Return the look as `--save` keeps it: texts stay in the log alone, where they can be erased."""
        return {name: value for name, value in self.to_dict().items() if name not in _TEXTS}


def run_monitor(
    workspace: Workspace,
    path: Path | None = None,
    *,
    keep: bool = True,
    show: Callable[[MonitorLook], None] | None = None,
) -> MonitorLook:
    """Return what the monitor of the baseline at `path` says of the rows that it has not judged.

    Without a `path` it is the baseline beside the log.

    `show` is called with it before it is remembered: a result that nobody could be told of is found
    again. With `keep` false it is never remembered, and nothing is written; nor in a folder that may only
    be read, which is then said.

    Raises:
        StoreError: the log, the baseline or the memory of the monitor cannot be read or written.
        DataError: the rows are of another model than the baseline.
    """
    with monitor_look(workspace, path or workspace.baseline_path(None), keep=keep) as look:
        if show is not None:
            show(look)
    return look


@contextlib.contextmanager
def monitor_look(workspace: Workspace, path: Path, *, keep: bool = True) -> Iterator[MonitorLook]:
    """Give what `run_monitor` returns; it is remembered when the block ends well.

    No other program looks meanwhile, unless `keep` is false.
    """
    from sentimon.monitoring.baseline import check_classes
    from sentimon.monitoring.baseline_codec import decode_baseline
    from sentimon.monitoring.monitor_state import told
    from sentimon.workflows.monitor_file import held_monitor, peek_monitor
    from sentimon.workflows.state_files import read_baseline_file

    content = read_baseline_file(path)
    baseline = decode_baseline(content, origin=str(path))
    check_classes(baseline, workspace.classes, str(path))
    if not keep:
        yield _look(workspace, path, baseline, peek_monitor(workspace.folder, content))
        return
    with held_monitor(workspace.folder, content) as file:
        seen = _look(workspace, path, baseline, file.read())
        yield seen
        if seen.report.look is not None or seen.told:
            try:
                file.save(told(seen.state) if seen.told else seen.state)
            except ReadOnlyError as error:
                if seen.told:
                    raise
                workspace.say(
                    f"{error.message}: this check is not remembered, and the next one judges its rows again"
                )


def _look(workspace: Workspace, path: Path, baseline: Baseline, state: MonitorState) -> MonitorLook:
    from sentimon.monitoring.class_mix_drift import check_same_model
    from sentimon.monitoring.monitor_check import check_new_rows, with_onset
    from sentimon.monitoring.monitor_reference import Reference
    from sentimon.monitoring.monitor_report import monitor_report
    from sentimon.monitoring.monitor_rows import new_rows
    from sentimon.monitoring.monitor_state import fits
    from sentimon.prediction_log.windows import Period
    from sentimon.timestamps import start_of_hour
    from sentimon.workflows.drift import newer
    from sentimon.workflows.monitor_file import MONITOR_FILE

    reference = Reference.of(baseline)
    if not fits(state, reference):
        raise StoreError(
            f"{workspace.folder / MONITOR_FILE}: is not of the events of {path}",
            hint="`sentimon drift --reset` starts anew",
        )
    settings, before, look = workspace.settings, state, None
    horizon = state.horizon(workspace.now)
    since = None if horizon is None else start_of_hour(horizon)
    period = newer(workspace, Period(since=since), baseline.last)
    fields = watched_fields(baseline)
    log = workspace.divided_by(*fields) if fields else workspace
    rows_by_hour, words, trouble, slices = log.ask(
        lambda log: (*_read(log, period, baseline, reference, state), _slices(log, period, fields))
    )
    hours = rows_by_hour.windows(words)
    new = new_rows(state, hours)
    summary = rows_by_hour.summary(new, trouble)
    check_same_model(baseline, summary)
    rows = sum(window.rows for window in new.values())
    if rows >= settings.drift.min_samples:
        level = settings.drift.confidence_level
        state, look = check_new_rows(
            state,
            hours,
            reference,
            settings.monitor,
            now=workspace.now,
            confidence_level=level,
            slices=_segment_rows(baseline, reference, slices),
        )
        if look.incident is not None and look.drifting and look.incident.onset is None:
            state, look = with_onset(
                state, look, _onset(workspace, baseline, reference, look.incident, hours, whole=since is None)
            )
    return MonitorLook(
        made=workspace.now,
        report=monitor_report(
            baseline, reference, look, settings, new=rows, before=before, crowded=_crowded(slices, new)
        ),
        state=state,
        summary=summary,
        hours=frozenset(new),
    )


def watched_fields(baseline: Baseline) -> tuple[SliceField, ...]:
    """Return the fields whose slices the monitor of a baseline watches.

    Raises:
        UsageError: what tells one of them is not installed.
    """
    if not baseline.watched_fields:
        return ()
    from sentimon.prediction_log.slice_fields import check_fields

    return check_fields(baseline.watched_fields, origin=f"baseline {baseline.name!r}")


def _slices(log: Workspace, period: Period, fields: Sequence[SliceField]) -> dict[str, dict[int, Slices]]:
    return {field.name: log.slice_hours(period, field) for field in fields}


def _crowded(slices: Mapping[str, Mapping[int, Slices]], hours: Collection[int]) -> dict[str, int]:
    """Return how many of the hours have too many values of each field to tell them apart, where any has."""
    found = {
        field: sum(one.too_many for hour, one in by_hour.items() if hour in hours)
        for field, by_hour in slices.items()
    }
    return {field: count for field, count in found.items() if count}


def _segment_rows(
    baseline: Baseline, reference: Reference, found: Mapping[str, Mapping[int, Slices]]
) -> SegmentRows | None:
    if not found:
        return None
    from sentimon.monitoring.slice_rows import segment_reference, segment_rows

    return segment_rows(baseline, segment_reference(baseline, reference), found)


def _onset(
    workspace: Workspace,
    baseline: Baseline,
    reference: Reference,
    incident: Incident,
    hours: Mapping[int, EventWindow],
    *,
    whole: bool,
) -> Onset | None:
    """Return when the share changed that moved most, of those that opened an incident.

    Words are looked for in `hours` alone, in the texts that were read anyway; `whole` says whether these are
    all hours since the baseline.
    """
    from sentimon.monitoring.onset_search import class_mix_onset, event_onset
    from sentimon.prediction_log.windows import Period

    level, period = workspace.settings.drift.confidence_level, Period(after=baseline.last)
    largest = max(incident.findings, key=lambda one: abs(one.difference))
    if largest.where is not None:
        before, since = _hours_of_slice(workspace, baseline, period, largest.where)
        return class_mix_onset(before, since, confidence_level=level)
    if largest.group == "class":
        later = workspace.summary(period).hours
        return class_mix_onset(baseline.summary.hours, later, confidence_level=level)
    place = [group.name for group in reference.groups].index(largest.group)
    windows = hours
    if largest.group == "confidence":
        windows, whole = workspace.ask(lambda log: _by_hour(log, period, reference)), True
    counted = {hour: window.groups[place] for hour, window in windows.items()}
    known = reference.groups[place].reference
    onset = event_onset(known, counted, largest.place, confidence_level=level)
    return None if onset is None else replace(onset, looked_back=whole)


def _hours_of_slice(
    workspace: Workspace, baseline: Baseline, period: Period, where: tuple[str, str]
) -> tuple[Mapping[int, Counts], Mapping[int, Counts]]:
    """Return the rows per class of a slice by hour, (in the baseline, in `period`)."""
    from sentimon.prediction_log.slice_fields import SliceField

    (name, value), field = where, SliceField(where[0])
    history = baseline.fields[name]
    known = dict(history.hours(baseline.summary.hours)).get(value, {})
    watched = list(history.values)
    told = {hour: one.told_apart(watched) for hour, one in workspace.slice_hours(period, field).items()}
    return known, {hour: one.tallies[value].counts for hour, one in told.items() if value in one.tallies}


def _by_hour(log: Workspace, period: Period, reference: Reference) -> Mapping[int, EventWindow]:
    """Return the event counts of the rows of `period`, by hour, without words."""
    from sentimon.monitoring.monitor_rows import HourlyRows

    found = HourlyRows(reference, {})
    for hour, some in log.hours(period):
        found.add(hour, some)
    return found.windows(None)


def _read(
    log: Workspace, period: Period, baseline: Baseline, reference: Reference, state: MonitorState
) -> tuple[HourlyRows, dict[int, Counted] | None, Summary]:
    """Return (the rows of `period`, their texts by hour and new words if these count, all bad lines)."""
    from sentimon.monitoring.monitor_rows import HourlyRows

    found, words = HourlyRows(reference, state.seen), None
    for hour, some in log.hours(period):
        found.add(hour, some)
    if baseline.vocabulary is not None:
        words = {hour: window.groups[-1] for hour, window in state.seen.items()}
        # Texts are read only where something is new.
        changed = {hour: rows for hour, rows in found.rows().items() if _rows_seen(state, hour) != rows}
        words |= _count_words(log, period, changed, baseline.vocabulary)
    return found, words, log.trouble()


def _rows_seen(state: MonitorState, hour: int) -> int:
    return state.seen[hour].rows if hour in state.seen else 0


def _count_words(
    log: Workspace, period: Period, hours: Mapping[int, int], vocabulary: Vocabulary
) -> dict[int, Counted]:
    """Return the texts of some hours, given with their rows, by their share of new words.

    A first look finds the texts of years. Of those that no later check looks at again, a sample is read.
    """
    from sentimon.monitoring.monitor_state import LATE_HOURS
    from sentimon.monitoring.vocabulary import WordCounter
    from sentimon.timestamps import hour_of

    counter = WordCounter(vocabulary)
    found = dict.fromkeys(hours, counter.nothing)
    # As of the state: a row dated in the future makes no present hour an old one.
    horizon = min(max(hours, default=0), hour_of(log.now)) - LATE_HOURS
    old = sum(rows for hour, rows in hours.items() if hour < horizon)
    for part, one_in in (
        ({hour for hour in hours if hour < horizon}, -(-old // SAMPLED_TEXTS)),
        ({hour for hour in hours if hour >= horizon}, 1),
    ):
        for hour, tokens in _texts_of(log, period, part, one_in, keyed=vocabulary.keyed):
            found[hour] += counter.count(tokens)
    return found


def _texts_of(
    log: Workspace, period: Period, hours: set[int], one_in: int, *, keyed: bool
) -> Iterator[tuple[int, Collection[int]]]:
    """Yield the hour and the hashed words of each text of some hours, of about `one_in` rows one."""
    from sentimon.prediction_log.word_hashes import logged_token_hashes
    from sentimon.timestamps import hour_of
    from sentimon.workflows.drift import within_hours

    with ExitStack() as stack:
        rows = log.rows(within_hours(period, hours), stack, one_in=one_in) if hours else ()
        for row in log.progress(rows, "texts read"):
            hour = hour_of(row.timestamp)
            tokens = logged_token_hashes(row, keyed=keyed) if hour in hours else None
            if tokens is not None:
                yield hour, tokens


def find_examples(workspace: Workspace, seen: MonitorLook) -> tuple[list[Growth], list[PredictionRecord]]:
    """Return (the words that grew most, the latest rows of the event that moved most).

    Looked at are the latest hours that hold new rows, as many as have SAMPLED_TEXTS rows. Words only where
    the baseline and the log both hold texts.
    """
    return workspace.ask(lambda log: _examples(log, seen))


def _examples(log: Workspace, seen: MonitorLook) -> tuple[list[Growth], list[PredictionRecord]]:
    from sentimon.monitoring.finding import shows
    from sentimon.monitoring.vocabulary import grown_words
    from sentimon.prediction_log.windows import Period
    from sentimon.prediction_log.word_hashes import words_of
    from sentimon.timestamps import hour_of
    from sentimon.workflows.drift import within_hours

    incident, vocabulary = seen.report.incident, seen.report.baseline.vocabulary
    rows: deque[PredictionRecord] = deque(maxlen=_EXAMPLES)
    found: Counter[str] = Counter()
    texts = 0
    hours = _latest_hours(seen)
    if incident is None or not hours:
        return [], []
    watched = {name: one.values for name, one in seen.report.baseline.fields.items()}
    is_one = shows(incident.findings, seen.report.reference, vocabulary, watched=watched)
    with ExitStack() as stack:
        since = seen.report.baseline.last
        for row in log.rows(within_hours(Period(after=since), hours), stack):
            if hour_of(row.timestamp) not in hours:
                continue
            if is_one(row):
                rows.append(row)
            if row.text is not None:
                texts += 1
                found.update(set(words_of(row.text)))
    if vocabulary is None or vocabulary.keyed or not texts:
        return [], list(rows)
    return grown_words(found, texts, vocabulary, most=_GROWN_WORDS), list(rows)


def _latest_hours(seen: MonitorLook) -> set[int]:
    """Return the latest hours with new rows, as many as have SAMPLED_TEXTS rows together."""
    found, rows = set(), 0
    for hour in sorted(seen.hours, reverse=True):
        if rows >= SAMPLED_TEXTS:
            break
        found.add(hour)
        rows += sum(seen.summary.hours[hour])
    return found
