"""The vocabulary: those of the backbone's 250,000 word pieces that short European texts use."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from recipes.default_model.data import Example
from sentimon.finetuning.backbone import Backbone
from sentimon.finetuning.tokenizer import METASPACE, SPECIALS, build_tokenizer

LANGUAGE_WEIGHTS = {"english": 1.0, "italian": 5.0}
OTHER_LANGUAGE_WEIGHT = 3.0
WORD_LISTS = {"en": 1_000_000, "it": 1_000_000, "es": 600_000, "fr": 600_000, "de": 600_000, "pt": 600_000}
"""Words of running text that each frequency list stands for beside the training texts."""
WORDS_PER_LIST = 40_000
CAPITALISED_SHARE = 0.15
"""How often a listed word is taken to start with a capital letter: the lists are in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """A tokenizer and, for each of its ids, the row of the backbone's embedding table."""

    tokenizer: Tokenizer
    rows: NDArray[np.int64]


def trim(backbone: Backbone, examples: Sequence[Example], *, size: int) -> Vocabulary:
    """Return the vocabulary of `size` pieces with the highest weighted counts, in the backbone's order.

    Every single Latin letter, digit, mark and emoji of the backbone stays, whatever its count. Counting
    runs twice: pieces that the first cut removed are then spelled with smaller ones, which count more.
    """
    keep = np.arange(len(backbone.pieces))
    for target in (2 * size, size):
        counts = _counts(_tokenizer_of(backbone, keep), examples)
        order = sorted(keep, key=lambda row: (-counts[backbone.pieces[row]], row))
        always = [row for row in keep if _is_always_kept(backbone.pieces[row])]
        chosen = dict.fromkeys(always)
        for row in order:
            if len(chosen) == target:
                break
            chosen[row] = None
        keep = np.array(sorted(chosen), dtype=np.int64)
    return Vocabulary(tokenizer=_tokenizer_of(backbone, keep), rows=keep)


def _tokenizer_of(backbone: Backbone, rows: NDArray[np.int64]) -> Tokenizer:
    # four decimals: float32 noise beyond them would only make tokenizer.json longer
    return build_tokenizer(
        [(backbone.pieces[row], round(float(backbone.piece_scores[row]), 4)) for row in rows]
    )


def _counts(tokenizer: Tokenizer, examples: Sequence[Example]) -> dict[str, float]:
    counts: dict[str, float] = defaultdict(float)
    texts: list[str] = [example.text for example in examples]
    weights = [LANGUAGE_WEIGHTS.get(example.language, OTHER_LANGUAGE_WEIGHT) for example in examples]
    _count(tokenizer, texts, weights, counts)
    for language, running_words in WORD_LISTS.items():
        words, shares = _listed_words(language)
        _count(tokenizer, words, [share * running_words for share in shares], counts)
    return counts


def _listed_words(language: str) -> tuple[list[str], list[float]]:
    """Return words and their shares of running text, each also with a capital letter."""
    from wordfreq import top_n_list, word_frequency

    words, shares = [], []
    for word in top_n_list(language, WORDS_PER_LIST):
        share = word_frequency(word, language)
        words += [word, word.capitalize()]
        shares += [share * (1 - CAPITALISED_SHARE), share * CAPITALISED_SHARE]
    return words, shares


def _count(
    tokenizer: Tokenizer, texts: Sequence[str], weights: Iterable[float], into: dict[str, float]
) -> None:
    encodings = tokenizer.encode_batch(list(texts), add_special_tokens=False)
    for encoding, weight in zip(encodings, weights, strict=True):
        for piece in encoding.tokens:
            into[piece] += weight


def _is_always_kept(piece: str) -> bool:
    """Return whether a piece is a special one, or a single character that any short text may hold."""
    bare = piece.removeprefix(METASPACE)
    if piece in SPECIALS or bare == "":
        return True
    if len(bare) > 1:
        return False
    kind = unicodedata.category(bare)
    if kind.startswith("L"):
        return ord(bare) < 0x180 and unicodedata.name(bare, "").startswith("LATIN")
    return kind in {"Nd", "Po", "Pd", "Ps", "Pe", "Pi", "Pf", "Pc", "Sc", "Sk", "So", "Sm"} and (
        ord(bare) < 0x0590 or 0x1E00 <= ord(bare) < 0x2C00 or ord(bare) == 0xFE0F or ord(bare) >= 0x1F000
    )
