"""The teacher: all twelve layers of the backbone, fine-tuned on the labelled tweets."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Tokenizer

from recipes.default_model.data import ENGLISH, Example
from recipes.default_model.training import Recipe, labelled_rows
from sentimon.finetuning.training_batches import TrainingRow

RECIPES = (Recipe(epochs=2, rate=1e-4, seed=0), Recipe(epochs=1, rate=1e-4, seed=1))
"""Two teachers: the one with two epochs is better in English, the other one in the other languages."""
OTHER_LANGUAGES_TIMES = 2
"""How often an epoch shows a row that is not English: there are few, and they gain slowly."""


def teacher_rows(tokenizer: Tokenizer, examples: Sequence[Example]) -> list[TrainingRow]:
    """Return the rows of an epoch of the teacher: those in other languages than English are repeated."""
    rows = []
    for row, example in zip(labelled_rows(tokenizer, examples), examples, strict=True):
        rows += [row] * (1 if example.language == ENGLISH else OTHER_LANGUAGES_TIMES)
    return rows
