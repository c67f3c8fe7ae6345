"""`sentimon retrain-check`: should the model be retrained."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sentimon.cli.collecting import collect_baseline
from sentimon.cli.engine import EngineOption
from sentimon.cli.notify import OnTriggerOption, WebhookOption, tell
from sentimon.cli.options import (
    BaselineOption,
    ConfigOption,
    DryRunFlag,
    ExitZeroFlag,
    JsonFlag,
    LogsOption,
    QuietFlag,
    SaveFlag,
    SinceOption,
    ThresholdOption,
    UntilOption,
)
from sentimon.cli.output import leave, note, show, show_json
from sentimon.cli.plan_reading import show_reading_plan
from sentimon.cli.reading import compare, note_not_kept, note_trouble
from sentimon.cli.recording import PrometheusOption, recorded
from sentimon.cli.session import Session, start
from sentimon.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.cli.monitor import Looked
    from sentimon.logbook.summary import Summary
    from sentimon.logbook.windows import Period
    from sentimon.monitoring.baseline import Baseline
    from sentimon.monitoring.retraining import LastTrigger, RetrainingTrigger


@recorded
def retrain_check(
    logs: LogsOption = None,
    file: BaselineOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    threshold: ThresholdOption = None,
    save: SaveFlag = False,
    on_trigger: OnTriggerOption = None,
    webhook: WebhookOption = None,
    prometheus: PrometheusOption = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
    exit_zero: ExitZeroFlag = False,
    engine: EngineOption = None,
    dry_run: DryRunFlag = False,
    config: ConfigOption = None,
) -> None:
    """Decide whether the model needs retraining.

    It does where there are enough new rows, and their mean confidence is low, they have drifted, or the
    error rate of the labelled rows has risen (`sentimon label`). New are the rows after the baseline and
    after the last saved trigger that fired. From 2,000 baseline rows
    on, drift is judged by a monitor that stays sure however often it looks, and fires once while drift
    lasts. After a `promote` that asked for a baseline nothing is decided until its rows are logged; then it
    makes it. Exit code: 0 no, 3 yes, 4 no verdict.

    Example: sentimon retrain-check --logs logs/ --save -q
    """
    from sentimon.api.stores import read_last_fired
    from sentimon.logbook.history import TRIGGERS_FILE, append_entry
    from sentimon.reporting.json_shapes import trigger_object

    flags = {"logs.dir": logs, "drift.threshold": threshold, "notify.webhook": webhook}
    session = start(config, flags | {"engine.name": engine}, objects=True)
    if dry_run:
        show_reading_plan(session, as_json=as_json)
    triggers = session.folder / TRIGGERS_FILE
    last, bad = read_last_fired(triggers, zone=session.naive_zone)
    if last is not None and last.doubt is not None:
        # Said also where quiet is asked for: it may hold back what would fire.
        note(f"{last.doubt}: taken for a trigger that fired at {last.timestamp:%Y-%m-%d %H:%M} UTC")
        note("mend that line, or remove it if none fired then")
    path = session.baseline_path(file)
    collect_baseline(session, path)
    with ExitStack() as stack:
        period = session.period(since, until)
        trigger, summary, seen = decide(session, path, period, last, stack)
        content = trigger_object(trigger, timestamp=session.now)
        if trigger.triggered or not quiet:
            for line in bad:
                note(f"bad line: {line}")
            note_trouble(session, summary)
            show_json(content) if as_json else _show(trigger)
        # Shown before it is saved: one that nobody could be told of fires again.
        sys.stdout.flush()
        if save:
            append_entry(triggers, content)
        if seen is not None:
            seen.told = save and trigger.triggered and bool(trigger.drift.met)
    note_not_kept(None if seen is None else seen.not_kept)
    if prometheus:
        prometheus.keep_retraining(session, trigger)
    if trigger.triggered:
        # After all that is remembered of it: nothing that hangs or fails can take it back.
        tell(session, content, command=on_trigger)
        leave(ExitCode.FINDING, exit_zero=exit_zero)
    leave(ExitCode.OK if trigger.decided else ExitCode.NO_VERDICT, exit_zero=exit_zero)


def _show(trigger: RetrainingTrigger) -> None:
    # Not loaded where no table is shown: that is a tenth of the command's time.
    from sentimon.reporting.decision_tables import trigger_table

    show(trigger_table(trigger))


def decide(
    session: Session,
    path: Path,
    period: Period,
    last: LastTrigger | None,
    stack: ExitStack,
    *,
    keep: bool = True,
) -> tuple[RetrainingTrigger, Summary, Looked | None]:
    """Return (the decision, the sum over the rows it is on, what the monitor saw if it judged).

    What the monitor saw is remembered when `stack` is closed, unless `keep` is false.
    """
    from sentimon.cli.error_rate import error_rate_rule
    from sentimon.cli.monitor import looked
    from sentimon.monitoring.retraining import evaluate_retraining, monitor_rule, score_rule

    settings = session.settings.retraining
    baseline, summary, report = compare(session, path, period, None if last is None else last.seen)
    seen, rule, told = None, score_rule(report), False
    if is_monitored(session, baseline, period):
        seen = stack.enter_context(looked(session, path, keep=keep))
        rule = monitor_rule(seen.report)
        incident = seen.report.incident
        told = incident is not None and incident.told and not settings.repeat
    # A new baseline begins anew; until then the same rise of the error rate is told once.
    since = None if last is None or not last.error_rate_met else last.timestamp
    known = since is not None and (baseline is None or baseline.created <= since)
    trigger = evaluate_retraining(
        summary,
        rule,
        settings,
        drift_told=told,
        error_rate=None if report.collecting else error_rate_rule(session, path),
        error_rate_told=known and not settings.repeat,
        collecting=report.collecting,
        last=last,
        now=session.now,
        confidence_level=session.settings.drift.confidence_level,
    )
    return trigger, summary, seen


def is_monitored(session: Session, baseline: Baseline | None, period: Period) -> bool:
    """Return whether the monitor judges drift, not the score of one look.

    Raises:
        UsageError: it should, and cannot judge a chosen period.
    """
    from sentimon.monitoring.reference import FEWEST_ROWS

    rule = session.settings.retraining.drift_rule
    chosen = period.since is not None or period.until is not None
    if baseline is None or rule == "threshold" or (rule == "auto" and chosen):
        return False
    if chosen:
        raise UsageError(
            "--since and --until do not go with the monitor, which judges each row once",
            hint="leave them out, or set retraining.drift_rule to threshold",
        )
    return rule == "monitor" or baseline.summary.count >= FEWEST_ROWS
