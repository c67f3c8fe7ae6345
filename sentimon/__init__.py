"""sentimon: watch a sentiment classifier in production, from text to decision.

A log is opened as a workspace, and each workflow answers one question about it, with the value that the
command line shows:

>>> import tempfile
>>> from sentimon import PredictionLogger, open_workspace
>>> from sentimon import compare_with_baseline, decide_retraining, make_baseline
>>> folder = tempfile.TemporaryDirectory()
>>> logger = PredictionLogger(log_dir=folder.name)
>>> for _ in range(60):
...     scores = {"negative": 0.1, "neutral": 0.1, "positive": 0.8}
...     logged = logger.log_prediction(text="Ottimo!", sentiment_scores=scores)
>>> made = make_baseline(open_workspace(folder.name), name="a good week")
>>> for _ in range(60):
...     scores = {"negative": 0.8, "neutral": 0.1, "positive": 0.1}
...     logged = logger.log_prediction(text="Pessimo.", sentiment_scores=scores)
>>> workspace = open_workspace(folder.name)
>>> found = compare_with_baseline(workspace)
>>> found.report.verdict.value, found.summary.count, found.baseline.name
('drift', 60, 'a good week')
>>> decide_retraining(workspace).trigger.triggered
True
>>> folder.cleanup()

The names below are imported when they are first used (PEP 562), so that `import sentimon` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentimon.compat.analyze import analyze_sentiment, preprocess
    from sentimon.compat.drift_detector import DriftDetector, DriftReport
    from sentimon.compat.metrics_tracker import MetricsTracker, SentimentMetrics
    from sentimon.compat.prediction_logger import PredictionLog, PredictionLogger
    from sentimon.compat.retraining_manager import RetrainingManager, RetrainingTrigger
    from sentimon.monitoring.traffic import TrafficReport
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.baseline import NewBaseline, extend_baseline, make_baseline
    from sentimon.workflows.drift import BaselineComparison, DriftCheck, check_drift, compare_with_baseline
    from sentimon.workflows.labelling import (
        LabelImport,
        LabellingSheet,
        draw_to_label,
        import_labels,
        label_status,
    )
    from sentimon.workflows.log_labels import read_labels
    from sentimon.workflows.metrics import PeriodMetrics, measure_period
    from sentimon.workflows.monitor import MonitorLook, run_monitor
    from sentimon.workflows.opening import open_workspace
    from sentimon.workflows.quality import LogQuality, QualityEstimate, estimate_quality, measure_quality
    from sentimon.workflows.report import ReportRequest, build_report
    from sentimon.workflows.retraining import RetrainingDecision, check_retraining, decide_retraining
    from sentimon.workflows.traffic import check_traffic
    from sentimon.workflows.workspace import Workspace

__version__ = "0.1.0"
__all__ = [
    "BaselineComparison",
    "DriftCheck",
    "DriftDetector",
    "DriftReport",
    "LabelImport",
    "LabellingSheet",
    "LogQuality",
    "MetricsTracker",
    "MonitorLook",
    "NewBaseline",
    "Period",
    "PeriodMetrics",
    "PredictionLog",
    "PredictionLogger",
    "QualityEstimate",
    "ReportRequest",
    "RetrainingDecision",
    "RetrainingManager",
    "RetrainingTrigger",
    "SentimentMetrics",
    "TrafficReport",
    "Workspace",
    "analyze_sentiment",
    "build_report",
    "check_drift",
    "check_retraining",
    "check_traffic",
    "compare_with_baseline",
    "decide_retraining",
    "draw_to_label",
    "estimate_quality",
    "extend_baseline",
    "import_labels",
    "label_status",
    "make_baseline",
    "measure_period",
    "measure_quality",
    "open_workspace",
    "preprocess",
    "read_labels",
    "run_monitor",
]
_NAMES_OF = {
    "compat.analyze": ("analyze_sentiment", "preprocess"),
    "compat.drift_detector": ("DriftDetector", "DriftReport"),
    "compat.metrics_tracker": ("MetricsTracker", "SentimentMetrics"),
    "compat.prediction_logger": ("PredictionLog", "PredictionLogger"),
    "compat.retraining_manager": ("RetrainingManager", "RetrainingTrigger"),
    "monitoring.traffic": ("TrafficReport",),
    "prediction_log.windows": ("Period",),
    "workflows.baseline": ("NewBaseline", "extend_baseline", "make_baseline"),
    "workflows.drift": ("BaselineComparison", "DriftCheck", "check_drift", "compare_with_baseline"),
    "workflows.labelling": (
        "LabelImport",
        "LabellingSheet",
        "draw_to_label",
        "import_labels",
        "label_status",
    ),
    "workflows.log_labels": ("read_labels",),
    "workflows.metrics": ("PeriodMetrics", "measure_period"),
    "workflows.monitor": ("MonitorLook", "run_monitor"),
    "workflows.opening": ("open_workspace",),
    "workflows.quality": ("LogQuality", "QualityEstimate", "estimate_quality", "measure_quality"),
    "workflows.report": ("ReportRequest", "build_report"),
    "workflows.retraining": ("RetrainingDecision", "check_retraining", "decide_retraining"),
    "workflows.traffic": ("check_traffic",),
    "workflows.workspace": ("Workspace",),
}
_MODULE_OF = {name: module for module, names in _NAMES_OF.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"sentimon.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
