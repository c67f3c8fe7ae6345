"""The base model of a retraining: what the training loop asks of it, and how it is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from sentimon.config.paths import expanded
from sentimon.config.settings import ModelSettings
from sentimon.errors import ModelError
from sentimon.finetuning.model_folder import is_sentimon_model
from sentimon.finetuning.sentimon_model import SentimonModel
from sentimon.labels import Sentiment
from sentimon.scoring.scorer import DEFAULT_FOLDER, DEFAULT_MODEL

PREDICTION_BATCH = 32


class TrainableModel(Protocol):
    """A network that classifies texts, and that can be trained and exported."""

    @property
    def network(self) -> nn.Module:
        """Return the network, whose weights the loop moves."""

    @property
    def classes(self) -> frozenset[Sentiment]:
        """Return the classes that it has an output for."""

    @property
    def unknown_id(self) -> int | None:
        """Return the token id of what its vocabulary lacks; None if it lacks nothing."""

    @property
    def vocabulary_can_grow(self) -> bool:
        """Return whether word pieces can be added to its vocabulary."""

    def encode(self, texts: Sequence[str], *, limit: int) -> list[list[int]]:
        """Return the token ids of each text, at most `limit`."""

    def logits(self, batch: Sequence[list[int]]) -> Tensor:
        """Return the logits (texts, 3) in Sentiment order, float32, on the CPU."""

    def write(self, folder: Path, *, temperature: float, texts: Sequence[str]) -> None:
        """Write a folder that sentimon loads and that can be trained again.

        The logits of the written model are divided by `temperature`; `texts` show the usual activations
        to the quantisation.
        """


def load_trainable_model(settings: ModelSettings) -> TrainableModel:
    """Return the model that `settings` names, ready to train: one of our own, or any of transformers.

    Sets torch's threads if `settings.threads` asks for a number: another number rounds differently.

    Raises:
        ModelError: it cannot be found or loaded, or holds nothing that can be trained.
    """
    if settings.threads:
        torch.set_num_threads(settings.threads)
    ships = settings.name in ("", DEFAULT_MODEL)
    folder = DEFAULT_FOLDER if ships else expanded(settings.name)
    if is_sentimon_model(folder):
        return SentimonModel.load(folder)
    from sentimon.finetuning.transformers_model import TransformersModel

    return TransformersModel.load(settings)


def check_classes(model: TrainableModel, labels: Sequence[Sentiment], name: str) -> None:
    """Raise ModelError unless the model has an output for every label.

    Raises:
        ModelError: it has none for one of them.
    """
    for one in sorted(set(labels) - model.classes):
        raise ModelError(
            f"{name} has no output for {one.label}, which some rows are labelled",
            hint="leave those rows out, or name a base model of three classes with --base",
        )


def predict_logits(model: TrainableModel, texts: Sequence[list[int]]) -> Tensor:
    """Return the logits of each text, (texts, 3), in the order given, in eval mode."""
    model.network.eval()
    order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
    found = torch.empty((len(texts), 3))
    with torch.inference_mode():
        for start in range(0, len(order), PREDICTION_BATCH):
            chosen = order[start : start + PREDICTION_BATCH]
            found[chosen] = model.logits([texts[at] for at in chosen])
    return found
