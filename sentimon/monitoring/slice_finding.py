"""One finding about a slice: a class mix that moved, a value that is new, or one that vanished."""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import StrEnum

import msgspec

from sentimon.monitoring.finding import reaches_delta, share_difference
from sentimon.monitoring.monitor_reference import Proportion
from sentimon.statistics.intervals import Estimate, wilson


class SliceChange(StrEnum):
    """What happened to a slice."""

    MIX = "class mix"
    NEW = "new value"
    VANISHED = "vanished value"


class SliceFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a slice that is more than chance, over the rows of the newest checks together."""

    field: str
    value: str
    change: SliceChange
    event: str = ""
    """The class whose share moved in the slice; "" for a value that is new or vanished."""
    place: int = 0
    """Index of the class; 0 for a value that is new or vanished."""
    windows: int
    """Number of checks, the newest ones, whose rows show it together: of a class mix those of the slice."""
    before: Proportion
    """(count, n) in the baseline: of the slice, or of all rows for a value that is new or vanished."""
    after: Proportion
    """(count, n) in the rows, of the same."""
    p_value: float
    limit: float
    """The p-value at or below which it is more than chance, whatever the number of checks and slices."""

    @property
    def key(self) -> tuple[str, str, SliceChange, int]:
        """Return what identifies the slice and what changed of it."""
        return (self.field, self.value, self.change, self.place)

    @property
    def baseline_share(self) -> float:
        """Return the share in the baseline, 0 .. 1."""
        return self.before[0] / self.before[1]

    def current_share(self, *, confidence_level: float) -> Estimate:
        """Return the share in the rows with its interval, and their number."""
        return wilson(*self.after, confidence_level=confidence_level)

    @property
    def difference(self) -> float:
        """Return the change of the share, -1 .. 1."""
        return share_difference(self.before, self.after)

    @property
    def evidence(self) -> float:
        """Return how many powers of ten the p-value lies below its limit, >= 0."""
        return math.log10(self.limit / max(self.p_value, 1e-300))

    def reaches_delta(self, delta: float, *, confidence_level: float) -> bool:
        """Return whether a class share may have moved by `delta`; True where a value is new or vanished."""
        if self.change is not SliceChange.MIX:
            return True
        return reaches_delta(self.before, self.after, delta, confidence_level=confidence_level)


def most_significant_slices(found: Iterable[SliceFinding]) -> list[SliceFinding]:
    """Return the most significant finding of each change of a slice, the most significant first."""
    ranked = sorted(found, key=lambda one: (-one.evidence, -abs(one.difference), one.key))
    best: dict[tuple[str, str, SliceChange, int], SliceFinding] = {}
    for one in ranked:
        best.setdefault(one.key, one)
    return list(best.values())
