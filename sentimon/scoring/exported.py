"""The files of an exported model, opened and checked: do they hold a text classifier, and fit together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from sentimon.errors import ModelError
from sentimon.scoring.runtime import ort, ort_errors

MODEL_FILE, TOKENIZER_FILE, CONFIG_FILE = "model.onnx", "tokenizer.json", "config.json"
TOKENIZER_CONFIG_FILE = "tokenizer_config.json"
OUTPUT = "logits"
INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})
LONGEST = 512
"""Tokens that a model reads whose files do not say."""
OFFSET_FAMILIES = ("roberta", "xlm-roberta", "camembert", "bertweet", "xlm-roberta-xl", "longformer")
"""Model types that number positions from the padding id + 1, so two of their positions hold no token."""
RUNTIME_ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoSuchFile,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)


def open_session(path: Path, *, optimised: bool) -> ort.InferenceSession:
    """Return a session that runs on the thread that calls it.

    A graph that was exported `optimised` is taken as it is: optimising it again at each start
    would cost more than it finds.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Four is fatal: what goes wrong is said in our own words.
    options.log_severity_level = 4
    levels = ort.GraphOptimizationLevel
    options.graph_optimization_level = levels.ORT_DISABLE_ALL if optimised else levels.ORT_ENABLE_ALL
    if not path.is_file():
        raise ModelError(f"{path}: no such file", hint="name a folder with an exported model")
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except RUNTIME_ERRORS as error:
        raise ModelError(
            f"{path}: ONNX Runtime cannot load it: {error}", hint="export the model again"
        ) from error


def check_graph(session: ort.InferenceSession, classes: int, path: Path) -> None:
    """Do nothing where a graph is a text classifier with that many classes.

    Raises:
        ModelError: it gives or asks for something else.
    """
    outputs = {one.name: one.shape for one in session.get_outputs()}
    if OUTPUT not in outputs:
        raise ModelError(
            f"{path}: has no output {OUTPUT!r}, only {', '.join(outputs)}", hint="export it again"
        )
    width = outputs[OUTPUT][-1] if outputs[OUTPUT] else None
    if isinstance(width, int) and width != classes:
        raise ModelError(
            f"{path}: gives {width} numbers a text, config.json names {classes} labels",
            hint="the two files belong to different models",
        )
    strange = {one.name for one in session.get_inputs()} - INPUTS
    if strange:
        raise ModelError(
            f"{path}: asks for {', '.join(sorted(strange))}", hint="export it as a text classifier"
        )


def open_tokenizer(path: Path) -> Tokenizer:
    """Return the tokenizer, which cuts and pads nothing.

    Raises:
        ModelError: there is none, or it is broken.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such file", hint="name a folder with an exported model")
    try:
        tokenizer = Tokenizer.from_buffer(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: not a tokenizer: {error}", hint="export the model again") from error
    # exported tokenizers may carry both; what is cut is to be counted, and nothing is padded here
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises:
        ModelError: there is none.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{path}: cannot be read: {error}", hint="name a folder with an exported model"
        ) from error
    if not isinstance(content, dict):
        raise ModelError(f"{path}: not a JSON object")
    return content


def labels_of(config: Mapping[str, Any], folder: Path) -> dict[int, str]:
    """Return the label of each output.

    Raises:
        ModelError: the configuration does not say.
    """
    try:
        return {int(index): str(label) for index, label in config["id2label"].items()}
    except (KeyError, ValueError, AttributeError) as error:
        raise ModelError(f"{folder / CONFIG_FILE}: no usable id2label: {error!r}") from error


def token_limit(config: Mapping[str, Any], folder: Path) -> int:
    """Return the most tokens that both the model's positions and its tokenizer allow."""
    limit = int(config.get("max_position_embeddings") or LONGEST)
    if config.get("model_type") in OFFSET_FAMILIES:
        limit -= 2
    beside = folder / TOKENIZER_CONFIG_FILE
    if beside.is_file():
        # transformers writes 1e30 here when it does not know
        limit = min(limit, int(read_json(beside).get("model_max_length") or limit))
    return limit


def digest(folder: Path) -> str:
    """Return the first 12 hexadecimal digits of the SHA-256 of the weights and the tokenizer.

    It is computed and not taken from config.json, so that weights that were changed are another model.
    Both files have been opened before.
    """
    content = hashlib.sha256()
    for name in (MODEL_FILE, TOKENIZER_FILE):
        content.update((folder / name).read_bytes())
    return content.hexdigest()[:12]
