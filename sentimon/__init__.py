"""sentimon: watch a sentiment classifier in production, from text to decision.

The names below are imported when they are first used (PEP 562), so that `import sentimon` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentimon.api.drift import DriftDetector, DriftReport
    from sentimon.api.metrics import MetricsTracker, SentimentMetrics
    from sentimon.api.predictions import PredictionLog, PredictionLogger
    from sentimon.api.retraining import RetrainingManager, RetrainingTrigger
    from sentimon.api.scoring import analyze_sentiment, preprocess

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
    "DriftDetector": "drift",
    "DriftReport": "drift",
    "MetricsTracker": "metrics",
    "PredictionLog": "predictions",
    "PredictionLogger": "predictions",
    "RetrainingManager": "retraining",
    "RetrainingTrigger": "retraining",
    "SentimentMetrics": "metrics",
    "analyze_sentiment": "scoring",
    "preprocess": "scoring",
}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"sentimon.api.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
