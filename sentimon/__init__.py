"""sentimon: watch a sentiment classifier in production, from text to decision.

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

__version__ = "0.1.0"
__all__ = [
    "DriftDetector",
    "DriftReport",
    "MetricsTracker",
    "PredictionLog",
    "PredictionLogger",
    "RetrainingManager",
    "RetrainingTrigger",
    "SentimentMetrics",
    "analyze_sentiment",
    "preprocess",
]
_ROOMS = {
    "DriftDetector": "drift_detector",
    "DriftReport": "drift_detector",
    "MetricsTracker": "metrics_tracker",
    "PredictionLog": "prediction_logger",
    "PredictionLogger": "prediction_logger",
    "RetrainingManager": "retraining_manager",
    "RetrainingTrigger": "retraining_manager",
    "SentimentMetrics": "metrics_tracker",
    "analyze_sentiment": "analyze",
    "preprocess": "analyze",
}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"sentimon.compat.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
