"""The objects behind `--json`, the saved histories and `to_dict()`: stable keys, plain numbers.

The keys that the replaced program wrote keep their names and meanings; new facts are new keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sentimon.config.secrets import masked
from sentimon.errors import LogFileError
from sentimon.labels import LABELS, by_name, names_of
from sentimon.monitoring.baseline import Baseline, BaselineCheck
from sentimon.monitoring.baseline_collection import BaselineProgress, PendingBaseline
from sentimon.monitoring.class_mix_drift import DriftReport
from sentimon.monitoring.drift_decision import Power
from sentimon.monitoring.prediction_metrics import ByClass, Metrics, measure
from sentimon.monitoring.retraining_rules import RetrainingTrigger
from sentimon.monitoring.text_changes import TextProperty
from sentimon.prediction_log.log_file import LogFile
from sentimon.prediction_log.summary import Summary
from sentimon.prediction_log.windows import Window
from sentimon.reporting.verdict_sentences import explain_drift, explain_trigger, recommended_action
from sentimon.statistics.intervals import Difference
from sentimon.timestamps import HOUR_MICROSECONDS, format_microseconds, format_moment


def metrics_object(metrics: Metrics, *, timestamp: datetime, names: Sequence[str] = LABELS) -> dict[str, Any]:
    """Return the metrics; shares are 0 .. 1 except in `sentiment_percentages`, whose name says what it is."""
    return {"timestamp": format_moment(timestamp), **_metrics_fields(metrics, names)}


def _metrics_fields(metrics: Metrics, names: Sequence[str]) -> dict[str, Any]:
    return {
        "total_predictions": metrics.total,
        "sentiment_distribution": dict(by_name(names, metrics.counts)),
        "sentiment_percentages": {
            name: None if one.value is None else 100 * one.value
            for name, one in by_name(names, metrics.shares)
        },
        "average_confidence": metrics.confidence.value,
        "confidence_by_sentiment": _values(metrics.confidence_by_class, names),
        "shares": _estimates(metrics.shares, names),
        "confidence": metrics.confidence.to_dict(),
        "confidence_intervals": _estimates(metrics.confidence_by_class, names),
        "predictions_with_confidence": metrics.confidence.n,
        "predictions_with_scores": metrics.with_scores,
        "unreadable": metrics.unreadable.to_dict(),
    }


def summary_object(summary: Summary) -> dict[str, Any]:
    """Return the fields of a summary that are not metrics: span, models, properties and bad lines."""
    return {
        "first": format_microseconds(summary.first),
        "last": format_microseconds(summary.last),
        "models": [
            {"model": model, "revision": revision, "count": count}
            for (model, revision), count in sorted(summary.models.items(), key=lambda item: str(item[0]))
        ],
        "properties": dict(sorted(summary.properties.items())),
        "bad_lines": {
            "count": summary.bad_count,
            "kinds": dict(sorted(summary.bad.items())),
            "first": [
                {"path": masked(line.path), "line": line.line, "kind": line.kind, "reason": line.reason}
                for line in summary.bad_lines
            ],
        },
    }


def window_object(
    window: Window, *, confidence_level: float, names: Sequence[str] = LABELS
) -> dict[str, Any]:
    """Return one window: `start` (included), `end` (excluded), `complete`, and its metrics."""
    metrics = measure(window.summary, confidence_level=confidence_level)
    return {
        "start": format_moment(window.start),
        "end": format_moment(window.end),
        "complete": window.complete,
        **_metrics_fields(metrics, names),
    }


def drift_object(
    report: DriftReport, *, timestamp: datetime, names: Sequence[str] = LABELS, zone: str = "UTC"
) -> dict[str, Any]:
    """Return the comparison; numbers that need more rows are null. `zone` is the time zone of the season."""
    change = report.confidence_change
    return {
        "timestamp": format_moment(timestamp),
        "drift_detected": report.drifted,
        "drift_score": report.score.value,
        "drift_threshold": report.threshold,
        "baseline_distribution": _values(report.baseline.shares, names),
        "current_distribution": _values(report.current.shares, names),
        "average_confidence_change": None if change is None else change.value,
        "recommendations": explain_drift(report, names),
        "verdict": report.verdict.value,
        "reason": report.reason.value,
        "score": report.score.to_dict(),
        "window": {
            "since": None
            if report.window.since is None
            else format_microseconds(report.window.since * HOUR_MICROSECONDS),
            "samples": report.current.total,
            "samples_after_baseline": report.after_baseline,
            "windows_searched": report.window.searched,
            "same_hours_of_day": report.window.adjusted and report.season is None,
        },
        "power": power_object(report.power),
        "onset": None if report.onset is None else report.onset.to_dict(),
        "confidence_onset": None if report.confidence_onset is None else report.confidence_onset.to_dict(),
        "min_samples": report.min_samples,
        "baseline_name": report.baseline_name,
        "baseline_samples": report.baseline.total,
        "current_samples": report.current.total,
        "texts": texts_object(report.texts),
        "season": None
        if report.season is None
        else {
            "zone": zone,
            "matched_share": report.season.matched,
            "effective_baseline_samples": report.season.rows,
        },
        "total_variation": report.total_variation,
        "share_changes": None
        if report.share_changes is None
        else {name: _change(one) for name, one in by_name(names, report.share_changes)},
        "confidence_change": None if change is None else _change(change),
        "baseline_confidence": report.baseline.confidence.to_dict(),
        "current_confidence": report.current.confidence.to_dict(),
        "collecting": collecting_object(report.collecting),
    }


def power_object(power: Power | None) -> dict[str, Any] | None:
    """Return the smallest change that could have been seen, and how many more rows it takes to see enough."""
    return None if power is None else {"smallest": power.smallest, "more_samples": power.more_rows}


def trigger_object(trigger: RetrainingTrigger, *, timestamp: datetime) -> dict[str, Any]:
    """Return the decision; a rule that cannot be judged is false in `*_met` and null in `rules`.

    One that never can be on such rows, as they have no confidence, is false in the `applies` of `rules`.
    """
    return {
        "timestamp": format_moment(timestamp),
        "triggered": trigger.triggered,
        "reason": " ".join(explain_trigger(trigger)),
        "confidence_threshold_met": bool(trigger.confidence.met),
        "drift_threshold_met": bool(trigger.drift.met),
        "min_samples_met": bool(trigger.samples.met),
        "error_rate_met": None if trigger.error_rate is None else bool(trigger.error_rate.met),
        "slice_error_rate_met": None
        if trigger.slice_error_rate is None
        else bool(trigger.slice_error_rate.met),
        "risen_slices": list(trigger.risen_slices),
        "recommended_action": recommended_action(trigger),
        "decided": trigger.decided,
        "drift_told": trigger.drift_told,
        "onset": None if trigger.onset is None else trigger.onset.to_dict(),
        "rules": [rule.to_dict() for rule in trigger.rules],
        "cooldown_until": None if trigger.cooldown_until is None else format_moment(trigger.cooldown_until),
        "rows_until": None if trigger.rows_until is None else format_moment(trigger.rows_until),
        "collecting": collecting_object(trigger.collecting),
    }


def baseline_object(baseline: Baseline, *, confidence_level: float) -> dict[str, Any]:
    """Return the content of a baseline without its histograms, which are in its file."""
    metrics = measure(baseline.summary, confidence_level=confidence_level)
    content = metrics_object(metrics, timestamp=baseline.created, names=names_of(baseline.classes))
    content = {
        "name": baseline.name,
        "source": baseline.source,
        **content,
        **summary_object(baseline.summary),
    }
    if baseline.fields:
        content["segments"] = {name: one.slices.distinct for name, one in baseline.fields.items()}
    return content


def check_object(check: BaselineCheck, baseline: Baseline) -> dict[str, Any]:
    """Return how the windows of a baseline compare with the rest of it."""
    return {
        "name": baseline.name,
        "quiet": check.quiet if check.windows else None,
        "windows_judged": len(check.windows),
        "windows_skipped": check.skipped,
        "windows": [
            {
                "start": format_moment(window.start),
                "count": window.count,
                "score": {"value": window.score, "low": window.low, "high": window.high, "n": window.count},
                "departs": window.departs,
            }
            for window in check.windows
        ],
    }


def log_file_object(file: LogFile, summary: Summary) -> dict[str, Any]:
    """Return one file of the log with its size, rows and bad lines."""
    return {
        "path": str(file.path),
        "bytes": file.size,
        "last_written": format_moment(file.written),
        "rows": summary.count,
        "bad_lines": summary.bad_count,
        "first": format_microseconds(summary.first),
        "last": format_microseconds(summary.last),
    }


def lost_file_object(error: LogFileError) -> dict[str, Any]:
    """Return which file of a log cannot be read, and why."""
    return {"path": str(error.path), "reason": error.message}


def index_object(file: LogFile | None) -> dict[str, Any] | None:
    """Return the path and size of the index of a log; None if it has none."""
    return None if file is None else {"path": str(file.path), "bytes": file.size}


def verified_object(
    folder: Path,
    files: Sequence[tuple[LogFile, Summary]],
    wrong: Sequence[Path],
    strays: Sequence[Path],
    *,
    indexed: bool,
) -> dict[str, Any]:
    """Return each file with its bad lines, whether the index agrees (null: no index), and stray files."""
    whole = sum((summary for _, summary in files), start=Summary())
    return {
        "path": str(folder),
        "ok": not wrong and not whole.bad_count,
        "files": [
            {
                **log_file_object(file, summary),
                "kinds": dict(sorted(summary.bad.items())),
                "index_agrees": file.path not in wrong if indexed else None,
            }
            for file, summary in files
        ],
        "bad_lines": summary_object(whole)["bad_lines"],
        "strays": [str(path) for path in strays],
    }


def _values(estimates: ByClass, names: Sequence[str]) -> dict[str, float | None]:
    return {name: one.value for name, one in by_name(names, estimates)}


def _estimates(estimates: ByClass, names: Sequence[str]) -> dict[str, Mapping[str, float | int | None]]:
    return {name: one.to_dict() for name, one in by_name(names, estimates)}


def _change(change: Difference) -> dict[str, float]:
    return {"value": change.value, "low": change.low, "high": change.high}


def texts_object(properties: Sequence[TextProperty]) -> dict[str, Any] | None:
    """Return each text property before and now, with the change; None if texts are not kept."""
    return {one.name: _property(one) for one in properties} or None


def _property(one: TextProperty) -> dict[str, Any]:
    return {
        "before": one.before.to_dict(),
        "now": one.now.to_dict(),
        "change": None if one.change is None else _change(one.change),
    }


def collecting_object(collecting: BaselineProgress | None) -> dict[str, Any] | None:
    """Return the progress of the baseline that a new model is collecting; None if none is being collected."""
    if collecting is None:
        return None
    return {
        **(wanted_object(collecting.wanted) or {}),
        "rows": collecting.found,
        "other_rows": collecting.others,
    }


def wanted_object(wanted: PendingBaseline | None) -> dict[str, Any] | None:
    """Return which rows a baseline will be made of; None if none is wanted."""
    if wanted is None:
        return None
    return {
        "name": wanted.name,
        "revision": wanted.revision,
        "since": format_moment(wanted.since),
        "wanted_rows": wanted.rows,
        "taken_up_again": wanted.again is not None,
    }
