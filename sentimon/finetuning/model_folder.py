"""The folder of a model of our own: written as ONNX in eight and four bits, and read back for training."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor

from sentimon.errors import ModelError, StoreError
from sentimon.files import MOST_MODEL_TEXT, read_file
from sentimon.finetuning.encoder import Classifier, Shape
from sentimon.finetuning.quantise import LayerRanges
from sentimon.finetuning.tokenizer import PAD_ID
from sentimon.labels import LABELS
from sentimon.scoring.exported_model import CONFIG_FILE, MODEL_FILE, TOKENIZER_FILE

FLOAT_WEIGHTS_FILE = "model.safetensors"
_UNREADABLE = (KeyError, ValueError, TypeError, RuntimeError, AttributeError, SafetensorError)

Constants = Mapping[str, NDArray[Any]]


def write_model(
    model: Classifier, tokenizer: Tokenizer, ranges: list[LayerRanges], folder: Path, *, temperature: float
) -> str:
    """Write model.onnx, tokenizer.json and config.json into `folder` and return the revision.

    The revision is the start of the SHA-256 of the other two files: it changes with the weights and
    with nothing else.
    """
    from sentimon.finetuning.onnx_graph import build

    folder.mkdir(parents=True, exist_ok=True)
    weights = build(model, ranges, temperature=temperature).SerializeToString(deterministic=True)
    (folder / MODEL_FILE).write_bytes(weights)
    tokenizer.save(str(folder / TOKENIZER_FILE), pretty=False)
    revision = hashlib.sha256(weights + (folder / TOKENIZER_FILE).read_bytes()).hexdigest()[:12]
    config = configuration(model.shape, revision=revision, temperature=temperature)
    (folder / CONFIG_FILE).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
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
        "pad_token_id": PAD_ID,
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


def is_sentimon_model(folder: Path) -> bool:
    """Return whether `folder` holds a model that `write_model` wrote."""
    try:
        config = _config(folder)
    except (StoreError, ValueError, RecursionError):
        return False
    ours = config.get("sentimon") if isinstance(config, dict) else None
    return isinstance(ours, dict) and "pooling" in ours


def _config(folder: Path) -> Any:
    hint = "name a folder that `retrain` made"
    return json.loads(read_file(folder / CONFIG_FILE, hint=hint, most=MOST_MODEL_TEXT))


def read_network(folder: Path) -> Classifier:
    """Return the network of a model that sentimon exported, in float32 and eval mode, on the CPU.

    The float weights are read if the folder has them, as `retrain` writes them. The model that ships has
    none: then each weight is its step times its scale, the product that ONNX Runtime computes with, so
    that only the eight-bit activations make a difference. The temperature that calibrates the model is
    part of its last layer.

    Raises:
        ModelError: the files are not what `write_model` writes.
    """
    try:
        config = _config(folder)
        model = Classifier(shape_of(config))
        if (folder / FLOAT_WEIGHTS_FILE).is_file():
            state = load_file(folder / FLOAT_WEIGHTS_FILE)
        else:
            state = _state(_constants(folder / MODEL_FILE), model.shape)
        model.load_state_dict(state)
    except (OSError, StoreError, RecursionError, *_UNREADABLE) as error:
        raise ModelError(
            f"{folder} cannot be read back for training: {error}", hint="name a folder that `retrain` made"
        ) from error
    return model.eval()


def shape_of(config: Mapping[str, Any]) -> Shape:
    """Return the sizes that config.json states."""
    return Shape(
        vocabulary=config["vocab_size"],
        layers=config["num_hidden_layers"],
        hidden=config["hidden_size"],
        heads=config["num_attention_heads"],
        inner=config["intermediate_size"],
        positions=config["max_position_embeddings"],
        epsilon=config["layer_norm_eps"],
    )


def _constants(path: Path) -> dict[str, NDArray[Any]]:
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    return {one.name: numpy_helper.to_array(one) for one in graph.initializer}


def _state(constants: Constants, shape: Shape) -> dict[str, Tensor]:
    """Return the weights of the classifier by their names in torch."""
    steps = constants["words"].astype(np.float32)
    scales = constants["words.scales"].astype(np.float32)
    state = {
        "words.weight": steps * np.repeat(scales, steps.shape[1] // scales.shape[1], axis=1),
        "places.weight": constants["places"],
        "norm.weight": constants["x.g"],
        "norm.bias": constants["x.o"],
        "dense.weight": constants["dense.half"].T,
        "dense.bias": constants["dense.b"],
        "head.weight": constants["head.w"].T,
        "head.bias": constants["head.b"],
    }
    for i in range(shape.layers):
        state |= {f"blocks.{i}.{name}": value for name, value in _block(constants, f"l{i}").items()}
    return {name: torch.from_numpy(np.array(value, dtype=np.float32)) for name, value in state.items()}


def _block(constants: Constants, at: str) -> dict[str, NDArray[Any]]:
    """Return the weights of one layer: smoothing undone, and outlier neurons put back into their place."""
    up = _product(constants, f"{at}.up") * constants[f"{at}.up.even"]
    down, up_bias = _product(constants, f"{at}.down"), constants[f"{at}.up.b"].copy()
    hard = constants[f"{at}.hard.up"].T
    silent = np.flatnonzero((np.abs(up).max(axis=1) == 0) & (up_bias == 0))[: len(hard)]
    up[silent], up_bias[silent] = hard, constants[f"{at}.hard.b"]
    down[:, silent] = constants[f"{at}.hard.down"].T
    return {
        "qkv.weight": _product(constants, f"{at}.qkv") * constants[f"{at}.even"],
        "qkv.bias": constants[f"{at}.qkv.b"],
        "out.weight": _product(constants, f"{at}.out"),
        "out.bias": constants[f"{at}.out.b"],
        "attention_norm.weight": constants[f"{at}.an.g"],
        "attention_norm.bias": constants[f"{at}.an.o"],
        "up.weight": up,
        "up.bias": up_bias,
        "down.weight": down,
        "down.bias": constants[f"{at}.down.b"],
        "output_norm.weight": constants[f"{at}.on.g"],
        "output_norm.bias": constants[f"{at}.on.o"],
    }


def _product(constants: Constants, name: str) -> NDArray[np.float32]:
    """Return a weight matrix, (out, in), from its steps (in, out) and the scale of each output."""
    matrix: NDArray[np.float32] = (
        constants[f"{name}.w"].astype(np.float32) * constants[f"{name}.s"]
    ).T.copy()
    return matrix
