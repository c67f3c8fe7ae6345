"""The student: a teacher's bottom layers, taught by both teachers' answers and the labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that torch's own texts use

from sentimon.labels import Sentiment
from recipes.default_model.data import ENGLISH, Example
from sentimon.finetuning.training_batches import Recipe, Row, cross_entropy
from recipes.default_model.teacher import OTHER_LANGUAGES_TIMES, encode, smoothed
from recipes.default_model.vocabulary import Vocabulary

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


def prior_offsets(examples: Sequence[Example], share: float = PRIOR_SHARE) -> tuple[float, float, float]:
    """Return `share` of the log of the class mix of `examples`, to be added to logits in training only.

    Source: Menon et al. (2021), Long-tail learning via logit adjustment, equation 10.
    """
    counts = Counter(example.label for example in examples)
    low, middle, high = (share * float(np.log(counts[k] / len(examples))) for k in Sentiment)
    return low, middle, high


def student_rows(
    vocabulary: Vocabulary,
    examples: Sequence[Example],
    answers: NDArray[np.float32],
    plain: Sequence[Example],
) -> list[Row]:
    """Return the rows that an epoch of the student sees.

    `answers` (examples, 3) are the teacher's logits. The `plain` texts have no answers and no prior:
    the teacher never saw their like.
    """
    offsets = prior_offsets([example for example in examples if example.language == ENGLISH])
    ids = encode(vocabulary, [example.text for example in examples])
    rows = []
    for tokens, example, answer in zip(ids, examples, answers.tolist(), strict=True):
        english = example.language == ENGLISH
        row = Row(
            ids=tokens,
            target=smoothed(example.label),
            offsets=offsets if english else (0.0, 0.0, 0.0),
            answer=tuple(answer),
        )
        rows += [row] * (1 if english else OTHER_LANGUAGES_TIMES)
    texts = encode(vocabulary, [example.text for example in plain])
    rows += [Row(ids=tokens, target=smoothed(e.label)) for tokens, e in zip(texts, plain, strict=True)]
    return rows


def distillation(logits: Tensor, rows: Sequence[Row]) -> Tensor:
    """Return the mean over rows of the loss against answer and label; without an answer, the label's alone.

    Source: Hinton et al. (2015), Distilling the knowledge in a neural network.
    """
    answered = [i for i, row in enumerate(rows) if row.answer is not None]
    alone = [i for i, row in enumerate(rows) if row.answer is None]
    total = logits.new_zeros((), dtype=torch.float32)
    if answered:
        group = [rows[i] for i in answered]
        those = logits[answered].float()
        softened = (those + torch.tensor([row.offsets for row in group])) / TEMPERATURE
        answers = torch.tensor([row.answer for row in group]) / TEMPERATURE
        apart = F.kl_div(
            softened.log_softmax(-1), answers.log_softmax(-1), log_target=True, reduction="batchmean"
        )
        label = cross_entropy(those, group)
        total = total + len(group) * (TEACHER_SHARE * TEMPERATURE**2 * apart + (1 - TEACHER_SHARE) * label)
    if alone:
        total = total + len(alone) * cross_entropy(logits[alone], [rows[i] for i in alone])
    return total / len(rows)
