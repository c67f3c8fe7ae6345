"""The ONNX backend: a folder with model.onnx, tokenizer.json and config.json, without torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from sentimon.errors import ModelError
from sentimon.labels import Sentiment
from sentimon.scoring.exported_model import (
    CONFIG_FILE,
    MODEL_FILE,
    OUTPUT,
    RUNTIME_ERRORS,
    TOKENIZER_FILE,
    check_graph,
    digest,
    labels_of,
    open_session,
    open_tokenizer,
    panics_named,
    read_config,
    token_limit,
    unknown_piece,
)
from sentimon.scoring.label_map import map_labels
from sentimon.scoring.normalise import readable
from sentimon.scoring.onnx_runtime import ort
from sentimon.scoring.scores import ScoredText, Scores
from sentimon.scoring.unknown_letters import MAX_UNKNOWN, unknown_share, unknown_spans

AT_ONCE = 64
"""Texts that are tokenised at once."""


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
    unknown: int | None
    """The piece that stands for letters without one of their own; None: there is no such piece."""
    max_unknown: float
    """Share of the letters of a text that may be unknown; with more the text is unreadable."""

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        name: str,
        threads: int | None = None,
        label_map: Mapping[str, str] | None = None,
        max_unknown: float = MAX_UNKNOWN,
    ) -> OnnxScorer:
        """Return the scorer of the model in `folder`; `threads` None: one per core.

        A text with more unknown letters than the share `max_unknown` is marked as unreadable.

        Raises:
            ModelError: a file is missing or broken, or the labels cannot be mapped.
        """
        config = read_config(folder)
        labels = labels_of(config, folder)
        try:
            classes = map_labels(labels, label_map=label_map)
        except ModelError as error:
            raise ModelError(f"{folder / CONFIG_FILE}: {error.message}", hint=error.hint) from error
        session = open_session(folder / MODEL_FILE, optimised=config.sentimon.optimised)
        check_graph(session, len(classes), folder / MODEL_FILE)
        tokenizer = open_tokenizer(folder / TOKENIZER_FILE)
        return cls(
            model=name,
            revision=digest(folder),
            session=session,
            tokenizer=tokenizer,
            classes=classes,
            limit=token_limit(config, folder, tokenizer),
            threads=threads or cpu_count() or 1,
            unknown=unknown_piece(folder / TOKENIZER_FILE, tokenizer),
            max_unknown=max_unknown,
        )

    def score(self, texts: Sequence[str]) -> list[ScoredText]:
        """Return one result a text, in input order; raw texts, normalised inside.

        The same text gives the same scores to the last bit, alone and among others, on any number of
        threads.
        """
        read = [text for slice_ in _slices(texts) for text in self._read(slice_)]
        if len(read) == 1 or self.threads == 1:
            return [self._score_one(text) for text in read]
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(self._score_one, read))

    def _read(self, texts: Sequence[str]) -> list[_Read]:
        heads = [readable(text) for text in texts]
        with panics_named(Path(self.model) / TOKENIZER_FILE):
            encodings = self.tokenizer.encode_batch([head for head, _ in heads])
        return [
            _Read.of(encoding, self.limit, cut=cut, unknown=self._unknown_share(head, encoding))
            for encoding, (head, cut) in zip(encodings, heads, strict=True)
        ]

    def _unknown_share(self, text: str, encoding: Encoding) -> float:
        ids = encoding.ids
        # Mostly none is unknown, and where each piece lies is costly to ask for.
        if self.unknown is None or self.unknown not in ids:
            return 0.0
        return unknown_share(text, unknown_spans(ids, encoding.offsets, self.unknown))

    def _score_one(self, text: _Read) -> ScoredText:
        ids, types = text.ids, text.types
        fields = {"input_ids": ids, "attention_mask": [1] * len(ids), "token_type_ids": types}
        asked = {field.name for field in self.session.get_inputs()}
        feed = {name: np.array([values], dtype=np.int64) for name, values in fields.items() if name in asked}
        try:
            (logits,) = self.session.run([OUTPUT], feed)
        except RUNTIME_ERRORS as error:
            raise ModelError(
                f"{self.model}: ONNX Runtime cannot run it on {len(ids)} tokens: {error}",
                hint="its config.json must say how many positions it has",
            ) from error
        if logits.shape != (1, len(self.classes)) or not np.isfinite(logits).all():
            raise ModelError(
                f"{self.model}: gives no {len(self.classes)} finite numbers for a text",
                hint="its weights are damaged, or no text classifier's: get or export the model again",
            )
        return ScoredText(
            scores=Scores.from_probabilities(_probabilities(logits[0], self.classes)),
            tokens=text.tokens,
            truncated=text.truncated,
            unknown=text.unknown,
            unreadable=text.unknown > self.max_unknown,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What the model is given of a text: an encoding holds much more, and would fill the memory."""

    ids: list[int]
    types: list[int]
    tokens: int
    truncated: bool
    unknown: float

    @classmethod
    def of(cls, encoding: Encoding, limit: int, *, cut: bool, unknown: float) -> _Read:
        ids, types = _cut(encoding, limit)
        tokens = len(encoding.ids)
        return cls(ids=ids, types=types, tokens=tokens, truncated=cut or tokens > limit, unknown=unknown)


def _slices(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), AT_ONCE):
        yield texts[start : start + AT_ONCE]


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
