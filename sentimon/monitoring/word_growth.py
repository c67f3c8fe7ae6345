"""Which words grew: those that more texts hold now than in the baseline."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sentimon.monitoring.new_words import Vocabulary

FEWEST_TEXTS = 3
_SIGNIFICANCE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """A word, with the share of texts that hold it before and after, 0 .. 1."""

    word: str
    before: float
    after: float


def grown_words(
    found: Mapping[str, tuple[int, int]], texts: int, vocabulary: Vocabulary, *, most: int
) -> list[Growth]:
    """Return the `most` words that grew most; `found` gives (hash, texts that hold it) of each word.

    Ranked by the log-likelihood ratio of the share of texts that hold a word. Left out are words in
    fewer than FEWEST_TEXTS of the `texts`, and those whose growth may be chance among so many words
    (5 %, Bonferroni). Ties in alphabetical order.

    Source: Dunning (1993), Comput. Linguist. 19(1), 61-74.
    """
    known = dict(zip(vocabulary.hashes, vocabulary.frequencies, strict=True))
    ranked = []
    for word, (hashed, count) in found.items():
        before = known.get(hashed, 0)
        if count >= FEWEST_TEXTS and count * vocabulary.texts > before * texts:
            ratio = log_likelihood_ratio((before, vocabulary.texts), (count, texts))
            if math.erfc(math.sqrt(ratio / 2)) * len(found) > _SIGNIFICANCE:
                continue
            ranked.append((-ratio, word, before / vocabulary.texts, count / texts))
    return [Growth(word=word, before=before, after=after) for _, word, before, after in sorted(ranked)[:most]]


def log_likelihood_ratio(before: tuple[int, int], after: tuple[int, int]) -> float:
    """Return G squared of two shares, each as (count, n), n > 0: 0 where they are the same.

    >>> round(log_likelihood_ratio((10, 100), (20, 100)), 4)
    3.9866
    """
    (b, m), (x, n) = before, after
    total = 0.0
    for one, other in ((b, x), (m - b, n - x)):
        for observed, size in ((one, m), (other, n)):
            if observed:
                total += observed * math.log(observed * (m + n) / (size * (one + other)))
    return 2 * total
