"""A baseline beside a log, made of rows at hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from sentimon.monitoring.baseline import create_baseline
from sentimon.monitoring.vocabulary import vocabulary_of
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import summarise
from sentimon.workflows.state_files import save_baseline
from tests.support.rows import START


def put_baseline(folder: Path, rows: Sequence[PredictionRecord]) -> None:
    """Save the baseline of some rows in the folder of a log."""
    made = create_baseline(
        summarise(rows),
        vocabulary_of(rows),
        name="b",
        source="logs",
        created=START + timedelta(hours=12),
        min_samples=1,
    )
    save_baseline(folder / "baseline.json", made)
