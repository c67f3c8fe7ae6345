"""How a monitor would do on traffic like that of a baseline: its false alarms, and the shifts it detects.

Each run also draws a new baseline, so that the result includes the sampling error of the baseline.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, TypeAlias

from sentimon.config.settings import Settings
from sentimon.monitoring.baseline import Baseline
from sentimon.monitoring.monitor_reference import Reference
from sentimon.monitoring.shift_tests import find_shifts
from sentimon.monitoring.watched_events import Counted, EventGroup, EventWindow
from sentimon.statistics.intervals import Estimate, wilson

if TYPE_CHECKING:
    import numpy as np

    Vector: TypeAlias = np.ndarray[Any, Any]

Generator = Any
_LATER = 24 * 100_000
"""Hours."""
_MOST_ALIKE = 0.99
_NEARLY_NOTHING = 1e-12
"""No weight of a Dirichlet distribution may be zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Simulated traffic, and the shift that happens to it half-way."""

    rows: int
    """New rows at each check."""
    hours: float
    """Hours between two checks."""
    checks: int
    shift: float
    """Shift of the class mix half-way, as total variation distance, 0 .. 1; 0: none."""

    @property
    def change(self) -> int:
        """Return the number of the last check before the shift."""
        return self.checks // 2 if self.shift else self.checks


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationRun:
    """One run: the check that raised the first alarm, None if there was none."""

    alarm: int | None
    change: int

    @property
    def false(self) -> bool:
        """Return whether the alarm came before the shift."""
        return self.alarm is not None and self.alarm <= self.change

    @property
    def delay(self) -> int | None:
        """Return how many checks after the shift the alarm came; None without one, or if it came before."""
        return None if self.alarm is None or self.false else self.alarm - self.change


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """All runs of a scenario."""

    scenario: Scenario
    outcomes: tuple[SimulationRun, ...]

    def false_alarms(self, confidence_level: float) -> Estimate:
        """Return the share of runs, 0 .. 1, with a false alarm."""
        false = sum(one.false for one in self.outcomes)
        return wilson(false, len(self.outcomes), confidence_level=confidence_level)

    def found(self, confidence_level: float) -> Estimate:
        """Return the share of the runs without a false alarm, 0 .. 1, in which the shift was detected."""
        quiet = [one for one in self.outcomes if not one.false]
        found = sum(one.delay is not None for one in quiet)
        return wilson(found, len(quiet), confidence_level=confidence_level)

    def delay(self, quantile: float) -> int | None:
        """Return after how many checks that share of the runs had detected the shift.

        None where fewer of them ever did.
        """
        quiet = [one.delay for one in self.outcomes if not one.false]
        found = sorted(one for one in quiet if one is not None)
        place = math.ceil(quantile * len(quiet)) - 1
        return found[place] if 0 <= place < len(found) else None


def simulate(
    baseline: Baseline, reference: Reference, settings: Settings, scenario: Scenario, seed: int
) -> SimulationRun:
    """Return the outcome of one run, which `seed` determines."""
    import numpy as np

    level, look_backs = settings.drift.confidence_level, settings.monitor.look_backs
    traffic = _Traffic(baseline, reference, scenario, np.random.default_rng(seed))
    drawn = traffic.reference()
    windows: list[EventWindow] = []
    for check in range(1, scenario.checks + 1):
        windows.append(traffic.window(check))
        del windows[: -(1 << (look_backs - 1))]
        found = find_shifts(drawn, windows, check, settings.monitor)
        if any(one.reaches_delta(settings.monitor.delta, confidence_level=level) for one in found):
            return SimulationRun(alarm=check, change=scenario.change)
    return SimulationRun(alarm=None, change=scenario.change)


class _Traffic:
    """Rows like those of a baseline: its classes over the day, its bursts, its confidences, its words."""

    def __init__(
        self, baseline: Baseline, reference: Reference, scenario: Scenario, generator: Generator
    ) -> None:
        import numpy as np

        self._generator, self._scenario, self._reference = generator, scenario, reference
        histograms = np.array(
            [
                (tally.count - tally.with_confidence, *tally.confidence_histogram)
                for tally in baseline.summary.classes
            ],
            float,
        )
        sizes = histograms.sum(axis=1, keepdims=True)
        # The first bin is for rows without a confidence.
        anywhere = np.full_like(histograms, 0.01)
        anywhere[:, 0] = 0
        self._bins = np.divide(histograms, sizes, out=anywhere, where=sizes > 0)
        self._rows = baseline.summary.count
        self._hours = {hour: sum(counts) for hour, counts in baseline.summary.hours.items()}
        self._correlation = min(_MOST_ALIKE, reference.correlation)
        self._mixes: dict[int, Vector] = {}
        self._moved = self._shift()

    def reference(self) -> Reference:
        """Return the reference that a baseline of as many rows of such traffic gives."""
        by_hour = {hour: self._classes(hour, size) for hour, size in self._hours.items()}
        drawn = self._count(_added(by_hour.values()), self._hours)
        known = zip(self._reference.groups, drawn.groups, strict=True)
        return Reference.from_hours(
            tuple(EventGroup(name=one.name, events=one.events, reference=new) for one, new in known),
            {hour: (int(one[0]), int(one[1]), int(one[2])) for hour, one in by_hour.items()},
            cuts=self._reference.cuts,
        )

    def window(self, check: int) -> EventWindow:
        """Return the rows of a check, 1, 2, ...; checks that share an hour share its burst."""
        length, moved = self._scenario.hours, self._moved if check > self._scenario.change else 0.0
        # Far from the hours of the baseline, at the same time of day.
        first = _LATER + math.floor((check - 1) * length)
        hours = range(first, max(first + 1, _LATER + math.floor(check * length)))
        rows = self._scenario.rows
        sizes = {hour: rows // len(hours) + (number < rows % len(hours)) for number, hour in enumerate(hours)}
        return self._count(_added(self._classes(hour, size, moved) for hour, size in sizes.items()), sizes)

    def _shift(self) -> Vector:
        """Return what the shift adds to each share: it moves from one random class to another."""
        import numpy as np

        mix = np.array([wave.share for wave in self._reference.waves])
        shift = self._scenario.shift
        moved = np.zeros(3)
        classes = [place for place, _ in self._reference.groups[0].watched]
        large = [place for place in classes if mix[place] >= shift] or [int(mix.argmax())]
        source = large[self._generator.integers(len(large))]
        further = self._generator.integers(1, len(classes))
        target = classes[(classes.index(source) + int(further)) % len(classes)]
        moved[source], moved[target] = -min(shift, mix[source]), min(shift, mix[source])
        return moved

    def _classes(self, hour: int, rows: int, moved: Vector | float = 0.0) -> Vector:
        """Return a number of rows of an hour by class, drawn at random; `moved` is added to each share."""
        import numpy as np

        mix = np.clip(self._mix(hour) + moved, 0, None)
        drawn: Vector = self._generator.multinomial(rows, mix / mix.sum())
        return drawn

    def _mix(self, hour: int) -> Vector:
        """Return the class mix of an hour; where rows come in bursts, a Dirichlet draw about the usual mix.

        Source: Mosimann (1962), Biometrika 49, 65-82 (its correlation is 1 / (1 + sum of alpha)).
        """
        import numpy as np

        if hour not in self._mixes:
            usual = np.clip(
                np.array([wave.at(hour) for wave in self._reference.waves]), _NEARLY_NOTHING, None
            )
            usual[[place for place, event in enumerate(self._reference.groups[0].events) if not event]] = 0
            usual = usual / usual.sum()
            if self._correlation:
                usual = self._generator.dirichlet(usual * (1 / self._correlation - 1))
            self._mixes[hour] = usual
        return self._mixes[hour]

    def _count(self, classes: Vector, hours: Mapping[int, int]) -> EventWindow:
        """Return rows of each class, spread over some hours, counted by event."""
        import numpy as np

        rows = int(classes.sum())
        below = np.cumsum(sum(self._generator.multinomial(n, self._bins[c]) for c, n in enumerate(classes)))
        unsure = int(below[0])
        cuts = tuple(int(below[cut]) - unsure for cut in self._reference.cuts)
        words = [self._count_words(group.reference, rows) for group in self._reference.groups[2:]]
        counted = (Counted(rows, tuple(classes.tolist())), Counted(rows - unsure, cuts), *words)
        return EventWindow(groups=counted, hours=dict(hours))

    def _count_words(self, known: Counted, rows: int) -> Counted:
        import numpy as np

        # Of the rows of a baseline, half are those that its new words are counted in.
        texts = min(rows, known.n) if rows == self._rows else rows
        shares = np.diff([0, *known.counts, known.n]) / known.n
        return Counted(texts, tuple(np.cumsum(self._generator.multinomial(texts, shares))[:-1].tolist()))


def _added(vectors: Iterable[Vector]) -> Vector:
    """Return the sum of at least one vector."""
    return reduce(add, vectors)
