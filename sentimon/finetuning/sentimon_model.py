"""What can be fine-tuned: the seam between the training loop and a network, and our own network behind it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from sentimon.config.settings import ModelSettings
from sentimon.errors import ModelError
from sentimon.labels import Sentiment
from sentimon.scoring.exported import CONFIG_FILE, MODEL_FILE, TOKENIZER_FILE, open_tokenizer
from sentimon.scoring.scorer import DEFAULT_FOLDER, DEFAULT_MODEL
from sentimon.finetuning.encoder import Classifier
from sentimon.finetuning.training_batches import PAD
from sentimon.finetuning.model_folder import SAFE_FILE, is_ours, restore
from recipes.default_model.vocabulary import UNKNOWN

RANGE_TEXTS = 300
"""Training texts that the quantisation looks at."""


class Trainee(Protocol):
    """A network that classifies texts, and can be trained and exported."""

    @property
    def network(self) -> nn.Module:
        """Return the network, whose weights the loop moves."""

    @property
    def classes(self) -> frozenset[Sentiment]:
        """Return the classes that it can say."""

    @property
    def unknown(self) -> int | None:
        """Return the token id of what its vocabulary lacks; None where it lacks nothing."""

    def encode(self, texts: Sequence[str], *, limit: int) -> list[list[int]]:
        """Return the token ids of each text, at most `limit`."""

    def logits(self, batch: Sequence[list[int]]) -> Tensor:
        """Return the logits (texts, 3) in Sentiment order, float32, on the CPU."""

    def write(self, folder: Path, *, temperature: float, texts: Sequence[str]) -> None:
        """Write what sentimon loads and what can be trained again; `texts` show the usual ranges.

        The logits of what is written are divided by `temperature`.
        """


def load_trainee(settings: ModelSettings) -> Trainee:
    """Return the model that `settings` names, ready to train: ours, or any of transformers.

    Sets torch's threads where `settings.threads` asks for a number; another number rounds another way.

    Raises:
        ModelError: it cannot be found or loaded, or holds nothing that can be trained.
    """
    if settings.threads:
        torch.set_num_threads(settings.threads)
    ships = settings.name in ("", DEFAULT_MODEL)
    folder = DEFAULT_FOLDER if ships else Path(settings.name).expanduser()
    if is_ours(folder):
        network = restore(folder).to("cuda" if torch.cuda.is_available() else "cpu")
        return OurTrainee(network=network, tokenizer=open_tokenizer(folder / TOKENIZER_FILE))
    from sentimon.finetuning.transformers_model import TransformerTrainee

    return TransformerTrainee.load(settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class OurTrainee:
    """The network of the model that ships, and of what was retrained from it."""

    network: Classifier
    tokenizer: Tokenizer

    @property
    def classes(self) -> frozenset[Sentiment]:
        """Return all three classes."""
        return frozenset(Sentiment)

    @property
    def unknown(self) -> int:
        """Return the token id of what its pieces cannot spell."""
        return UNKNOWN

    def encode(self, texts: Sequence[str], *, limit: int) -> list[list[int]]:
        """Return the token ids of each text: the end of a long text goes, its closing token stays."""
        limit = min(limit, self.network.shape.positions)
        found = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        return [ids if len(ids) <= limit else [*ids[: limit - 1], ids[-1]] for ids in found]

    def logits(self, batch: Sequence[list[int]]) -> Tensor:
        """Return the logits of each text, (texts, 3)."""
        ids, mask = padded(batch, PAD)
        device = self.network.words.weight.device
        found: Tensor = self.network(ids.to(device), mask.to(device))
        return found.float().cpu()

    def write(self, folder: Path, *, temperature: float, texts: Sequence[str]) -> None:
        """Write the graph of eight and four bits, the tokenizer, the configuration and the float weights."""
        from sentimon.finetuning.export import configuration
        from sentimon.finetuning.onnx_graph import build
        from sentimon.finetuning.quantise import measure_ranges

        network = self.network.float().cpu().eval()
        ranges = measure_ranges(network, self.encode(texts[:RANGE_TEXTS], limit=network.shape.positions))
        weights = build(network, ranges, temperature=temperature).SerializeToString(deterministic=True)
        (folder / MODEL_FILE).write_bytes(weights)
        self.tokenizer.save(str(folder / TOKENIZER_FILE), pretty=False)
        revision = hashlib.sha256(weights + (folder / TOKENIZER_FILE).read_bytes()).hexdigest()[:12]
        config = configuration(network.shape, revision=revision, temperature=temperature)
        (folder / CONFIG_FILE).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        state = {name: value.contiguous() for name, value in network.state_dict().items()}
        # Calibrated as the graph is, so that a later retraining starts from what has served.
        state |= {name: state[name] / temperature for name in ("head.weight", "head.bias")}
        save_file(state, folder / SAFE_FILE)


def padded(batch: Sequence[Sequence[int]], filler: int) -> tuple[Tensor, Tensor]:
    """Return ids (int64) and mask (float32), both (texts, longest); the mask is 1 at tokens."""
    longest = max(map(len, batch))
    ids = torch.full((len(batch), longest), filler)
    mask = torch.zeros((len(batch), longest))
    for at, text in enumerate(batch):
        ids[at, : len(text)] = torch.tensor(text)
        mask[at, : len(text)] = 1
    return ids, mask


def check_classes(trainee: Trainee, labels: Sequence[Sentiment], name: str) -> None:
    """Do nothing where the model has an output for every label.

    Raises:
        ModelError: it has none for one of them.
    """
    for one in sorted(set(labels) - trainee.classes):
        raise ModelError(
            f"{name} has no output for {one.label}, which some rows are labelled",
            hint="leave those rows out, or name a base model of three classes with --base",
        )
