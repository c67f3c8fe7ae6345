"""Lists of numbers as arrays of numpy, in a fraction of the time that it takes for them itself."""

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
    """Return integers of up to 64 bits as an array that cannot be changed."""
    values = list(numbers)
    return np.frombuffer(struct.pack(f"={len(values)}q", *values), np.int64)


def floats(numbers: Iterable[float]) -> Floats:
    """Return floats as an array that cannot be changed."""
    values = list(numbers)
    return np.frombuffer(struct.pack(f"={len(values)}d", *values), np.float64)


Codes = npt.NDArray[np.unsignedinteger[Any]]
"""Characters, as their numbers."""
Kinds = npt.NDArray[np.uint8]

PICTOGRAPH, NOT_LATIN = 1, 2
FIRST_WITH_A_KIND = min(EMOJI[0][0], BEYOND_LATIN[0][0])
_PAGE_BITS = 12
"""Characters share a page of the table of letters if they differ in no more than these."""


def kinds_of(codes: Codes) -> Kinds:
    """Return the kind of each character: PICTOGRAPH (in EMOJI), NOT_LATIN (BEYOND_LATIN), their sum, or 0."""
    return _kinds()[codes]


def are_letters(codes: Codes) -> Flags:
    """Return whether each character is a letter, as `str.isalpha` says."""
    letters, pages = np.zeros(len(codes), np.bool_), codes >> _PAGE_BITS
    for page in np.flatnonzero(np.bincount(pages)).tolist():
        here = np.flatnonzero(pages == page)
        letters[here] = _letters(page)[codes[here] - (page << _PAGE_BITS)]
    return letters


@cache
def _kinds() -> Kinds:
    kinds = np.zeros(sys.maxunicode + 1, np.uint8)
    for kind, ranges in ((PICTOGRAPH, EMOJI), (NOT_LATIN, BEYOND_LATIN)):
        for first, last in ranges:
            kinds[first : last + 1] |= kind
    return kinds


@cache
def _letters(page: int) -> Flags:
    # Few pages are ever needed, and to ask for all characters takes as long as to read 30,000 rows.
    first = page << _PAGE_BITS
    return np.array([chr(code).isalpha() for code in range(first, first + (1 << _PAGE_BITS))])


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


def sum_texts(texts: Sequence[str | None], firsts: Sequence[int]) -> Iterator[Mapping[str, int]]:
    """Yield, for each run of texts from one of `firsts` to the next, the properties that `add_texts` adds.

    Some may be 0.
    """
    known, lengths, absent = _measured(texts)
    ascii_only = np.frombuffer(bytes(map(str.isascii, known)), np.bool_)
    narrow, wide = (
        Joined(list(compress(known, some.tobytes())), np.flatnonzero(some), lengths[some], kind)
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
    """Return (the texts, empty where there is none; their lengths; where there is none)."""
    known = cast(Sequence[str], texts)
    try:
        # To ask of each whether it is None takes longer than all else here, and mostly none is.
        return known, integers(map(len, known)), np.zeros(len(texts), np.bool_)
    except TypeError:
        known = [text or "" for text in texts]
        return known, integers(map(len, known)), np.array([text is None for text in texts])


def _are_most_letters(some: Integers, texts: Sequence[str], lengths: Integers) -> Flags:
    """Return for each text whether more than half of its letters are those that were counted as `some`."""
    # Letters are no more than characters. In the composed form, too, no character becomes two letters.
    most = 2 * some > lengths
    unsure = np.flatnonzero((some > 0) & ~most)
    if len(unsure):
        composed = [normalize("NFC", texts[row]) for row in unsure.tolist()]
        joined = Joined(composed, np.arange(len(unsure)), integers(map(len, composed)), np.uint32)
        most[unsure] = 2 * some[unsure] > joined.letters_of_rows(len(unsure))
    return most
