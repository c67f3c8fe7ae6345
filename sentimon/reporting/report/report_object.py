"""A report as the object behind `report --json`: what the page tells, with stable keys and plain numbers."""

from __future__ import annotations

from typing import Any

from sentimon.labels import LABELS, by_name
from sentimon.monitoring.onset import Onset
from sentimon.monitoring.slice_windows import SlicesOverTime
from sentimon.reporting.json_shapes import drift_object, metrics_object, summary_object, trigger_object
from sentimon.reporting.monitor_findings import incident_object
from sentimon.reporting.report.answers import answers
from sentimon.reporting.report.blocks import Status
from sentimon.reporting.report.headline import facts, headline
from sentimon.reporting.report.next_steps import next_steps
from sentimon.reporting.report.report_value import Known, Labelled, Report, ScoredWindow
from sentimon.reporting.report.saved_checks import PastIncident
from sentimon.reporting.search_tables import search_object
from sentimon.reporting.slice_tables import comparison_object, slices_object
from sentimon.reporting.traffic_sentences import traffic_object
from sentimon.timestamps import format_moment


def report_object(report: Report) -> dict[str, Any]:
    """Return the whole report; parts that other commands print have the keys that they print."""
    top, names = headline(report), _names(report)
    return {
        "timestamp": format_moment(report.made),
        "version": report.version,
        "log": report.source,
        "conclusion": report.conclusion.value,
        "finding": report.conclusion.is_finding,
        "decided": report.conclusion.is_decided,
        "reason": top.detail,
        "facts": {one.name.lower().replace(" ", "_"): one.text for one in facts(report)},
        "onset": {
            "mix": _onset(report.onsets.mix),
            "confidence": _onset(report.onsets.confidence),
            "texts": _onset(report.onsets.texts),
        },
        "steps": [{"text": one.text, "commands": one.commands} for one in next_steps(report)],
        "answers": [_answer(one) for one in answers(report)],
        "period": {
            **metrics_object(report.metrics, timestamp=report.made, names=names),
            **summary_object(report.summary),
        },
        "every": report.every,
        "windows": [_window(one, names) for one in report.windows],
        "baseline": None if report.baseline is None else _baseline(report.baseline, names),
        "drift": drift_object(report.drift, timestamp=report.made, names=names, zone=report.zone_name),
        "monitor": {
            "checks": report.watch.checks,
            "incident": None
            if report.watch.incident is None
            else incident_object(report.watch.incident, report.confidence_level),
        },
        "traffic": None if report.traffic is None else traffic_object(report.traffic),
        "incidents": [_incident(one) for one in report.past.incidents],
        "saved_checks": [
            {
                "timestamp": format_moment(one.timestamp),
                "rule": one.rule,
                "drift_score": one.score,
                "drift_detected": one.drifted,
            }
            for one in report.past.checks
        ],
        "unreadable_saved_checks": report.past.unreadable,
        "retraining": trigger_object(report.trigger, timestamp=report.made),
        "last_trigger": None
        if report.last_trigger is None
        else {
            "timestamp": format_moment(report.last_trigger.timestamp),
            "certain": report.last_trigger.doubt is None,
        },
        "grown_words": [{"word": one.word, "before": one.before, "after": one.after} for one in report.words],
        "latest_texts": report.latest_texts,
        "no_words": None if report.no_words is None else report.no_words.value,
        "slices": [_slices(one, names) for one in report.slices],
        "explained": None if report.explained is None else search_object(report.explained, names),
        "quality": None if report.labelled is None else _quality(report.labelled),
        "settings": {one.key: {"value": one.value, "origin": one.origin} for one in report.settings},
    }


def _names(report: Report) -> tuple[str, str, str]:
    """Return what the classes are called in JSON; "" for one that there is not."""
    negative, neutral, positive = (
        label if name else "" for label, name in zip(LABELS, report.names, strict=True)
    )
    return negative, neutral, positive


def _onset(onset: Onset | None) -> dict[str, object] | None:
    return None if onset is None else onset.to_dict()


def _answer(one: Status) -> dict[str, str]:
    return {"about": one.about, "answer": one.word, "tone": one.tone.value, "detail": one.detail}


def _window(one: ScoredWindow, names: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "start": format_moment(one.start),
        "end": format_moment(one.end),
        "complete": one.complete,
        "total_predictions": one.total,
        "sentiment_distribution": dict(by_name(names, one.counts)),
        "confidence": one.confidence.to_dict(),
        "score": one.score.to_dict(),
    }


def _baseline(known: Known, names: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "name": known.name,
        "first": None if known.first is None else format_moment(known.first),
        "last": None if known.last is None else format_moment(known.last),
        **metrics_object(known.metrics, timestamp=known.created, names=names),
    }


def _slices(found: SlicesOverTime, names: tuple[str, str, str]) -> dict[str, Any]:
    return {
        **slices_object(found.metrics, names),
        "against_baseline": None if found.comparison is None else comparison_object(found.comparison, names),
        "windows": [
            {
                "start": format_moment(start),
                "end": format_moment(end),
                "sentiment_distribution": {
                    value: dict(by_name(names, counts[place])) for value, counts in found.counts.items()
                },
            }
            for place, (start, end) in enumerate(found.spans)
        ],
    }


def _incident(one: PastIncident) -> dict[str, Any]:
    return {
        "since": format_moment(one.since),
        "last_seen": format_moment(one.seen),
        "open": one.open,
        "closed": one.closed,
        "findings": [
            {
                "group": finding.group,
                "event": finding.event,
                "before": finding.before.value,
                "after": finding.after.value,
            }
            for finding in one.findings
        ],
    }


def _quality(labelled: Labelled) -> dict[str, Any]:
    return {
        "source": labelled.source,
        "drawn": labelled.drawn,
        **labelled.quality.to_dict(),
        "calibration_curve": [
            {"confidence": one.confidence, "accuracy": one.accuracy.to_dict()} for one in labelled.curve
        ],
    }
