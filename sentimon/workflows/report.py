"""All that is known of a log for people, read at one moment and put into one value."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from sentimon.errors import StoreError, UsageError
from sentimon.files import is_there

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.evaluation.realised_quality import Judged
    from sentimon.labels import Sentiment
    from sentimon.monitoring.baseline import Baseline
    from sentimon.monitoring.explained_change import ExplainedChange
    from sentimon.monitoring.retraining_rules import LastTrigger
    from sentimon.monitoring.slice_windows import SlicesOverTime
    from sentimon.monitoring.traffic import TrafficReport
    from sentimon.monitoring.vocabulary import Growth
    from sentimon.prediction_log.summary import Summary
    from sentimon.prediction_log.windows import Period, Window
    from sentimon.reporting.command_steps import CommandOptions
    from sentimon.reporting.report.report_value import (
        CountedWindow,
        Known,
        Labelled,
        NoWords,
        Report,
        Setting,
        Watch,
    )
    from sentimon.scoring.scores import BestClass, Scores
    from sentimon.workflows.drift import BaselineComparison
    from sentimon.workflows.retraining import RetrainingDecision
    from sentimon.workflows.workspace import Workspace

_HOUR = timedelta(hours=1)
_WINDOWS = 90
"""Where nobody says how long windows are, there are no more than this."""
_FULL = 0.75
"""Share of the windows with rows that have enough of them, where nobody says how long they are."""
_MOST_WINDOWS = 3_000
_LENGTHS = {"1h": 1, "3h": 3, "6h": 6, "12h": 12, "1d": 24, "2d": 48, "1w": 168, "4w": 672}
_LONGEST = "520w"
"""Ten years: of these there are at most 1,000."""
_LATEST_TEXTS = 1_000
_WORDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRequest:
    """What a report is asked for."""

    period: Period
    baseline: Path
    every: str | None = None
    """The length of the windows, such as "1d"; None goes by the rows."""
    by: str | None = None
    """A field whose slices are shown, beside those of the settings."""
    explain: bool = False
    """Whether the slices that account for the change are searched, which reads rows."""
    options: CommandOptions | None = None
    """How the log is named in the commands that the report shows; None: by its folder alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What the log says, all at one moment."""

    every: str
    windows: Sequence[CountedWindow]
    summary: Summary
    """Of the rows of the period."""
    comparison: BaselineComparison
    decision: RetrainingDecision
    watch: Watch
    traffic: TrafficReport | None
    words: GrownWords
    slices: Sequence[SlicesOverTime]
    explained: ExplainedChange | None


def build_report(
    workspace: Workspace, asked: ReportRequest | None = None, labelled: Labelled | None = None
) -> Report:
    """Return the report of the log; its quality is `labelled`, or that of the labelled rows of the log.

    Where nothing is asked for in particular, it is about all rows and the baseline beside the log.

    It holds the comparison and the decision that `drift` and `retrain-check` would show now. It only
    reads: what the monitor says is not remembered.

    Raises:
        UsageError: there would be too many windows, or rows cannot be divided by the field.
        StoreError: something that is there cannot be read.
        DataError: the rows are of another model than the baseline.
    """
    import sentimon
    from sentimon.monitoring.prediction_metrics import measure
    from sentimon.prediction_log.history import DRIFT_FILE, read_entries
    from sentimon.prediction_log.windows import Period
    from sentimon.reporting.command_steps import CommandOptions
    from sentimon.reporting.report.report_value import Report, score_windows
    from sentimon.reporting.report.saved_checks import recall
    from sentimon.workflows.slices import field_named

    request = asked or ReportRequest(period=Period(), baseline=workspace.baseline_path(None))
    if labelled is None:
        labelled = labelled_rows(workspace, request.period)
    if request.by is not None:
        workspace = workspace.divided_by(field_named(request.by))
    found = workspace.ask(lambda log: _read(log, request))
    settings, level = workspace.settings, workspace.settings.drift.confidence_level
    baseline = found.comparison.baseline
    reference = None if baseline is None else baseline.summary
    entries, bad = read_entries(workspace.folder / DRIFT_FILE)
    return Report(
        made=workspace.now,
        version=sentimon.__version__,
        source=workspace.described,
        zone=workspace.zone,
        zone_name=settings.metrics.time_zone,
        names=workspace.names,
        confidence_level=level,
        min_samples=settings.drift.min_samples,
        delta=settings.monitor.delta,
        confidence_threshold=settings.retraining.confidence_threshold,
        every=found.every,
        summary=found.summary,
        metrics=measure(found.summary, confidence_level=level),
        windows=score_windows(found.windows, reference, confidence_level=level),
        baseline=_known(baseline, level),
        drift=found.comparison.report,
        watch=found.watch,
        traffic=found.traffic,
        past=recall(entries, found.watch.incident, workspace.naive_zone, unreadable=len(bad)),
        words=found.words.words,
        latest_texts=found.words.texts,
        no_words=found.words.missing,
        trigger=found.decision.trigger,
        last_trigger=_last_trigger(found),
        labelled=labelled,
        slices=found.slices,
        explained=found.explained,
        settings=settings_of(workspace),
        options=request.options or CommandOptions(logs=workspace.source),
    )


def _read(log: Workspace, asked: ReportRequest) -> _Facts:
    from sentimon.workflows.drift import compare_with_baseline
    from sentimon.workflows.slice_search import explain_change
    from sentimon.workflows.slices import check_some_row_has, field_named, slices_of

    if asked.by is not None:
        check_some_row_has(log, field := field_named(asked.by), log.slices(asked.period, field))
    every = asked.every or window_length(log.summary(asked.period), log.settings.drift.min_samples)
    windows, summary = _windows(log, asked.period, every)
    if len(windows) > _MOST_WINDOWS:
        raise UsageError(
            f"--every {every}: a report shows at most {_MOST_WINDOWS} windows, these are {len(windows)}",
            hint="choose longer windows, or fewer rows with --since and --until",
        )
    decision = _decision(log, asked)
    comparison = decision.comparison
    if decision.last is not None:
        # The decision leaves out the rows that the trigger has seen; what changed since the baseline has not.
        comparison = compare_with_baseline(log, asked.baseline, asked.period)
    return _Facts(
        every=every,
        windows=windows,
        summary=summary,
        comparison=comparison,
        decision=decision,
        watch=_watch(log, asked.baseline, comparison, decision),
        traffic=_traffic(log, asked, comparison),
        words=_grown(log, comparison),
        slices=[slices_of(log, asked.period, comparison, every, field) for field in log.fields],
        explained=explain_change(log, comparison) if asked.explain else None,
    )


def _windows(log: Workspace, period: Period, every: str) -> tuple[list[CountedWindow], Summary]:
    """Return (the windows of the rows in `period`, the sum over them and all bad lines).

    Where each window is an hour of UTC, as it mostly is with `--every 1h`, the sums per hour are all it
    takes: the windows themselves would be whole summaries, each of a thousand numbers.
    """
    from sentimon.monitoring.onset import ConfidenceSums
    from sentimon.prediction_log.summary import Summary
    from sentimon.prediction_log.windows import lay_out
    from sentimon.reporting.report.report_value import CountedWindow
    from sentimon.timestamps import hour_of, start_of_hour
    from sentimon.workflows.drift import confidences

    calendar = log.calendar(every)
    if every != "1h":
        windows, summary = log.windows(period, calendar)
        return [CountedWindow.of(one) for one in windows], summary
    summary = log.summary(period)
    hours = (start_of_hour(hour) for hour in summary.hours)
    begins = (calendar.start_of(one) for one in hours if one is not None)
    frames = lay_out(dict.fromkeys(begins, Summary()), calendar, now=log.now)
    if not _are_hours(frames):
        return [CountedWindow.of(one) for one in log.windows(period, calendar)[0]], summary
    sure, nothing = confidences(log, period), ConfidenceSums()
    first = 0 if not frames else hour_of(frames[0].start)
    return [
        CountedWindow(
            start=one.start,
            end=one.end,
            complete=one.complete,
            counts=summary.hours.get(hour, (0, 0, 0)),
            confidence=sure.get(hour, nothing),
        )
        for hour, one in enumerate(frames, start=first)
    ], summary


def _are_hours(windows: Sequence[Window]) -> bool:
    """Return whether each of some windows, one after the other, is an hour that is counted since 1970."""
    from sentimon.timestamps import hour_of, start_of_hour

    if not windows:
        return True
    begin = windows[0].start
    return begin == start_of_hour(hour_of(begin)) and all(one.end - one.start == _HOUR for one in windows)


def _decision(log: Workspace, asked: ReportRequest) -> RetrainingDecision:
    from sentimon.workflows.retraining import decide_retraining

    settings, period = log.settings, asked.period
    if settings.retraining.drift_rule == "monitor" and (period.since or period.until):
        # The monitor judges no chosen period; a report is about one all the same.
        rules = msgspec.structs.replace(settings.retraining, drift_rule="auto")
        log = replace(
            log, loaded=replace(log.loaded, settings=msgspec.structs.replace(settings, retraining=rules))
        )
    return decide_retraining(log, asked.baseline, period)


def _traffic(log: Workspace, asked: ReportRequest, comparison: BaselineComparison) -> TrafficReport | None:
    """Return whether rows come, and as many as usual; None for a time that is over."""
    from sentimon.workflows.traffic import check_traffic

    if asked.period.until is not None and asked.period.until <= log.now:
        return None
    return check_traffic(log, asked.baseline, compared=comparison)


def _watch(log: Workspace, path: Path, comparison: BaselineComparison, decision: RetrainingDecision) -> Watch:
    """Return the state of the monitor: after the look that the decision is made on, else as it remembers it.

    Raises:
        StoreError: it cannot be read, or tells of events that the baseline does not have.
    """
    from sentimon.monitoring.monitor_reference import Reference
    from sentimon.monitoring.monitor_state import MonitorState, fits
    from sentimon.reporting.report.report_value import Watch
    from sentimon.workflows.monitor_file import MONITOR_FILE, peek_monitor
    from sentimon.workflows.state_files import read_baseline_file

    state = MonitorState()
    if decision.look is not None:
        state = decision.look.state
    elif comparison.baseline is not None and not log.where:
        state = peek_monitor(log.folder, read_baseline_file(path))
        if state.incident is not None and not fits(state, Reference.of(comparison.baseline)):
            raise StoreError(
                f"{log.folder / MONITOR_FILE}: is not of the events of {path}",
                hint="`sentimon drift --reset` starts anew",
            )
    return Watch(checks=state.checks, incident=state.incident)


def labelled_rows(workspace: Workspace, period: Period) -> Labelled | None:
    """Return the quality of the rows of the log in `period` that have a label; None where none has.

    The rows of the log are read only where labels lie beside it.

    Raises:
        StoreError: the log or its labels cannot be read.
    """
    from sentimon.gold_labels import LABELS_FILE
    from sentimon.workflows.log_labels import judge_log, read_labels

    if not is_there(workspace.folder / LABELS_FILE):
        return None
    judged = judge_log(workspace, read_labels(workspace), period)
    if not judged:
        return None
    return measure_labelled(
        workspace,
        f"{LABELS_FILE} beside the log",
        [_answer(one) for one in judged],
        [one.label.label for one in judged],
        drawn=any(one.label.drawn for one in judged),
    )


def _answer(one: Judged) -> Scores | BestClass:
    from sentimon.scoring.scores import BestClass, Scores

    if one.scores is None:
        return BestClass(label=one.predicted, confidence=one.confidence)
    return Scores.from_probabilities(one.scores)


def measure_labelled(
    workspace: Workspace,
    source: str,
    scores: Sequence[Scores | BestClass],
    labels: Sequence[Sentiment],
    *,
    drawn: bool = False,
) -> Labelled:
    """Return the quality and the calibration of `scores` by their `labels`, for a report.

    `source` says where the rows are from; `drawn`, whether they were picked with known probabilities.
    """
    from sentimon.evaluation.quality import evaluate
    from sentimon.reporting.report.report_value import Labelled
    from sentimon.statistics.calibration_error import reliability

    level = workspace.settings.drift.confidence_level
    pairs = zip(scores, labels, strict=True)
    sure = [(one.confidence, one.label is label) for one, label in pairs if one.confidence is not None]
    return Labelled(
        source=source,
        quality=evaluate(scores, labels, confidence_level=level, present=workspace.classes),
        curve=reliability([one for one, _ in sure], [one for _, one in sure], confidence_level=level),
        drawn=drawn,
    )


def window_length(summary: Summary, fewest: int) -> str:
    """Return the shortest windows most of which hold `fewest` rows, and of which there are not too many.

    Where no windows do, as there are few rows, they are only not too many.
    """
    span = max(summary.hours, default=0) - min(summary.hours, default=0) + 1
    if span > _MOST_WINDOWS * _LENGTHS["4w"]:
        # More than two centuries: some rows have a wrong year.
        return _LONGEST
    possible = [name for name, hours in _LENGTHS.items() if span <= _WINDOWS * hours] or ["4w"]
    return next((name for name in possible if _mostly_hold(fewest, summary, _LENGTHS[name])), possible[0])


def _mostly_hold(fewest: int, summary: Summary, hours: int) -> bool:
    rows: dict[int, int] = {}
    for hour, counts in summary.hours.items():
        rows[hour // hours] = rows.get(hour // hours, 0) + sum(counts)
    enough = sum(count >= fewest for count in rows.values())
    return enough >= _FULL * len(rows)


def _last_trigger(found: _Facts) -> LastTrigger | None:
    """Return the latest trigger that fired, where no baseline has begun anew since."""
    last, baseline = found.decision.last, found.comparison.baseline
    began = None if baseline is None else baseline.last
    return last if last is not None and (began is None or last.seen > began) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrownWords:
    """The words that grew most in the latest texts."""

    words: Sequence[Growth] = ()
    texts: int = 0
    missing: NoWords | None = None
    """Why words cannot be compared; None where they can."""


def _grown(log: Workspace, comparison: BaselineComparison) -> GrownWords:
    from collections import Counter

    from sentimon.monitoring.vocabulary import grown_words
    from sentimon.prediction_log.word_hashes import words_of
    from sentimon.reporting.report.report_value import NoWords
    from sentimon.workflows.baseline import latest

    baseline, summary = comparison.baseline, comparison.summary
    if baseline is None:
        collecting = comparison.report.collecting is not None
        return GrownWords(missing=NoWords.COLLECTING if collecting else NoWords.NO_BASELINE)
    vocabulary = baseline.vocabulary
    if vocabulary is None:
        return GrownWords(missing=NoWords.NOT_IN_BASELINE)
    if vocabulary.keyed:
        return GrownWords(missing=NoWords.HASHED)
    if not summary.count:
        return GrownWords(missing=NoWords.NO_NEW_ROWS)
    found: Counter[str] = Counter()
    texts = 0
    with ExitStack() as stack:
        for row in log.rows(latest(comparison.compared, summary, _LATEST_TEXTS), stack):
            if row.text is not None:
                texts += 1
                found.update(set(words_of(row.text)))
    if not texts:
        return GrownWords(missing=NoWords.NO_TEXTS)
    return GrownWords(words=grown_words(found, texts, vocabulary, most=_WORDS), texts=texts)


def _known(baseline: Baseline | None, level: float) -> Known | None:
    from sentimon.monitoring.prediction_metrics import measure
    from sentimon.reporting.report.report_value import Known
    from sentimon.timestamps import from_microseconds

    if baseline is None:
        return None
    first = baseline.summary.first
    return Known(
        name=baseline.name,
        created=baseline.created,
        first=None if first is None else from_microseconds(first),
        last=baseline.last,
        metrics=measure(baseline.summary, confidence_level=level),
    )


def settings_of(workspace: Workspace) -> list[Setting]:
    """Return every setting with where it came from, as a report may show it to anybody."""
    from sentimon.config.secrets import WEBHOOK_KEY, shown_value
    from sentimon.reporting.report.report_value import Setting

    loaded = workspace.loaded
    shown = []
    for key, origin in loaded.origins.items():
        section, name = key.split(".")
        value = getattr(getattr(loaded.settings, section), name)
        # A report is passed on, and the address of a webhook is often its password.
        hidden = key == WEBHOOK_KEY and value
        text = "(set, not shown)" if hidden else _toml(shown_value(key, value))
        shown.append(Setting(key=key, value=text, origin=origin))
    return shown


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
