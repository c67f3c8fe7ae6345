"""How rows are batched, and what the loss takes of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sentimon.finetuning.targets import cross_entropy
from sentimon.finetuning.training_batches import TrainingRow, length_sorted_batches, pad


def row(length: int, label: int = 0) -> TrainingRow:
    target = [0.0, 0.0, 0.0]
    target[label] = 1.0
    return TrainingRow(ids=[0] * length, target=(target[0], target[1], target[2]))


def test_every_row_comes_once_among_rows_of_like_length() -> None:
    rows = [row(length) for length in np.random.default_rng(0).integers(3, 90, 333)]
    groups = list(length_sorted_batches(rows, 8, np.random.default_rng(1)))
    assert sorted(id(r) for group in groups for r in group) == sorted(map(id, rows))
    waste = sum(max(len(r.ids) for r in group) * len(group) for group in groups)
    assert waste < 1.1 * sum(len(r.ids) for r in rows)


def test_padding_is_masked() -> None:
    ids, mask = pad([[5, 6, 7], [8]], 1)
    assert ids.tolist() == [[5, 6, 7], [8, 1, 1]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]


def test_offsets_are_part_of_the_logits_in_training() -> None:
    rows = [TrainingRow(ids=[0, 2], target=(0.0, 0.0, 1.0), offsets=(0.0, 0.0, 2.0))]
    shifted = cross_entropy(torch.zeros(1, 3), rows)
    assert shifted.item() == pytest.approx(cross_entropy(torch.tensor([[0.0, 0.0, 2.0]]), [row(2, 2)]).item())
