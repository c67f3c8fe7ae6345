"""The shipped graph: the classifier written out in ONNX Runtime's fused operators, eight and four bits."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from sentimon.finetuning.encoder import CLASSES, Block, Classifier
from sentimon.finetuning.quantise import (
    EMBEDDING_BLOCK,
    SEVEN_BITS,
    Floats,
    LayerRanges,
    smoothing,
    to_bytes,
    to_nibbles,
)

OPSET, CONTRIB_OPSET, IR_VERSION = 21, 1, 10
CONTRIB = "com.microsoft"


@dataclass
class Graph:
    """Nodes and constants in the making."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        """Add a constant and return its name."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], *, name: str, **attributes: object) -> str:
        """Add a node with one output and return the output's name; contrib operators start with `ms.`."""
        domain = CONTRIB if kind.startswith("ms.") else ""
        self.nodes.append(
            helper.make_node(kind.removeprefix("ms."), inputs, [name], name=name, domain=domain, **attributes)
        )
        return name


def build(
    model: Classifier,
    ranges: list[LayerRanges],
    *,
    temperature: float,
    largest: int = SEVEN_BITS,
) -> onnx.ModelProto:
    """Return the model: input_ids int64 (1, length) -> logits float32 (1, 3), already calibrated.

    There is no mask and no padding: one text a run, so that the dynamic eight-bit ranges of a text
    depend on nothing but the text. `temperature` is folded into the last layer.
    """
    graph = Graph()
    x = _embeddings(graph, model)
    for i, (block, seen) in enumerate(zip(model.layers, ranges, strict=True)):
        x = _block(graph, f"l{i}", block, seen, x, largest=largest)
    _head(graph, model, x, temperature=temperature)
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "length"])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, CLASSES])
    body = helper.make_graph(graph.nodes, "sentimon", [ids], [logits], graph.constants)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, CONTRIB_OPSET)]
    return helper.make_model(body, opset_imports=opsets, ir_version=IR_VERSION, producer_name="sentimon")


def _embeddings(graph: Graph, model: Classifier) -> str:
    """Add words and positions from their four-bit and half-precision tables, and the norm over their sum."""
    steps, scales = to_nibbles(_array(model.words.weight))
    packed = helper.make_tensor("words", TensorProto.INT4, steps.shape, _pack(steps), raw=True)
    graph.constants.append(packed)
    graph.constant("words.scales", scales)
    graph.constant("places", _array(model.places.weight).astype(np.float16))
    graph.constant("zero", np.array([0], dtype=np.int64))
    graph.node(
        "ms.GatherBlockQuantized",
        ["words", "input_ids", "words.scales"],
        name="word",
        gather_axis=0,
        quantize_axis=1,
        block_size=EMBEDDING_BLOCK,
    )
    graph.node("Shape", ["input_ids"], name="length", start=1, end=2)
    graph.node("Slice", ["places", "zero", "length", "zero"], name="place")
    graph.node("Add", ["word", "place"], name="both")
    graph.node("Cast", ["both"], name="embedded", to=TensorProto.FLOAT)
    return _layer_norm(graph, "x", "embedded", model.norm)


def _block(graph: Graph, at: str, block: Block, seen: LayerRanges, x: str, *, largest: int) -> str:
    """Add one layer and return the name of its output, (1, length, hidden)."""
    even = smoothing(_array(block.qkv.weight), seen.attention)
    smooth = graph.node("Mul", [x, graph.constant(f"{at}.even", 1 / even)], name=f"{at}.smooth")
    qkv = _product(graph, f"{at}.qkv", smooth, _array(block.qkv.weight) * even, block.qkv.bias, largest)
    parts = [f"{at}.q", f"{at}.k", f"{at}.v"]
    graph.nodes.append(helper.make_node("Split", [qkv], parts, name=f"{at}.split", axis=-1, num_outputs=3))
    mixed = graph.node("ms.MultiHeadAttention", parts, name=f"{at}.mixed", num_heads=block.heads)
    out = _product(graph, f"{at}.out", mixed, _array(block.out.weight), block.out.bias, largest)
    x = _add_and_norm(graph, f"{at}.an", x, out, block.attention_norm)
    fed = _feed_forward(graph, at, block, seen, x, largest=largest)
    return _add_and_norm(graph, f"{at}.on", x, fed, block.output_norm)


def _feed_forward(graph: Graph, at: str, block: Block, seen: LayerRanges, x: str, *, largest: int) -> str:
    """Add the feed-forward part, its hardest firing neurons in float32 beside the eight-bit product."""
    up, down, out = _array(block.up.weight), _array(block.down.weight), seen.outliers
    up_bias = _array(block.up.bias)
    hard = graph.node("MatMul", [x, graph.constant(f"{at}.hard.up", up[out].T)], name=f"{at}.hard.in")
    hard = graph.node(
        "ms.BiasGelu", [hard, graph.constant(f"{at}.hard.b", up_bias[out])], name=f"{at}.hard.gelu"
    )
    hard = graph.node(
        "MatMul", [hard, graph.constant(f"{at}.hard.down", down[:, out].T)], name=f"{at}.hard.out"
    )
    up, down, up_bias = up.copy(), down.copy(), up_bias.copy()
    # gelu(0) is 0: the neuron falls silent here, and the shape stays a multiple of 32
    up[out], up_bias[out], down[:, out] = 0, 0, 0
    even = smoothing(up, seen.feed_forward)
    smooth = graph.node("Mul", [x, graph.constant(f"{at}.up.even", 1 / even)], name=f"{at}.up.smooth")
    inner = _product(graph, f"{at}.up", smooth, up * even, up_bias, largest)
    inner = graph.node("ms.Gelu", [inner], name=f"{at}.gelu")
    soft = _product(graph, f"{at}.down", inner, down, block.down.bias, largest)
    return graph.node("Add", [soft, hard], name=f"{at}.fed")


def _head(graph: Graph, model: Classifier, x: str, *, temperature: float) -> None:
    """Add mean pooling and the two layers of the head."""
    pooled = graph.node(
        "ReduceMean", [x, graph.constant("axis", np.array([1], dtype=np.int64))], name="pooled", keepdims=0
    )
    graph.constant("dense.half", _array(model.dense.weight).T.astype(np.float16))
    dense = graph.node("Cast", ["dense.half"], name="dense.w", to=TensorProto.FLOAT)
    bias_of_dense = graph.constant("dense.b", _array(model.dense.bias))
    inner = graph.node(
        "ms.BiasGelu", [graph.node("MatMul", [pooled, dense], name="dense"), bias_of_dense], name="gelu"
    )
    weight = graph.constant("head.w", _array(model.head.weight).T / np.float32(temperature))
    offset = graph.constant("head.b", _array(model.head.bias) / np.float32(temperature))
    graph.node("Gemm", [inner, weight, offset], name="logits")


def _product(graph: Graph, at: str, x: str, weight: Floats, bias: Floats | Tensor, largest: int) -> str:
    """Add x @ weight.T + bias in eight bits, the range of x taken from x itself."""
    columns = to_bytes(weight, largest=largest)
    names = [graph.constant(f"{at}.w", columns.values), graph.constant(f"{at}.s", columns.scales)]
    offset = graph.constant(f"{at}.b", _array(bias))
    return graph.node("ms.DynamicQuantizeMatMul", [x, *names, "", offset], name=at)


def _add_and_norm(graph: Graph, at: str, x: str, y: str, norm: nn.LayerNorm) -> str:
    # two operators: the fused SkipLayerNormalization takes four times as long on a CPU
    return _layer_norm(graph, at, graph.node("Add", [x, y], name=f"{at}.sum"), norm)


def _layer_norm(graph: Graph, at: str, x: str, norm: nn.LayerNorm) -> str:
    weights = [graph.constant(f"{at}.g", _array(norm.weight)), graph.constant(f"{at}.o", _array(norm.bias))]
    return graph.node("LayerNormalization", [x, *weights], name=at, epsilon=norm.eps)


def _array(value: Floats | Tensor) -> Floats:
    plain = value.detach().numpy() if isinstance(value, Tensor) else value
    return plain.astype(np.float32)


def _pack(steps: NDArray[np.int8]) -> bytes:
    """Return four-bit values two to a byte, the first in the low half."""
    flat = steps.reshape(-1, 2).astype(np.uint8) & 0x0F
    return (flat[:, 0] | flat[:, 1] << 4).astype(np.uint8).tobytes()
