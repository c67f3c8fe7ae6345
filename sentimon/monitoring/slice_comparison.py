"""Where the predictions moved, and why: the slices of some rows compared with those of a baseline."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from sentimon.prediction_log.slices import OTHER, Slices, SliceTally
from sentimon.scoring.scores import SCALE
from sentimon.statistics.distances import wasserstein_distance, wasserstein_interval
from sentimon.statistics.intervals import Difference, Estimate, difference_of_shares, normal_quantile, wilson
from sentimon.statistics.mix_decomposition import (
    Decomposition,
    DesignEffect,
    Moments,
    decompose,
    decompose_shares,
)


class SliceOutcome(enum.StrEnum):
    """What became of a slice, in the words that tables and `--json` show."""

    DRIFT = "drift"
    CHANGED = "changed, below your threshold"
    UNCHANGED = "no change is seen"
    TOO_FEW_ROWS = "too few rows"
    NEW = "new"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedSlice:
    """One slice, before and now."""

    value: str
    before: SliceTally
    after: SliceTally
    of_all: tuple[Estimate, Estimate]
    """Its share among all rows, before and now, with Wilson's interval."""
    score: Estimate
    """Wasserstein-1 distance between its class mixes, 0 .. 1; `n` is the number of rows now.

    The intervals of all slices hold at once.
    """
    share_changes: tuple[Difference, Difference, Difference] | None
    """Change of the share of each class within it; None where it has no rows on one side."""
    state: SliceOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldComparison:
    """Some rows compared with a baseline by the values of one field."""

    field: str
    slices: tuple[ComparedSlice, ...]
    """Those that add most to the change of the class mix first."""
    shares: tuple[Decomposition, Decomposition, Decomposition]
    """The change of the share of each class, in Sentiment order, taken apart by slice."""
    confidence: Decomposition | None
    """The change of the mean confidence; None where either side has no row with one."""
    too_many: bool
    """Whether the field has so many values that they are not told apart."""


def compare_slices(
    field: str,
    before: Slices,
    after: Slices,
    *,
    most: int,
    threshold: float,
    min_samples: int,
    confidence_level: float,
    effects: tuple[DesignEffect, DesignEffect] = (DesignEffect(), DesignEffect()),
) -> FieldComparison:
    """Return the slices `after` compared with those `before`; both sides have rows.

    The `most` values with the most rows on both sides are told apart. A slice has drifted where its score is
    above the `threshold` and its interval, which holds for all slices at once, is above 0. `effects` say by
    how much each side varies more than independent rows: they widen the intervals of what slices add.

    Raises:
        DataError: a side has no rows.
    """
    values = (before + after).largest(most)
    # Where one side has too many values to be told apart, so has the sum of both.
    old, new = ({**side.told_apart(values).tallies} for side in (before, after))
    names = [*values, *([OTHER] if OTHER in old or OTHER in new else [])]
    nothing = SliceTally()
    pairs = {name: (old.get(name, nothing), new.get(name, nothing)) for name in names}
    level = 1 - (1 - confidence_level) / max(1, len(pairs))
    totals = (before.count, after.count)
    shares = decompose_shares(
        {name: one.counts for name, (one, _) in pairs.items()},
        {name: one.counts for name, (_, one) in pairs.items()},
        effects=effects,
        confidence_level=confidence_level,
    )
    slices = [
        _compared(name, pair, totals, threshold=threshold, min_samples=min_samples, level=level)
        for name, pair in pairs.items()
    ]
    weights = {
        part.value: abs(part.both.value) + abs(last.both.value)
        for part, last in zip(shares[0].slices, shares[2].slices, strict=True)
    }
    return FieldComparison(
        field=field,
        slices=tuple(sorted(slices, key=lambda one: (-weights.get(one.value, 0.0), one.value))),
        shares=(shares[0], shares[1], shares[2]),
        confidence=_confidence(pairs, effects, confidence_level),
        too_many=before.too_many or after.too_many,
    )


def _compared(
    value: str,
    pair: tuple[SliceTally, SliceTally],
    totals: tuple[int, int],
    *,
    threshold: float,
    min_samples: int,
    level: float,
) -> ComparedSlice:
    before, after = pair
    score, changes = Estimate(value=None, low=None, high=None, n=after.count), None
    if before.count and after.count:
        low, high = wasserstein_interval(before.counts, after.counts, confidence_level=level)
        distance = wasserstein_distance(before.counts, after.counts)
        score = Estimate(value=distance, low=low, high=high, n=after.count)
        z = normal_quantile(level, comparisons=2)
        negative, neutral, positive = (
            Difference(value=value, low=low, high=high)
            for value, low, high in (
                difference_of_shares((a, before.count), (b, after.count), z=z)
                for a, b in zip(before.counts, after.counts, strict=True)
            )
        )
        changes = (negative, neutral, positive)
    old, new = (
        wilson(one.count, rows, confidence_level=level) for one, rows in zip(pair, totals, strict=True)
    )
    return ComparedSlice(
        value=value,
        before=before,
        after=after,
        of_all=(old, new),
        score=score,
        share_changes=changes,
        state=_state(before.count, after.count, score, threshold=threshold, min_samples=min_samples),
    )


def _state(before: int, after: int, score: Estimate, *, threshold: float, min_samples: int) -> SliceOutcome:
    if not before:
        return SliceOutcome.NEW
    if not after:
        return SliceOutcome.GONE
    if min(before, after) < min_samples or score.value is None or score.low is None:
        return SliceOutcome.TOO_FEW_ROWS
    if score.low > 0:
        return SliceOutcome.DRIFT if score.value > threshold else SliceOutcome.CHANGED
    return SliceOutcome.UNCHANGED


def _confidence(
    pairs: Mapping[str, tuple[SliceTally, SliceTally]],
    effects: tuple[DesignEffect, DesignEffect],
    level: float,
) -> Decomposition | None:
    before, after = (
        {
            name: Moments(one.with_confidence, one.confidence, one.confidence_squares)
            for name, one in ((name, pair[side]) for name, pair in pairs.items())
        }
        for side in (0, 1)
    )
    if not all(any(one.rows for one in side.values()) for side in (before, after)):
        return None
    return decompose(before, after, scale=SCALE, effects=effects, confidence_level=level)
