"""The float network of an exported model of ours, read back from its eight- and four-bit weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from sentimon.errors import ModelError
from sentimon.finetuning.encoder import Classifier, Shape

SAFE_FILE, ONNX_FILE, CONFIG_FILE = "model.safetensors", "model.onnx", "config.json"
_STRANGE = (KeyError, ValueError, TypeError, RuntimeError, AttributeError, SafetensorError)

Constants = Mapping[str, NDArray[Any]]


def is_ours(folder: Path) -> bool:
    """Return whether `folder` holds a model that sentimon's own training exported."""
    try:
        config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and "pooling" in (config.get("sentimon") or {})


def restore(folder: Path) -> Classifier:
    """Return the network of a model that sentimon exported, in float32 and eval mode, on the CPU.

    Its float weights are taken where they lie beside it (`retrain` leaves them there). The model that
    ships has none: then each weight is its step times its scale, which is what ONNX Runtime multiplies
    with, so that the network errs only by what eight-bit activations add. The temperature that
    calibrates the model is part of its last layer.

    Raises:
        ModelError: the files are not what our export writes.
    """
    try:
        config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        model = Classifier(shape_of(config))
        if (folder / SAFE_FILE).is_file():
            state = load_file(folder / SAFE_FILE)
        else:
            state = _state(_constants(folder / ONNX_FILE), model.shape)
        model.load_state_dict(state)
    except (OSError, *_STRANGE) as error:
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
    """Return the weights of one layer: smoothing multiplied back, hard neurons put where they fell silent."""
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
