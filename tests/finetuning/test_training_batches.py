"""The training loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.support.tiny_backbone import PIECES, tiny_backbone

from sentimon.finetuning.encoder import from_backbone
from sentimon.finetuning.training_batches import (
    Recipe,
    Row,
    _warm_then_linear,
    batches,
    cross_entropy,
    fit,
    pad,
    predict,
)


def row(length: int, label: int = 0) -> Row:
    target = [0.0, 0.0, 0.0]
    target[label] = 1.0
    return Row(ids=[0] * length, target=(target[0], target[1], target[2]))


def test_every_row_comes_once_among_rows_of_like_length() -> None:
    rows = [row(length) for length in np.random.default_rng(0).integers(3, 90, 333)]
    groups = list(batches(rows, 8, np.random.default_rng(1)))
    assert sorted(id(r) for group in groups for r in group) == sorted(map(id, rows))
    waste = sum(max(len(r.ids) for r in group) * len(group) for group in groups)
    assert waste < 1.1 * sum(len(r.ids) for r in rows)


def test_padding_is_masked() -> None:
    ids, mask = pad([[5, 6, 7], [8]])
    assert ids.tolist() == [[5, 6, 7], [8, 1, 1]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]


def test_the_rate_rises_then_falls_to_nothing() -> None:
    factors = [_warm_then_linear(step, 100, 0.1) for step in range(101)]
    assert factors[0] == pytest.approx(0.1)
    assert max(factors) == 1.0
    assert factors[100] == 0.0


def test_offsets_are_part_of_the_logits_in_training() -> None:
    rows = [Row(ids=[0, 2], target=(0.0, 0.0, 1.0), offsets=(0.0, 0.0, 2.0))]
    shifted = cross_entropy(torch.zeros(1, 3), rows)
    assert shifted.item() == pytest.approx(cross_entropy(torch.tensor([[0.0, 0.0, 2.0]]), [row(2, 2)]).item())


def test_a_tiny_network_learns_two_words() -> None:
    good, bad = PIECES.index("\u2581good"), PIECES.index("\u2581bad")
    rows = [
        Row(ids=[0, word, 2], target=target)
        for word, target in ((good, (0.0, 0.0, 1.0)), (bad, (1.0, 0.0, 0.0)))
        for _ in range(64)
    ]
    torch.manual_seed(0)
    start = from_backbone(tiny_backbone(), np.arange(len(PIECES)), layers=2)
    model = fit(start, rows, Recipe(epochs=8, rate=3e-3, batch=8))
    assert predict(model, [[0, bad, 2], [0, good, 2]]).argmax(-1).tolist() == [0, 2]
