"""What a monitor holds new rows against: the events of a baseline, and how much they waver by themselves."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sentimon.logbook.summary import Summary
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.dispersion import Wave, daily_waves, design_effect, worth_dividing
from sentimon.monitoring.events import (
    Counted,
    Group,
    Window,
    class_counts,
    class_group,
    confidence_counts,
    confidence_cuts,
    confidence_group,
)

FEWEST_ROWS = 2_000
"""Of a baseline that `retrain-check` lets a monitor judge by."""
ADVISED_ROWS = 5_000
HOURS_OF_DAY = 24
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
    divided: bool
    """Whether counts are divided by it."""
    cuts: tuple[int, ...]

    @classmethod
    def of(cls, baseline: Baseline) -> Reference:
        """Return what rows are held against with `baseline`."""
        summary = baseline.summary
        groups = (class_group(summary), confidence_group(summary))
        words = () if baseline.vocabulary is None else (baseline.vocabulary.group,)
        waves = daily_waves(summary.hours)
        effect, degrees = design_effect(summary.hours, waves)
        return cls(
            groups=groups + words,
            rows=summary.count,
            design_effect=effect,
            divided=worth_dividing(effect, degrees),
            waves=waves,
            cuts=confidence_cuts(summary),
        )

    @property
    def divisor(self) -> float:
        """Return what counts are divided by."""
        return self.design_effect if self.divided else 1.0

    def expected(self, group: int, place: int, clock: Sequence[int]) -> Share:
        """Return the share of an event in the baseline, at the hours of the day that some rows come from."""
        known = self.groups[group].reference
        if group or not any(wave.amplitude for wave in self.waves):
            return known.counts[place], known.n
        wave = self.waves[place]
        moved = sum(rows * (wave.at(hour) - wave.share) for hour, rows in enumerate(clock) if rows)
        count = known.counts[place] + known.n * moved / max(1, sum(clock))
        return min(max(count, 0.0), known.n), known.n

    def window(self, summary: Summary, words: Counted | None) -> Window:
        """Return the rows of `summary` by event; `words` are their texts, None where no group asks."""
        groups = [class_counts(summary), confidence_counts(summary, self.cuts)]
        clock = [0] * HOURS_OF_DAY
        for hour, counts in summary.hours.items():
            clock[hour % HOURS_OF_DAY] += sum(counts)
        return Window(tuple(groups if words is None else [*groups, words]), tuple(clock))
