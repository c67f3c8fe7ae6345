"""The networks before training: the backbone's layers with a fresh head, or a teacher's bottom layers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from sentimon.errors import ModelError
from sentimon.finetuning.backbone import Backbone
from sentimon.finetuning.encoder import Classifier, Shape


def classifier_from_backbone(backbone: Backbone, rows: NDArray[np.int64], *, layers: int) -> Classifier:
    """Return a classifier with the bottom `layers` of the backbone and a fresh head (seed torch first).

    `rows` are the rows of the backbone's embedding table that the vocabulary keeps.

    Raises:
        ModelError: the backbone lacks a weight.
    """
    tensors = backbone.tensors
    shape = Shape(
        vocabulary=len(rows),
        layers=layers,
        hidden=tensors["emb.word"].shape[1],
        heads=backbone.heads,
        inner=len(tensors["l0.fi.w"]),
        positions=len(tensors["emb.pos"]),
        epsilon=backbone.epsilon,
    )
    model = Classifier(shape)
    # Only one text type is ever used, so its row is added to the positions.
    weights = {
        "words.weight": tensors["emb.word"][rows],
        "places.weight": tensors["emb.pos"] + tensors["emb.type"][0],
        "norm.weight": tensors["emb.ln.w"],
        "norm.bias": tensors["emb.ln.b"],
    }
    for i in range(layers):
        weights |= _block_weights(tensors, i)
    state = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in weights.items()}
    missing = model.load_state_dict(state, strict=False).missing_keys
    if not all(name.startswith(("dense.", "head.")) for name in missing):
        raise ModelError(f"the backbone lacks {missing}")
    nn.init.normal_(model.head.weight, std=0.02)
    nn.init.zeros_(model.head.bias)
    return model


def keep_bottom_layers(model: Classifier, layers: int) -> Classifier:
    """Return a copy of `model` with its bottom `layers` only, embeddings and head included."""
    shorter = Classifier(replace(model.shape, layers=layers), dropout=model.dropout)
    shorter.load_state_dict({name: model.state_dict()[name] for name in shorter.state_dict()})
    return shorter


def _block_weights(tensors: dict[str, NDArray[np.float32]], i: int) -> dict[str, NDArray[np.float32]]:
    names = {
        "out.weight": "ao.w",
        "out.bias": "ao.b",
        "attention_norm.weight": "aln.w",
        "attention_norm.bias": "aln.b",
        "up.weight": "fi.w",
        "up.bias": "fi.b",
        "down.weight": "fo.w",
        "down.bias": "fo.b",
        "output_norm.weight": "oln.w",
        "output_norm.bias": "oln.b",
    }
    fused = {
        f"qkv.{kind}": np.concatenate([tensors[f"l{i}.{part}.{kind[0]}"] for part in "qkv"])
        for kind in ("weight", "bias")
    }
    plain = {ours: tensors[f"l{i}.{theirs}"] for ours, theirs in names.items()}
    return {f"blocks.{i}.{name}": value for name, value in (fused | plain).items()}
