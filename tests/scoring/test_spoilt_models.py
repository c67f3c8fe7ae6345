"""A model whose files are spoilt: scores, or an error that names the file; never a traceback."""

from __future__ import annotations

import json
import os
import random
import re
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from sentimon.errors import ModelError
from sentimon.scoring.onnx_backend import OnnxScorer
from tests.support.onnx_folders import write_folder
from tests.support.spoilt_files import ROUNDS, refusal, spoil

FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "model.onnx")


def score(path: Path) -> None:
    scorer = OnnxScorer.load(path.parent, name=str(path.parent))
    scorer.score(["so good", "", "bad " * 40])


@pytest.mark.parametrize("name", FILES)
def test_a_spoilt_model_scores_or_is_named(tmp_path: Path, name: str) -> None:
    chance, path = random.Random(name), write_folder(tmp_path) / name
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps({"model_max_length": 10**30}), encoding="utf-8"
    )
    good = path.read_bytes()
    score(path)
    for number in range(ROUNDS):
        path.write_bytes(spoil(chance, good))
        told = refusal(score, path)
        case = f"round {number}: {path.read_bytes()[:2000]!r}: {told!r}"
        named = isinstance(told, ModelError) and str(tmp_path) in told.message and told.hint
        assert told is None or named, case


@pytest.mark.parametrize("name", FILES)
def test_a_pipe_in_a_model_is_refused_at_once(tmp_path: Path, name: str) -> None:
    path = write_folder(tmp_path) / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    told = refusal(score, path)
    assert told is not None
    assert f"{path}: " in told.message


@pytest.mark.parametrize(
    "change",
    [
        {"max_position_embeddings": -5},
        {"max_position_embeddings": 2},
        {"max_position_embeddings": 4, "model_type": "roberta"},
        {"sentimon": "x"},
        {"id2label": {"0": "negative", "2": "neutral", "3": "positive"}},
    ],
)
def test_a_configuration_that_cannot_be_is_named(tmp_path: Path, change: dict[str, object]) -> None:
    folder = write_folder(tmp_path)
    content = json.loads((folder / "config.json").read_text(encoding="utf-8")) | change
    (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ModelError, match=r"config\.json: "):
        score(folder / "config.json")


@pytest.mark.parametrize("longest", ["1e400", "Infinity", "NaN", "1e30", "null"])
def test_a_tokenizer_without_a_longest_text_leaves_it_to_the_model(tmp_path: Path, longest: str) -> None:
    write_folder(tmp_path)
    known = OnnxScorer.load(tmp_path, name="m").limit
    content = f'{{"model_max_length": {longest}}}'
    (tmp_path / "tokenizer_config.json").write_text(content, encoding="utf-8")
    told = refusal(lambda path: OnnxScorer.load(path, name="m"), tmp_path)
    assert told is not None if longest == "NaN" else OnnxScorer.load(tmp_path, name="m").limit == known


@pytest.mark.parametrize("name", [b"logits", b"input_ids", b"batch"])
def test_a_name_in_the_graph_that_is_no_text_is_an_error_and_nothing_is_printed(
    tmp_path: Path, name: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write_folder(tmp_path) / "model.onnx"
    path.write_bytes(path.read_bytes().replace(name, b"\xca" + name[1:]))
    with pytest.raises(ModelError, match=re.escape(str(path))):
        score(path)
    assert capfd.readouterr() == ("", "")


def test_a_regular_expression_that_makes_the_library_panic_is_named(tmp_path: Path) -> None:
    path = write_folder(tmp_path) / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    split = {"type": "Split", "pattern": {"Regex": "(x+x+)+y"}, "behavior": "Isolated", "invert": False}
    path.write_text(json.dumps(content | {"pre_tokenizer": split}), encoding="utf-8")
    scorer = OnnxScorer.load(tmp_path, name=str(tmp_path))
    with pytest.raises(ModelError, match=r"tokenizer\.json: not a tokenizer: .*retry-limit"):
        scorer.score(["x" * 40])


def constant_model(values: object, shape: list[object]) -> bytes:
    """Return a model whose logits are always `values`."""
    array = np.array(values, dtype=np.float32)
    nodes = [helper.make_node("Identity", ["values"], ["logits"])]
    field = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "length"])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "same", [field], [logits], [numpy_helper.from_array(array, "values")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    content: bytes = model.SerializeToString()
    return content


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        ([1.0, 2.0, 3.0], [3]),
        ([[1.0, 2.0, np.inf]], ["batch", 3]),
        ([[1.0, 2.0, np.nan]], ["batch", 3]),
        ([[1.0, 2.0, -np.inf]], ["batch", 3]),
        ([[1.0, 2.0]], ["batch", "outputs"]),
    ],
)
def test_logits_that_are_no_row_of_finite_numbers_are_named(
    tmp_path: Path, values: object, shape: list[object]
) -> None:
    folder = write_folder(tmp_path)
    (folder / "model.onnx").write_bytes(constant_model(values, shape))
    with pytest.raises(ModelError, match=re.escape(str(tmp_path))):
        score(folder / "model.onnx")
