"""The slices that a search looks through: values of a field, and of pairs of fields, with their rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sentimon.errors import DataError

FEWEST_ROWS = 30
"""A slice with fewer rows on both sides together, or with all but so few, is not a candidate."""
MOST_CANDIDATES = 2_000
MOST_COMBINATIONS = 20_000
FEWEST_ASSIGNMENTS = 100
"""Blocks of time are permuted where they can be assigned to the two sides in so many ways."""

Matrix = NDArray[np.float64]
Counts = NDArray[np.int64]
Where = tuple[tuple[str, str], ...]
"""(field, value) of one field, or of two."""


class Cell(NamedTuple):
    """The rows per class of one combination of values, in one block of time."""

    values: tuple[str, ...]
    """One of each field, in their order."""
    counts: tuple[int, ...]
    block: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceTable:
    """Rows per class by combination of values, side (0: before, 1: now) and block of time."""

    fields: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    """The values of each field."""
    codes: Counts
    """Shape (combinations, fields): the place of each value in `names`."""
    combination: Counts
    side: Counts
    block: Counts
    counts: Counts
    """Shape (cells, classes)."""
    fields_left_out: tuple[str, ...] = ()

    @classmethod
    def of(cls, fields: Sequence[str], before: Sequence[Cell], after: Sequence[Cell]) -> SliceTable:
        """Return the table of the cells of both sides; of too many combinations, with fewer fields.

        Raises:
            DataError: either side has no rows, or a cell has not a value for each field.
        """
        cells = [cell for cell in (*before, *after) if any(cell.counts)]
        sides = [sum(any(cell.counts) for cell in side) for side in (before, after)]
        if not all(sides):
            raise DataError("slices can only be searched where both sides have rows")
        if any(len(cell.values) != len(fields) for cell in cells):
            raise DataError("a combination of values has one value of each field")
        known, left_out = list(range(len(fields))), []
        while len({tuple(cell.values[one] for one in known) for cell in cells}) > MOST_COMBINATIONS:
            widest = max(known, key=lambda one: (len({cell.values[one] for cell in cells}), one))
            known.remove(widest)
            left_out.append(fields[widest])
        names = [sorted({cell.values[one] for cell in cells}) for one in known]
        places = [{name: place for place, name in enumerate(one)} for one in names]
        rows = [
            tuple(place[cell.values[one]] for one, place in zip(known, places, strict=True)) for cell in cells
        ]
        combinations_ = sorted(set(rows))
        number = {one: place for place, one in enumerate(combinations_)}
        side = np.repeat([0, 1], sides)
        blocks = sorted({(int(one), cell.block) for one, cell in zip(side, cells, strict=True)})
        block = {one: place for place, one in enumerate(blocks)}
        return cls(
            fields=tuple(fields[one] for one in known),
            names=tuple(map(tuple, names)),
            codes=np.array(combinations_, np.int64).reshape(len(combinations_), len(known)),
            combination=np.array([number[one] for one in rows], np.int64),
            side=side,
            block=np.array([block[int(one), cell.block] for one, cell in zip(side, cells, strict=True)]),
            counts=np.array([cell.counts for cell in cells], np.int64),
            fields_left_out=tuple(left_out),
        )

    @property
    def blocks_suffice(self) -> bool:
        """Return whether the blocks can be assigned to the sides in FEWEST_ASSIGNMENTS ways."""
        now = len(np.unique(self.block[self.side == 1]))
        return math.comb(len(np.unique(self.block)), now) >= FEWEST_ASSIGNMENTS

    def of_combinations(self, kept: NDArray[np.bool_]) -> SliceTable:
        """Return the rows of some combinations; the others are still there, without rows."""
        return replace(self, counts=self.counts * kept[self.combination][:, None])

    def sums(self) -> Counts:
        """Return the rows per class before and now, shape (2, classes)."""
        total = np.zeros((2, self.counts.shape[1]), np.int64)
        np.add.at(total, self.side, self.counts)
        return total

    def by_combination(self, chosen: NDArray[np.bool_] | None = None) -> Counts:
        """Return the rows per class of each combination, of all cells or of some."""
        total = np.zeros((len(self.codes), self.counts.shape[1]), np.int64)
        which = slice(None) if chosen is None else chosen
        np.add.at(total, self.combination[which], self.counts[which])
        return total

    def change(self) -> Matrix:
        """Return the change of the share of each class; 0 where a side has no rows."""
        sums = self.sums()
        rows = sums.sum(axis=1, keepdims=True)
        shares = sums / np.maximum(1, rows)
        moved: Matrix = (shares[1] - shares[0]) * rows.all()
        return moved


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceCandidates:
    """The slices that are searched, those of one field first."""

    where: tuple[Where, ...]
    combinations: Counts
    """Those of the first slice, then those of the second, and so on."""
    starts: Counts
    total: int

    def members(self, number: int) -> NDArray[np.bool_]:
        """Return which combinations belong to a slice."""
        ends = [*self.starts[1:], len(self.combinations)]
        inside = np.zeros(self.total, bool)
        inside[self.combinations[self.starts[number] : ends[number]]] = True
        return inside

    def sums(self, counts: Matrix | Counts) -> Matrix:
        """Return the sums over each slice of numbers, shape (..., combinations, classes)."""
        whole: Matrix = np.add.reduceat(counts[..., self.combinations, :], self.starts, axis=-2)
        return whole


def candidates_of(table: SliceTable) -> SliceCandidates:
    """Return the slices of one field, or of a pair, that have enough rows: at most MOST_CANDIDATES."""
    rows = table.by_combination().sum(axis=1)
    most = rows.sum() - FEWEST_ROWS
    known: dict[bytes, tuple[bool, int, Where, Counts]] = {}
    fields = range(len(table.fields))
    for chosen in (*((one,) for one in fields), *combinations(fields, 2)):
        for where, members in _slices(table, chosen):
            size = int(rows[members].sum())
            if FEWEST_ROWS <= size <= most:
                # Two names of the same rows are one candidate: the simpler one, which comes first.
                known.setdefault(members.tobytes(), (len(chosen) > 1, -size, where, members))
    best = sorted(known.values(), key=lambda one: one[:3])[:MOST_CANDIDATES]
    sizes = [len(members) for *_, members in best]
    return SliceCandidates(
        where=tuple(where for _, _, where, _ in best),
        combinations=np.concatenate([members for *_, members in best]) if best else np.zeros(0, np.int64),
        starts=np.cumsum([0, *sizes])[:-1],
        total=len(table.codes),
    )


def _slices(table: SliceTable, chosen: tuple[int, ...]) -> Iterator[tuple[Where, Counts]]:
    """Yield (where, places of its combinations) of each slice of one field, or of a pair."""
    values, group = np.unique(table.codes[:, chosen], axis=0, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(group.ravel()))[:-1])
    for codes, members in zip(values, parts, strict=True):
        yield (
            tuple(
                (table.fields[one], table.names[one][code]) for one, code in zip(chosen, codes, strict=True)
            ),
            members,
        )
