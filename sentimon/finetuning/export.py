"""A trained classifier -> the folder that `sentimon.scoring.onnx` reads."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from sentimon.errors import ModelError
from sentimon.labels import LABELS
from sentimon.finetuning.encoder import Classifier, Shape
from sentimon.finetuning.onnx_graph import build
from sentimon.finetuning.quantise import LayerRanges
from recipes.default_model.vocabulary import SPECIALS, Vocabulary

LARGEST_FOLDER = 25_000_000
"""Bytes that model, tokenizer, configuration and model card may take together."""


def export(
    model: Classifier, vocabulary: Vocabulary, ranges: list[LayerRanges], folder: Path, *, temperature: float
) -> str:
    """Write model.onnx, tokenizer.json and config.json into `folder` and return the revision.

    The revision is the start of the SHA-256 of the other two files, so it changes with the weights
    and with nothing else.

    Raises:
        ModelError: the folder grew larger than the package may be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    graph = build(model, ranges, temperature=temperature)
    weights = graph.SerializeToString(deterministic=True)
    (folder / "model.onnx").write_bytes(weights)
    vocabulary.tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    tokenizer = (folder / "tokenizer.json").read_bytes()
    revision = hashlib.sha256(weights + tokenizer).hexdigest()[:12]
    config = configuration(model.shape, revision=revision, temperature=temperature)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    size = sum(path.stat().st_size for path in folder.iterdir())
    if size > LARGEST_FOLDER:
        raise ModelError(f"{folder} takes {size} bytes, more than {LARGEST_FOLDER}", hint="use fewer layers")
    return revision


def configuration(shape: Shape, *, revision: str, temperature: float) -> dict[str, object]:
    """Return config.json: what transformers calls the sizes and labels, and an object of our own."""
    return {
        "model_type": "bert",
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.inner,
        "hidden_act": "gelu",
        "layer_norm_eps": shape.epsilon,
        "max_position_embeddings": shape.positions,
        "type_vocab_size": 1,
        "pad_token_id": SPECIALS.index("<pad>"),
        "id2label": dict(enumerate(LABELS)),
        "label2id": {label: index for index, label in enumerate(LABELS)},
        "sentimon": {
            "revision": revision,
            "normalisation": "mentions as @user, links as http",
            "pooling": "mean",
            "temperature": round(temperature, 6),
            "optimised": True,
        },
    }
