"""What a report says of retraining and of the settings: no check is made, and nothing is remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentimon.cli.session import Session

if TYPE_CHECKING:
    from sentimon.logbook.summary import Summary
    from sentimon.logbook.windows import Period
    from sentimon.monitoring.baseline import Baseline
    from sentimon.monitoring.collecting import Collecting
    from sentimon.monitoring.monitor import MonitorState
    from sentimon.monitoring.retraining import LastTrigger, RetrainingTrigger, RuleResult
    from sentimon.reporting.report.report_value import Setting


def decision(
    session: Session,
    period: Period,
    baseline: Baseline | None,
    rows: Summary,
    state: MonitorState,
    last: LastTrigger | None,
    collecting: Collecting | None,
) -> RetrainingTrigger:
    """Return the decision on `rows`; the monitor has the say that it had at its last look."""
    from sentimon.monitoring.drift import detect_drift
    from sentimon.monitoring.reference import FEWEST_ROWS
    from sentimon.monitoring.retraining import evaluate_retraining, score_rule

    settings, incident = session.settings.retraining, state.incident
    chosen = period.since is not None or period.until is not None
    large = baseline is not None and baseline.summary.count >= FEWEST_ROWS
    judges = settings.drift_rule == "monitor" or (settings.drift_rule == "auto" and large)
    if judges and state.checks and not chosen:
        rule = _remembered_rule(session, state, rows.count)
    else:
        rule, incident = score_rule(detect_drift(baseline, rows, session.settings.drift)), None
    return evaluate_retraining(
        rows,
        rule,
        settings,
        drift_told=incident is not None and incident.told and not settings.repeat,
        last=last,
        collecting=collecting,
        now=session.now,
        confidence_level=session.settings.drift.confidence_level,
    )


def _remembered_rule(session: Session, state: MonitorState, rows: int) -> RuleResult:
    from sentimon.monitoring.retraining import RuleResult

    found = () if state.incident is None else state.incident.findings
    return RuleResult(
        name="change of a share",
        side="more than chance and at least",
        value=max((abs(one.difference) for one in found), default=None),
        low=None,
        high=None,
        limit=session.settings.monitor.delta,
        met=state.incident is not None,
        n=rows,
    )


def settings_of(session: Session) -> list[Setting]:
    """Return every setting with where it came from, as a report may show it to anybody."""
    from sentimon.config.secrets import WEBHOOK_KEY, shown_value
    from sentimon.reporting.report.report_value import Setting

    loaded = session.loaded
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
