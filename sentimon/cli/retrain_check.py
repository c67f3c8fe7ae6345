"""`sentimon retrain-check`: should the model be retrained."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sentimon.cli.notify import OnTriggerOption, WebhookOption, tell
from sentimon.cli.options import (
    BaselineOption,
    ConfigOption,
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
from sentimon.cli.reading import compare, note_trouble
from sentimon.cli.recording import PrometheusOption, recorded
from sentimon.cli.session import Session, start
from sentimon.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.logbook.summary import Summary
    from sentimon.logbook.windows import Period
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
    config: ConfigOption = None,
) -> None:
    """Decide whether the model needs retraining.

    It does where there are enough new rows, and their mean confidence is low or their mix has drifted.
    New are the rows after the baseline and after the last saved trigger that fired. Exit code: 0 no,
    3 yes, 4 no verdict.

    Example: sentimon retrain-check --logs logs/ --save -q
    """
    from sentimon.api.stores import read_last_fired
    from sentimon.logbook.history import TRIGGERS_FILE, append_entry
    from sentimon.reporting.json_shapes import trigger_object

    flags = {"logs.dir": logs, "drift.threshold": threshold, "notify.webhook": webhook}
    session = start(config, flags)
    triggers = session.folder / TRIGGERS_FILE
    last, bad = read_last_fired(triggers, zone=session.naive_zone)
    trigger, summary = decide(session, session.baseline_path(file), session.period(since, until), last)
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
    if prometheus:
        prometheus.keep_retraining(session, trigger)
    if trigger.triggered:
        tell(session, content, command=on_trigger)
    if trigger.triggered:
        leave(ExitCode.FINDING, exit_zero=exit_zero)
    leave(ExitCode.OK if trigger.decided else ExitCode.NO_VERDICT, exit_zero=exit_zero)


def _show(trigger: RetrainingTrigger) -> None:
    # Not loaded where no table is shown: that is a tenth of the command's time.
    from sentimon.reporting.tables import trigger_table

    show(trigger_table(trigger))


def decide(
    session: Session, path: Path, period: Period, last: LastTrigger | None
) -> tuple[RetrainingTrigger, Summary]:
    """Return (the decision on the rows in `period` that `last` has not seen, the sum over them)."""
    from sentimon.monitoring.retraining import evaluate_retraining

    _, summary, report = compare(session, path, period, None if last is None else last.seen)
    trigger = evaluate_retraining(
        summary,
        report,
        session.settings.retraining,
        last=last,
        now=session.now,
        confidence_level=session.settings.drift.confidence_level,
    )
    return trigger, summary
