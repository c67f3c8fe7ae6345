"""Add many rows at once to the slices of their cells, with numpy: the same sums as row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sentimon.labels import LABELS
from sentimon.prediction_log.index.cells import TimeCell
from sentimon.prediction_log.index.text_sums import Floats, Integers, integers
from sentimon.prediction_log.slice_fields import value_text

_DENSE = 4
"""Slices of cells for each row up to which empty ones cost less than to sort the rows."""


class ValueCodes(dict[str, int]):
    """Numbers for the values of a field, in the order in which they come, looked up by what the rows hold."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._numbers: dict[str, int] = {}

    def __missing__(self, held: str) -> int:
        """Return the number of a value that is new, or was held in other words."""
        value = value_text(held)
        number = self[held] = self._numbers.setdefault(value, len(self.texts))
        if number == len(self.texts):
            self.texts.append(value)
        return number

    def codes(self, held: Sequence[str]) -> Integers:
        """Return the number of the value of each row."""
        return integers(map(self.__getitem__, held))


def add_slices(
    cells: Sequence[TimeCell],
    places: Integers,
    codes: Mapping[str, Integers],
    values: Mapping[str, Sequence[str]],
    classes: Integers,
    confidence: Floats,
) -> None:
    """Add rows to the slices of their cells.

    `places` has the number of the cell of each row, `codes` for each field the number of the value of each
    row in `values`, `classes` the class of each row, and `confidence` its confidence in millionths, NaN where
    it has none.
    """
    for name, numbers in codes.items():
        width = len(values[name])
        keys, amount = places * width + numbers, len(cells) * width
        if amount <= _DENSE * len(keys):
            sums = _sums(keys, amount, classes, confidence)
            found = np.flatnonzero(sums[:, : len(LABELS)].any(axis=1))
            sums = sums[found]
        else:
            found, groups = np.unique(keys, return_inverse=True)
            sums = _sums(groups.reshape(-1), len(found), classes, confidence)
        for key, row in zip(found.tolist(), sums.tolist(), strict=True):
            place, code = divmod(key, width)
            cells[place].slices[name].add_numbers(values[name][code], row)


def _sums(groups: Integers, amount: int, classes: Integers, confidence: Floats) -> Integers:
    """Return shape (amount, 6): for each group the numbers of a SliceTally."""
    sums = np.empty((amount, len(LABELS) + 3), np.int64)
    by_class = np.bincount(groups * len(LABELS) + classes, minlength=amount * len(LABELS))
    sums[:, : len(LABELS)] = by_class.reshape(amount, len(LABELS))
    missing = np.isnan(confidence)
    if missing.any():
        groups, confidence = groups[~missing], confidence[~missing]
    sums[:, -3] = np.bincount(groups, minlength=amount)
    # Whole numbers far below 2**53: their sums as floats are exact.
    sums[:, -2] = np.bincount(groups, weights=confidence, minlength=amount)
    sums[:, -1] = np.bincount(groups, weights=confidence * confidence, minlength=amount)
    return sums
