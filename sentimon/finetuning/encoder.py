"""The network: a BERT encoder, mean pooling and a two-layer head, in torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that torch's own texts use

CLASSES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The sizes of the network."""

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
        """Zero a share of the channels of `x`, the same ones at all tokens of a text: one cheap draw."""
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
