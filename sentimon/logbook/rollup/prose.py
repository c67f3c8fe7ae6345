"""The texts of many rows at once: what a sum over rows adds up of them, counted by numpy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import compress
from typing import cast
from unicodedata import normalize

import numpy as np

from sentimon.logbook.rollup.arrays import Flags, Integers, integers
from sentimon.logbook.rollup.characters import NOT_LATIN, PICTOGRAPH
from sentimon.logbook.rollup.joined import Joined
from sentimon.logbook.texts import LINK_MARKS


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
