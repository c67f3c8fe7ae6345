"""Decide whether the class mix has drifted from the baseline: the distance, its interval, and the verdict."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sentimon.config.settings import DriftSettings
from sentimon.errors import DataError
from sentimon.labels import Sentiment
from sentimon.monitoring.baseline import Baseline, named_models
from sentimon.monitoring.baseline_collection import BaselineProgress
from sentimon.monitoring.drift_decision import Power, Reason, Verdict, reason_of
from sentimon.monitoring.onset import Onset
from sentimon.monitoring.prediction_metrics import Metrics, measure
from sentimon.monitoring.recent_rows import ComparedWindow, all_rows
from sentimon.monitoring.season_matching import SeasonMatch
from sentimon.monitoring.text_changes import TextProperty, text_properties
from sentimon.prediction_log.summary import ModelKey, Summary, Tally
from sentimon.scoring.scores import SCALE
from sentimon.statistics.distances import total_variation, wasserstein_distance
from sentimon.statistics.intervals import (
    Difference,
    Estimate,
    difference_of_shares,
    normal_quantile,
    standard_error,
    wilson,
)

WORTH_SAYING = 0.05
"""A larger change of the mean confidence than this is told."""
_HASH = re.compile(r"[0-9a-f]{12,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """The comparison of some rows with a baseline.

    Where either side has no rows, `score`, `total_variation` and the changes are None. The class mix is that
    of all rows, the confidence that of the rows that have one.
    """

    baseline_name: str | None
    """None where there is no baseline."""
    threshold: float
    min_samples: int
    baseline: Metrics
    current: Metrics
    score: Estimate
    """Wasserstein-1 distance, 0 .. 1; `n` is the number of current rows.

    The interval holds for all windows that were searched.
    """
    total_variation: float | None
    share_changes: tuple[Difference, Difference, Difference] | None
    """Change of the share of each class, in Sentiment order.

    The intervals of negative and positive hold at once, and for all windows that were searched: the score
    is surely above 0 exactly where one of these two leaves out 0.
    """
    window: ComparedWindow
    """Which of the rows after the baseline these are, and how many windows were searched for them."""
    after_baseline: int
    """Rows that were there to be compared; the current rows are the newest of them."""
    power: Power | None
    """What could have been seen; None where either side has no rows."""
    confidence_change: Difference | None
    """Change of the mean confidence; None where either side has fewer than two rows with one."""
    onset: Onset | None = None
    """When the class mix changed, where that is more than chance; None where it is as usual again."""
    confidence_onset: Onset | None = None
    """When the mean confidence changed, where that is told."""
    texts: tuple[TextProperty, ...] = ()
    """Properties of the texts before and now; empty where texts are not kept."""
    season: SeasonMatch | None = None
    """The class mix of the baseline at the same hours of the week, where it is used (`--match`)."""
    collecting: BaselineProgress | None = None
    """Progress of a baseline that is being collected; None where none is."""

    @property
    def reason(self) -> Reason:
        """Return the line of the table of verdicts that fits."""
        if self.baseline_name is None:
            return Reason.NO_BASELINE
        if min(self.baseline.total, self.current.total) < self.min_samples:
            return Reason.TOO_FEW_ROWS
        if self.score.value is None or self.score.low is None or self.power is None:
            return Reason.TOO_FEW_ROWS
        return reason_of(
            above=self.score.value > self.threshold,
            surely=self.score.low > 0,
            detectable=self.power.enough,
        )

    @property
    def verdict(self) -> Verdict:
        """Return the verdict that follows from the reason."""
        return self.reason.verdict

    @property
    def drifted(self) -> bool:
        """Return whether the verdict is drift."""
        return self.verdict is Verdict.DRIFT

    @property
    def changed(self) -> bool:
        """Return whether the class mix changed by more than chance, above the threshold or below it."""
        return self.reason in (Reason.CHANGED, Reason.CHANGED_BELOW_THRESHOLD)

    @property
    def confidence_changed(self) -> bool:
        """Return whether the mean confidence changed by more than chance, and by enough to be told."""
        moved = self.confidence_change
        return moved is not None and abs(moved.value) > WORTH_SAYING and not moved.low <= 0 <= moved.high

    @property
    def moved_most(self) -> Sentiment | None:
        """Return the class whose share changed most, None where either side has no rows."""
        if self.share_changes is None:
            return None
        changes = self.share_changes
        return max(Sentiment, key=lambda place: abs(changes[place].value))

    @property
    def risen_most(self) -> Sentiment | None:
        """Return the class whose share rose most, None where either side has no rows."""
        if self.share_changes is None:
            return None
        changes = self.share_changes
        return max(Sentiment, key=lambda place: changes[place].value)


def detect_drift(
    baseline: Baseline | None,
    current: Summary,
    settings: DriftSettings,
    *,
    window: ComparedWindow | None = None,
    after_baseline: int | None = None,
    season: SeasonMatch | None = None,
    collecting: BaselineProgress | None = None,
) -> DriftReport:
    """Return the comparison of `current` with `baseline`; without a baseline there is no verdict.

    `window` says how the rows are compared and what was searched for them; without it they are compared
    with the baseline as it is. There are `after_baseline` rows, of which they are the newest; None: no more.
    With a `season`, as `match_season` returns it, its class mix takes the place of the baseline's.
    `collecting` is the progress of a baseline that is still being collected.

    Raises:
        DataError: the rows come from another model than the baseline.
    """
    if baseline is not None:
        check_same_model(baseline, current)
    level = settings.confidence_level
    before, after = Summary() if baseline is None else baseline.summary, current
    known = measure(before, confidence_level=level)
    if window is None:
        window = all_rows(before.counts if season is None else season.counts, adjusted=season is not None)
    if window.adjusted:
        known = _with_mix(known, window.before, level)
    score = Estimate(value=None, low=None, high=None, n=after.count)
    variation = changes = power = None
    if before.count and after.count:
        low, high = window.interval(after.counts, level)
        value = wasserstein_distance(window.before, after.counts)
        score = Estimate(value=value, low=low, high=high, n=after.count)
        variation = total_variation(window.before, after.counts)
        changes = _share_changes(*window.scaled(after.counts), window.level(level))
        power = window.power(after.count, settings.threshold, level)
    return DriftReport(
        baseline_name=None if baseline is None else baseline.name,
        threshold=settings.threshold,
        min_samples=settings.min_samples,
        baseline=known,
        current=measure(after, confidence_level=level),
        score=score,
        total_variation=variation,
        share_changes=changes,
        window=window,
        after_baseline=after.count if after_baseline is None else after_baseline,
        power=power,
        confidence_change=_confidence_change(before.total, after.total, level),
        texts=text_properties(before, after, confidence_level=level),
        season=season,
        collecting=collecting,
    )


def _with_mix(metrics: Metrics, counts: Sequence[float], level: float) -> Metrics:
    """Return the metrics of a baseline whose class mix is that of the times it is compared at."""
    rows = sum(counts)
    negative, neutral, positive = (wilson(count, rows, confidence_level=level) for count in counts)
    return replace(metrics, shares=(negative, neutral, positive))


def check_same_model(baseline: Baseline, current: Summary) -> None:
    """Raise DataError unless all rows may be compared; rows that name no model, or no revision, may be.

    Raises:
        DataError: some rows come from a model that is not in the baseline.
    """
    foreign = foreign_models(baseline, current)
    if foreign:
        known = list(baseline.known_models)
        raise DataError(
            f"baseline {baseline.name!r} is of {_models(known)}, but rows are of {_models(foreign)}",
            hint="`sentimon baseline create --force` makes one of the present model (its rows: --since)",
        )


def foreign_models(baseline: Baseline, current: Summary) -> list[ModelKey]:
    """Return the models of `current`, as (model, revision), that are not in the baseline.

    A model is in the baseline under the same name and revision, where one of the two revisions is missing
    it counts as the same, and a revision that is a hash of at least 12 hexadecimal digits is the same
    model under any name. Empty where no row of the baseline names a model.
    """
    known = baseline.known_models
    if not known:
        return []
    return [model for model in named_models(current) if not any(_may_be(model, other) for other in known)]


def _may_be(model: ModelKey, other: ModelKey) -> bool:
    if model[1] == other[1] and model[1] is not None and _HASH.fullmatch(model[1]):
        # The same weights under any name: a folder has several names, one of them `current`.
        return True
    same_revision = model[1] == other[1] or None in (model[1], other[1])
    return model[0] == other[0] and same_revision


def _models(models: list[ModelKey]) -> str:
    return ", ".join(f"{name}@{revision}" if revision else f"{name}" for name, revision in models)


def _share_changes(
    before: Sequence[float], after: Sequence[float], level: float
) -> tuple[Difference, Difference, Difference]:
    # As many comparisons as the interval of the score makes, so that both say the same.
    z, m, n = normal_quantile(level, comparisons=2), sum(before), sum(after)

    def change(place: Sentiment) -> Difference:
        value, low, high = difference_of_shares((before[place], m), (after[place], n), z=z)
        return Difference(value=value, low=low, high=high)

    return (change(Sentiment.NEGATIVE), change(Sentiment.NEUTRAL), change(Sentiment.POSITIVE))


def _confidence_change(before: Tally, after: Tally, level: float) -> Difference | None:
    m, n = before.with_confidence, after.with_confidence
    if m < 2 or n < 2:
        return None
    value = after.confidence / n / SCALE - before.confidence / m / SCALE
    half = normal_quantile(level) * math.hypot(
        *(
            standard_error(tally.confidence, tally.confidence_squares, count, scale=SCALE)
            for tally, count in ((before, m), (after, n))
        )
    )
    return Difference(value=value, low=value - half, high=value + half)
