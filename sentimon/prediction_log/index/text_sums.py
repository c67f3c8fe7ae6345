"""Properties of many texts at once, with numpy: the same sums as `GrowingSummary.add_texts` computes.

The texts are joined to one array of characters; a mark or a kind of character is found in all of them by one
search.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import compress
from typing import Any, cast
from unicodedata import normalize

import numpy as np
import numpy.typing as npt

from sentimon.prediction_log.text_features import BEYOND_LATIN, EMOJI, LINK_MARKS

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def integers(numbers: Iterable[int]) -> Integers:
    """Return integers of up to 64 bits as a read-only array; faster than `np.array` on a list."""
    values = list(numbers)
    return np.frombuffer(struct.pack(f"={len(values)}q", *values), np.int64)


def floats(numbers: Iterable[float]) -> Floats:
    """Return floats as a read-only array; faster than `np.array` on a list."""
    values = list(numbers)
    return np.frombuffer(struct.pack(f"={len(values)}d", *values), np.float64)


CharacterCodes = npt.NDArray[np.unsignedinteger[Any]]
"""Characters as code points."""
CharacterKinds = npt.NDArray[np.uint8]

PICTOGRAPH, NOT_LATIN = 1, 2
FIRST_WITH_A_KIND = min(EMOJI[0][0], BEYOND_LATIN[0][0])
_PAGE_BITS = 12
"""Bits of a code point within a page of the table of letters."""


def kinds_of(codes: CharacterCodes) -> CharacterKinds:
    """Return the kind of each character: PICTOGRAPH (in EMOJI), NOT_LATIN (BEYOND_LATIN), their sum, or 0."""
    return _kinds()[codes]


def are_letters(codes: CharacterCodes) -> Flags:
    """Return for each character whether `str.isalpha` holds."""
    letters, pages = np.zeros(len(codes), np.bool_), codes >> _PAGE_BITS
    for page in np.flatnonzero(np.bincount(pages)).tolist():
        here = np.flatnonzero(pages == page)
        letters[here] = _letters(page)[codes[here] - (page << _PAGE_BITS)]
    return letters


@cache
def _kinds() -> CharacterKinds:
    kinds = np.zeros(sys.maxunicode + 1, np.uint8)
    for kind, ranges in ((PICTOGRAPH, EMOJI), (NOT_LATIN, BEYOND_LATIN)):
        for first, last in ranges:
            kinds[first : last + 1] |= kind
    return kinds


@cache
def _letters(page: int) -> Flags:
    # Few pages are ever needed; to compute all of them takes as long as to read 30,000 rows.
    first = page << _PAGE_BITS
    return np.array([chr(code).isalpha() for code in range(first, first + (1 << _PAGE_BITS))])


LONGEST_MARK = 8
"""Characters of the longest mark that can be searched for."""


class JoinedTexts:
    """Some texts of a table of rows, joined to one array of characters."""

    def __init__(
        self, texts: Sequence[str], rows: Integers, lengths: Integers, kind: type[np.unsignedinteger[Any]]
    ) -> None:
        """Join texts of the given rows and lengths; `kind` is the type of a character: ASCII, or any."""
        # A search may begin at the last character; and no mark continues in the next text.
        joined = "\n".join([*texts, "\n" * LONGEST_MARK])
        encoding = "ascii" if kind is np.uint8 else "utf-32-le"
        self._codes: CharacterCodes = np.frombuffer(joined.encode(encoding, "surrogatepass"), kind)
        self._rows = rows
        self._ends: Integers = np.cumsum(lengths + 1)
        self._begins: Integers = self._ends - lengths - 1

    def rows(self, places: Integers) -> Integers:
        """Return the rows whose texts hold the characters at some places."""
        rows: Integers = self._rows[np.searchsorted(self._ends, places, "right")]
        return rows

    def find(self, mark: str) -> Integers:
        """Return the places where `mark` begins."""
        found: Integers = np.flatnonzero(self._codes == ord(mark[0]))
        for shift, character in enumerate(mark[1:], start=1):
            found = found[self._codes[found + shift] == ord(character)]
        return found

    def perhaps_blank(self) -> Integers:
        """Return the rows of all blank texts, and of others that do not begin with visible ASCII."""
        first = self._codes[self._begins]
        rows: Integers = self._rows[(first <= ord(" ")) | (first > ord("~"))]
        return rows

    def of_a_kind(self) -> tuple[Integers, CharacterKinds]:
        """Return (the places of characters that may have a kind, the kinds)."""
        high: Integers = np.flatnonzero(self._codes >= FIRST_WITH_A_KIND)
        return high, kinds_of(self._codes[high])

    def letters_of_rows(self, amount: int, places: Integers | None = None) -> Integers:
        """Return the number of letters of each of `amount` rows; at some places, or at all."""
        among: Integers = np.arange(len(self._codes)) if places is None else places
        letters = among[are_letters(self._codes[among])]
        return np.bincount(self.rows(letters), minlength=amount)


def sum_texts(texts: Sequence[str | None], firsts: Sequence[int]) -> Iterator[Mapping[str, int]]:
    """Yield the properties that `add_texts` adds, for each run of texts from one of `firsts` to the next.

    Properties may be 0.
    """
    known, lengths, absent = _measured(texts)
    ascii_only = np.frombuffer(bytes(map(str.isascii, known)), np.bool_)
    narrow, wide = (
        JoinedTexts(list(compress(known, some.tobytes())), np.flatnonzero(some), lengths[some], kind)
        for some, kind in ((ascii_only, np.uint8), (~ascii_only, np.uint32))
    )
    links, emoji, blank = np.zeros((3, len(texts)), np.bool_)
    for joined in (narrow, wide):
        for mark in LINK_MARKS:
            links[joined.rows(joined.find(mark))] = True
        for row in joined.perhaps_blank().tolist():
            blank[row] = not known[row].strip()
    places, kinds = wide.of_a_kind()
    emoji[wide.rows(places[kinds & PICTOGRAPH > 0])] = True
    others = wide.letters_of_rows(len(texts), places[kinds & NOT_LATIN > 0])
    lengths = np.where(blank, 0, lengths)
    found = {
        "characters": lengths,
        "squared_characters": lengths * lengths,
        "links": links,
        "emoji": emoji,
        "non_latin": _are_most_letters(others, known, lengths),
        "empty": blank & ~absent,
        "without_text": absent,
    }
    sums = [np.add.reduceat(amounts, firsts, dtype=np.int64).tolist() for amounts in found.values()]
    for run in zip(*sums, strict=True):
        yield dict(zip(found, run, strict=True))


def _measured(texts: Sequence[str | None]) -> tuple[Sequence[str], Integers, Flags]:
    """Return (the texts, "" for a missing one; their lengths; which ones are missing)."""
    known = cast(Sequence[str], texts)
    try:
        # Mostly no text is missing, and to check each for None would take longer than all else here.
        return known, integers(map(len, known)), np.zeros(len(texts), np.bool_)
    except TypeError:
        known = [text or "" for text in texts]
        return known, integers(map(len, known)), np.array([text is None for text in texts])


def _are_most_letters(some: Integers, texts: Sequence[str], lengths: Integers) -> Flags:
    """Return for each text whether more than half of its letters are among those counted in `some`."""
    # A text has at most as many letters as characters, also in its composed form.
    most = 2 * some > lengths
    unsure = np.flatnonzero((some > 0) & ~most)
    if len(unsure):
        composed = [normalize("NFC", texts[row]) for row in unsure.tolist()]
        joined = JoinedTexts(composed, np.arange(len(unsure)), integers(map(len, composed)), np.uint32)
        most[unsure] = 2 * some[unsure] > joined.letters_of_rows(len(unsure))
    return most
