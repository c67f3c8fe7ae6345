"""The network: a BERT encoder, mean pooling and a two-layer head, in torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that torch's own texts use

from sentimon.errors import ModelError
from sentimon.finetuning.backbone import Backbone

CLASSES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The sizes of an encoder."""

    vocabulary: int
    layers: int
    hidden: int
    heads: int
    inner: int
    positions: int
    epsilon: float


class Block(nn.Module):
    """One layer, (batch, length, hidden) -> the same: attention and feed-forward, norms after each."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.qkv = nn.Linear(shape.hidden, 3 * shape.hidden)
        self.out = nn.Linear(shape.hidden, shape.hidden)
        self.attention_norm = nn.LayerNorm(shape.hidden, eps=shape.epsilon)
        self.up = nn.Linear(shape.hidden, shape.inner)
        self.down = nn.Linear(shape.inner, shape.hidden)
        self.output_norm = nn.LayerNorm(shape.hidden, eps=shape.epsilon)

    def forward(self, x: Tensor, bias: Tensor, dropout: float) -> Tensor:
        """Return the layer's output; `bias` (batch, 1, 1, length) is added to the attention scores."""
        batch, length, hidden = x.shape
        qkv = self.qkv(x).view(batch, length, 3, self.heads, hidden // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        # written out: the backward pass of the fused attention is 2.6 times slower in bfloat16 on a CPU
        scores = query @ key.transpose(-1, -2) * (hidden // self.heads) ** -0.5 + bias
        mixed = (scores.softmax(-1) @ value).transpose(1, 2).reshape(batch, length, hidden)
        x = self.attention_norm(x + self._drop(self.out(mixed), dropout))
        fed = self.down(F.gelu(self.up(x)))
        output: Tensor = self.output_norm(x + self._drop(fed, dropout))
        return output

    def _drop(self, x: Tensor, share: float) -> Tensor:
        """Return `x` with a share of channels zero, the same at all tokens of a text: one cheap draw."""
        if not self.training or share == 0:
            return x
        return x * F.dropout(x.new_ones(x.shape[0], 1, x.shape[2]), share)


class Classifier(nn.Module):
    """Token ids and a mask, both (batch, length) -> logits (batch, 3) in `Sentiment` order."""

    def __init__(self, shape: Shape, *, dropout: float = 0.1) -> None:
        super().__init__()
        self.shape = shape
        self.dropout = dropout
        self.words = nn.Embedding(shape.vocabulary, shape.hidden)
        self.places = nn.Embedding(shape.positions, shape.hidden)
        self.norm = nn.LayerNorm(shape.hidden, eps=shape.epsilon)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.dense = nn.Linear(shape.hidden, shape.hidden)
        self.head = nn.Linear(shape.hidden, CLASSES)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the logits; the mask is 1 at tokens and 0 at padding."""
        pooled = self.pool(ids, mask)
        logits: Tensor = self.head(F.dropout(F.gelu(self.dense(pooled)), self.dropout, self.training))
        return logits

    @property
    def layers(self) -> list[Block]:
        """The layers, bottom first."""
        return cast("list[Block]", list(self.blocks))

    def pool(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the mean over each text's tokens of the last layer, (batch, hidden)."""
        kind = self.words.weight.dtype
        x = self.norm(self.words(ids) + self.places.weight[: ids.shape[1]])
        bias = ((1 - mask) * torch.finfo(kind).min / 2).to(kind)[:, None, None, :]
        for block in self.layers:
            x = block(x, bias, self.dropout)
        weights = (mask / mask.sum(1, keepdim=True)).to(kind)
        return torch.einsum("bl,blh->bh", weights, x)


def from_backbone(backbone: Backbone, rows: NDArray[np.int64], *, layers: int) -> Classifier:
    """Return a classifier with the bottom `layers` of the backbone and a fresh head (seed torch first)."""
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
    # a single text type is ever used, so its row is folded into the positions
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


def bottom(model: Classifier, layers: int) -> Classifier:
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
