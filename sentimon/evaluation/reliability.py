"""The calibration curve: how often predictions of about the same confidence were right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sentimon.evaluation.calibration import MOST_BINS, ROWS_PER_BIN
from sentimon.monitoring.intervals import Estimate, wilson


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """Some rows of about the same confidence."""

    confidence: float
    """Their mean confidence, 0 .. 1."""
    accuracy: Estimate
    """The share of them that was right, with Wilson's interval."""


def reliability(
    confidence: Sequence[float], correct: Sequence[bool], *, confidence_level: float
) -> list[Reliability]:
    """Return the rows in groups of about equal size, by ascending confidence.

    There are 15 groups, or fewer so that each has 20 rows; equal confidences share a group.

    >>> [one.accuracy.value for one in reliability([0.5, 0.9], [True, False], confidence_level=0.95)]
    [0.5]
    """
    rows = sorted(zip(confidence, correct, strict=True))
    groups = max(1, min(MOST_BINS, len(rows) // ROWS_PER_BIN))
    found: list[Reliability] = []
    start = 0
    for number in range(1, groups + 1):
        end = number * len(rows) // groups
        while start < end < len(rows) and rows[end][0] == rows[end - 1][0]:
            end += 1
        if end > start:
            part = rows[start:end]
            right = sum(one for _, one in part)
            found.append(
                Reliability(
                    confidence=sum(one for one, _ in part) / len(part),
                    accuracy=wilson(right, len(part), confidence_level=confidence_level),
                )
            )
            start = end
    return found
