"""The ONNX backend: a folder with model.onnx, tokenizer.json and config.json, without torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors
from tokenizers import Encoding, Tokenizer

from sentimon.errors import ModelError
from sentimon.labels import Sentiment
from sentimon.scoring.labelmap import map_labels
from sentimon.scoring.normalise import normalise
from sentimon.scoring.scores import ScoredText, Scores

MODEL_FILE, TOKENIZER_FILE, CONFIG_FILE = "model.onnx", "tokenizer.json", "config.json"
TOKENIZER_CONFIG_FILE = "tokenizer_config.json"
LONGEST = 512
"""Tokens that a model reads whose files do not say."""
OFFSET_FAMILIES = ("roberta", "xlm-roberta", "camembert", "bertweet", "xlm-roberta-xl", "longformer")
"""Model types that number positions from the padding id + 1, so two of their positions hold no token."""
LOAD_ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoSuchFile,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxScorer:
    """Scores texts with an exported classifier, each text in a run of its own.

    Eight-bit models take the ranges of their activations from what a run holds, so a text among
    others would score otherwise than alone, by up to 0.06. One text a run has no such neighbours and
    no padding; what runs in parallel is texts, on threads that share one session.
    """

    model: str
    revision: str
    session: ort.InferenceSession
    tokenizer: Tokenizer
    classes: tuple[Sentiment, ...]
    limit: int
    """Most tokens the model reads of a text."""
    threads: int

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        name: str,
        threads: int | None = None,
        label_map: Mapping[str, str] | None = None,
    ) -> OnnxScorer:
        """Return the scorer of the model in `folder`; `threads` None: one per core.

        Raises:
            ModelError: a file is missing or broken, or the labels cannot be mapped.
        """
        config = _read_json(folder / CONFIG_FILE)
        ours = config.get("sentimon", {})
        return cls(
            model=name,
            revision=ours.get("revision") or _digest(folder / MODEL_FILE),
            session=_open_session(folder / MODEL_FILE, optimised=ours.get("optimised", False)),
            tokenizer=_open_tokenizer(folder / TOKENIZER_FILE),
            classes=map_labels(_labels(config, folder), label_map=label_map),
            limit=_limit(config, folder),
            threads=threads or cpu_count() or 1,
        )

    def score(self, texts: Sequence[str]) -> list[ScoredText]:
        """Return one result a text, in input order; raw texts, normalised inside.

        The same text gives the same scores to the last bit, alone and among others, on any number of
        threads.
        """
        encodings = self.tokenizer.encode_batch([normalise(text) for text in texts])
        if len(encodings) == 1 or self.threads == 1:
            return [self._score_one(encoding) for encoding in encodings]
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(self._score_one, encodings))

    def _score_one(self, encoding: Encoding) -> ScoredText:
        tokens = len(encoding.ids)
        ids, types = _cut(encoding, self.limit)
        fields = {"input_ids": ids, "attention_mask": [1] * len(ids), "token_type_ids": types}
        asked = {field.name for field in self.session.get_inputs()}
        feed = {name: np.array([values], dtype=np.int64) for name, values in fields.items() if name in asked}
        (logits,) = self.session.run(["logits"], feed)
        return ScoredText(
            scores=Scores.from_probabilities(_probabilities(logits[0], self.classes)),
            tokens=tokens,
            truncated=tokens > self.limit,
        )


def _cut(encoding: Encoding, limit: int) -> tuple[list[int], list[int]]:
    """Return token ids and types, at most `limit`: the end of the text goes, its closing tokens stay."""
    ids, types = encoding.ids, encoding.type_ids
    if len(ids) <= limit:
        return ids, types
    closing = next((i for i, special in enumerate(reversed(encoding.special_tokens_mask)) if not special), 0)
    kept = limit - closing
    return ids[:kept] + ids[len(ids) - closing :], types[:kept] + types[len(ids) - closing :]


def _probabilities(logits: NDArray[np.float32], classes: Sequence[Sentiment]) -> list[float]:
    """Return the softmax of one text's logits, summed over the outputs of each class, (3,)."""
    exponentials = np.exp(logits.astype(np.float64) - logits.max())
    shares = exponentials / exponentials.sum()
    sums = [0.0] * len(Sentiment)
    for sentiment, share in zip(classes, shares.tolist(), strict=True):
        sums[sentiment] += share
    return [min(total, 1.0) for total in sums]


def _open_session(path: Path, *, optimised: bool) -> ort.InferenceSession:
    """Return a session that runs on the thread that calls it.

    A graph that was exported `optimised` is taken as it is: optimising it again at each start
    would cost more than it finds.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    levels = ort.GraphOptimizationLevel
    options.graph_optimization_level = levels.ORT_DISABLE_ALL if optimised else levels.ORT_ENABLE_ALL
    if not path.is_file():
        raise ModelError(f"{path}: no such file", hint="name a folder with an exported model")
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except LOAD_ERRORS as error:
        raise ModelError(
            f"{path}: ONNX Runtime cannot load it: {error}", hint="export the model again"
        ) from error


def _open_tokenizer(path: Path) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_buffer(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: not a tokenizer: {error}", hint="export the model again") from error
    # exported tokenizers may carry both; what is cut is to be counted, and nothing is padded here
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{path}: cannot be read: {error}", hint="name a folder with an exported model"
        ) from error
    if not isinstance(content, dict):
        raise ModelError(f"{path}: not a JSON object")
    return content


def _labels(config: Mapping[str, Any], folder: Path) -> dict[int, str]:
    try:
        return {int(index): str(label) for index, label in config["id2label"].items()}
    except (KeyError, ValueError, AttributeError) as error:
        raise ModelError(f"{folder / CONFIG_FILE}: no usable id2label: {error!r}") from error


def _limit(config: Mapping[str, Any], folder: Path) -> int:
    """Return the most tokens that both the model's positions and its tokenizer allow."""
    limit = int(config.get("max_position_embeddings") or LONGEST)
    if config.get("model_type") in OFFSET_FAMILIES:
        limit -= 2
    beside = folder / TOKENIZER_CONFIG_FILE
    if beside.is_file():
        # transformers writes 1e30 here when it does not know
        limit = min(limit, int(_read_json(beside).get("model_max_length") or limit))
    return limit


def _digest(path: Path) -> str:
    """Return the first 12 hexadecimal digits of the SHA-256 of a file, or an empty name if there is none."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]
