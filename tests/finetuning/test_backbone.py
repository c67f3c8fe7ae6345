"""Reading the packed backbone, on a file that this test packs."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from sentimon.errors import ModelError
from sentimon.finetuning.backbone import dequantise, read_backbone


def block(scale: float, nibbles: list[int]) -> bytes:
    return np.float16(scale).tobytes() + bytes(
        low | high << 4 for low, high in zip(nibbles[:16], nibbles[16:], strict=True)
    )


def packed(tensors: dict[str, tuple[int, int, bytes]], pieces: list[tuple[str, float]]) -> bytes:
    blob = "".join(piece for piece, _ in pieces).encode()
    ends = np.cumsum([0, *(len(piece.encode()) for piece, _ in pieces)])
    head = b"E5S1" + struct.pack("<I7ifi", 1, 32, 1, 2, 64, 3, 4, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, len(blob))
    head += ends.astype("<u4").tobytes() + np.array([score for _, score in pieces], "<f4").tobytes() + blob
    head += struct.pack("<iI", 1, 9) + b"123456789"
    directory_bytes = 4 + sum(2 + len(name) + 21 for name in tensors)
    offset, directory, body = len(head) + directory_bytes, struct.pack("<i", len(tensors)), b""
    for name, (kind, count, data) in tensors.items():
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", kind, count, offset + len(body), len(data))
        body += data
    return head + directory + body


def test_the_low_half_of_a_byte_comes_sixteen_places_before_the_high_half() -> None:
    nibbles = list(range(16)) + [8] * 15 + [0]
    weights = dequantise(block(0.25, nibbles))
    assert weights[0] == -2.0
    assert weights[15] == 1.75
    assert weights[16] == 0.0
    assert weights[31] == -2.0


def test_tensors_come_back_in_their_shapes(tmp_path: Path) -> None:
    rows = b"".join(block(0.5, [8 + row] * 32) for row in range(3))
    vector = np.arange(32, dtype="<f4").tobytes()
    path = tmp_path / "model.bin"
    path.write_bytes(
        packed({"emb.word": (1, 96, rows), "emb.ln.w": (0, 32, vector)}, [("<s>", 0.0), ("▁è", -2.5)])
    )
    backbone = read_backbone(path)
    assert (backbone.layers, backbone.heads) == (1, 2)
    assert backbone.pieces == ["<s>", "▁è"]
    assert backbone.piece_scores.tolist() == [0.0, -2.5]
    assert backbone.tensors["emb.word"].shape == (3, 32)
    assert backbone.tensors["emb.word"][:, 0].tolist() == [0.0, 0.5, 1.0]
    assert backbone.tensors["emb.ln.w"].tolist() == list(range(32))


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"GGUF....")
    with pytest.raises(ModelError, match="not a packed e5 model"):
        read_backbone(tmp_path / "model.bin")
