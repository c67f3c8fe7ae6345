"""Values that tables are shown of."""

from __future__ import annotations

from datetime import timedelta

from rich.console import RenderableType

from sentimon.config.settings import DriftSettings, RetrainingSettings
from sentimon.labels import LABELS
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.class_mix_drift import detect_drift
from sentimon.monitoring.retraining_rules import LastTrigger, evaluate_retraining, score_rule
from sentimon.prediction_log.summary import Summary
from sentimon.reporting.decision_tables import trigger_table
from tests.support.rows import START, summary


def baseline(total: Summary) -> Baseline:
    return Baseline(name="[bold]june", created=START, source="logs", summary=total)


def trigger() -> RenderableType:
    current = summary(10, 20, 70, confidence=0.6)
    report = detect_drift(baseline(summary(70, 20, 10)), current, DriftSettings())
    decision = evaluate_retraining(
        current,
        score_rule(report),
        RetrainingSettings(),
        last=LastTrigger(timestamp=START, rows_until=None),
        now=START + timedelta(hours=1),
        confidence_level=0.95,
    )
    return trigger_table(decision, LABELS)
