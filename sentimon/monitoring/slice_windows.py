"""The slices of some rows over time: rows per class of each, window by window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sentimon.monitoring.slice_comparison import FieldComparison
from sentimon.monitoring.slice_metrics import FieldMetrics
from sentimon.prediction_log.slices import Slices, SliceTally
from sentimon.prediction_log.summary import Counts

Span = tuple[datetime, datetime]
"""The begin of a window, included, and its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicesOverTime:
    """The rows of a period by the values of one field, and how each slice went."""

    metrics: FieldMetrics
    comparison: FieldComparison | None
    """Of the rows that the verdict is about, with the baseline; None where there is none to compare with."""
    spans: tuple[Span, ...]
    counts: Mapping[str, tuple[Counts, ...]]
    """For each slice its rows per class in each span; the slices that add most to the change first."""


def slices_over_time(
    metrics: FieldMetrics,
    comparison: FieldComparison | None,
    windows: Sequence[tuple[Span, Slices]],
    *,
    most_spans: int,
    most_slices: int,
) -> SlicesOverTime:
    """Return the slices over time: at most so many, and neighbouring windows as one where they are many."""
    if comparison is None:
        values = [one.value for one in metrics.slices]
    else:
        values = [one.value for one in comparison.slices]
    values, size = values[:most_slices], max(1, -(-len(windows) // most_spans))
    groups = [windows[start : start + size] for start in range(0, len(windows), size)]
    told = [(span, slices.told_apart(_named(metrics, comparison))) for span, slices in windows]
    by_span = dict(told)
    counts = {
        value: tuple(_sum(value, [by_span[span] for span, _ in group]) for group in groups)
        for value in values
    }
    return SlicesOverTime(
        metrics=metrics,
        comparison=comparison,
        spans=tuple((group[0][0][0], group[-1][0][1]) for group in groups),
        counts=counts,
    )


def _named(metrics: FieldMetrics, comparison: FieldComparison | None) -> list[str]:
    from sentimon.prediction_log.slices import OTHER

    found = metrics.slices if comparison is None else comparison.slices
    return [one.value for one in found if one.value != OTHER]


def _sum(value: str, parts: Sequence[Slices]) -> Counts:
    return sum((part.tallies.get(value, SliceTally()) for part in parts), SliceTally()).counts
