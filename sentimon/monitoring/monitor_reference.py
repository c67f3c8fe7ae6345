"""What the monitor compares new rows with: event counts of a baseline, and how much they vary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.watched_events import (
    EventGroup,
    EventWindow,
    class_counts,
    class_group,
    confidence_counts,
    confidence_cuts,
    confidence_group,
)
from sentimon.prediction_log.summary import Counts, Summary
from sentimon.statistics.dispersion import (
    Wave,
    clustered_effect,
    daily_waves,
    design_effect,
    exceeds_chance,
    intraclass_correlation,
    mean_cluster_size,
)

FEWEST_ROWS = 2_000
"""Fewest rows of a baseline with which `retrain-check` uses the monitor."""
ADVISED_ROWS = 5_000
Proportion = tuple[float, float]
"""(count, n); counts that are weighted need not be whole."""


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """The groups of events of a baseline, and how their shares vary from hour to hour."""

    groups: tuple[EventGroup, ...]
    rows: int
    waves: tuple[Wave, Wave, Wave]
    """The share of each class over the day, in Sentiment order."""
    design_effect: float
    """How many times the variance of class shares per hour, around the wave, exceeds chance; at least 1."""
    correlation: float
    """Intraclass correlation of two rows of one hour, 0 .. 1; 0 where the design effect may be chance."""
    mean_cluster_size: float
    """Mean over the rows of the baseline of the number of rows in the same hour."""
    cuts: tuple[int, ...]
    """Deciles of the confidence, in hundredths."""

    @property
    def divided(self) -> bool:
        """Return whether rows of one hour are correlated: then counts are divided by a design effect."""
        return self.correlation > 0

    @classmethod
    def of(cls, baseline: Baseline) -> Reference:
        """Return the reference of `baseline`."""
        summary = baseline.summary
        groups = (class_group(summary, baseline.classes), confidence_group(summary))
        words = () if baseline.vocabulary is None else (baseline.vocabulary.group,)
        return cls.from_hours(groups + words, summary.hours, cuts=confidence_cuts(summary))

    @classmethod
    def from_hours(
        cls, groups: tuple[EventGroup, ...], hours: Mapping[int, Counts], *, cuts: tuple[int, ...]
    ) -> Reference:
        """Return the reference with these groups, whose rows per class came in these hours."""
        waves = daily_waves(hours)
        effect, degrees = design_effect(hours, waves)
        bursts = exceeds_chance(effect, degrees)
        return cls(
            groups=groups,
            rows=groups[0].reference.n,
            design_effect=effect,
            correlation=intraclass_correlation(effect, hours) if bursts else 0.0,
            mean_cluster_size=mean_cluster_size(sum(counts) for counts in hours.values()),
            waves=waves,
            cuts=cuts,
        )

    def divisor_at(self, group: int, place: int, clock: Sequence[int]) -> float:
        """Return what the counts of `expected` are divided by, >= 1, for their variance to be that of chance.

        It is the design effect of the baseline, times what the error of the daily wave adds.
        """
        effect = clustered_effect(self.correlation, self.mean_cluster_size)
        return effect if group else effect * self.waves[place].variance_at(clock)

    def divisor_of(self, window: EventWindow) -> float:
        """Return the design effect of the rows of `window`, >= 1, which their counts are divided by."""
        return clustered_effect(self.correlation, window.mean_cluster_size)

    def expected(self, group: int, place: int, clock: Sequence[int]) -> Proportion:
        """Return (count, n) of an event in the baseline, adjusted to the hours of the day of some rows.

        `clock` holds the number of those rows in each hour of the day. Only the shares of classes follow a
        daily wave; the adjusted count need not be whole.
        """
        known = self.groups[group].reference
        if group or not any(wave.amplitude for wave in self.waves):
            return known.counts[place], known.n
        wave = self.waves[place]
        moved = sum(rows * (wave.at(hour) - wave.share) for hour, rows in enumerate(clock) if rows)
        count = known.counts[place] + known.n * moved / max(1, sum(clock))
        return min(max(count, 0.0), known.n), known.n

    def window(self, summary: Summary) -> EventWindow:
        """Return the event counts of the rows of `summary`: classes and confidence, but not words."""
        return EventWindow(
            groups=(class_counts(summary), confidence_counts(summary, self.cuts)),
            hours={hour: sum(counts) for hour, counts in summary.hours.items()},
        )
