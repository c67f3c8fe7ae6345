"""The recipe's training: the package's loop with averaged weights and slower lower layers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from recipes.default_model.training import Recipe, train
from sentimon.finetuning.trainable import predict_logits
from sentimon.finetuning.training_batches import TrainingRow, TrainingRows
from tests.support.tiny_backbone import PIECES
from tests.support.tiny_model import tiny_model

GOOD, BAD = PIECES.index("\u2581good"), PIECES.index("\u2581bad")
TARGETS = ((GOOD, (0.0, 0.0, 1.0)), (BAD, (1.0, 0.0, 0.0)))
ROWS = [TrainingRow(ids=[0, word, 2], target=target) for word, target in TARGETS for _ in range(64)]
DATA = TrainingRows(new=ROWS, held_out=ROWS[62:66])
RECIPE = Recipe(epochs=4, rate=6e-3, batch=8, seed=0)


class StoppedError(Exception):
    """Stands for a kill between two epochs."""


def test_a_tiny_network_learns_two_words_and_a_stopped_training_ends_in_the_same_weights(
    tmp_path: Path,
) -> None:
    seen: list[int] = []
    whole = train(
        tiny_model(), DATA, RECIPE, working=tmp_path / "a",
        after_epoch=lambda epoch, weights, logits: seen.append(epoch),
    )  # fmt: skip
    assert seen == [0, 1, 2, 3]
    model = tiny_model()
    model.network.load_state_dict(whole)
    assert predict_logits(model, [[0, BAD, 2], [0, GOOD, 2]]).argmax(-1).tolist() == [0, 2]

    def stop(epoch: int, weights: dict[str, Tensor], logits: Tensor) -> None:
        if epoch == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        train(tiny_model(), DATA, RECIPE, working=tmp_path / "b", after_epoch=stop)
    again = train(tiny_model(), DATA, RECIPE, working=tmp_path / "b")
    assert all(torch.equal(whole[name], again[name]) for name in whole)
