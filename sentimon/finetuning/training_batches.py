"""Tokenised training rows, and how they are put into padded batches of similar length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

BUCKET_BATCHES = 50
"""Batches that are drawn together and sorted by length: little padding, still random."""

Triple = tuple[float, float, float]
"""One number for each class, in `Sentiment` order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRow:
    """One text to train on: its token ids and the target share of each class.

    `offsets` are added to the logits before the loss: log-priors that the model need not learn.
    `teacher_logits` are a teacher's answer, for distillation.
    """

    ids: list[int]
    target: Triple
    offsets: Triple = (0.0, 0.0, 0.0)
    teacher_logits: Triple | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRows:
    """All rows of a training. Each epoch sees every row of `new` and `replay_per_epoch` rows of `replay`."""

    new: Sequence[TrainingRow]
    held_out: Sequence[TrainingRow]
    """Rows that only measure the model; `target` is all on the label."""
    replay: Sequence[TrainingRow] = ()
    replay_per_epoch: int = 0

    def batches(self, epoch: int, *, size: int, seed: int) -> Iterator[list[TrainingRow]]:
        """Yield the batches of an epoch, counted from 1: the same ones for the same seed."""
        generator = np.random.default_rng([seed, epoch])
        drawn = generator.permutation(len(self.replay))[: self.replay_per_epoch]
        return length_sorted_batches([*self.new, *(self.replay[at] for at in drawn)], size, generator)

    def steps_per_epoch(self, size: int) -> int:
        """Return the number of batches of an epoch."""
        return -(-(len(self.new) + min(self.replay_per_epoch, len(self.replay))) // size)


def length_sorted_batches(
    rows: Sequence[TrainingRow], size: int, generator: np.random.Generator
) -> Iterator[list[TrainingRow]]:
    """Yield every row once, in random batches of rows of similar length."""
    order = generator.permutation(len(rows)).tolist()
    groups = []
    for start in range(0, len(order), size * BUCKET_BATCHES):
        bucket = sorted(order[start : start + size * BUCKET_BATCHES], key=lambda i: len(rows[i].ids))
        groups += [bucket[i : i + size] for i in range(0, len(bucket), size)]
    for at in generator.permutation(len(groups)):
        yield [rows[i] for i in groups[at]]


def pad(texts: Sequence[Sequence[int]], pad_id: int) -> tuple[Tensor, Tensor]:
    """Return ids (int64) and mask (float32), both (texts, longest); the mask is 1 at tokens, 0 at padding."""
    longest = max(map(len, texts))
    ids = torch.full((len(texts), longest), pad_id)
    mask = torch.zeros((len(texts), longest))
    for at, text in enumerate(texts):
        ids[at, : len(text)] = torch.tensor(text)
        mask[at, : len(text)] = 1
    return ids, mask
