"""The texts of many rows at once: what a sum over rows adds up of them, counted by numpy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import compress
from typing import Any

import numpy as np
import numpy.typing as npt

from sentimon.logbook.texts import BEYOND_LATIN, EMOJI, LINK_MARKS, Ranges, is_non_latin

_NAMES = ("characters", "squared_characters", "links", "emoji", "non_latin", "empty", "without_text")

Codes = npt.NDArray[np.unsignedinteger[Any]]
Integers = npt.NDArray[np.int64]


def sum_texts(texts: Sequence[str | None], firsts: Sequence[int]) -> Iterator[Mapping[str, int]]:
    """Yield, for each run of texts from one of `firsts` to the next, the properties that `add_texts` adds.

    Some may be 0.
    """
    known = [text or "" for text in texts]
    amounts = np.zeros((len(_NAMES), len(texts)), np.int64)
    characters, squares, links, emoji, non_latin, empty, without_text = amounts
    lengths = np.fromiter(map(len, known), np.int64, len(texts))
    blank = lengths == 0
    if any(map(str.isspace, known)):
        blank |= np.fromiter(map(str.isspace, known), np.bool_, len(texts))
    if None in texts:
        without_text[:] = [text is None for text in texts]
    empty[:] = blank & (without_text == 0)
    characters[:] = np.where(blank, 0, lengths)
    squares[:] = characters * characters
    ascii_only = np.fromiter(map(str.isascii, known), np.bool_, len(texts))
    narrow, wide = (
        _Joined(list(compress(known, some.tolist())), np.flatnonzero(some), lengths[some], kind)
        for some, kind in ((ascii_only, np.uint8), (~ascii_only, np.uint32))
    )
    for joined in (narrow, wide):
        for mark in LINK_MARKS:
            links[joined.rows(joined.find(mark))] = 1
    emoji[wide.rows(wide.within(EMOJI))] = 1
    for row in np.unique(wide.rows(wide.within(BEYOND_LATIN))).tolist():
        non_latin[row] = is_non_latin(known[row])
    for sums in np.add.reduceat(amounts, firsts, axis=1).T.tolist():
        yield dict(zip(_NAMES, sums, strict=True))


class _Joined:
    """Texts one after the other, as the numbers of their characters."""

    def __init__(
        self, texts: Sequence[str], places: Integers, lengths: Integers, kind: type[np.unsignedinteger[Any]]
    ) -> None:
        # A mark that is looked for may begin at the last character; and none goes on in the next text.
        joined = "\n".join([*texts, "\n" * max(map(len, LINK_MARKS))])
        content = joined.encode("ascii" if kind is np.uint8 else "utf-32-le", "surrogatepass")
        self._codes: Codes = np.frombuffer(content, kind)
        self._ends = np.cumsum(lengths + 1)
        self._places = places

    def rows(self, found: Integers) -> Integers:
        """Return the rows of the texts that hold the characters at some places."""
        rows: Integers = self._places[np.searchsorted(self._ends, found, "right")]
        return rows

    def find(self, mark: str) -> Integers:
        """Return where a mark begins."""
        found: Integers = np.flatnonzero(self._codes == ord(mark[0]))
        for shift, character in enumerate(mark[1:], start=1):
            found = found[self._codes[found + shift] == ord(character)]
        return found

    def within(self, ranges: Ranges) -> Integers:
        """Return where characters in one of some ranges are; the ranges are in order."""
        high: Integers = np.flatnonzero(self._codes >= ranges[0][0])
        edges = np.array([edge for first, last in ranges for edge in (first, last + 1)], np.uint32)
        # Behind an odd number of edges is inside.
        inside: Integers = high[np.searchsorted(edges, self._codes[high], "right") % 2 == 1]
        return inside
