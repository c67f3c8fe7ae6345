"""Which values of a run are exported, under which names: rows, drift, the decision, and the run itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sentimon.errors import ENDED, ExitCode
from sentimon.labels import LABELS
from sentimon.logbook.moments import from_microseconds
from sentimon.logbook.summary import Summary
from sentimon.monitoring.drift import DriftReport, Verdict
from sentimon.monitoring.intervals import Estimate
from sentimon.monitoring.metrics import Metrics
from sentimon.monitoring.monitor_report import MonitorReport
from sentimon.monitoring.retraining import RetrainingTrigger
from sentimon.reporting.prometheus import (
    PREFIX,
    Family,
    Labels,
    Sample,
    estimate_gauges,
    gauge,
    gauges,
    sample_key,
    seconds,
    shown_label,
)

MOST_MODELS = 10
"""Rows may name any model; so many get a sample of their own, the others share one."""
FAILED = (ExitCode.FAILURE, ExitCode.USAGE, *ENDED)
_SUCCESS = "last_success_timestamp_seconds"
_RUNS = "runs_total"


def metrics_families(summary: Summary, metrics: Metrics) -> list[Family]:
    """Return the rows of each class, shares and confidences with their intervals, models, bad lines."""
    latest = None if summary.last is None else from_microseconds(summary.last)
    return [
        gauges("predictions", "Rows looked at.", "sentiment", zip(LABELS, metrics.counts, strict=True)),
        *estimate_gauges(
            "share", "Share of a class.", "sentiment", list(zip(LABELS, metrics.shares, strict=True))
        ),
        *estimate_gauges("confidence", "Mean confidence over all rows.", "", [("", metrics.confidence)]),
        *estimate_gauges(
            "class_confidence",
            "Mean confidence of the rows of a class.",
            "sentiment",
            list(zip(LABELS, metrics.confidence_by_class, strict=True)),
        ),
        _models(summary),
        gauge("bad_lines", "Lines of the log that hold no row and were left out.", summary.bad_count),
        gauge("latest_prediction_timestamp_seconds", "When the latest row was predicted.", seconds(latest)),
    ]


def drift_families(report: DriftReport) -> list[Family]:
    """Return the score with its interval and limit, and the verdict; without one it is left out."""
    return [
        _detected(report.verdict),
        *_score(report.score),
        gauge("drift_threshold_ratio", "Score above which it is drift.", report.threshold),
        gauge("drift_predictions", "Rows compared with the baseline.", report.current.total),
        gauge("baseline_predictions", "Rows of the baseline.", report.baseline.total),
    ]


def monitor_families(report: MonitorReport) -> list[Family]:
    """Return the verdict of a monitor after a look, the score behind it, and how many looks there were."""
    return [
        _detected(report.verdict),
        *_score(report.score),
        gauge("drift_predictions", "Rows compared with the baseline.", sum(report.counts)),
        gauge("baseline_predictions", "Rows of the baseline.", report.baseline.summary.count),
        gauge(
            "monitor_checks", "Looks since the baseline.", None if report.look is None else report.look.check
        ),
        gauge("monitor_new_predictions", "Rows that no earlier look had judged.", report.new),
    ]


def _detected(verdict: Verdict) -> Family:
    drifted = None if verdict is Verdict.NO_VERDICT else verdict is Verdict.DRIFT
    return gauge("drift_detected", "1 drift, 0 stable; missing where there is no verdict.", drifted)


def _score(score: Estimate) -> list[Family]:
    return estimate_gauges("drift_score", "Distance of the class mix from the baseline.", "", [("", score)])


def retraining_families(trigger: RetrainingTrigger) -> list[Family]:
    """Return the decision and the rules behind it; what could not be judged is left out."""
    names = ("samples", "confidence", "drift", "error_rate")
    rules = tuple(zip(names, trigger.rules, strict=False))
    return [
        gauge("retraining_triggered", "1 where this run recommended retraining.", trigger.triggered),
        gauge(
            "retraining_due",
            "1 where the rules recommend retraining, cooldown aside; missing where undecided.",
            trigger.due if trigger.decided else None,
        ),
        gauges(
            "retraining_rule_met",
            "1 where a rule is met, 0 where it is not; missing where it cannot be judged.",
            "rule",
            ((name, rule.met) for name, rule in rules),
        ),
        gauge("retraining_new_predictions", "Rows that no fired trigger has seen.", trigger.samples.value),
        gauge("retraining_min_predictions", "Fewest such rows for a decision.", trigger.samples.limit),
        gauge("retraining_confidence_ratio", "Mean confidence of those rows.", trigger.confidence.value),
        gauge(
            "retraining_confidence_threshold_ratio",
            "Mean confidence below which retraining is recommended.",
            trigger.confidence.limit,
        ),
        gauge(
            "retraining_cooldown_end_timestamp_seconds",
            "When the running cooldown ends; missing where none runs.",
            seconds(trigger.cooldown_until),
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """A run of a command, over."""

    command: str
    version: str
    log: str | None
    """The folder of the log; None where the run failed before it was known."""
    code: ExitCode
    """What the run came to, also where --exit-zero hides it."""
    ended: datetime
    duration_seconds: float

    @property
    def succeeded(self) -> bool:
        """Return whether it came to an end: drift, or too few rows for a verdict, is no failure."""
        return self.code not in FAILED


def run_families(
    run: RunFacts, common: Labels, before: Mapping[str, float] = MappingProxyType({})
) -> list[Family]:
    """Return when the run was, how it ended, when the last good one was, and how many there were.

    `before` holds the values of the file that is being replaced: what a failed run keeps of it is the
    time of the last success, and the counts go on.
    """
    success = before.get(sample_key(PREFIX + _SUCCESS, common), 0.0)
    info = {"command": run.command, "version": run.version} | ({} if run.log is None else {"log": run.log})
    return [
        gauge("run_info", "The run that wrote this file.", 1, **info),
        gauge("last_run_timestamp_seconds", "When the last run ended.", seconds(run.ended)),
        gauge(
            _SUCCESS,
            "When the last run that did not fail ended; 0 where there was none.",
            seconds(run.ended) if run.succeeded else success,
        ),
        gauge(
            "last_run_exit_code",
            "0 nothing found, 1 failed, 2 usage, 3 a finding, 4 no verdict, 130, 143, 129 ended by a signal.",
            run.code,
        ),
        gauge("last_run_duration_seconds", "How long the last run took.", run.duration_seconds),
        _runs(run, common, before),
    ]


def _runs(run: RunFacts, common: Labels, before: Mapping[str, float]) -> Family:
    counts = {}
    for code in ExitCode:
        labels = {"exit_code": str(int(code))}
        known = before.get(sample_key(PREFIX + _RUNS, {**common, **labels}), 0.0)
        counts[labels["exit_code"]] = known + (code == run.code)
    samples = tuple(Sample(value=value, labels={"exit_code": code}) for code, value in counts.items())
    return Family(
        name=_RUNS, doc="Runs that wrote this file, by how they ended.", samples=samples, kind="counter"
    )


def _models(summary: Summary) -> Family:
    # Two long names may be cut to the same one, and a name must not have two samples.
    rows: dict[tuple[str, str], int] = {}
    ranked = sorted(summary.models.items(), key=lambda item: (-item[1], str(item[0])))
    for place, ((model, revision), count) in enumerate(ranked):
        named = (shown_label(model or ""), shown_label(revision or ""))
        key = named if place < MOST_MODELS else ("(others)", "")
        rows[key] = rows.get(key, 0) + count
    return Family(
        name="model_predictions",
        doc=f"Rows looked at of each model, the {MOST_MODELS} with most rows by name.",
        samples=tuple(
            Sample(value=count, labels={"model": model, "revision": revision})
            for (model, revision), count in rows.items()
        ),
    )
