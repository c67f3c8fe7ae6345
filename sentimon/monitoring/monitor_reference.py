"""What a monitor holds new rows against: the events of a baseline, and how much they waver by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.watched_events import (
    Group,
    Window,
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
    intraclass_correlation,
    more_than_chance,
    together,
)

FEWEST_ROWS = 2_000
"""Of a baseline that `retrain-check` lets a monitor judge by."""
ADVISED_ROWS = 5_000
Share = tuple[float, float]
"""(count, n); counts that are weighted need not be whole."""


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """The groups of events of a baseline, and how their shares waver from hour to hour."""

    groups: tuple[Group, ...]
    rows: int
    waves: tuple[Wave, Wave, Wave]
    """The share of each class over the day, in Sentiment order: what an hour is held against."""
    design_effect: float
    """How many times the variance of class shares per hour, around the wave, exceeds chance; at least 1."""
    correlation: float
    """Of two rows of one hour, 0 .. 1; 0 where the design effect may be chance."""
    together: float
    """How many rows of the baseline share the hour of a row, on average over its rows."""
    cuts: tuple[int, ...]

    @property
    def divided(self) -> bool:
        """Return whether counts are divided by how much rows of an hour are alike."""
        return self.correlation > 0

    @classmethod
    def of(cls, baseline: Baseline) -> Reference:
        """Return what rows are held against with `baseline`."""
        summary = baseline.summary
        groups = (class_group(summary), confidence_group(summary))
        words = () if baseline.vocabulary is None else (baseline.vocabulary.group,)
        return cls.from_hours(groups + words, summary.hours, cuts=confidence_cuts(summary))

    @classmethod
    def from_hours(
        cls, groups: tuple[Group, ...], hours: Mapping[int, Counts], *, cuts: tuple[int, ...]
    ) -> Reference:
        """Return the reference whose rows of each class came in these hours."""
        waves = daily_waves(hours)
        effect, degrees = design_effect(hours, waves)
        bursts = more_than_chance(effect, degrees)
        return cls(
            groups=groups,
            rows=groups[0].reference.n,
            design_effect=effect,
            correlation=intraclass_correlation(effect, hours) if bursts else 0.0,
            together=together(sum(counts) for counts in hours.values()),
            waves=waves,
            cuts=cuts,
        )

    @property
    def divisor(self) -> float:
        """Return what the counts of the baseline are divided by: its own design effect."""
        return clustered_effect(self.correlation, self.together)

    def divisor_of(self, window: Window) -> float:
        """Return what the counts of some rows are divided by: their own design effect."""
        return clustered_effect(self.correlation, window.together)

    def expected(self, group: int, place: int, clock: Sequence[int]) -> Share:
        """Return the share of an event in the baseline, at the hours of the day that some rows come from."""
        known = self.groups[group].reference
        if group or not any(wave.amplitude for wave in self.waves):
            return known.counts[place], known.n
        wave = self.waves[place]
        moved = sum(rows * (wave.at(hour) - wave.share) for hour, rows in enumerate(clock) if rows)
        count = known.counts[place] + known.n * moved / max(1, sum(clock))
        return min(max(count, 0.0), known.n), known.n

    def window(self, summary: Summary) -> Window:
        """Return the rows of `summary` by event, without those that their texts tell."""
        return Window(
            groups=(class_counts(summary), confidence_counts(summary, self.cuts)),
            hours={hour: sum(counts) for hour, counts in summary.hours.items()},
        )
