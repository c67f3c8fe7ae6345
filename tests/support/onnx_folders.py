"""Folders with a model in ONNX form."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers, processors

WORDS = ["<s>", "<pad>", "</s>", "<unk>", "good", "bad", "so", "end"]


IN_ORDER = {"0": "negative", "1": "neutral", "2": "positive"}


def word_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


def lookup_model(outputs: int, inputs: tuple[str, ...]) -> bytes:
    """Return a model whose logits sum up its words: good raises the last output, bad the first."""
    table = np.zeros((len(WORDS), outputs), dtype=np.float32)
    table[WORDS.index("good"), -1] = table[WORDS.index("bad"), 0] = 2
    table[WORDS.index("end"), 1] = 3
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows"]),
        helper.make_node("ReduceSum", ["rows", "axis"], ["logits"], keepdims=0),
    ]
    if "attention_mask" in inputs:
        nodes[0].output[0] = "all"
        nodes[1:1] = [
            helper.make_node("Cast", ["attention_mask"], ["float"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["float", "last"], ["mask"]),
            helper.make_node("Mul", ["all", "mask"], ["rows"]),
        ]
    constants = [
        numpy_helper.from_array(table, "table"),
        numpy_helper.from_array(np.array([1]), "axis"),
        numpy_helper.from_array(np.array([-1]), "last"),
    ]
    fields = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"]) for name in inputs]
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", outputs])
    graph = helper.make_graph(nodes, "lookup", fields, [logits], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def write_folder(
    folder: Path,
    *,
    id2label: dict[str, str] = IN_ORDER,
    inputs: tuple[str, ...] = ("input_ids", "attention_mask", "token_type_ids"),
    **config: object,
) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "model.onnx").write_bytes(lookup_model(len(id2label), inputs))
    word_tokenizer().save(str(folder / "tokenizer.json"))
    content = {"id2label": id2label, "max_position_embeddings": 8, "model_type": "bert", **config}
    (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")
    return folder
