"""Texts one after the other as the numbers of their characters, in which numpy finds things at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sentimon.logbook.rollup.arrays import Integers
from sentimon.logbook.rollup.characters import FIRST_WITH_A_KIND, Codes, Kinds, are_letters, kinds_of

LONGEST_MARK = 8
"""Characters of what can be looked for."""


class Joined:
    """Some of the texts of a table, in its order."""

    def __init__(
        self, texts: Sequence[str], rows: Integers, lengths: Integers, kind: type[np.unsignedinteger[Any]]
    ) -> None:
        """Join texts, each of so many characters, of so many rows; `kind` holds one: of ASCII, or of all."""
        # A mark that is looked for may begin at the last character; and none goes on in the next text.
        joined = "\n".join([*texts, "\n" * LONGEST_MARK])
        encoding = "ascii" if kind is np.uint8 else "utf-32-le"
        self._codes: Codes = np.frombuffer(joined.encode(encoding, "surrogatepass"), kind)
        self._rows = rows
        self._ends: Integers = np.cumsum(lengths + 1)
        self._begins: Integers = self._ends - lengths - 1

    def rows(self, places: Integers) -> Integers:
        """Return the rows of the texts that hold the characters at some places."""
        rows: Integers = self._rows[np.searchsorted(self._ends, places, "right")]
        return rows

    def find(self, mark: str) -> Integers:
        """Return the places where a mark begins."""
        found: Integers = np.flatnonzero(self._codes == ord(mark[0]))
        for shift, character in enumerate(mark[1:], start=1):
            found = found[self._codes[found + shift] == ord(character)]
        return found

    def perhaps_blank(self) -> Integers:
        """Return the rows of all blank texts, and of those that do not begin with visible ASCII."""
        first = self._codes[self._begins]
        rows: Integers = self._rows[(first <= ord(" ")) | (first > ord("~"))]
        return rows

    def of_a_kind(self) -> tuple[Integers, Kinds]:
        """Return (the places of characters that may be of a kind, their kinds as `kinds_of` says)."""
        high: Integers = np.flatnonzero(self._codes >= FIRST_WITH_A_KIND)
        return high, kinds_of(self._codes[high])

    def letters_of_rows(self, amount: int, places: Integers | None = None) -> Integers:
        """Return how many letters each row has, of so many; at some places, or at all."""
        among: Integers = np.arange(len(self._codes)) if places is None else places
        letters = among[are_letters(self._codes[among])]
        return np.bincount(self.rows(letters), minlength=amount)
