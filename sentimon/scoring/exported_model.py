"""The files of an exported model, opened and checked: do they hold a text classifier, and fit together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, TypeVar

import msgspec
from tokenizers import Tokenizer

from sentimon.errors import ModelError, StoreError
from sentimon.files import MOST_MODEL_TEXT, is_there, open_regular, read_file
from sentimon.scoring.onnx_runtime import ort, ort_errors

MODEL_FILE, TOKENIZER_FILE, CONFIG_FILE = "model.onnx", "tokenizer.json", "config.json"
TOKENIZER_CONFIG_FILE = "tokenizer_config.json"
OUTPUT = "logits"
INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})
LONGEST = 512
"""Tokens that a model reads whose files do not say."""
OFFSET_FAMILIES = ("roberta", "xlm-roberta", "camembert", "bertweet", "xlm-roberta-xl", "longformer")
"""Model types that number positions from the padding id + 1, so two of their positions hold no token."""
_NUMBERS = ("tensor(float)", "tensor(float16)", "tensor(double)")
_EXPORTED = "name a folder with an exported model"
RUNTIME_ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoSuchFile,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
    # A damaged name or message of the graph, which is no text.
    UnicodeDecodeError,
)


T = TypeVar("T")


class Ours(msgspec.Struct, frozen=True):
    """What our own export says beside what transformers would."""

    optimised: bool = False


class _TokenizerConfig(msgspec.Struct, frozen=True):
    model_max_length: Annotated[float, msgspec.Meta(ge=1)] | None = None


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
    _check_file(path)
    try:
        # By itself the library prints what fails, and tries the same once more.
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"], enable_fallback=0)
    except RUNTIME_ERRORS as error:
        raise ModelError(
            f"{path}: ONNX Runtime cannot load it: {error}", hint="export the model again"
        ) from error


def check_graph(session: ort.InferenceSession, classes: int, path: Path) -> None:
    """Do nothing where a graph is a text classifier with that many classes.

    Raises:
        ModelError: it gives or asks for something else.
    """
    try:
        outputs = {one.name: (one.type, one.shape) for one in session.get_outputs()}
        inputs = {one.name for one in session.get_inputs()}
    except UnicodeDecodeError as error:
        raise ModelError(f"{path}: a name in it is no text: {error}", hint="export it again") from error
    if OUTPUT not in outputs:
        raise ModelError(
            f"{path}: has no output {OUTPUT!r}, only {', '.join(outputs)}", hint="export it again"
        )
    kind, shape = outputs[OUTPUT]
    # The shape is empty where the graph does not say; then each answer is looked at.
    if kind not in _NUMBERS or len(shape or (0, 0)) != 2:
        raise ModelError(
            f"{path}: its output {OUTPUT!r} is {kind} of shape {shape}, not a row of numbers a text",
            hint="export it as a text classifier",
        )
    width = shape[-1] if shape else None
    if isinstance(width, int) and width != classes:
        raise ModelError(
            f"{path}: gives {width} numbers a text, config.json names {classes} labels",
            hint="the two files belong to different models",
        )
    strange = inputs - INPUTS
    if strange:
        raise ModelError(
            f"{path}: asks for {', '.join(sorted(strange))}", hint="export it as a text classifier"
        )


def open_tokenizer(path: Path) -> Tokenizer:
    """Return the tokenizer, which cuts and pads nothing.

    Raises:
        ModelError: there is none, or it is broken.
    """
    content = _content(path)
    try:
        with panics_named(path):
            tokenizer = Tokenizer.from_buffer(content)
    except ValueError as error:
        raise ModelError(f"{path}: not a tokenizer: {error}", hint="export the model again") from error
    # exported tokenizers may carry both; what is cut is to be counted, and nothing is padded here
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


class _Pieces(msgspec.Struct, frozen=True):
    unk_id: int | None = None


class _TokenizerFile(msgspec.Struct, frozen=True):
    model: _Pieces = _Pieces()


def unknown_piece(path: Path, tokenizer: Tokenizer) -> int | None:
    """Return the piece that stands for what has none of its own; None if there is no such piece.

    The tokenizer was opened from that file: one of a unigram model does not tell it otherwise.
    """
    name = getattr(tokenizer.model, "unk_token", None)
    if name is not None:
        return tokenizer.token_to_id(name)
    try:
        return msgspec.json.decode(_content(path), type=_TokenizerFile).model.unk_id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises:
        ModelError: there is none.
    """
    try:
        content = json.loads(_content(path))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: cannot be read: {error}", hint=_EXPORTED) from error
    if not isinstance(content, dict):
        raise ModelError(f"{path}: not a JSON object", hint=_EXPORTED)
    return content


def _content(path: Path) -> bytes:
    try:
        return read_file(path, hint=_EXPORTED, most=MOST_MODEL_TEXT)
    except StoreError as error:
        raise ModelError(error.message, hint=error.hint) from error


def _check_file(path: Path) -> None:
    """Do nothing where a library may open `path` by itself.

    Raises:
        ModelError: it is no regular file, or may not be read.
    """
    try:
        open_regular(path).close()
    except FileNotFoundError as error:
        raise ModelError(f"{path}: no such file", hint=_EXPORTED) from error
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}", hint=_EXPORTED) from error


class panics_named:  # noqa: N801 - used as a context, like those of contextlib
    """Turns what the tokenizers library raises beside ValueError into a ModelError that names `path`.

    A class, not an except clause: where a regular expression of a tokenizer is broken, the library panics,
    and that is a BaseException of a class that cannot be imported; other errors of it are `Exception`
    itself. Those two alone are meant here.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is Exception or (kind is not None and kind.__name__ == "PanicException"):
            reason = str(error).strip().split("\n")[0]
            raise ModelError(
                f"{self._path}: not a tokenizer: {reason}", hint="export the model again"
            ) from error


class Config(msgspec.Struct, frozen=True):
    """What is relied on of config.json."""

    id2label: dict[str, str]
    max_position_embeddings: Annotated[int, msgspec.Meta(ge=1)] | None = None
    model_type: str | None = None
    sentimon: Ours = Ours()


def read_config(folder: Path) -> Config:
    """Return the configuration of the model in `folder`.

    Raises:
        ModelError: there is none, or it says what cannot be.
    """
    path = folder / CONFIG_FILE
    return _converted(read_json(path), Config, path)


def _converted(content: Mapping[str, Any], kind: type[T], path: Path) -> T:
    try:
        return msgspec.convert(content, kind)
    # Half a surrogate pair, which JSON may spell, is no text.
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise ModelError(f"{path}: {error}", hint="export the model again") from error


def labels_of(config: Config, folder: Path) -> dict[int, str]:
    """Return the label of each output.

    Raises:
        ModelError: the configuration does not say.
    """
    labels = {int(index): label for index, label in config.id2label.items() if index.isdecimal()}
    if not labels or sorted(labels) != list(range(len(config.id2label))):
        raise ModelError(
            f"{folder / CONFIG_FILE}: id2label does not number its labels from 0 on",
            hint="export the model again",
        )
    return labels


def token_limit(config: Config, folder: Path, tokenizer: Tokenizer) -> int:
    """Return the most tokens that both the model's positions and its tokenizer allow.

    Raises:
        ModelError: that leaves no room for a text.
    """
    limit = config.max_position_embeddings or LONGEST
    if config.model_type in OFFSET_FAMILIES:
        limit -= 2
    beside = folder / TOKENIZER_CONFIG_FILE
    if is_there(beside):
        # transformers writes 1e30 here when it does not know
        longest = _converted(read_json(beside), _TokenizerConfig, beside).model_max_length or limit
        limit = int(min(limit, longest))
    if limit <= tokenizer.num_special_tokens_to_add(is_pair=False):
        raise ModelError(
            f"{folder / CONFIG_FILE}: with at most {limit} tokens the model reads no text",
            hint="export the model again",
        )
    return limit


def digest(folder: Path) -> str:
    """Return the first 12 hexadecimal digits of the SHA-256 of the weights and the tokenizer.

    It is computed and not taken from config.json, so that weights that were changed are another model.
    Both files have been opened before.
    """
    content = hashlib.sha256()
    for name in (MODEL_FILE, TOKENIZER_FILE):
        with open_regular(folder / name) as file:
            while part := file.read(1 << 20):
                content.update(part)
    return content.hexdigest()[:12]
