"""A checkpoint's config, network and tokenizer, loaded without running anything that came with them."""

from __future__ import annotations

import pickle
from types import TracebackType
from typing import Any

from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel

from sentimon.errors import ModelError
from sentimon.scoring.checkpoint_files import PICKLED_WEIGHTS, Checkpoint

# What transformers raises for files that are damaged or do not fit together.
BROKEN = (
    OSError, ValueError, RuntimeError, LookupError, TypeError, AttributeError, ImportError, SafetensorError,
    EOFError, ArithmeticError,
)  # fmt: skip
_LIBRARIES = ("huggingface_hub.", "transformers.", "torch.")
"""Packages whose own errors derive from none of these: the hub's check of the types in a config, for one."""


def load_config(checkpoint: Checkpoint) -> Any:
    """Return the transformers config of a model that gives one label a text the probability of each.

    Raises:
        ModelError: it cannot be read, or is of another kind of model: a language model, a regression,
            a multi-label classifier.
    """
    with _Loading(checkpoint):
        config = AutoConfig.from_pretrained(checkpoint.folder, local_files_only=True, trust_remote_code=False)
    kinds = config.architectures or []
    if kinds and not any("ForSequenceClassification" in kind for kind in kinds):
        raise ModelError(
            f"{checkpoint.name} is a {', '.join(kinds)}, not a sequence-classification model",
            hint="name a model that was fine-tuned to classify sentiment",
        )
    if config.problem_type == "multi_label_classification":
        raise ModelError(
            f"{checkpoint.name} gives each label a probability of its own (multi-label), not one of several",
            hint="sentiment needs a model whose probabilities sum to 1",
        )
    if config.num_labels < 2 or config.problem_type == "regression":
        raise ModelError(
            f"{checkpoint.name} gives one number (regression), not the probabilities of classes",
            hint="name a model that was fine-tuned to classify sentiment",
        )
    if not all(isinstance(label, str) for label in config.id2label.values()):
        raise ModelError(
            f"{checkpoint.name}: its config.json has a label in id2label that is no text",
            hint="get or export the model again",
        )
    return config


def load_network(checkpoint: Checkpoint, config: Any) -> PreTrainedModel:
    """Return the network with its trained weights, in float32 and eval mode, on the CPU.

    Raises:
        ModelError: the weights are damaged, do not fit, lack some, or are a pickle of more than weights.
    """
    with _Loading(checkpoint):
        network, loading = AutoModelForSequenceClassification.from_pretrained(
            checkpoint.folder,
            config=config,
            local_files_only=True,
            trust_remote_code=False,
            weights_only=True,
            output_loading_info=True,
        )
    if loading["missing_keys"]:
        # transformers fills what is missing with random numbers, and only says so in its log.
        raise ModelError(
            f"{checkpoint.name} lacks trained weights: {', '.join(sorted(loading['missing_keys'])[:3])}",
            hint="name a model that was fine-tuned to classify sentiment",
        )
    # transformers 5 keeps the type of the checkpoint; half precision would make a text's scores
    # depend on its batch.
    whole: PreTrainedModel = network.eval().float()
    return whole


def load_tokenizer(checkpoint: Checkpoint, config: Any) -> Any:
    """Return the tokenizer: from tokenizer.json, or built from the vocabulary files.

    Raises:
        ModelError: its files are damaged or do not fit together.
    """
    with _Loading(checkpoint):
        return AutoTokenizer.from_pretrained(
            checkpoint.folder, config=config, local_files_only=True, trust_remote_code=False
        )


def _is_refused_pickle(error: BaseException | None) -> bool:
    """Return whether torch met anything but weights; transformers 4 hides that behind errors of its own."""
    while error is not None:
        if isinstance(error, pickle.UnpicklingError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_of_libraries(error: BaseException) -> bool:
    """Return whether a library raised it for a broken file."""
    kind = type(error)
    if kind is Exception or isinstance(error, BROKEN):
        return True
    # The tokenizers library panics where a regular expression is broken: a BaseException.
    return kind.__name__ == "PanicException" or kind.__module__.startswith(_LIBRARIES)


class _Loading:
    """Turns what the libraries raise for broken files into a ModelError.

    A class, not an except clause: the tokenizers library raises `Exception` itself, and that class
    alone is meant here, not everything that derives from it.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        if _is_refused_pickle(error):
            raise ModelError(
                f"{self.checkpoint.name}: {PICKLED_WEIGHTS[0]} is refused, and nothing in it was run:"
                " it is a pickle that holds more than weights, or damaged",
                hint="a pickle can run any program; get the model as safetensors",
            ) from error
        if _is_of_libraries(error):
            reason = (str(error).strip() or type(error).__name__).split("\n")[0]
            if "trust_remote_code" in str(error):
                reason = "it needs program code of its own, which is never run"
            raise ModelError(
                f"{self.checkpoint.name} cannot be loaded: {reason}",
                hint=f"look at the files in {self.checkpoint.folder}, or name another model",
            ) from error
