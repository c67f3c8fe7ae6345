"""How much each row is worth labelling: a weight above 0, by one of four strategies.

A share UNIFORM of the weight is the same for all rows. So every row can be drawn, and no drawn row stands for
more than 1 / UNIFORM times the average number of rows.
"""

from __future__ import annotations

import hashlib
import math
import re
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from sentimon.prediction_log.record import PredictionRecord

STRATEGIES = ("random", "uncertain", "drifted", "diverse")
UNIFORM = 0.1
BUCKETS = 4096
"""Words are counted in this many buckets, by their hash."""
CLUSTERS = 256
_WORD = re.compile(r"\w+")
_KNOWN_WORDS = 65_536
"""Size of the cache of word hashes: most words of a text are common ones."""
_LANE = 24
_FULL_LANE = 2**_LANE - 1
_ERRORS = 2.0
"""Standard errors by which a share must have grown before it counts."""

Weigh = Callable[[PredictionRecord], float]


def equal_weight(record: PredictionRecord) -> float:
    """Return 1 for every row: a simple random sample."""
    del record
    return 1.0


def uncertainty_weight(record: PredictionRecord) -> float:
    """Return a weight that grows as the two highest scores get closer: UNIFORM (certain) .. 1 (equal).

    Where a row has the score of its best class alone, the second highest is taken to be as high as it can be.
    A row without a confidence gets UNIFORM, for nothing says that it is worth more.

    Source: Scheffer, Decomain & Wrobel (2001), IDA, 309-318 (margin sampling).
    """
    if record.scores is not None:
        second, highest = sorted(record.scores.vector)[-2:]
    elif record.confidence is not None:
        highest = record.confidence
        second = min(highest, 1 - highest)
    else:
        return UNIFORM
    return UNIFORM + (1 - UNIFORM) * (1 - (highest - second))


@dataclass(frozen=True, slots=True, kw_only=True)
class WordCounts:
    """Number of rows per predicted class, and of rows per bucket that contain one of its words."""

    rows: int
    classes: tuple[int, int, int]
    words: array[int]


def count_words(records: Iterable[PredictionRecord]) -> WordCounts:
    """Return the counts of some rows; one pass, memory for BUCKETS counts."""
    rows, classes, words = 0, [0, 0, 0], array("q", bytes(8 * BUCKETS))
    for record in records:
        rows += 1
        classes[record.sentiment] += 1
        for bucket in _buckets(record.text):
            words[bucket] += 1
    return WordCounts(rows=rows, classes=(classes[0], classes[1], classes[2]), words=words)


def drift_weights(before: WordCounts, now: WordCounts) -> Weigh:
    """Return a weight function, UNIFORM .. 1, for rows whose class or words have become more frequent.

    The growth of a class or word is (now - before - 2 standard errors) / now, at least 0: roughly the share
    of its rows that would be missing had nothing changed. A row gets the growth of its class or of its
    fastest growing word, whichever is larger.
    """
    classes = [_growth(b, before.rows, c, now.rows) for b, c in zip(before.classes, now.classes, strict=True)]
    words = [_growth(b, before.rows, c, now.rows) for b, c in zip(before.words, now.words, strict=True)]

    def weigh(record: PredictionRecord) -> float:
        grown = max((words[bucket] for bucket in _buckets(record.text)), default=0.0)
        return UNIFORM + (1 - UNIFORM) * max(classes[record.sentiment], grown)

    return weigh


def _growth(before: int, rows_before: int, now: int, rows_now: int) -> float:
    if not now or not rows_before:
        return 0.0
    p, q = before / rows_before, now / rows_now
    # One row is added on each side, so that a word that was never seen before is not taken as certain.
    error = math.sqrt((before + 1) / rows_before**2 + (now + 1) / rows_now**2)
    return max(0.0, (q - p - _ERRORS * error) / q)


def count_clusters(records: Iterable[PredictionRecord]) -> array[int]:
    """Return the number of rows in each of CLUSTERS clusters; one pass."""
    sizes = array("q", bytes(8 * CLUSTERS))
    for record in records:
        sizes[cluster_of(record.text)] += 1
    return sizes


def diversity_weights(sizes: array[int]) -> Weigh:
    """Return a weight function, above 0: 1 / size of the cluster, so that clusters are drawn equally often.

    The uniform part of the weight is UNIFORM / rows.
    """
    rows, filled = sum(sizes), sum(size > 0 for size in sizes)

    def weigh(record: PredictionRecord) -> float:
        size = max(1, sizes[cluster_of(record.text)])
        return UNIFORM / max(1, rows) + (1 - UNIFORM) / (max(1, filled) * size)

    return weigh


def cluster_of(text: str | None) -> int:
    """Return the cluster of a text, 0 .. CLUSTERS - 1; texts that share most of their words often share it.

    Each word votes with the eight bits of its hash; each bit of the cluster is the majority vote.

    >>> cluster_of("good morning") == cluster_of("Good, morning!")
    True

    Source: Charikar (2002), STOC, 380-388 (similarity by random hyperplanes).
    """
    words = _words(text)
    votes = sum(map(_lanes, words))
    return sum(1 << place for place in range(8) if 2 * (votes >> _LANE * place & _FULL_LANE) > len(words))


@lru_cache(maxsize=_KNOWN_WORDS)
def _lanes(word: str) -> int:
    """Return eight bits of a word's hash in lanes of an integer, so that one sum counts all votes."""
    bits = _hash(word) >> 16 & 0xFF
    return sum(1 << _LANE * place for place in range(8) if bits >> place & 1)


def _words(text: str | None) -> set[str]:
    return set(_WORD.findall(text.lower())) if text else set()


def _buckets(text: str | None) -> set[int]:
    return {_hash(word) % BUCKETS for word in _words(text)}


@lru_cache(maxsize=_KNOWN_WORDS)
def _hash(word: str) -> int:
    digest = hashlib.blake2b(word.encode(errors="surrogatepass"), digest_size=4).digest()
    return int.from_bytes(digest, "big")
