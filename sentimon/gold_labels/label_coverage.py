"""Which rows are labelled, how late labels come, and whether the labelled rows are a fair sample."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sentimon.gold_labels.label_join import RowWithLabel
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import GrowingSummary, Summary
from sentimon.prediction_log.windows import Calendar, lay_out
from sentimon.scoring.scores import SCALE
from sentimon.statistics.distances import total_variation
from sentimon.statistics.intervals import standard_error

FEWEST = 20
"""Fewest labelled, and fewest unlabelled, rows that are compared with each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelDelay:
    """Time from a prediction to its label, in hours; negative where the label is older."""

    median_hours: float
    ninetieth_hours: float
    """90 % of the labels came sooner."""
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionBias:
    """How the predictions of labelled rows differ from those of unlabelled rows."""

    mix_distance: float
    """Total variation distance of the predicted class mixes, 0 (equal) .. 1."""
    mix_p: float
    """P-value of the mix, 0 .. 1 (chi-square)."""
    confidence_difference: float | None
    """Mean confidence of labelled minus unlabelled rows, -1 .. 1; None where too few have a confidence."""
    confidence_p: float | None
    """P-value of the confidence, 0 .. 1 (two-sided normal test); None where too few have a confidence."""
    limit: float
    """A smaller p-value is more than chance; the two tests share the level."""

    @property
    def random_sample(self) -> bool:
        """Return whether the differences are within chance, as far as there are any."""
        return self.mix_p >= self.limit and not self.confidence_differs

    @property
    def confidence_differs(self) -> bool:
        """Return whether the confidence of labelled rows differs by more than chance."""
        return self.confidence_p is not None and self.confidence_p < self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageWindow:
    """One window, from `start` (included) to `end` (excluded): all its rows, and the labelled ones."""

    start: datetime
    end: datetime
    complete: bool
    all: Summary
    labelled: Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of some rows is labelled."""

    all: Summary
    labelled: Summary
    drawn: int
    """Number of labelled rows that `label next` drew with a known probability."""
    windows: tuple[CoverageWindow, ...] | None
    """In order of time; None where no windows were asked for."""
    delay: LabelDelay | None
    """None where nothing is labelled."""
    fairness: SelectionBias | None
    """None where there are too few labelled or unlabelled rows to compare."""


def cover(
    rows: Iterable[RowWithLabel], *, calendar: Calendar | None, now: datetime, confidence_level: float
) -> Coverage:
    """Return how much of `rows` is labelled; one pass, with a number in memory for each labelled row.

    With a `calendar` also by window. The two tests of fairness share the level 1 - `confidence_level`.

    Raises:
        DataError: the rows span too many windows.
    """
    labelled, unlabelled = _Sums(calendar), _Sums(calendar)
    delays: list[float] = []
    drawn = 0
    for record, gold in rows:
        (unlabelled if gold is None else labelled).add(record)
        if gold is not None:
            delays.append((gold.timestamp - record.timestamp).total_seconds() / 3600)
            drawn += gold.drawn
    known, rest = labelled.whole.summary(), unlabelled.whole.summary()
    windows = None if calendar is None else _windows(labelled, unlabelled, calendar, now)
    return Coverage(
        all=known + rest,
        labelled=known,
        drawn=drawn,
        windows=windows,
        delay=_delay(delays),
        fairness=compare_groups(known, rest, confidence_level=confidence_level),
    )


def compare_groups(labelled: Summary, rest: Summary, *, confidence_level: float) -> SelectionBias | None:
    """Return how labelled rows differ from the `rest`, None where either has fewer than FEWEST rows.

    The class mixes are compared by Pearson's chi-square test over the classes that occur, the mean
    confidences by Welch's test with the normal distribution, where as many rows of either have one.

    Source: Pearson (1900), Philos. Mag. 50, 157-175; Welch (1947), Biometrika 34, 28-35.
    """
    if min(labelled.count, rest.count) < FEWEST:
        return None
    difference, p = _compare_confidence(labelled, rest)
    return SelectionBias(
        mix_distance=total_variation(labelled.counts, rest.counts),
        mix_p=_chi_square_p(labelled.counts, rest.counts),
        confidence_difference=difference,
        confidence_p=p,
        limit=(1 - confidence_level) / 2,
    )


def _compare_confidence(labelled: Summary, rest: Summary) -> tuple[float, float] | tuple[None, None]:
    """Return (the difference of the mean confidences, its p-value); None for both with too few of them."""
    if min(labelled.with_confidence, rest.with_confidence) < FEWEST:
        return None, None
    difference = _mean_confidence(labelled) - _mean_confidence(rest)
    spread = math.hypot(*(_standard_error(group) for group in (labelled, rest)))
    score = abs(difference) / spread if spread else math.inf if abs(difference) > 1e-9 else 0.0
    return difference, math.erfc(score / math.sqrt(2))


def _mean_confidence(group: Summary) -> float:
    return group.total.confidence / (group.with_confidence * SCALE)


def _standard_error(group: Summary) -> float:
    tally = group.total
    return standard_error(tally.confidence, tally.confidence_squares, tally.with_confidence, scale=SCALE)


def _chi_square_p(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    n, m = sum(one), sum(other)
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a + b]
    if len(pairs) < 2:
        return 1.0
    statistic = sum((a * m - b * n) ** 2 / (n * m * (a + b)) for a, b in pairs)
    # The chi-square tail has a closed form for one and two degrees of freedom.
    return math.erfc(math.sqrt(statistic / 2)) if len(pairs) == 2 else math.exp(-statistic / 2)


def _delay(hours: list[float]) -> LabelDelay | None:
    if not hours:
        return None
    ordered = sorted(hours)
    return LabelDelay(
        median_hours=_quantile(ordered, 0.5), ninetieth_hours=_quantile(ordered, 0.9), n=len(ordered)
    )


def _quantile(ordered: list[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


class _Sums:
    """The sum over some rows, as a whole and per window."""

    def __init__(self, calendar: Calendar | None) -> None:
        self.whole = GrowingSummary()
        self.parts: dict[datetime, GrowingSummary] = {}
        self._calendar = calendar

    def add(self, record: PredictionRecord) -> None:
        self.whole.add(record)
        if self._calendar is not None:
            start = self._calendar.start_of(record.timestamp)
            self.parts.setdefault(start, GrowingSummary()).add(record)

    def part(self, start: datetime) -> Summary:
        return self.parts[start].summary() if start in self.parts else Summary()


def _windows(
    labelled: _Sums, unlabelled: _Sums, calendar: Calendar, now: datetime
) -> tuple[CoverageWindow, ...]:
    parts = dict.fromkeys([*labelled.parts, *unlabelled.parts], Summary())
    return tuple(
        CoverageWindow(
            start=window.start,
            end=window.end,
            complete=window.complete,
            all=labelled.part(window.start) + unlabelled.part(window.start),
            labelled=labelled.part(window.start),
        )
        for window in lay_out(parts, calendar, now=now)
    )
