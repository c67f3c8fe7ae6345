"""Search fields, and pairs of them, for the slices that account for a change, corrected for the search."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sentimon.statistics.intervals import Difference, normal_quantile
from sentimon.statistics.slice_candidates import (
    FEWEST_ROWS,
    Cell,
    Counts,
    Matrix,
    SliceCandidates,
    SliceTable,
    Where,
    candidates_of,
)

MOST_FOUND = 5
PERMUTATIONS = 499
_PAIR_MARGIN = 4.0
"""By how much the squared score of a pair must exceed that of one field's value alone."""
_CHUNK = 1 << 21
"""Numbers that are worked on at once."""
_MOST_DRAWN = 900_000_000
"""Rows that numpy draws from; from 1e9 on it refuses."""
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSlice:
    """A slice that accounts for a part of a change."""

    where: Where
    rows: tuple[int, int]
    """Before and now."""
    shares: tuple[tuple[float, ...] | None, tuple[float, ...] | None]
    """Share of each class in its rows, before and now; None without rows."""
    contribution: tuple[Difference, ...]
    """What it adds to the change of each class share, beyond the slices that were found before it.

    Each interval is for a slice that was named beforehand, and rows that are independent.
    """
    p_value: float
    """Of the largest score among all candidates, those of slices found before set aside."""
    step: int
    """1 for the slice that was found first: a later one is without the rows of earlier ones."""

    @property
    def size(self) -> float:
        """Return how much of a change it is, 0 .. 1, as the drift score measures a change."""
        return (abs(self.contribution[0].value) + abs(self.contribution[-1].value)) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceSearch:
    """The slices that account for a change, the largest first, and what was searched."""

    found: tuple[FoundSlice, ...]
    change: tuple[float, ...]
    """Of the share of each class."""
    left: tuple[float, ...]
    """What no slice accounts for: with all contributions it adds up to the change."""
    candidates: int
    by_blocks: bool
    """Whether blocks of time were permuted; else rows, which are then taken to be independent."""
    fields_left_out: tuple[str, ...]
    """Fields that would have made more than MOST_COMBINATIONS combinations."""


def search_slices(
    fields: Sequence[str],
    before: Iterable[Cell],
    after: Iterable[Cell],
    *,
    seed: int,
    alpha: float = 0.05,
    confidence_level: float = 0.95,
) -> SliceSearch:
    """Return the values of a field, or of a pair of fields, that account for most of a change of the shares.

    A slice g has the weight w and the class share y, the rows outside it the share r, before (0) and now (1);
    with r the mean of r0 and r1, it accounts for

        w1 * (y1 - r) - w0 * (y0 - r)

    of the change. What is left is that of the rows outside, (1 - (w0 + w1) / 2) * (r1 - r0), in which the
    next slice is searched. So all contributions and what is left add up to the change; a slice that is part
    of another one, or goes with it, is not returned beside it; and a new or vanished value is a slice, too.

    The score of a slice is the largest one of its classes: the distance of its rows now from what is expected
    of as many drawn from all rows, over its standard deviation. A slice is returned where its score is
    among the `alpha` largest of the highest scores of all candidates, when the sides are permuted: so the
    probability that unchanged traffic yields any slice is at most `alpha`, however many there are. Blocks are
    permuted where they allow FEWEST_ASSIGNMENTS assignments, else rows. A pair has to beat the values of
    its fields alone by more than chance makes of it. There are at most MOST_CANDIDATES candidates, those of
    one field and those with the most rows first. The time is linear in combinations times pairs of fields.

    Raises:
        DataError: either side has no rows, or a cell has not a value for each field.

    Source: Westfall & Young (1993), Resampling-Based Multiple Testing (the largest score by permutation,
    stepping down); Kitagawa (1955), J. Am. Stat. Assoc. 50, 1168-1194 (the contribution, of two slices).
    """
    table, random = SliceTable.of(fields, list(before), list(after)), np.random.default_rng(seed)
    candidates, z = candidates_of(table), normal_quantile(confidence_level)
    kept, scale, found = np.ones(len(table.codes), bool), 1.0, list[FoundSlice]()
    while len(found) < MOST_FOUND and candidates.where:
        remaining = table.of_combinations(kept)
        best = _most_significant(remaining, candidates, random)
        if best is None or best[1] > alpha:
            break
        inside = candidates.members(best[0])
        parts, outside = _contribution(remaining, inside, z)
        rows = table.of_combinations(inside).sums()
        found.append(
            FoundSlice(
                where=candidates.where[best[0]],
                rows=(int(rows[0].sum()), int(rows[1].sum())),
                shares=(_shares(rows[0]), _shares(rows[1])),
                contribution=tuple(_times(part, scale) for part in parts),
                p_value=best[1],
                step=len(found) + 1,
            )
        )
        kept, scale = kept & ~inside, scale * outside
    return SliceSearch(
        found=tuple(sorted(found, key=lambda one: (-one.size, one.step))),
        change=tuple(table.change().tolist()),
        left=tuple((scale * table.of_combinations(kept).change()).tolist()),
        candidates=len(candidates.where),
        by_blocks=table.blocks_suffice,
        fields_left_out=table.fields_left_out,
    )


@dataclass(frozen=True)
class _Scores:
    """What turns the rows now of each slice into its score."""

    outside: Matrix
    """Shares of the classes in the rows outside each slice, both sides together: (slices, classes)."""
    expected: Matrix
    """What is expected of `distance` of rows drawn from both sides, of one row: (slices, classes)."""
    deviation: Matrix
    """Standard deviation of that of all rows now; infinite where a slice is not searched."""

    @classmethod
    def of(cls, own: Matrix, sums: Counts) -> _Scores:
        """Return the scores of slices with these rows per class, (slices, classes), both sides together."""
        total, rows, size = sums.sum(axis=0), float(sums.sum()), own.sum(axis=1, keepdims=True)
        searched = (size >= FEWEST_ROWS) & (rows - size >= FEWEST_ROWS)
        outside = (total - own) / np.maximum(1, rows - size)
        distance = own - outside * size
        square = own * (1 - outside) ** 2 + (size - own) * outside**2
        now = float(sums[1].sum())
        factor = now / rows * (rows - now) / max(1.0, rows - 1)
        variance = factor * np.maximum(0.0, square - distance**2 / rows)
        deviation = np.where(searched & (variance > _ROUNDING), np.sqrt(variance), np.inf)
        return cls(outside=outside, expected=distance / rows, deviation=deviation)

    def distance(self, own: Matrix, rows: float) -> Matrix:
        """Return how far rows per class (..., slices, classes), `rows` in all, are from what is expected."""
        found: Matrix = own - self.outside * own.sum(axis=-1, keepdims=True) - rows * self.expected
        return found

    def scores(self, distances: Matrix) -> Matrix:
        """Return the score of each slice, shape (..., slices)."""
        found: Matrix = (np.abs(distances) / self.deviation).max(axis=-1)
        return found


def _most_significant(
    table: SliceTable, candidates: SliceCandidates, random: np.random.Generator
) -> tuple[int, float] | None:
    """Return (number of the slice with the highest score, p-value); None where no slice can be searched."""
    sums = table.sums()
    if not sums.sum(axis=1).all():
        return None
    scoring = _Scores.of(candidates.sums(table.by_combination()), sums)
    if not np.isfinite(scoring.deviation).any():
        return None
    now = candidates.sums(table.by_combination(table.side == 1))
    scores = scoring.scores(scoring.distance(now, float(sums[1].sum())))
    by_chance = _permuted_blocks if table.blocks_suffice else _permuted_rows
    highest, exact = by_chance(table, candidates, scoring, random)
    larger = int(np.count_nonzero(highest >= scores.max() - _ROUNDING))
    # An enumeration of all assignments holds the one that was seen; a sample of them does not.
    p_value = larger / len(highest) if exact else (1 + larger) / (1 + len(highest))
    return _simplest(candidates, scores), p_value


def _simplest(candidates: SliceCandidates, scores: Matrix) -> int:
    """Return the slice with the highest score; a value alone where a pair of it is hardly better."""
    best = int(np.argmax(scores))
    alone = [
        place
        for place, where in enumerate(candidates.where)
        if len(where) < len(candidates.where[best]) and set(where) <= set(candidates.where[best])
    ]
    near = [one for one in alone if scores[one] ** 2 > scores[best] ** 2 - _PAIR_MARGIN]
    return max(near, key=lambda one: scores[one], default=best)


def _permuted_rows(
    table: SliceTable, candidates: SliceCandidates, scoring: _Scores, random: np.random.Generator
) -> tuple[Matrix, bool]:
    """Return (the highest score of each permutation of rows, False: they are a sample)."""
    whole = table.by_combination()
    # Of more rows than can be drawn at once each that is drawn stands for several, which vary by more.
    times = 1 + int(whole.sum()) // _MOST_DRAWN
    filled = np.flatnonzero(whole)
    known = whole.ravel()[filled] // times
    drawn = min(int(known.sum()), int(table.sums()[1].sum()) // times)
    each = max(1, _CHUNK // max(1, len(candidates.combinations) * whole.shape[1]))
    highest = []
    for start in range(0, PERMUTATIONS, each):
        size = min(each, PERMUTATIONS - start)
        now = np.zeros((size, whole.size), np.int64)
        now[:, filled] = random.multivariate_hypergeometric(known, drawn, size=size)
        own = times * candidates.sums(now.reshape(size, *whole.shape))
        highest.append(scoring.scores(scoring.distance(own, float(times * drawn))).max(axis=1))
    return np.concatenate(highest), False


def _permuted_blocks(
    table: SliceTable, candidates: SliceCandidates, scoring: _Scores, random: np.random.Generator
) -> tuple[Matrix, bool]:
    """Return (the highest score of each assignment of blocks to the sides, whether these are all of them)."""
    blocks = np.unique(table.block)
    distances = np.stack([_of_block(table, candidates, scoring, int(one)) for one in blocks])
    now = len(np.unique(table.block[table.side == 1]))
    exact = math.comb(len(blocks), now) <= PERMUTATIONS
    if exact:
        chosen = np.array(list(combinations(range(len(blocks)), now)))
    else:
        chosen = np.argsort(random.random((PERMUTATIONS, len(blocks))), axis=1)[:, :now]
    taken = np.zeros((len(chosen), len(blocks)))
    np.put_along_axis(taken, chosen, 1.0, axis=1)
    flat, each = distances.reshape(len(blocks), -1), max(1, _CHUNK // distances[0].size)
    highest = [
        scoring.scores((taken[start : start + each] @ flat).reshape(-1, *distances.shape[1:])).max(axis=1)
        for start in range(0, len(taken), each)
    ]
    return np.concatenate(highest), exact


def _of_block(table: SliceTable, candidates: SliceCandidates, scoring: _Scores, block: int) -> Matrix:
    counts = table.by_combination(table.block == block)
    return scoring.distance(candidates.sums(counts), float(counts.sum()))


def _contribution(table: SliceTable, inside: NDArray[np.bool_], z: float) -> tuple[list[Difference], float]:
    """Return (what a slice accounts for of the change of each class share, weight of the rows outside it).

    The standard error is that of the delta method, of the weight and the shares on both sides.
    """
    own, rest = table.of_combinations(inside).sums(), table.of_combinations(~inside).sums()
    rows = own.sum(axis=1) + rest.sum(axis=1)
    w = own.sum(axis=1) / rows
    y, r = (one / np.maximum(1, one.sum(axis=1, keepdims=True)) for one in (own, rest))
    # A side without rows outside the slice is taken to be as the other one.
    r = np.where(rest.sum(axis=1, keepdims=True) > 0, r, r[::-1])
    average, moved = r.mean(axis=0), w[1] - w[0]
    values = w[1] * (y[1] - average) - w[0] * (y[0] - average)
    variance = np.zeros_like(values)
    for n, weight, share, outside in zip(rows, w, y, r, strict=True):
        variance += (share - average) ** 2 * weight * (1 - weight) / n + weight * share * (1 - share) / n
        variance += (moved / 2) ** 2 * outside * (1 - outside) / (n * max(1 - weight, 1 / n))
    halves = z * np.sqrt(variance)
    parts = [
        Difference(value=float(value), low=float(value - half), high=float(value + half))
        for value, half in zip(values, halves, strict=True)
    ]
    return parts, float(1 - w.mean())


def _times(part: Difference, factor: float) -> Difference:
    return Difference(value=part.value * factor, low=part.low * factor, high=part.high * factor)


def _shares(counts: Counts) -> tuple[float, ...] | None:
    rows = counts.sum()
    return tuple((counts / rows).tolist()) if rows else None
