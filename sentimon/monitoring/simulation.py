"""How a monitor would do on traffic like that of a baseline: how often it cries wolf, and what it finds.

Each run draws the baseline anew, too: what is measured includes how well so many rows know the truth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from sentimon.config.settings import MonitorSettings
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.events import Counted, Group
from sentimon.monitoring.intervals import Estimate, wilson
from sentimon.monitoring.looks import findings
from sentimon.monitoring.reference import Reference, Window

if TYPE_CHECKING:
    import numpy as np

Generator = Any
_NEARLY_NOTHING = 1e-12
"""No weight of a Dirichlet distribution may be zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Traffic that a monitor looks at, and what happens to it half-way."""

    rows: int
    """New rows at each look."""
    hours: float
    """Between two looks."""
    checks: int
    shift: float
    """How much the class mix moves half-way, as total variation distance; 0: nothing happens."""

    @property
    def change(self) -> int:
        """Return the number of the last look before the mix moves."""
        return self.checks // 2 if self.shift else self.checks


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One run: the look that raised the first alarm, if any."""

    alarm: int | None
    change: int

    @property
    def false(self) -> bool:
        """Return whether it alarmed though nothing had happened."""
        return self.alarm is not None and self.alarm <= self.change

    @property
    def delay(self) -> int | None:
        """Return how many looks after the change it alarmed; None where it did not, or too early."""
        return None if self.alarm is None or self.false else self.alarm - self.change


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """All runs of a scenario."""

    scenario: Scenario
    outcomes: tuple[Outcome, ...]

    def false_alarms(self, confidence_level: float) -> Estimate:
        """Return the share of runs with a false alarm."""
        false = sum(one.false for one in self.outcomes)
        return wilson(false, len(self.outcomes), confidence_level=confidence_level)

    def found(self, confidence_level: float) -> Estimate:
        """Return the share of runs, without those with a false alarm, in which the change was found."""
        quiet = [one for one in self.outcomes if not one.false]
        found = sum(one.delay is not None for one in quiet)
        return wilson(found, len(quiet), confidence_level=confidence_level)

    def delay(self, quantile: float) -> int | None:
        """Return after how many looks the change was found in that share of the runs that were quiet."""
        quiet = [one.delay for one in self.outcomes if not one.false]
        found = sorted(one for one in quiet if one is not None)
        place = math.ceil(quantile * len(quiet)) - 1
        return found[place] if 0 <= place < len(found) else None


def simulate(
    baseline: Baseline, reference: Reference, settings: MonitorSettings, scenario: Scenario, seed: int
) -> Outcome:
    """Return what happened in one run; the same seed, the same run."""
    import numpy as np

    traffic = _Traffic(baseline, reference, scenario, np.random.default_rng(seed))
    drawn = traffic.reference()
    windows: list[Window] = []
    for check in range(1, scenario.checks + 1):
        windows.append(traffic.window(check))
        del windows[: -(1 << (settings.look_backs - 1))]
        if any(abs(one.difference) >= settings.delta for one in findings(drawn, windows, check, settings)):
            return Outcome(alarm=check, change=scenario.change)
    return Outcome(alarm=None, change=scenario.change)


class _Traffic:
    """Rows as those of a baseline: its classes over the day, its bursts, its confidences, its words."""

    def __init__(
        self, baseline: Baseline, reference: Reference, scenario: Scenario, generator: Generator
    ) -> None:
        import numpy as np

        self._generator, self._scenario, self._reference = generator, scenario, reference
        histograms = np.array([tally.confidence_histogram for tally in baseline.summary.classes], float)
        sizes = histograms.sum(axis=1, keepdims=True)
        self._bins = np.divide(histograms, sizes, out=np.full_like(histograms, 0.01), where=sizes > 0)
        self._rows = baseline.summary.count
        self._hours = max(1, len(baseline.summary.hours))
        # Kish's relation of the design effect to the correlation of rows of one hour.
        excess = reference.design_effect - 1 if reference.divided else 0.0
        self._correlation = min(0.99, excess / max(1.0, self._rows / self._hours - 1))
        self._moved = self._shift()

    def reference(self) -> Reference:
        """Return the reference that a baseline of as many rows of such traffic gives."""
        counted = self._count(self._rows, self._mix(None), hours=self._hours)
        return replace(
            self._reference,
            groups=tuple(
                Group(name=group.name, events=group.events, reference=one)
                for group, one in zip(self._reference.groups, counted, strict=True)
            ),
        )

    def window(self, check: int) -> Window:
        """Return the rows of a look, 1, 2, ..."""
        hour = round(check * self._scenario.hours)
        mix = self._mix(hour if self._scenario.hours < 24 else None)
        if check > self._scenario.change:
            mix = mix + self._moved
        return self._count(self._scenario.rows, mix, hours=max(1, round(self._scenario.hours)))

    def _mix(self, hour: int | None) -> np.ndarray[Any, Any]:
        import numpy as np

        waves = self._reference.waves
        return np.array([wave.share if hour is None else wave.at(hour) for wave in waves])

    def _shift(self) -> np.ndarray[Any, Any]:
        """Return what a shift adds to each share: from one class to another, drawn among those that can."""
        import numpy as np

        mix, shift = self._mix(None), self._scenario.shift
        moved = np.zeros(3)
        large = [place for place in range(3) if mix[place] >= shift] or [int(mix.argmax())]
        source = large[self._generator.integers(len(large))]
        target = (source + self._generator.integers(1, 3)) % 3
        moved[source], moved[target] = -min(shift, mix[source]), min(shift, mix[source])
        return moved

    def _count(self, rows: int, mix: np.ndarray[Any, Any], *, hours: int) -> Window:
        """Return so many rows, spread over so many hours, counted by event."""
        import numpy as np

        mix = np.clip(mix, 0, None) / np.clip(mix, 0, None).sum()
        classes = np.zeros(3, int)
        for hour in range(hours):
            own = mix
            if self._correlation:
                own = self._generator.dirichlet(mix * (1 / self._correlation - 1) + _NEARLY_NOTHING)
            classes += self._generator.multinomial(rows // hours + (hour < rows % hours), own)
        below = np.cumsum(sum(self._generator.multinomial(n, self._bins[c]) for c, n in enumerate(classes)))
        cuts = tuple(int(below[cut - 1]) for cut in self._reference.cuts)
        words = [self._count_words(group.reference, rows) for group in self._reference.groups[2:]]
        return (Counted(rows, tuple(classes.tolist())), Counted(rows, cuts), *words)

    def _count_words(self, known: Counted, rows: int) -> Counted:
        import numpy as np

        # Of the rows of a baseline, half are those that its new words are counted in.
        texts = min(rows, known.n) if rows == self._rows else rows
        shares = np.diff([0, *known.counts, known.n]) / known.n
        return Counted(texts, tuple(np.cumsum(self._generator.multinomial(texts, shares))[:-1].tolist()))
