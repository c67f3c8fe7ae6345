"""A report made to order, from sums and never from files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sentimon.config.settings import DriftSettings, RetrainingSettings
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.class_mix_drift import detect_drift
from sentimon.monitoring.finding import Finding
from sentimon.monitoring.incident import Incident
from sentimon.monitoring.prediction_metrics import measure
from sentimon.monitoring.retraining_rules import evaluate_retraining, score_rule
from sentimon.monitoring.vocabulary import Growth
from sentimon.prediction_log.summary import summarise
from sentimon.prediction_log.windows import Calendar, summarise_windows
from sentimon.reporting.command_steps import CommandOptions
from sentimon.reporting.report.report_value import (
    CountedWindow,
    Known,
    Report,
    Setting,
    Watch,
    score_windows,
)
from sentimon.reporting.report.saved_checks import recall
from tests.support.rows import START, lines, records, row

NOW = START + timedelta(days=2)
INCIDENT = Incident(
    since="2026-09-07T13:00:00Z",
    check=4,
    checks=2,
    findings=(
        Finding(
            group="class",
            event="negative",
            place=0,
            windows=1,
            before=(20, 100),
            after=(60, 100),
            p_value=1e-9,
            limit=1e-4,
        ),
    ),
)


def traffic(negative: int, neutral: int, positive: int, *, minute: int = 0, **rest: Any) -> str:
    """So many rows of each class as JSON lines, a minute apart and in no order: no hour is a burst."""
    places = [0] * negative + [1] * neutral + [2] * positive
    Random(minute).shuffle(places)
    return lines(row(place, minute + number, **rest) for number, place in enumerate(places))


def report(**given: Any) -> Report:
    """A report of 100 rows of the baseline and 100 that moved, in windows of an hour."""
    before, after = records(20, 30, 50), records(60, 30, 10, minute=240)
    baseline = summarise(before)
    windows, summary = summarise_windows(
        [*before, *after], Calendar(every=timedelta(hours=1), zone=UTC), now=NOW
    )
    known = Baseline(name="usual", created=START, source="logs", summary=baseline)
    drift = detect_drift(known, summarise(after), DriftSettings())
    trigger = evaluate_retraining(
        summarise(after), score_rule(drift), RetrainingSettings(), last=None, now=NOW, confidence_level=0.95
    )
    made = Report(
        made=NOW,
        version="1.0",
        source="logs",
        zone=UTC,
        zone_name="UTC",
        names=("negative", "neutral", "positive"),
        confidence_level=0.95,
        min_samples=50,
        delta=0.05,
        confidence_threshold=0.7,
        every="1h",
        summary=summary,
        metrics=measure(summary, confidence_level=0.95),
        windows=score_windows(map(CountedWindow.of, windows), baseline, confidence_level=0.95),
        baseline=Known(
            name="usual",
            created=START,
            first=START,
            last=datetime(2026, 9, 7, 10, tzinfo=UTC),
            metrics=measure(baseline, confidence_level=0.95),
        ),
        drift=drift,
        watch=Watch(checks=5, incident=INCIDENT),
        traffic=None,
        past=recall([], INCIDENT, UTC),
        words=[Growth(word="courier", before=0.01, after=0.2)],
        latest_texts=100,
        no_words=None,
        trigger=trigger,
        last_trigger=None,
        labelled=None,
        slices=(),
        explained=None,
        settings=[Setting(key="drift.threshold", value="0.15", origin="default")],
        options=CommandOptions(logs="logs"),
    )
    return replace(made, **given)
