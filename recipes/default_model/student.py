"""The student: a teacher's bottom layers, taught by both teachers' answers and the labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that torch's own texts use

from recipes.default_model.data import ENGLISH, Example
from recipes.default_model.teacher import OTHER_LANGUAGES_TIMES
from recipes.default_model.training import MAX_TOKENS, Recipe, labelled_rows
from sentimon.finetuning.targets import cross_entropy, prior_offsets, smooth_label
from sentimon.finetuning.tokenizer import encode_texts
from sentimon.finetuning.training_batches import TrainingRow
from sentimon.labels import Sentiment

LAYERS = 10
"""Of twelve. Four-bit embeddings leave room for two more than eight-bit ones would."""
RECIPE = Recipe(epochs=2, rate=1.2e-4, seed=2)
TEMPERATURE = 2.0
TEACHER_SHARE = 0.7
"""How much of the loss is the teacher's answer; the rest is the label."""
PRIOR_SHARE = 0.4
"""How much of the English class mix is taken out of the English answers (0: none, 1: all).

A sixth of the English tweets is negative. All of it taken out, negative is over-called and the
probabilities no longer fit; none, negative is missed. The other languages come balanced.
"""


def class_counts(examples: Sequence[Example]) -> list[int]:
    """Return the number of examples of each class."""
    counts = Counter(example.label for example in examples)
    return [counts[one] for one in Sentiment]


def student_rows(
    tokenizer: Tokenizer,
    examples: Sequence[Example],
    answers: NDArray[np.float32],
    plain: Sequence[Example],
) -> list[TrainingRow]:
    """Return the rows that an epoch of the student sees.

    `answers` (examples, 3) are the teacher's logits. The `plain` texts have no answers and no prior:
    the teacher was trained on no texts like them.
    """
    english_counts = class_counts([example for example in examples if example.language == ENGLISH])
    offsets = prior_offsets(english_counts, share=PRIOR_SHARE)
    ids = encode_texts(tokenizer, [example.text for example in examples], limit=MAX_TOKENS)
    rows = []
    for tokens, example, answer in zip(ids, examples, answers.tolist(), strict=True):
        english = example.language == ENGLISH
        row = TrainingRow(
            ids=tokens,
            target=smooth_label(example.label),
            offsets=offsets if english else (0.0, 0.0, 0.0),
            teacher_logits=tuple(answer),
        )
        rows += [row] * (1 if english else OTHER_LANGUAGES_TIMES)
    return rows + labelled_rows(tokenizer, plain)


def distillation(logits: Tensor, rows: Sequence[TrainingRow]) -> Tensor:
    """Return the mean over rows of the loss against answer and label; without an answer, the label's alone.

    Source: Hinton et al. (2015), Distilling the knowledge in a neural network.
    """
    answered = [i for i, row in enumerate(rows) if row.teacher_logits is not None]
    alone = [i for i, row in enumerate(rows) if row.teacher_logits is None]
    total = logits.new_zeros((), dtype=torch.float32)
    if answered:
        group = [rows[i] for i in answered]
        those = logits[answered].float()
        softened = (those + torch.tensor([row.offsets for row in group])) / TEMPERATURE
        answers = torch.tensor([row.teacher_logits for row in group]) / TEMPERATURE
        apart = F.kl_div(
            softened.log_softmax(-1), answers.log_softmax(-1), log_target=True, reduction="batchmean"
        )
        label = cross_entropy(those, group)
        total = total + len(group) * (TEACHER_SHARE * TEMPERATURE**2 * apart + (1 - TEACHER_SHARE) * label)
    if alone:
        total = total + len(alone) * cross_entropy(logits[alone], [rows[i] for i in alone])
    return total / len(rows)
