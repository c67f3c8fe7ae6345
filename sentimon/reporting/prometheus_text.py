"""What a run found, in the text format that Prometheus reads (node_exporter's textfile collector).

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sentimon.errors import ENDED, ExitCode
from sentimon.labels import LABELS, by_name
from sentimon.monitoring.class_mix_drift import DriftReport
from sentimon.monitoring.drift_decision import Verdict
from sentimon.monitoring.monitor_report import MonitorReport
from sentimon.monitoring.prediction_metrics import Metrics
from sentimon.monitoring.retraining_rules import RetrainingTrigger
from sentimon.monitoring.slice_comparison import FieldComparison, SliceOutcome
from sentimon.monitoring.slice_metrics import FieldMetrics
from sentimon.monitoring.traffic import TrafficReport
from sentimon.prediction_log.summary import Summary
from sentimon.reporting.plain_text import visible
from sentimon.statistics.intervals import Estimate
from sentimon.timestamps import EPOCH, from_microseconds

MOST_MODELS = 10
"""The largest number of models with a sample of their own; the others share one."""
FAILED = (ExitCode.FAILURE, ExitCode.USAGE, *ENDED)
_SUCCESS = "last_success_timestamp_seconds"
_RUNS = "runs_total"


Labels = Mapping[str, str]


PREFIX = "sentimon_"


_NUMBER = re.compile(r"\d{1,20}(\.\d{1,20})?", re.ASCII)


LONGEST_LABEL = 200
"""Characters of a label's value at most; a longer one is cut and ends in an ellipsis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value with its labels."""

    value: float
    labels: Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """All samples of one name (without the prefix); `doc` is its HELP line."""

    name: str
    doc: str
    samples: tuple[Sample, ...]
    kind: str = "gauge"


def gauge(name: str, doc: str, value: float | bool | None, **labels: str) -> Family:
    """Return a family with one sample, or without samples for None: unknown is not zero."""
    known = () if value is None else (Sample(value=float(value), labels=labels),)
    return Family(name=name, doc=doc, samples=known)


def gauges(name: str, doc: str, label: str, values: Iterable[tuple[str, float | None]]) -> Family:
    """Return a family with a sample for each (value of the label, value) that is known."""
    samples = (
        Sample(value=float(value), labels={label: key} if label else {})
        for key, value in values
        if value is not None
    )
    return Family(name=name, doc=doc, samples=tuple(samples))


def estimate_gauges(
    name: str, doc: str, label: str, estimates: Sequence[tuple[str, Estimate]]
) -> list[Family]:
    """Return estimates as three families: value, low and high; an empty `label` adds no label."""

    def family(part: str, says: str, values: Iterable[float | None]) -> Family:
        keys = (key for key, _ in estimates)
        return gauges(f"{name}{part}_ratio", says, label, zip(keys, values, strict=True))

    return [
        family("", doc, (one.value for _, one in estimates)),
        family(
            "_low", f"Lower end of the interval of {PREFIX}{name}_ratio.", (one.low for _, one in estimates)
        ),
        family(
            "_high", f"Upper end of the interval of {PREFIX}{name}_ratio.", (one.high for _, one in estimates)
        ),
    ]


def seconds(moment: datetime | None) -> float | None:
    """Return the seconds from 1970 to `moment`."""
    return None if moment is None else (moment - EPOCH).total_seconds()


def render(families: Sequence[Family], common: Labels) -> str:
    r"""Return the text of `families`; each sample also carries the labels in `common`.

    Families without samples are left out, and no sample has a timestamp: the textfile collector
    refuses those.

    >>> print(render([gauge("up", "Whether.", True, model='a"b')], {"source": "shop"}), end="")
    # HELP sentimon_up Whether.
    # TYPE sentimon_up gauge
    sentimon_up{source="shop",model="a\"b"} 1
    """
    lines: list[str] = []
    for family in families:
        if family.samples:
            name = PREFIX + family.name
            lines.append(f"# HELP {name} {family.doc}")
            lines.append(f"# TYPE {name} {family.kind}")
            lines.extend(
                f"{sample_key(name, {**common, **one.labels})} {number(one.value)}" for one in family.samples
            )
    return "".join(line + "\n" for line in lines)


def read_values(text: str) -> dict[str, float]:
    """Return the value of each sample in a text that `render` made, under its `sample_key`.

    Lines that are no samples, or not of plain numbers, are passed over: what is read may be damaged.
    """
    values: dict[str, float] = {}
    for line in text.split("\n"):
        key, _, value = line.rpartition(" ")
        if key.startswith(PREFIX) and _NUMBER.fullmatch(value):
            values[key] = float(value)
    return values


def sample_key(name: str, labels: Labels) -> str:
    """Return the name of a sample with its labels, as in the text."""
    pairs = (f'{key}="{_escaped(shown_label(one))}"' for key, one in labels.items())
    return name + "{" + ",".join(pairs) + "}"


def shown_label(value: str) -> str:
    r"""Return the value of a label as it is exported: with visible control characters, and cut.

    >>> shown_label("a\nb")
    'a\\nb'
    """
    whole = visible(value[: LONGEST_LABEL + 1])
    return whole if len(whole) <= LONGEST_LABEL else whole[: LONGEST_LABEL - 1] + "…"


def _escaped(value: str) -> str:
    # No line break is left in it to be escaped.
    return value.replace("\\", "\\\\").replace('"', '\\"')


def number(value: float) -> str:
    """Return a number with all its digits, whole ones without a point.

    >>> number(3.0), number(0.1), number(float("inf"))
    ('3', '0.1', '+Inf')
    """
    if math.isfinite(value):
        return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else repr(value)
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


def metrics_families(summary: Summary, metrics: Metrics, names: Sequence[str] = LABELS) -> list[Family]:
    """Return rows per class, shares and confidences with their intervals, models, and bad lines."""
    latest = None if summary.last is None else from_microseconds(summary.last)
    return [
        gauges("predictions", "Rows looked at.", "sentiment", by_name(names, metrics.counts)),
        *estimate_gauges("share", "Share of a class.", "sentiment", list(by_name(names, metrics.shares))),
        *estimate_gauges("confidence", "Mean confidence over all rows.", "", [("", metrics.confidence)]),
        *estimate_gauges(
            "class_confidence",
            "Mean confidence of the rows of a class.",
            "sentiment",
            list(by_name(names, metrics.confidence_by_class)),
        ),
        *estimate_gauges(
            "unreadable",
            "Share of rows whose text is in letters that the model does not know.",
            "",
            [("", metrics.unreadable)],
        ),
        _models(summary),
        gauge("bad_lines", "Lines of the log that hold no row and were left out.", summary.bad_count),
        _latest_prediction(latest),
    ]


def slice_families(found: FieldMetrics, names: Sequence[str] = LABELS) -> list[Family]:
    """Return rows per class, share of all rows and mean confidence of each slice by one field."""

    def family(name: str, doc: str, values: Iterable[tuple[Mapping[str, str], float | None]]) -> Family:
        samples = (
            Sample(value=value, labels={"field": shown_label(found.field), **labels})
            for labels, value in values
            if value is not None
        )
        return Family(name=name, doc=doc, samples=tuple(samples))

    slices = [({"value": shown_label(one.value)}, one) for one in found.slices]
    return [
        family(
            "slice_predictions",
            "Rows looked at of each slice, by class.",
            (
                (label | {"sentiment": name}, count)
                for label, one in slices
                for name, count in by_name(names, one.counts)
            ),
        ),
        family(
            "slice_share_ratio",
            "Share of a slice among all rows looked at.",
            ((label, one.of_all.value) for label, one in slices),
        ),
        family(
            "slice_confidence_ratio",
            "Mean confidence of the rows of a slice.",
            ((label, one.confidence.value) for label, one in slices),
        ),
    ]


def slice_drift_families(found: FieldComparison) -> list[Family]:
    """Return the distance of each slice from that slice of the baseline, and whether it has drifted."""
    judged = (SliceOutcome.DRIFT, SliceOutcome.CHANGED, SliceOutcome.UNCHANGED)
    scores, drifted = [], []
    for one in found.slices:
        labels = {"field": shown_label(found.field), "value": shown_label(one.value)}
        if one.score.value is not None:
            scores.append(Sample(value=one.score.value, labels=labels))
        if one.state in judged:
            drifted.append(Sample(value=float(one.state is SliceOutcome.DRIFT), labels=labels))
    return [
        Family(
            name="slice_drift_score_ratio",
            doc="Distance of the class mix of a slice from its baseline.",
            samples=tuple(scores),
        ),
        Family(
            name="slice_drift_detected",
            doc="1 drift of a slice, 0 none; missing where it has too few rows.",
            samples=tuple(drifted),
        ),
    ]


def _latest_prediction(moment: datetime | None) -> Family:
    return gauge("latest_prediction_timestamp_seconds", "When the latest row was predicted.", seconds(moment))


def drift_families(report: DriftReport) -> list[Family]:
    """Return the score with its interval and limit, and the verdict, if there is one."""
    return [
        _detected(report.verdict),
        *_score(report.score),
        gauge("drift_threshold_ratio", "Score above which it is drift.", report.threshold),
        gauge("drift_predictions", "Rows compared with the baseline.", report.current.total),
        gauge("baseline_predictions", "Rows of the baseline.", report.baseline.total),
    ]


def monitor_families(report: MonitorReport) -> list[Family]:
    """Return the verdict of the monitor after a check, the score, and the number of checks."""
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
    """Return the decision and its rules; a rule that could not be judged is left out."""
    rules = trigger.named_rules.items()
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


def traffic_families(report: TrafficReport) -> list[Family]:
    """Return whether the log is silent, and how many rows come against the baseline, if that is known."""
    freshness, volume = report.freshness, report.volume
    silent = None if freshness.newest is None else freshness.is_stale(report.now)
    known = [] if volume is None else [("", volume.factor)]
    return [
        _latest_prediction(freshness.newest),
        gauge(
            "log_max_age_seconds",
            "Age of the latest row from which on the log is silent.",
            freshness.max_age.total_seconds(),
        ),
        gauge("log_silent", "1 where the latest row is older; missing without rows.", silent),
        gauge("baseline_present", "1 where there is a baseline, or one is collected.", report.has_baseline),
        gauge(
            "traffic_changed",
            "1 where surely fewer or more rows come than in the baseline; missing where unknown.",
            None if volume is None else volume.change is not None,
        ),
        *estimate_gauges(
            "traffic", "Rows since the change, else of the newest week, over those usual.", "", known
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """A finished run of a command."""

    command: str
    version: str
    log: str | None
    """The folder of the log; None if the run failed before it was known."""
    code: ExitCode
    """The exit code before --exit-zero is applied."""
    ended: datetime
    duration_seconds: float

    @property
    def succeeded(self) -> bool:
        """Return whether the run did not fail; drift, or too few rows for a verdict, is no failure."""
        return self.code not in FAILED


def run_families(
    run: RunFacts, common: Labels, before: Mapping[str, float] = MappingProxyType({})
) -> list[Family]:
    """Return the time and result of the run, the time of the last success, and the number of runs.

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
