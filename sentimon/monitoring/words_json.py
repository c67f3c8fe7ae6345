"""The vocabulary as the file of a baseline holds it: packed numbers, checked when read back."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from sentimon.errors import DataError
from sentimon.monitoring.events import MOST_ROWS, Counted
from sentimon.monitoring.vocabulary import SHARE, Vocabulary


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """A Vocabulary. `hashes` and `frequencies` are four bytes a word, little-endian, in base64."""

    keyed: bool
    texts: int
    hashes: bytes
    frequencies: bytes
    cuts_millionths: list[int]
    reference_texts: int
    reference_counts: list[int]


def to_words(vocabulary: Vocabulary) -> Words:
    """Return what a file holds of `vocabulary`."""
    return Words(
        keyed=vocabulary.keyed,
        texts=vocabulary.texts,
        hashes=_pack(vocabulary.hashes),
        frequencies=_pack(vocabulary.frequencies),
        cuts_millionths=list(vocabulary.cuts),
        reference_texts=vocabulary.reference.n,
        reference_counts=list(vocabulary.reference.counts),
    )


def from_words(words: Words) -> Vocabulary:
    """Return the vocabulary that `to_words` made `words` of.

    Raises:
        DataError: it made them of none.
    """
    vocabulary = Vocabulary(
        keyed=words.keyed,
        texts=words.texts,
        hashes=_unpack(words.hashes),
        frequencies=_unpack(words.frequencies),
        cuts=tuple(words.cuts_millionths),
        reference=Counted(words.reference_texts, tuple(words.reference_counts)),
    )
    hashes, frequencies, cuts = vocabulary.hashes, vocabulary.frequencies, vocabulary.cuts
    if len(hashes) != len(frequencies) or not _ascends(hashes):
        raise DataError("its words are not in order")
    if frequencies and not 0 < min(frequencies) <= max(frequencies) <= vocabulary.texts:
        raise DataError("a word is in no text, or in more than there are")
    if vocabulary.texts < 1 or not hashes or vocabulary.reference.n > MOST_ROWS:
        raise DataError("its words are of no texts, or of too many")
    counts = vocabulary.reference.counts
    in_range = counts[0] > 0 and counts[-1] <= vocabulary.reference.n if counts else False
    if len(cuts) != len(counts) or not in_range or not _ascends(cuts) or not _ascends(counts):
        raise DataError("its counts of new words cannot be")
    if not 0 <= cuts[0] <= cuts[-1] < SHARE:
        raise DataError("its shares of new words cannot be")
    return vocabulary


def _ascends(numbers: Sequence[int]) -> bool:
    return all(one < other for one, other in pairwise(numbers))


def _pack(numbers: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


def _unpack(content: bytes) -> tuple[int, ...]:
    count, rest = divmod(len(content), 4)
    if rest:
        raise DataError("a number of four bytes is cut")
    return struct.unpack(f"<{count}I", content)
