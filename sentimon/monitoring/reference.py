"""What a monitor holds new rows against: the events of a baseline, and how much they waver by themselves."""

from __future__ import annotations

import msgspec

from sentimon.logbook.summary import Summary
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.dispersion import Wave, daily_waves, design_effect, worth_dividing
from sentimon.monitoring.events import (
    Counted,
    Group,
    class_counts,
    class_group,
    confidence_counts,
    confidence_cuts,
    confidence_group,
)

FEWEST_ROWS = 2_000
"""Of a baseline that `retrain-check` lets a monitor judge by."""
ADVISED_ROWS = 5_000

Window = tuple[Counted, ...]
"""Some rows, counted once per group of events."""


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """The groups of events of a baseline, and how their shares waver from hour to hour."""

    groups: tuple[Group, ...]
    rows: int
    waves: tuple[Wave, Wave, Wave]
    """The share of each class over the day, in Sentiment order."""
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

    def tolerance(self, group: Group, place: int, least: float) -> float:
        """Return the change of a share that is no news: `least`, or the swing of a class over the day."""
        return max(least, self.waves[place].amplitude) if group.name == "class" else least

    def window(self, summary: Summary, words: Counted | None) -> Window:
        """Return the rows of `summary` by event; `words` are their texts, None where no group asks."""
        counted = (class_counts(summary), confidence_counts(summary, self.cuts))
        return counted if words is None else (*counted, words)
