"""The model that ships, and models retrained from it, as something that can be trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor

from sentimon.finetuning.encoder import Classifier
from sentimon.finetuning.model_folder import FLOAT_WEIGHTS_FILE, read_network, write_model
from sentimon.finetuning.quantise import measure_ranges
from sentimon.finetuning.tokenizer import PAD_ID, UNKNOWN_ID, encode_texts
from sentimon.finetuning.training_batches import pad
from sentimon.labels import Sentiment
from sentimon.scoring.exported_model import TOKENIZER_FILE, open_tokenizer

RANGE_TEXTS = 300
"""Training texts that the quantisation looks at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentimonModel:
    """A network of our own and its tokenizer (a `TrainableModel`)."""

    network: Classifier
    tokenizer: Tokenizer

    @classmethod
    def load(cls, folder: Path) -> SentimonModel:
        """Return the model in `folder`, on the GPU if there is one.

        Raises:
            ModelError: its files are damaged.
        """
        network = read_network(folder).to("cuda" if torch.cuda.is_available() else "cpu")
        return cls(network=network, tokenizer=open_tokenizer(folder / TOKENIZER_FILE))

    @property
    def classes(self) -> frozenset[Sentiment]:
        """Return all three classes."""
        return frozenset(Sentiment)

    @property
    def unknown_id(self) -> int:
        """Return the token id of what its pieces cannot spell."""
        return UNKNOWN_ID

    @property
    def vocabulary_can_grow(self) -> bool:
        """Return True: `vocabulary_growth` adds pieces of the backbone."""
        return True

    def encode(self, texts: Sequence[str], *, limit: int) -> list[list[int]]:
        """Return the token ids of each text, at most `limit`."""
        return encode_texts(self.tokenizer, texts, limit=min(limit, self.network.shape.positions))

    def logits(self, batch: Sequence[list[int]]) -> Tensor:
        """Return the logits of each text, (texts, 3), float32, on the CPU."""
        ids, mask = pad(batch, PAD_ID)
        device = self.network.words.weight.device
        found: Tensor = self.network(ids.to(device), mask.to(device))
        return found.float().cpu()

    def write(self, folder: Path, *, temperature: float, texts: Sequence[str]) -> None:
        """Write the graph of eight and four bits, the tokenizer, the configuration and the float weights."""
        network = self.network.float().cpu().eval()
        ranges = measure_ranges(network, self.encode(texts[:RANGE_TEXTS], limit=network.shape.positions))
        write_model(network, self.tokenizer, ranges, folder, temperature=temperature)
        state = {name: value.contiguous() for name, value in network.state_dict().items()}
        # Calibrated as the graph is, so that a later retraining starts from the model that served.
        state |= {name: state[name] / temperature for name in ("head.weight", "head.bias")}
        save_file(state, folder / FLOAT_WEIGHTS_FILE)
