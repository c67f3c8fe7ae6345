"""Quality as the labels show it: as a whole, over time, and against the estimate made without them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from sentimon.evaluation.classification_metrics import (
    macro_f1,
    macro_recall,
    weighted_share,
)
from sentimon.gold_labels.gold_label import GoldLabel, design_weights
from sentimon.gold_labels.label_join import RowWithLabel
from sentimon.labels import Sentiment
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.slice_fields import SliceField
from sentimon.prediction_log.windows import Calendar
from sentimon.statistics.intervals import Difference, Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A logged row with its gold label."""

    timestamp: datetime
    predicted: Sentiment
    label: GoldLabel
    scores: tuple[float, float, float] | None
    """None where the classifier gave at most the score of its best class."""
    text: str | None
    confidence: float | None = None
    slices: Mapping[str, str] = field(default_factory=dict)
    """Its value of each field that divides the rows."""

    @classmethod
    def of(cls, record: PredictionRecord, gold: GoldLabel, fields: Iterable[SliceField] = ()) -> Judged:
        """Return a logged row together with its gold label, and its values of `fields`."""
        return cls(
            timestamp=record.timestamp,
            predicted=record.sentiment,
            label=gold,
            scores=None if record.scores is None else record.scores.vector,
            text=record.text,
            confidence=record.confidence,
            slices={one.name: one.value(record, record.extra) for one in fields},
        )

    @property
    def wrong(self) -> bool:
        """Return whether the predicted class differs from the gold label."""
        return self.predicted is not self.label.label


@dataclass(frozen=True, slots=True, kw_only=True)
class RealisedQuality:
    """Quality on the labelled rows; an estimate is None where there are no rows for it."""

    n: int
    weighted: bool
    """Whether some rows were drawn with known probabilities, so that rows are weighted."""
    accuracy: Estimate
    macro_recall: Estimate
    macro_f1: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityWindow:
    """One window: from `start` (included) to `end` (excluded)."""

    start: datetime
    end: datetime
    complete: bool
    rows: int
    """Number of rows in it, labelled or not."""
    quality: RealisedQuality


def judge(
    rows: Iterable[RowWithLabel], calendar: Calendar | None = None, *, fields: Sequence[SliceField] = ()
) -> tuple[list[Judged], Mapping[datetime | None, int]]:
    """Return (the labelled rows in log order, the number of rows in each window by its start).

    Without a `calendar` all rows are counted under None. A labelled row knows its values of `fields`. One
    pass, memory for the labelled rows and windows.
    """
    judged: list[Judged] = []
    counts: Counter[datetime | None] = Counter()
    for record, gold in rows:
        counts[calendar.start_of(record.timestamp) if calendar else None] += 1
        if gold is not None:
            judged.append(Judged.of(record, gold, fields))
    return judged, counts


def realised_quality_of(
    judged: Sequence[Judged], *, confidence_level: float, seed: int = 0
) -> RealisedQuality:
    """Return the quality on the labelled rows, weighted where some were drawn with known probabilities.

    `seed` is that of the bootstrap of macro F1.
    """
    weights = np.array(design_weights([one.label for one in judged]), dtype=np.float64)
    gold = np.array([one.label.label for one in judged], dtype=np.int64)
    predicted = np.array([one.predicted for one in judged], dtype=np.int64)
    return RealisedQuality(
        n=len(judged),
        weighted=any(one.label.drawn for one in judged),
        accuracy=weighted_share(gold == predicted, weights, confidence_level=confidence_level),
        macro_recall=macro_recall(gold, predicted, weights, confidence_level=confidence_level),
        macro_f1=macro_f1(gold, predicted, weights, confidence_level=confidence_level, seed=seed),
    )


def realised_quality_windows(
    judged: Sequence[Judged],
    counts: Mapping[datetime | None, int],
    calendar: Calendar,
    *,
    now: datetime,
    confidence_level: float,
) -> list[QualityWindow]:
    """Return the quality per window, from the first row to the last, including windows without labels.

    `judged` and `counts` come from one call with the same calendar.

    Raises:
        DataError: these are too many windows; see `Calendar.around`.
    """
    by_window: dict[datetime, list[Judged]] = {}
    for one in judged:
        by_window.setdefault(calendar.start_of(one.timestamp), []).append(one)
    return [
        QualityWindow(
            start=start,
            end=end,
            complete=end <= now,
            rows=counts.get(start, 0),
            quality=realised_quality_of(by_window.get(start, []), confidence_level=confidence_level),
        )
        for start, end in calendar.around([start for start in counts if start is not None])
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateGap:
    """The accuracy by labels compared with the estimate made without them."""

    realised: Estimate
    difference: Difference
    """Realised minus estimated accuracy, -1 .. 1."""


def estimate_gap(
    estimated: Estimate | None, judged: Sequence[Judged], *, confidence_level: float
) -> EstimateGap | None:
    """Return the realised accuracy minus the estimated one, with an interval; None where one is missing.

    The rows must not be among those that the estimate was made from. The limits of both are combined by
    square-and-add (MOVER).

    Source: Zou & Donner (2008), Stat. Med. 27, 1693-1702.
    """
    found = realised_quality_of(judged, confidence_level=confidence_level).accuracy
    if estimated is None or estimated.value is None or estimated.low is None or estimated.high is None:
        return None
    if found.value is None or found.low is None or found.high is None:
        return None
    value = found.value - estimated.value
    below = math.hypot(found.value - found.low, estimated.high - estimated.value)
    above = math.hypot(found.high - found.value, estimated.value - estimated.low)
    return EstimateGap(
        realised=found, difference=Difference(value=value, low=value - below, high=value + above)
    )
