"""Why a share or a mean moved: change of the traffic mix, or change within slices, with joint intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sentimon.errors import DataError
from sentimon.statistics.intervals import Difference, normal_quantile

_BORROWED = 2
"""Rows of the whole that are added to a slice for its variance: a handful of alike rows looks too sure."""

Matrix = NDArray[np.float64]


class Moments(NamedTuple):
    """Rows of a slice, and the sums over them of a number and of its square, in units of 1/scale."""

    rows: int
    total: int
    squares: int


class DesignEffect(NamedTuple):
    """How many times the variances of a period exceed those of independent rows, each >= 1."""

    traffic: float = 1.0
    """Of the number of rows of each slice."""
    within: float = 1.0
    """Of the mean of the rows of a slice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicePart:
    """What one slice adds to a change."""

    value: str
    """The value of the field that the rows of the slice share."""
    rows: tuple[int, int]
    """Before and now."""
    weights: tuple[float, float]
    """Share of the slice in all rows, before and now."""
    means: tuple[float | None, float | None]
    """Mean within the slice, before and now; None where it has no rows."""
    mix: Difference
    """What its change of weight adds: above 0 where more rows come from a slice above the average."""
    within: Difference
    """What its change of mean adds; 0 where the slice has rows on one side only."""
    both: Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Decomposition:
    """A change of a mean, from a baseline until now, as a sum of two parts of each slice."""

    before: float
    after: float
    whole: Difference
    mix: Difference
    within: Difference
    slices: tuple[SlicePart, ...]
    """In the order of the slices' first appearance: those of the baseline, then new ones."""
    covariance: tuple[tuple[float, ...], ...]
    """Of all parts: the mix parts of the slices in their order, then their parts within."""
    confidence_level: float

    def sum_of(self, *, mix: Iterable[str] = (), within: Iterable[str] = ()) -> Difference:
        """Return the sum of some parts, those of the named slices, with its interval."""
        mixes, withins = set(mix), set(within)
        chosen = [one.value in mixes for one in self.slices] + [one.value in withins for one in self.slices]
        values = [one.mix.value for one in self.slices] + [one.within.value for one in self.slices]
        known = np.array(self.covariance)
        return _sum(values, known, np.array(chosen, float), normal_quantile(self.confidence_level))


def decompose_shares(
    before: Mapping[str, Sequence[int]],
    after: Mapping[str, Sequence[int]],
    *,
    effects: tuple[DesignEffect, DesignEffect] = (DesignEffect(), DesignEffect()),
    confidence_level: float = 0.95,
) -> tuple[Decomposition, ...]:
    """Return, for each class, `decompose` of the change of its share.

    `before` and `after` hold the rows per class of each slice, in the order of the classes.

    Raises:
        DataError: either side has no rows.
    """
    classes = {len(counts) for side in (before, after) for counts in side.values()}
    return tuple(
        decompose(
            *(
                {value: Moments(sum(counts), counts[place], counts[place]) for value, counts in side.items()}
                for side in (before, after)
            ),
            effects=effects,
            confidence_level=confidence_level,
        )
        for place in range(max(classes, default=1))
    )


def decompose(
    before: Mapping[str, Moments],
    after: Mapping[str, Moments],
    *,
    scale: int = 1,
    effects: tuple[DesignEffect, DesignEffect] = (DesignEffect(), DesignEffect()),
    confidence_level: float = 0.95,
) -> Decomposition:
    """Return the change of a mean as a sum of two parts of each slice: traffic mix, and within the slice.

    With its weight w and mean y, and the mean Y of all rows, before (0) and now (1), a slice adds

        mix    = (w1 - w0) * ((y0 + y1) / 2 - (Y0 + Y1) / 2)
        within = (w0 + w1) / 2 * (y1 - y0)

    and over all slices they add up to Y1 - Y0, with no interaction left over. The mix part is measured
    against the mean of all rows: as the weights add up to 1 on both sides, that changes no sum, and makes the
    part of a slice mean "more of what is above average". Where a slice has rows on one side only, the mean of
    the other side is taken to be the same: all of it is mix, w1 * (y1 - Y) or -w0 * (y0 - Y), as for firms
    that enter or leave a market.

    All intervals come from one covariance (delta method): rows are drawn independently on both sides, and
    `effects` says by how much each side varies more than that. So the interval of any sum of parts follows,
    too (`Decomposition.sum_of`). Each is at `confidence_level` on its own; that a slice had no rows on one
    side is taken as known. An interval is wider than it need be where a slice kept its weight and is average.

    >>> moments = {"app": Moments(50, 30, 30), "mail": Moments(50, 10, 10)}
    >>> now = {"app": Moments(80, 48, 48), "mail": Moments(20, 4, 4)}
    >>> found = decompose(moments, now)
    >>> round(found.whole.value, 6), round(found.mix.value, 6), found.within.value
    (0.12, 0.12, 0.0)

    Raises:
        DataError: either side has no rows.

    Source: Kitagawa (1955), J. Am. Stat. Assoc. 50, 1168-1194; Oaxaca (1973), Int. Econ. Rev. 14, 693-709 and
    Blinder (1973), J. Hum. Resour. 8, 436-455; Griliches & Regev (1995), J. Econometrics 65, 175-203 (against
    the mean of all, and slices on one side only); Rao & Scott (1981), J. Am. Stat. Assoc. 76, 221-230 (design
    effects).
    """
    values, sides = _paired(before, after)
    mixes, withins = exact_parts(sides[0], sides[1])
    parts = [float(one / scale) for one in (*mixes, *withins)]
    covariance = _covariance(sides[0], sides[1], effects) / scale**2
    z, count = normal_quantile(confidence_level), len(values)

    def total(*chosen: int) -> Difference:
        return _sum(parts, covariance, np.isin(np.arange(2 * count), chosen).astype(float), z)

    return Decomposition(
        before=_mean(sides[0], scale),
        after=_mean(sides[1], scale),
        whole=total(*range(2 * count)),
        mix=total(*range(count)),
        within=total(*range(count, 2 * count)),
        slices=tuple(
            _slice(
                value, sides, place, scale, (total(place), total(count + place), total(place, count + place))
            )
            for place, value in enumerate(values)
        ),
        covariance=tuple(map(tuple, covariance.tolist())),
        confidence_level=confidence_level,
    )


def _slice(
    value: str,
    sides: Sequence[Sequence[Moments]],
    place: int,
    scale: int,
    parts: tuple[Difference, Difference, Difference],
) -> SlicePart:
    old, new = (side[place] for side in sides)
    all_old, all_new = (sum(one.rows for one in side) for side in sides)
    mix, within, both = parts
    return SlicePart(
        value=value,
        rows=(old.rows, new.rows),
        weights=(old.rows / all_old, new.rows / all_new),
        means=(_mean([old], scale) if old.rows else None, _mean([new], scale) if new.rows else None),
        mix=mix,
        within=within,
        both=both,
    )


def exact_parts(before: Sequence[Moments], after: Sequence[Moments]) -> tuple[list[Fraction], list[Fraction]]:
    """Return (mix parts, parts within) of the slices, exactly, in the units of the moments.

    Both sides list the same slices in one order; each slice has rows on one side at least.
    """
    rows = [sum(one.rows for one in side) for side in (before, after)]
    totals = [sum(one.total for one in side) for side in (before, after)]
    average = Fraction(totals[0], 2 * rows[0]) + Fraction(totals[1], 2 * rows[1])
    mixes, withins = [], []
    for old, new in zip(before, after, strict=True):
        weights = Fraction(old.rows, rows[0]), Fraction(new.rows, rows[1])
        own = [Fraction(one.total, one.rows) for one in (old, new) if one.rows]
        mixes.append((weights[1] - weights[0]) * (sum(own, Fraction(0)) / len(own) - average))
        withins.append((weights[0] + weights[1]) / 2 * (own[-1] - own[0]))
    return mixes, withins


def _paired(
    before: Mapping[str, Moments], after: Mapping[str, Moments]
) -> tuple[list[str], tuple[list[Moments], list[Moments]]]:
    """Return the slices that have rows on either side, and their moments before and now."""
    none = Moments(0, 0, 0)
    pairs = {value: (before.get(value, none), after.get(value, none)) for value in (*before, *after)}
    pairs = {value: (old, new) for value, (old, new) in pairs.items() if old.rows or new.rows}
    sides = [old for old, _ in pairs.values()], [new for _, new in pairs.values()]
    if not all(sum(one.rows for one in side) for side in sides):
        raise DataError("a change can only be taken apart where both sides have rows")
    return list(pairs), sides


def _mean(side: Sequence[Moments], scale: int) -> float:
    return sum(one.total for one in side) / (sum(one.rows for one in side) * scale)


def _sum(values: Sequence[float], covariance: Matrix, chosen: Matrix, z: float) -> Difference:
    """Return the sum of the `chosen` parts (1 or 0 each) with its interval."""
    value = math.fsum(one for one, taken in zip(values, chosen, strict=True) if taken)
    half = z * math.sqrt(max(0.0, float(chosen @ covariance @ chosen)))
    return Difference(value=value, low=value - half, high=value + half)


def _covariance(
    before: Sequence[Moments], after: Sequence[Moments], effects: tuple[DesignEffect, DesignEffect]
) -> Matrix:
    """Return the covariance of all parts, shape (2k, 2k): the mix parts of k slices, then those within.

    Each side adds a part of its own: that of the weights, which are multinomial shares, and that of the
    means, given the weights.
    """
    (w0, y0, v0), (w1, y1, v1) = (_estimates(side) for side in (before, after))
    # Where a slice has no rows on a side, the mean of the other side stands for both.
    y0, y1 = np.where(w0 > 0, y0, y1), np.where(w1 > 0, y1, y0)
    of_old = np.where(w1 > 0, np.where(w0 > 0, 0.5, 0.0), 1.0)
    moved, against = w1 - w0, of_old * y0 + (1 - of_old) * y1 - (w0 @ y0 + w1 @ y1) / 2
    total = np.zeros((2 * len(w0), 2 * len(w0)))
    sides = ((before, w0, y0, v0, of_old, -1.0), (after, w1, y1, v1, 1 - of_old, 1.0))
    for (moments, weights, means, variances, of_this, sign), effect in zip(sides, effects, strict=True):
        # Derivatives of each part (down) with respect to each weight, and to each mean, of this side.
        by_weight = np.concatenate(
            [np.diag(sign * against) - np.outer(moved, means) / 2, np.diag((y1 - y0) / 2)]
        )
        by_mean = np.concatenate(
            [
                np.diag(moved * of_this) - np.outer(moved, weights) / 2,
                np.diag(np.where((w0 > 0) & (w1 > 0), sign * (w0 + w1) / 2, 0.0)),
            ]
        )
        rows = sum(one.rows for one in moments)
        centred = by_weight - (by_weight @ weights)[:, None]
        total += effect.traffic / rows * (centred * weights) @ centred.T
        own = np.array([one.rows for one in moments], float)
        spread = np.divide(variances, own, out=np.zeros_like(own), where=own > 0)
        total += effect.within * (by_mean * spread) @ by_mean.T
    return total


def _estimates(side: Sequence[Moments]) -> tuple[Matrix, Matrix, Matrix]:
    """Return (weights, means, variances of a row) of the slices of a side, shape (k,) each."""
    rows, totals, squares = (np.array(one, float) for one in zip(*side, strict=True))
    mean, square = totals.sum() / rows.sum(), squares.sum() / rows.sum()
    known = np.maximum(rows, 1)
    # About the mean of the slice, not about that with the borrowed rows: these widen, they do not move.
    borrowed = square - 2 * mean * (totals / known) + (totals / known) ** 2
    # In integers: the two nearly cancel, and floats would keep only the noise.
    own = np.array([(one.rows * one.squares - one.total**2) / max(1, one.rows) for one in side])
    return rows / rows.sum(), totals / known, (own + _BORROWED * borrowed) / (rows + _BORROWED)
