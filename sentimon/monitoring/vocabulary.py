"""The words of a baseline: their hashes and frequencies, new words in a text, words that grew."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from sentimon.monitoring.watched_events import Counted, EventGroup
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.word_hashes import hash_word, logged_token_hashes

FEWEST_TEXTS_WITH_WORD = 3
"""Fewest texts that contain a word which is said to have grown."""
_SIGNIFICANCE = 0.05

MILLION = 1_000_000
"""Shares of new words are kept in millionths, rounded down: integers compare alike everywhere."""


_PERCENTILES = (20, 40, 60, 80, 95)
"""Of the share of new words in the second half; the last one shows texts of another kind or language."""
FEWEST_TEXTS = 200
"""Fewest texts that a vocabulary is made of."""
MOST_TEXTS = 20_000
"""Most texts, the latest ones, that a vocabulary is made of, so that the file of a baseline stays small."""


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True):
    """The words of the first half of a baseline's texts, and how many words of the second half are new to it.

    It takes eight bytes a word. A new word is mistaken for a known one with probability len(hashes) / 2**32.
    """

    keyed: bool
    """Whether the words are hashed under the key of the log, which is so where texts are not kept."""
    hashes: tuple[int, ...]
    """Hashes of the distinct words of the first half, ascending."""
    frequencies: tuple[int, ...]
    """Number of texts of the first half that contain each word."""
    texts: int
    """Number of texts in the first half."""
    cuts: tuple[int, ...]
    """Quantiles of the share of new words in the texts of the second half, in millionths, ascending."""
    reference: Counted
    """How many texts of the second half have a share of new words of at most each cut."""

    @property
    def group(self) -> EventGroup:
        """Return the events "the share of new words is at most a quantile of the baseline"."""
        return EventGroup(
            name="words",
            events=tuple(f"at most {cut / MILLION:.0%} new words" for cut in self.cuts),
            reference=self.reference,
        )


class WordCounter:
    """Counts texts by their share of words that a vocabulary does not contain."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._known = frozenset(vocabulary.hashes)
        self._cuts = vocabulary.cuts

    @property
    def nothing(self) -> Counted:
        """Return the counts of no texts."""
        return Counted(0, (0,) * len(self._cuts))

    def count(self, text: Collection[int]) -> Counted:
        """Return the counts of one text, as the hashes of its words: 1 for each cut it does not exceed."""
        share = self.share(text)
        return Counted(1, tuple(int(share <= cut) for cut in self._cuts))

    def share(self, text: Collection[int]) -> int:
        """Return the share of new words in a text, in millionths."""
        return new_share(text, self._known)


def new_share(text: Collection[int], known: Collection[int]) -> int:
    """Return the share of the words in `text` that are not in `known`, in millionths; 0 without words.

    >>> new_share({1, 2, 3}, {1, 2})
    333333
    """
    return MILLION * (len(text) - sum(map(known.__contains__, text))) // len(text) if text else 0


def vocabulary_of(records: Iterable[PredictionRecord]) -> Vocabulary | None:
    """Return the vocabulary of the texts in `records`, or of their keyed hashes where no text is kept."""
    texts, keyed = (deque[Collection[int]](maxlen=MOST_TEXTS) for _ in range(2))
    for record in records:
        for kept, by_key in ((texts, False), (keyed, True)):
            tokens = logged_token_hashes(record, keyed=by_key)
            if tokens is not None:
                kept.append(tokens)
    return learn_vocabulary(texts, keyed=False) or learn_vocabulary(keyed, keyed=True)


def learn_vocabulary(texts: Iterable[Collection[int]], *, keyed: bool) -> Vocabulary | None:
    """Return the vocabulary of `texts`, the earliest first, each as the hashes of its distinct words.

    Of more than MOST_TEXTS the latest are taken. None where there are fewer than FEWEST_TEXTS, where the
    first half has no words, or where no text of the second half has one of them.
    """
    texts = list(texts)[-MOST_TEXTS:]
    if len(texts) < FEWEST_TEXTS:
        return None
    middle = len(texts) // 2
    frequencies = Counter(word for text in texts[:middle] for word in text)
    shares = sorted(new_share(text, frequencies) for text in texts[middle:])
    quantiles = {shares[-(-percent * len(shares) // 100) - 1] for percent in _PERCENTILES}
    # What all texts lie at or below now may be passed by later ones, except for all words.
    cuts = tuple(sorted(quantiles - {MILLION}))
    if not cuts or not frequencies:
        return None
    counts = tuple(sum(share <= cut for share in shares) for cut in cuts)
    hashes = tuple(sorted(frequencies))
    return Vocabulary(
        keyed=keyed,
        hashes=hashes,
        frequencies=tuple(frequencies[word] for word in hashes),
        texts=middle,
        cuts=cuts,
        reference=Counted(len(shares), counts),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """A word, with the share of texts that contain it before and after, 0 .. 1."""

    word: str
    before: float
    after: float


def grown_words(
    found: Mapping[str, int],
    texts: int,
    vocabulary: Vocabulary,
    *,
    most: int,
    hash_of: Callable[[str], int] = hash_word,
) -> list[Growth]:
    """Return at most `most` words that grew; `found` gives the number of texts that contain each word.

    They are ranked by the log-likelihood ratio of the share of texts that contain them. Left out are words in
    fewer than FEWEST_TEXTS_WITH_WORD of the `texts`, and those whose growth may be chance among so many words
    (5 %, Bonferroni). Ties in alphabetical order.

    Source: Dunning (1993), Comput. Linguist. 19(1), 61-74.
    """
    # Most words are in a text or two.
    often = {word: count for word, count in found.items() if count >= FEWEST_TEXTS_WITH_WORD}
    hashed = {word: hash_of(word) for word in often}
    known = _frequencies(vocabulary, set(hashed.values()))
    ranked = []
    for word, count in often.items():
        before = known.get(hashed[word], 0)
        if count * vocabulary.texts > before * texts:
            ratio = log_likelihood_ratio((before, vocabulary.texts), (count, texts))
            if math.erfc(math.sqrt(ratio / 2)) * len(found) > _SIGNIFICANCE:
                continue
            ranked.append((-ratio, word, before / vocabulary.texts, count / texts))
    return [Growth(word=word, before=before, after=after) for _, word, before, after in sorted(ranked)[:most]]


def _frequencies(vocabulary: Vocabulary, wanted: Collection[int]) -> dict[int, int]:
    """Return how many texts contain each word of the vocabulary that is `wanted`, by its hash."""
    pairs = zip(vocabulary.hashes, vocabulary.frequencies, strict=True)
    return {hashed: frequency for hashed, frequency in pairs if hashed in wanted}


def log_likelihood_ratio(before: tuple[int, int], after: tuple[int, int]) -> float:
    """Return G squared, >= 0, of two shares, each given as (count, n), n > 0; 0 where they are equal.

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
