"""How the texts have changed, whatever a model says: their length, links, emoji, script."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sentimon.prediction_log.summary import Summary
from sentimon.statistics.intervals import (
    Difference,
    Estimate,
    difference_of_shares,
    normal_quantile,
    standard_error,
    student_quantile,
    wilson,
)

LENGTH = "characters"
OF_TEXTS = ("links", "emoji", "non_latin")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextProperty:
    """A property before and now: the share of texts with it, 0 .. 1, or the mean length in characters."""

    name: str
    before: Estimate
    now: Estimate
    change: Difference | None
    """None where either side has no texts."""

    @property
    def moved(self) -> bool:
        """Return whether the interval of the change excludes zero."""
        return self.change is not None and not self.change.low <= 0 <= self.change.high


def text_properties(before: Summary, now: Summary, *, confidence_level: float) -> tuple[TextProperty, ...]:
    """Return the mean length, and the shares with links, emoji, mostly non-Latin letters, empty, truncated.

    In that order; each interval covers by itself. Empty where either side has no texts, or was summed up
    by a version that did not count their properties.
    """
    if not (_filled(before) and _filled(now)):
        return ()
    shares = [
        _share(name, *(_counted(summary, name) for summary in (before, now)), level=confidence_level)
        for name in (*OF_TEXTS, "empty", "truncated")
    ]
    return (_length(before, now, confidence_level), *shares)


def _filled(summary: Summary) -> int:
    """Return the number of rows with a text that is not empty; 0 where that was not counted."""
    known = summary.properties
    if "squared_characters" not in known:
        return 0
    return summary.count - known.get("without_text", 0) - known.get("empty", 0)


def _counted(summary: Summary, name: str) -> tuple[int, int]:
    """Return (rows with a property, rows that could have it)."""
    rows = _filled(summary)
    if name == "empty":
        rows += summary.properties.get("empty", 0)
    if name == "truncated":
        rows = summary.count
    return summary.properties.get(name, 0), rows


def _share(name: str, before: tuple[int, int], now: tuple[int, int], *, level: float) -> TextProperty:
    value, low, high = difference_of_shares(before, now, z=normal_quantile(level))
    return TextProperty(
        name=name,
        before=wilson(*before, confidence_level=level),
        now=wilson(*now, confidence_level=level),
        change=Difference(value=value, low=low, high=high),
    )


def _length(before: Summary, now: Summary, level: float) -> TextProperty:
    one, other = (_mean_length(summary, level) for summary in (before, now))
    change = None
    if one.value is not None and other.value is not None:
        value = other.value - one.value
        half = normal_quantile(level) * math.hypot(_error(before), _error(now))
        change = Difference(value=value, low=value - half, high=value + half)
    return TextProperty(name=LENGTH, before=one, now=other, change=change)


def _mean_length(summary: Summary, level: float) -> Estimate:
    n = _filled(summary)
    if n < 2:
        return Estimate(value=None, low=None, high=None, n=n)
    mean = summary.properties["characters"] / n
    half = student_quantile(level, n - 1) * _error(summary)
    return Estimate(value=mean, low=max(0.0, mean - half), high=mean + half, n=n)


def _error(summary: Summary) -> float:
    known = summary.properties
    return standard_error(known["characters"], known["squared_characters"], _filled(summary), scale=1)
