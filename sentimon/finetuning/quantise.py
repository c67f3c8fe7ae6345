"""Weights in eight (or seven) and four bits, and what keeps eight-bit activations exact enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sentimon.finetuning.encoder import Classifier

Floats = NDArray[np.float32]
SMOOTHING = 0.5
OUTLIERS = 2
"""Feed-forward neurons a layer that are kept out of the eight-bit product."""
EMBEDDING_BLOCK = 32
SEVEN_BITS = 63
"""Largest eight-bit weight that is used. Products of unsigned bytes with it, added in pairs, stay within
16 bits, so that processors without VNNI instructions, which saturate there, give the same scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """A weight matrix (in, out) as signed bytes, with one scale per output."""

    values: NDArray[np.int8]
    scales: Floats


def to_bytes(weight: Floats, *, largest: int = SEVEN_BITS) -> Columns:
    """Return `weight`, given as (out, in), rounded to at most +-`largest` steps of each output's scale.

    The scale of an output is the one of twenty that gives the least squared error.
    """
    peak = np.maximum(np.abs(weight).max(axis=1), 1e-12)
    best_scale, best_error = peak / largest, np.full(len(weight), np.inf)
    for share in np.linspace(0.81, 1.0, 20):
        scale = peak * share / largest
        steps = np.clip(np.round(weight / scale[:, None]), -largest, largest)
        error = ((steps * scale[:, None] - weight) ** 2).sum(axis=1)
        best_scale = np.where(error < best_error, scale, best_scale)
        best_error = np.minimum(error, best_error)
    steps = np.clip(np.round(weight / best_scale[:, None]), -largest, largest)
    return Columns(values=steps.T.astype(np.int8), scales=best_scale.astype(np.float32))


def to_nibbles(
    table: Floats, *, block: int = EMBEDDING_BLOCK
) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """Return four-bit steps -8..7 of the shape of `table`, and a scale per `block` weights of a row.

    The scale of a block is the one of forty, of either sign, that gives the least squared error.
    """
    blocks = table.reshape(-1, block)
    widest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=1)[:, None], axis=1)[:, 0]
    widest = np.where(np.abs(widest) < 1e-6, 1e-6, widest)
    best_scale, best_error = (widest / -8).astype(np.float16), np.full(len(blocks), np.inf)
    for share in np.linspace(0.7, 1.2, 40):
        scale = (widest * share / -8).astype(np.float16)
        steps = np.clip(np.round(blocks / scale[:, None].astype(np.float32)), -8, 7)
        error = ((steps * scale[:, None].astype(np.float32) - blocks) ** 2).sum(axis=1)
        best_scale = np.where(error < best_error, scale, best_scale)
        best_error = np.minimum(error, best_error)
    steps = np.clip(np.round(blocks / best_scale[:, None].astype(np.float32)), -8, 7).astype(np.int8)
    return steps.reshape(table.shape), best_scale.reshape(len(table), -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRanges:
    """The largest absolute values seen in one layer: per channel of its two inputs, per inner neuron."""

    attention: Floats
    feed_forward: Floats
    inner: Floats

    @property
    def outliers(self) -> list[int]:
        """The inner neurons that fire hardest, in order of their index."""
        return sorted(np.argsort(-self.inner)[:OUTLIERS].tolist())


def measure_ranges(model: Classifier, texts: list[list[int]]) -> list[LayerRanges]:
    """Return the ranges of every layer over `texts`, each run alone."""
    peaks: list[dict[str, Tensor]] = [{} for _ in model.layers]
    handles = []
    for peak, block in zip(peaks, model.layers, strict=True):
        for name, linear in (("attention", block.qkv), ("feed_forward", block.up), ("inner", block.down)):
            handles.append(linear.register_forward_pre_hook(_recorder(peak, name)))
    with torch.inference_mode():
        for ids in texts:
            model(torch.tensor([ids]), torch.ones(1, len(ids)))
    for handle in handles:
        handle.remove()
    return [LayerRanges(**{name: value.numpy() for name, value in peak.items()}) for peak in peaks]


def _recorder(peak: dict[str, Tensor], name: str) -> Callable[[nn.Module, tuple[Tensor]], None]:
    """Return a hook that keeps the largest absolute value that each channel of a layer's input takes."""

    def record(_: nn.Module, inputs: tuple[Tensor]) -> None:
        seen = inputs[0].abs().amax(dim=(0, 1))
        peak[name] = torch.maximum(peak[name], seen) if name in peak else seen

    return record


def smoothing(weight: Floats, peaks: Floats) -> Floats:
    """Return the divisor of each input channel that evens out activations and weights, (in,).

    `weight` is (out, in). Dividing the input and multiplying the weight by it changes nothing but
    the rounding.

    Source: Xiao et al. (2023), SmoothQuant, equation 4.
    """
    wide = np.maximum(np.abs(weight).max(axis=0), 1e-5)
    divisor: Floats = np.maximum(peaks, 1e-5) ** SMOOTHING / wide ** (1 - SMOOTHING)
    return divisor.astype(np.float32)
