"""Streams to compare rules on that find shifts: event counts of many checks, drawn at once."""

from __future__ import annotations

import math
import pickle
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from monitoring import QUIET, Pool, World, bins_of

from sentimon.monitoring.monitor_reference import Reference

Array = np.ndarray[Any, Any]
MOST_ROWS = 16_000
"""After a change."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows by what the monitor can tell of them: the class, and the part of confidence and of new words."""

    labels: Array
    confidences: Array
    words: Array


@dataclass(frozen=True, slots=True)
class Drawn:
    """A baseline and the rows that its streams are drawn from."""

    reference: Reference
    mix: Array
    pair: tuple[int, int]
    swing: float
    rows: Rows
    flattened: Array
    """The parts of the confidences after they were flattened."""
    foreign: Rows
    languages: Array

    @classmethod
    def of(cls, pool: Pool, foreign: Pool, seed: int, swing: float) -> Drawn:
        """Return what a seed draws."""
        world, logits = World(pool, foreign, seed, swing=swing), np.log(np.maximum(pool.scores, 1e-6)) / 1.25
        softened = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

        def rows(labels: Array, bins: Array, shares: Array) -> Rows:
            confidences = np.searchsorted(world.cuts, bins, side="right")
            return Rows(labels, confidences, np.searchsorted(world.word_cuts, shares))

        rest = world.rest
        return cls(
            reference=world.reference,
            mix=world.mix,
            pair=world.pair,
            swing=swing,
            rows=rows(world.labels[rest], world.bins[rest], world.shares[rest]),
            flattened=np.searchsorted(world.cuts, bins_of(softened.max(axis=1))[rest], side="right"),
            foreign=rows(foreign.labels, bins_of(foreign.scores.max(axis=1)), world.foreign_shares()),
            languages=foreign.languages,
        )

    def shifted(self, share: float) -> Array:
        """Return the mix with so much moved from one class to another."""
        source, target = self.pair
        share, moved = min(share, self.mix[source] - 0.01), self.mix.copy()
        moved[source] -= share
        moved[target] += share
        return moved

    def counts(self, change: Change, n: int, checks: int, generator: np.random.Generator) -> Array:
        """Return the counts of each event, shape (checks, events), of n rows at each check."""
        quiet = slice(change.after, None)
        mixes = np.tile(self.mix, (checks, 1))
        if self.swing:
            angles = 2 * math.pi * np.arange(1, checks + 1) / 24
            mixes = np.stack([self.shifted(self.swing * math.sin(angle)) for angle in angles])
        if change.kind == "moved":
            mixes[quiet] = self.shifted(change.share)
        if change.kind == "swapped":
            mixes[quiet] = self.mix[::-1]
        drawn, below = generator.random((checks, n)), np.cumsum(mixes, axis=1)
        labels = (drawn[..., None] > below[:, None, :2]).sum(axis=-1)
        places = np.empty((checks, n), int)
        for label in range(3):
            chosen, of_class = labels == label, np.flatnonzero(self.rows.labels == label)
            places[chosen] = of_class[generator.integers(0, len(of_class), chosen.sum())]
        confidences, words = self.rows.confidences[places], self.rows.words[places]
        if change.kind == "flattened":
            confidences[quiet] = self.flattened[places[quiet]]
        if change.language:
            for label in range(3):
                of_class = np.flatnonzero(
                    (self.languages == change.language) & (self.foreign.labels == label)
                )
                chosen = (labels == label) & (generator.random((checks, n)) < change.share)
                chosen[: change.after] = False
                other = of_class[generator.integers(0, len(of_class), chosen.sum())]
                confidences[chosen], words[chosen] = (
                    self.foreign.confidences[other],
                    self.foreign.words[other],
                )
        sizes = [len(group.events) for group in self.reference.groups]
        columns = [(labels == place).sum(axis=1) for place in range(3)]
        columns += [(confidences <= place).sum(axis=1) for place in range(sizes[1])]
        columns += [(words <= place).sum(axis=1) for place in range(sizes[2])]
        return np.stack(columns, axis=1)


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to a stream, and after how many checks."""

    kind: str
    share: float = 0.0
    language: str = ""
    after: int = QUIET
    before: int = 0
    """Quiet checks that the monitor saw in addition."""


CHANGES = {
    "0.03 moved": (200, Change("moved", 0.03)),
    "0.05 moved": (200, Change("moved", 0.05)),
    "0.1 moved": (200, Change("moved", 0.1)),
    "0.2 moved": (200, Change("moved", 0.2)),
    "0.1 moved, n = 50": (50, Change("moved", 0.1)),
    "0.05 moved, n = 1,000": (1000, Change("moved", 0.05)),
    "0.1 moved after 10,000 checks": (200, Change("moved", 0.1, after=0, before=10_000)),
    "swapped": (200, Change("swapped")),
    "flattened": (200, Change("flattened")),
    "a fifth Italian": (200, Change("language", 0.2, "italian")),
    "a fifth German": (200, Change("language", 0.2, "german")),
    "a fifth Arabic": (200, Change("language", 0.2, "arabic")),
    "a tenth Spanish": (200, Change("language", 0.1, "spanish")),
}
QUIETS = [(n, swing) for swing in (0.0, 0.03) for n in (50, 200, 1000)]


@dataclass(frozen=True, kw_only=True)
class Sums:
    """The sums of a stream's counts over any number of its checks, and what the baseline expects there."""

    reference: Reference
    counts: Array
    n: int

    @cached_property
    def known(self) -> tuple[Array, Array]:
        """Return (count, rows) of each event in the baseline."""
        groups = [group.reference for group in self.reference.groups]
        counts = [count for group in groups for count in group.counts]
        return np.array(counts, float), np.array([group.n for group in groups for _ in group.counts], float)

    @cached_property
    def _sums(self) -> tuple[Array, Array, Array]:
        """Return the cumulative sums of the counts, the daily waves, and the hands of the clock."""
        hours = np.arange(1, len(self.counts) + 1)
        waves = np.zeros(self.counts.shape)
        for place, wave in enumerate(self.reference.waves):
            waves[:, place] = [wave.at(int(hour)) - wave.share for hour in hours]
        hands = np.exp(2j * np.pi * hours / 24)
        first, second, third = (
            np.concatenate([np.zeros_like(one[:1]), np.cumsum(one, axis=0)])
            for one in (self.counts.astype(float), waves, hands)
        )
        return first, second, third

    def over(self, starts: Array, ends: Array) -> tuple[Array, Array, Array, Array]:
        """Return (counts, rows, expected counts in the baseline, how far from round the clock)."""
        (counts, waves, hands), length = self._sums, ends - starts
        known, rows = self.known
        expected = known + rows * (waves[ends] - waves[starts]) / length[:, None]
        return (
            counts[ends] - counts[starts],
            length * self.n,
            np.clip(expected, 0, rows),
            np.abs((hands[ends] - hands[starts]) / length) ** 2,
        )

    def groups(self, most_words: int) -> list[list[int]]:
        """Return the columns of each group; of words at most so many."""
        sizes = [len(group.events) for group in self.reference.groups]
        starts = np.cumsum([0, *sizes])
        sizes[2] = min(sizes[2], most_words)
        return [list(range(start, start + size)) for start, size in zip(starts, sizes, strict=False)]


def drawn(pool: Pool, foreign: Pool, folder: Path | None, seed: int, swing: float) -> Drawn:
    """Return what a seed draws, kept in `folder` if there is one."""
    kept = None if folder is None else folder / f"world-{seed}-{swing}.pickle"
    if kept is not None and kept.exists():
        found: Drawn = pickle.loads(kept.read_bytes())
        return found
    made = Drawn.of(pool, foreign, seed, swing)
    if kept is not None:
        kept.write_bytes(pickle.dumps(made))
    return made
