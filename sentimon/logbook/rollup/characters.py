"""What characters are, many at once: looked up in tables."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from sentimon.logbook.rollup.arrays import Flags
from sentimon.logbook.texts import BEYOND_LATIN, EMOJI

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
