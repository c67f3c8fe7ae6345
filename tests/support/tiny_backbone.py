"""A backbone of a few random numbers, for tests of what is built on one."""

from __future__ import annotations

import numpy as np

from sentimon.finetuning.backbone import Backbone
from sentimon.finetuning.tokenizer import METASPACE, SPECIALS

HIDDEN, INNER, POSITIONS = 64, 128, 32
PIECES = [
    *SPECIALS,
    METASPACE,
    *"abcdefghij",
    f"{METASPACE}good",
    f"{METASPACE}bad",
    f"{METASPACE}ж",
    "ж",
    "!",
    "😀",
]


def tiny_backbone(*, layers: int = 2, seed: int = 0) -> Backbone:
    generator = np.random.default_rng(seed)

    def weights(*shape: int) -> np.ndarray:
        return generator.normal(0, 0.1, shape).astype(np.float32)

    tensors = {
        "emb.word": weights(len(PIECES), HIDDEN),
        "emb.pos": weights(POSITIONS, HIDDEN),
        "emb.type": weights(2, HIDDEN),
    }
    tensors |= {"emb.ln.w": 1 + weights(HIDDEN), "emb.ln.b": weights(HIDDEN)}
    for i in range(layers):
        for part in ("q", "k", "v", "ao"):
            tensors |= {f"l{i}.{part}.w": weights(HIDDEN, HIDDEN), f"l{i}.{part}.b": weights(HIDDEN)}
        tensors |= {f"l{i}.fi.w": weights(INNER, HIDDEN), f"l{i}.fi.b": weights(INNER)}
        tensors |= {f"l{i}.fo.w": weights(HIDDEN, INNER), f"l{i}.fo.b": weights(HIDDEN)}
        for part in ("aln", "oln"):
            tensors |= {f"l{i}.{part}.w": 1 + weights(HIDDEN), f"l{i}.{part}.b": weights(HIDDEN)}
    scores = np.linspace(-1, -8, len(PIECES), dtype=np.float32)
    return Backbone(
        layers=layers, heads=2, epsilon=1e-12, pieces=PIECES, piece_scores=scores, tensors=tensors
    )
