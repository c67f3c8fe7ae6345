"""The teacher: all twelve layers of the backbone, fine-tuned on the labelled tweets."""

from __future__ import annotations

from collections.abc import Sequence

from recipes.default_model.data import ENGLISH, Example
from sentimon.finetuning.training_batches import MAX_TOKENS, Recipe, Row
from recipes.default_model.vocabulary import Vocabulary

RECIPES = (Recipe(epochs=2, rate=1e-4, seed=0), Recipe(epochs=1, rate=1e-4, seed=1))
"""Two teachers: one epoch more finds more in English, one less stays closer to the truth elsewhere."""
SMOOTHING = 0.05
OTHER_LANGUAGES_TIMES = 2
"""How often an epoch shows a row that is not English: there are few, and they gain slowly."""


def encode(vocabulary: Vocabulary, texts: Sequence[str], *, limit: int = MAX_TOKENS) -> list[list[int]]:
    """Return the token ids of each text, <s> and </s> included, at most `limit` long."""
    encodings = vocabulary.tokenizer.encode_batch(list(texts))
    return [ids if len(ids) <= limit else [*ids[: limit - 1], ids[-1]] for ids in (e.ids for e in encodings)]


def smoothed(label: int, smoothing: float = SMOOTHING) -> tuple[float, float, float]:
    """Return target shares: most on the label, `smoothing` spread over all three.

    >>> [round(share, 6) for share in smoothed(2, 0.3)]
    [0.1, 0.1, 0.8]
    """
    low, middle, high = (smoothing / 3 + (1 - smoothing) * (k == label) for k in range(3))
    return low, middle, high


def teacher_rows(vocabulary: Vocabulary, examples: Sequence[Example]) -> list[Row]:
    """Return the rows that an epoch of the teacher sees: those in other languages than English repeated."""
    ids = encode(vocabulary, [example.text for example in examples])
    rows = []
    for tokens, example in zip(ids, examples, strict=True):
        times = 1 if example.language == ENGLISH else OTHER_LANGUAGES_TIMES
        rows += [Row(ids=tokens, target=smoothed(example.label))] * times
    return rows
