"""Any sequence classifier of transformers as something that can be trained and exported to ONNX."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn

from sentimon.config.settings import ModelSettings
from sentimon.errors import ModelError
from sentimon.finetuning.training_batches import pad
from sentimon.labels import Sentiment
from sentimon.scoring.checkpoint_files import fetch_weights, find_checkpoint
from sentimon.scoring.exported_model import MODEL_FILE, OUTPUT, TOKENIZER_FILE
from sentimon.scoring.label_map import map_labels
from sentimon.scoring.pretrained_model import load_config, load_network, load_tokenizer
from sentimon.scoring.tokenisation import check_vocabulary, length_limit, tokenise

OPSET = 18
_TRACED_TEXT = "good bad fine"
"""Any text: the export runs the network once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformersModel:
    """A network of transformers whose outputs are summed up to the three classes (a `TrainableModel`)."""

    name: str
    network: transformers.PreTrainedModel
    tokenizer: Any
    outputs: tuple[Sentiment, ...]
    """The class of each output of the network."""
    limit: int

    @classmethod
    def load(cls, settings: ModelSettings) -> TransformersModel:
        """Return the model that `settings` names, on the GPU if there is one.

        Raises:
            ModelError: it cannot be found or loaded, or its tokenizer cannot be exported.
        """
        with quiet():
            checkpoint = find_checkpoint(settings.name, settings.revision)
            config = load_config(checkpoint)
            outputs = map_labels(config.id2label, label_map=settings.label_map)
            fetch_weights(checkpoint)
            network = load_network(checkpoint, config)
            tokenizer = load_tokenizer(checkpoint, config)
        check_vocabulary(tokenizer, network, checkpoint.name)
        if not tokenizer.is_fast:
            raise ModelError(
                f"{checkpoint.name}: its tokenizer exists in Python only, and cannot be exported",
                hint="name a model with a tokenizer.json, or one that transformers can make one of",
            )
        return cls(
            name=settings.name,
            network=network.to("cuda" if torch.cuda.is_available() else "cpu"),
            tokenizer=tokenizer,
            outputs=outputs,
            limit=length_limit(tokenizer, network),
        )

    @property
    def classes(self) -> frozenset[Sentiment]:
        """Return the classes that some output means."""
        return frozenset(self.outputs)

    @property
    def unknown_id(self) -> int | None:
        """Return the token id of unknown words or pieces; None where texts are cut into bytes."""
        found: int | None = self.tokenizer.unk_token_id
        return found

    @property
    def vocabulary_can_grow(self) -> bool:
        """Return False: only the vocabulary of the model that ships grows."""
        return False

    def encode(self, texts: Sequence[str], *, limit: int) -> list[list[int]]:
        """Return the token ids of each text, boundary tokens included, at most `limit`."""
        with quiet():
            found = tokenise(texts, self.tokenizer, limit=min(limit, self.limit))
            return [one.ids for one in found]

    def logits(self, batch: Sequence[list[int]]) -> Tensor:
        """Return the log of each class's share, up to a constant: outputs of one class count together."""
        pad_id = self.tokenizer.pad_token_id
        if pad_id is None:
            # Without a padding token only a text alone has its own scores.
            found = torch.cat([self._outputs([one], 0) for one in batch])
        else:
            found = self._outputs(batch, pad_id)
        absent = torch.full((len(batch),), -1e4)
        columns = []
        for one in Sentiment:
            own = [at for at, sentiment in enumerate(self.outputs) if sentiment is one]
            columns.append(found[:, own].logsumexp(dim=1) if own else absent)
        return torch.stack(columns, dim=1)

    def _outputs(self, batch: Sequence[list[int]], pad_id: int) -> Tensor:
        ids, mask = pad(batch, pad_id)
        device = self.network.device
        found: Tensor = self.network(input_ids=ids.to(device), attention_mask=mask.long().to(device)).logits
        return found.float().cpu()

    def write(self, folder: Path, *, temperature: float, texts: Sequence[str]) -> None:
        """Write what transformers loads (safetensors), and the same network as ONNX in eight bits.

        Raises:
            ModelError: the network cannot be exported.
        """
        del texts  # The ranges of activations are measured at run time.
        network = self.network.float().cpu().eval()
        with quiet():
            network.save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)
        if not (folder / TOKENIZER_FILE).is_file():
            raise ModelError(f"{self.name}: its tokenizer has no {TOKENIZER_FILE}", hint="name another base")
        try:
            write_quantised(export_to_onnx(network, self.tokenizer, temperature), folder / MODEL_FILE)
        except (
            RuntimeError,
            ValueError,
            TypeError,
            AttributeError,
            torch.onnx.errors.OnnxExporterError,
        ) as error:
            reason = str(error).strip().split("\n")[0]
            raise ModelError(
                f"{self.name} cannot be exported to ONNX: {reason}",
                hint="name a base of another architecture",
            ) from error


class _Calibrated(nn.Module):
    """The logits of a network divided by a temperature, from ids and mask."""

    def __init__(self, network: nn.Module, temperature: float) -> None:
        super().__init__()
        self.network, self.temperature = network, temperature

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return (texts, outputs)."""
        logits: Tensor = self.network(input_ids=ids, attention_mask=mask).logits
        return logits / self.temperature


def export_to_onnx(network: transformers.PreTrainedModel, tokenizer: Any, temperature: float) -> bytes:
    """Return the network as ONNX in float32: input_ids and attention_mask (1, length) -> logits."""
    ids = torch.tensor([tokenizer(_TRACED_TEXT)["input_ids"]])
    out = io.BytesIO()
    # Not fused: ONNX has no fused attention that could be quantised.
    network.set_attn_implementation("eager")
    with quiet():
        # The older exporter needs no further package, and accepts a file object.
        torch.onnx.export(
            _Calibrated(network, temperature),
            (ids, torch.ones_like(ids)),
            out,  # type: ignore[arg-type]
            input_names=["input_ids", "attention_mask"],
            output_names=[OUTPUT],
            dynamic_axes={name: {1: "length"} for name in ("input_ids", "attention_mask")},
            opset_version=OPSET,
            dynamo=False,
        )
    return out.getvalue()


def write_quantised(graph: bytes, path: Path) -> None:
    """Write a float32 graph to `path` with the weights of its products and embeddings in eight bits.

    Seven of the eight bits are used, so that processors without VNNI instructions give the same scores.
    """
    import onnx

    from sentimon.scoring.onnx_runtime import quantization

    whole = onnx.load_from_string(graph)
    for node in whole.graph.node:
        # Paths of source lines, which would make equal networks different files.
        node.ClearField("doc_string")
    with quiet():
        tools = quantization()
        kind = tools.QuantType.QInt8
        tools.quantize_dynamic(whole, path, per_channel=True, reduce_range=True, weight_type=kind)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the progress bars and warnings of the libraries."""
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    for name in ("huggingface_hub", "root", "torch.onnx"):
        logging.getLogger(name if name != "root" else None).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
