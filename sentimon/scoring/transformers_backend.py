"""Any sequence-classification model of HuggingFace as a Scorer, on transformers and torch."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import transformers

from sentimon.config.settings import ModelSettings
from sentimon.errors import ModelError
from sentimon.labels import Sentiment
from sentimon.scoring.checkpoint_files import fetch_weights, find_checkpoint
from sentimon.scoring.label_map import map_labels
from sentimon.scoring.length_batches import plan_batches, run_batches
from sentimon.scoring.normalise import readable
from sentimon.scoring.pretrained_model import BROKEN, load_config, load_network, load_tokenizer
from sentimon.scoring.scores import ScoredText, Scores
from sentimon.scoring.tokenisation import TokenisedText, check_vocabulary, length_limit, tokenise

MAX_TOKENS = {"cpu": 4_096, "cuda": 65_536, "mps": 16_384}
"""Most tokens in a batch, padding included, on each kind of device."""
_MEMORY_WORDS = ("out of memory", "can't allocate memory", "not enough memory")


@dataclass(frozen=True, slots=True, kw_only=True)
class HuggingFaceScorer:
    """Scores texts with a model of transformers: float32, on the GPU if there is one."""

    model: str
    revision: str
    classes: tuple[Sentiment, ...]
    """The class of each output of the network."""
    max_length: int
    """Most tokens of a text that are read, boundary tokens included."""
    batch_size: int
    max_unknown: float
    """Share of the letters of a text that may be unknown; with more the text is unreadable."""
    network: transformers.PreTrainedModel
    tokenizer: Any

    @classmethod
    def load(cls, settings: ModelSettings) -> HuggingFaceScorer:
        """Return the scorer of the model that `settings` names, ready to score.

        Makes transformers and the hub client quiet for the whole process, and sets torch's threads
        where `settings.threads` asks for a number.

        Raises:
            ModelError: the model cannot be found or loaded, is no classifier of sentiment, or its
                weights are a pickle that holds more than weights.
        """
        if settings.threads:
            torch.set_num_threads(settings.threads)
        with _silence():
            checkpoint = find_checkpoint(settings.name, settings.revision)
            config = load_config(checkpoint)
            classes = map_labels(config.id2label, label_map=settings.label_map)
            fetch_weights(checkpoint)
            network = load_network(checkpoint, config).to(_device())
            tokenizer = load_tokenizer(checkpoint, config)
        check_vocabulary(tokenizer, network, checkpoint.name)
        return cls(
            model=settings.name,
            revision=checkpoint.revision,
            classes=classes,
            max_length=length_limit(tokenizer, network),
            # Without a padding token, only a text alone has the same scores as a text alone.
            batch_size=1 if tokenizer.pad_token_id is None else settings.batch_size,
            max_unknown=settings.max_unknown,
            network=network,
            tokenizer=tokenizer,
        )

    def score(self, texts: Sequence[str]) -> list[ScoredText]:
        """Return one result a text, in input order; raw texts, normalised inside.

        Raises:
            ModelError: the model gives no finite number, or one text alone exceeds the memory.
        """
        with _silence():
            heads = [readable(text) for text in texts]
            read = [head for head, _ in heads]
            tokenised = list(tokenise(read, self.tokenizer, limit=self.max_length))
            found = self._in_batches(tokenised)
        return [self._result(one, found[at], cut=heads[at][1]) for at, one in enumerate(tokenised)]

    def _in_batches(self, texts: Sequence[TokenisedText]) -> dict[int, list[float]]:
        """Return the probability of each output by the position of the text."""
        lengths = [len(one.ids) for one in texts]
        most = MAX_TOKENS[self.network.device.type]
        batches = plan_batches(lengths, max_texts=self.batch_size, max_tokens=most)

        def run(batch: list[int]) -> list[list[float]]:
            return self._probabilities([texts[at] for at in batch])

        try:
            return dict(run_batches(batches, lengths, run, is_out_of_memory=_is_out_of_memory))
        except (RuntimeError, MemoryError) as error:
            if not _is_out_of_memory(error):
                raise
            raise ModelError(
                f"{self.model}: not enough memory for one text of {max(lengths)} tokens",
                hint="use a smaller model, or free memory",
            ) from error

    def _probabilities(self, batch: Sequence[TokenisedText]) -> list[list[float]]:
        """Return the probability of each output, shape (texts, outputs)."""
        inputs: dict[str, list[list[int]]] = {"input_ids": [one.ids for one in batch]}
        inputs["attention_mask"] = [[1] * len(one.ids) for one in batch]
        types = [one.type_ids for one in batch if one.type_ids is not None]
        if len(types) == len(batch):
            inputs["token_type_ids"] = types
        if len(batch) > 1:
            tensors = self.tokenizer.pad(inputs, return_tensors="pt")
        else:
            tensors = {name: torch.tensor(values) for name, values in inputs.items()}
        with torch.inference_mode():
            logits = self._logits({name: value.to(self.network.device) for name, value in tensors.items()})
            # In float64, so that the outputs of one class sum up without rounding to more than 1.
            probabilities: list[list[float]] = logits.cpu().double().softmax(dim=-1).tolist()
        return probabilities

    def _logits(self, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        try:
            logits: torch.Tensor = self.network(**tensors).logits
        except BROKEN as error:
            if _is_out_of_memory(error):
                raise
            reason = str(error).split("\n")[0]
            raise ModelError(
                f"{self.model}: cannot score: {reason}", hint="its config.json does not fit its weights"
            ) from error
        return logits

    def _result(self, text: TokenisedText, probabilities: Sequence[float], *, cut: bool) -> ScoredText:
        sums = [0.0, 0.0, 0.0]
        for sentiment, probability in zip(self.classes, probabilities, strict=True):
            sums[sentiment] += probability
        if any(math.isnan(one) for one in sums):
            raise ModelError(f"{self.model}: the output is not a number", hint="get its weights again")
        return ScoredText(
            scores=Scores.from_probabilities([min(one, 1.0) for one in sums]),
            tokens=text.whole,
            truncated=cut or text.whole > self.max_length,
            unknown=text.unknown,
            unreadable=text.unknown > self.max_unknown,
        )


def _device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _is_out_of_memory(error: BaseException) -> bool:
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or any(
        words in str(error).lower() for words in _MEMORY_WORDS
    )


@contextmanager
def _silence() -> Iterator[None]:
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()  # the hub client's too
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
