"""Should the model be retrained: what the log, its labels and its baseline say, decided in one place.

`decide_retraining` only reads. `check_retraining` is the same with a memory: read, decide, append and
mark are one step, so that of many programs that ask at once one fires.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sentimon.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sentimon.jsonl import BadLine
    from sentimon.monitoring.baseline import Baseline
    from sentimon.monitoring.onset import ConfidenceSums
    from sentimon.monitoring.retraining_rules import LastTrigger, RetrainingTrigger
    from sentimon.monitoring.traffic import TrafficReport
    from sentimon.prediction_log.summary import Summary
    from sentimon.prediction_log.windows import Period
    from sentimon.statistics.intervals import Estimate
    from sentimon.workflows.drift import BaselineComparison
    from sentimon.workflows.monitor import MonitorLook
    from sentimon.workflows.workspace import Workspace

_NEAR_HOURS = 48
"""Windows that begin so many hours before the latest one, or less, are summed up hour by hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainingDecision:
    """The decision, and what it was made on."""

    made: datetime
    trigger: RetrainingTrigger
    """Every rule with its value, interval and limit, and whether the trigger fires."""
    comparison: BaselineComparison
    """The rows that no trigger that fired has seen, against the baseline."""
    look: MonitorLook | None
    """What the monitor saw, where it judges drift."""
    last: LastTrigger | None
    """The latest saved trigger that fired."""
    unreadable: Sequence[BadLine]
    """Lines of the saved triggers that hold none."""
    traffic: TrafficReport | None = None
    """Whether rows still come, and as many as usual; None where nobody looked at it."""

    @property
    def summary(self) -> Summary:
        """Return the sum over the rows that were decided on, and over all bad lines."""
        return self.comparison.summary

    @property
    def entry(self) -> Mapping[str, Any]:
        """Return the decision as `--json` shows it and `--save` keeps it."""
        from sentimon.reporting.json_shapes import trigger_object
        from sentimon.reporting.traffic_sentences import traffic_key

        return {**trigger_object(self.trigger, timestamp=self.made), **traffic_key(self.traffic)}


def decide_retraining(
    workspace: Workspace, path: Path | None = None, period: Period | None = None, *, whole: bool = False
) -> RetrainingDecision:
    """Return whether the model needs retraining, by the rows in `period` and the baseline at `path`.

    Without a `path` it is the baseline beside the log.
    Counted are rows newer than the baseline, unless all are wanted (`whole`), and newer than the last
    saved trigger that fired. Nothing is written, and the look of the monitor is forgotten.

    Raises:
        StoreError: the log, its labels, the baseline or the saved triggers cannot be read.
        DataError: the rows are of another model than the baseline.
        UsageError: the monitor is to judge a chosen period.
    """
    with ExitStack() as stack:
        return _decide(workspace, path, period, stack, whole=whole, keep=False)


def check_retraining(
    workspace: Workspace,
    path: Path | None = None,
    period: Period | None = None,
    *,
    save: bool = False,
    show: Callable[[RetrainingDecision], None] | None = None,
) -> RetrainingDecision:
    """Return what `decide_retraining` does, with the traffic; the monitor remembers its look.

    With `save` the decision is kept, too, and all that is read for it and all that is remembered of it is one
    step: no other program decides on this log meanwhile. `show` is called before anything is remembered:
    what nobody could be told of fires again. Without `save` nothing has to be written: where the folder
    cannot be, the monitor forgets its look.

    Raises:
        StoreError: as of `decide_retraining`; or the folder cannot be written.
        DataError: the rows are of another model than the baseline.
        UsageError: the monitor is to judge a chosen period.
    """
    from sentimon.prediction_log.history import TRIGGERS_FILE, append_entry
    from sentimon.workflows.monitor_file import deciding
    from sentimon.workflows.traffic import check_traffic

    with ExitStack() as stack:
        if save:
            stack.enter_context(deciding(workspace.folder))
        decision = _decide(workspace, path, period, stack, keep=True)
        traffic = check_traffic(workspace, path, compared=decision.comparison)
        decision = replace(decision, traffic=traffic)
        if show is not None:
            show(decision)
        if save:
            append_entry(workspace.folder / TRIGGERS_FILE, decision.entry)
        if decision.look is not None:
            decision.look.told = save and decision.trigger.triggered and bool(decision.trigger.drift.met)
    return decision


def _decide(
    workspace: Workspace,
    path: Path | None,
    period: Period | None,
    stack: ExitStack,
    *,
    whole: bool = False,
    keep: bool,
) -> RetrainingDecision:
    """Return the decision; a look that is to be kept is remembered when `stack` is closed."""
    from sentimon.monitoring.retraining_rules import evaluate_retraining, monitor_rule, score_rule
    from sentimon.prediction_log.history import TRIGGERS_FILE
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.drift import compare_with_baseline
    from sentimon.workflows.error_rate import ErrorRateRules, error_rate_rules
    from sentimon.workflows.monitor import monitor_look
    from sentimon.workflows.state_files import read_last_fired

    path, period = path or workspace.baseline_path(None), period or Period()
    settings = workspace.settings.retraining
    last, unreadable = read_last_fired(workspace.folder / TRIGGERS_FILE, zone=workspace.naive_zone)
    seen = None if last is None else last.seen
    comparison = compare_with_baseline(workspace, path, period, seen=seen, whole=whole)
    baseline, report = comparison.baseline, comparison.report
    look, rule, onset = None, score_rule(report), report.onset if report.drifted else None
    if is_monitored(workspace, baseline, period):
        look = stack.enter_context(monitor_look(workspace, path, keep=keep))
        rule, onset = monitor_rule(look.report), look.report.open_onset
    rates = ErrorRateRules() if report.collecting else error_rate_rules(workspace, path)
    # A new baseline begins anew; until then the same rise of the error rate is told once.
    begun_anew = last is not None and baseline is not None and baseline.created > last.timestamp
    known = None if settings.repeat or begun_anew else last
    trigger = evaluate_retraining(
        comparison.summary,
        rule,
        settings,
        drift_told=look is not None and look.report.told and not settings.repeat,
        moved_most=None if look is None else look.report.largest_finding,
        onset=onset,
        newest_confidence=_newest_confidence(workspace, comparison),
        error_rate=rates.whole,
        error_rate_told=known is not None and known.error_rate_met,
        slice_error_rate=rates.slices,
        slice_error_rate_told=known is not None and known.has_told(rates.risen),
        risen_slices=rates.risen,
        collecting=report.collecting,
        last=last,
        now=workspace.now,
        confidence_level=workspace.settings.drift.confidence_level,
    )
    return RetrainingDecision(
        made=workspace.now,
        trigger=trigger,
        comparison=comparison,
        look=look,
        last=last,
        unreadable=unreadable,
    )


def _newest_confidence(workspace: Workspace, comparison: BaselineComparison) -> Estimate | None:
    """Return the mean confidence of the newest rows, where these are surely below the limit and all are not.

    Looked at are windows that double, as for the class mix; the interval holds for all of them at once.
    Rows that somebody chose are judged as they are.
    """
    from sentimon.monitoring.prediction_metrics import mean_confidence
    from sentimon.monitoring.recent_rows import lowest_recent_mean, window_starts
    from sentimon.monitoring.retraining_rules import is_low

    settings, summary = workspace.settings, comparison.summary
    level = settings.drift.confidence_level
    fewest = settings.retraining.min_samples_for_retraining
    if comparison.chosen or summary.count < fewest:
        return None
    if is_low(mean_confidence(*summary.classes, confidence_level=level), settings.retraining):
        return None
    *starts, _ = all_starts = list(window_starts(summary.hours, fewest))
    joint = 1 - (1 - level) / len(all_starts)
    sums = workspace.ask(lambda log: _confidence_since(log, comparison.compared, starts))
    means = [one.estimate(joint) for one in sums]
    return lowest_recent_mean(means, settings.retraining.confidence_threshold)


def _confidence_since(workspace: Workspace, period: Period, starts: Sequence[int]) -> list[ConfidenceSums]:
    """Return the sum over the confidences of rows of `period`, from each of some hours on.

    `starts` are the hours, the latest first. The short windows are a few hours each, which are read once for
    all of them.
    """
    from sentimon.monitoring.onset import ConfidenceSums
    from sentimon.workflows.drift import confidences, since_hour

    near = [start for start in starts if start > starts[0] - _NEAR_HOURS]
    hours = confidences(workspace, since_hour(period, near[-1])) if near else {}
    found = [sum((one for hour, one in hours.items() if hour >= start), ConfidenceSums()) for start in near]
    for start in starts[len(near) :]:
        summary = workspace.summary(since_hour(period, start))
        found.append(ConfidenceSums.of(summary.classes))
    return found


def is_monitored(workspace: Workspace, baseline: Baseline | None, period: Period) -> bool:
    """Return whether the monitor judges drift, not the score of one look.

    Raises:
        UsageError: it should, and cannot judge a chosen period.
    """
    from sentimon.monitoring.monitor_reference import FEWEST_ROWS

    rule = workspace.settings.retraining.drift_rule
    chosen = period.since is not None or period.until is not None
    if baseline is None or rule == "threshold" or (rule == "auto" and chosen):
        return False
    if chosen:
        raise UsageError(
            "--since and --until do not go with the monitor, which judges each row once",
            hint="leave them out, or set retraining.drift_rule to threshold",
        )
    return rule == "monitor" or baseline.summary.count >= FEWEST_ROWS
