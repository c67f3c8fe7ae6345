"""Texts as token ids with transformers: how much of each a model reads, and how long each whole text is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn
from transformers import PreTrainedModel

from sentimon.errors import ModelError
from sentimon.scoring.unknown_letters import unknown_share, unknown_spans

DEFAULT_LIMIT = 512
"""Tokens read by a model that states no limit."""
_SANE = 1_000_000
# How many texts are tokenised at once: the tokenizer's own record of a token takes some 100 bytes.
_AT_ONCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenisedText:
    """The part of a text that the model reads, and the length of the whole in tokens."""

    ids: list[int]
    type_ids: list[int] | None
    whole: int
    unknown: float = 0.0
    """The share of its letters, as far as they are read, that the tokenizer has no pieces for."""


def length_limit(tokenizer: Any, model: PreTrainedModel) -> int:
    """Return the most tokens the model can read: 512 for RoBERTa, although it has 514 positions.

    Models of the RoBERTa family count positions from padding_idx + 1 on; their position embedding
    has a padding_idx, others' has none. A tokenizer without a limit of its own claims 10**30.
    """
    positions = getattr(model.config, "max_position_embeddings", None)
    limits = []
    if isinstance(positions, int) and positions > 0:
        limits.append(positions - _position_offset(model))
    if 0 < tokenizer.model_max_length < _SANE:
        limits.append(int(tokenizer.model_max_length))
    return min(limits, default=DEFAULT_LIMIT)


def _position_offset(model: PreTrainedModel) -> int:
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            return 0 if module.padding_idx is None else module.padding_idx + 1
    return 0


def check_vocabulary(tokenizer: Any, model: PreTrainedModel, name: str) -> None:
    """Refuse a tokenizer that cannot belong to the model.

    Raises:
        ModelError: it knows nothing but its special tokens (what transformers 5 makes of a folder
            without tokenizer files), or has more tokens than the model has embeddings.
    """
    if len(tokenizer) <= len(set(tokenizer.all_special_ids)):
        raise ModelError(
            f"{name} holds no vocabulary",
            hint="the folder needs tokenizer.json, or the vocabulary files of its tokenizer",
        )
    rows = model.get_input_embeddings().num_embeddings
    if len(tokenizer) > rows:
        raise ModelError(
            f"{name}: the tokenizer has {len(tokenizer)} tokens, the model only {rows} embeddings",
            hint="the tokenizer belongs to another model",
        )


def tokenise(texts: Sequence[str], tokenizer: Any, *, limit: int) -> Iterator[TokenisedText]:
    """Yield each text's first `limit` tokens, boundary tokens included, and its whole length.

    Every text is tokenised once, however long it is. A tokenizer that makes nothing of an empty text
    gets one boundary or padding token, so that there is an answer.
    """
    read = _read_fast if tokenizer.is_fast else _read_slow
    for start in range(0, len(texts), _AT_ONCE):
        for one in read(texts[start : start + _AT_ONCE], tokenizer, limit):
            yield one if one.ids else _only_boundary(tokenizer)


def _read_fast(texts: Sequence[str], tokenizer: Any, limit: int) -> Iterator[TokenisedText]:
    added = tokenizer.num_special_tokens_to_add()
    read = tokenizer(list(texts), truncation=True, max_length=limit)
    types = read.get("token_type_ids")
    for at, (text, encoding) in enumerate(zip(texts, read.encodings, strict=True)):
        # What was cut off comes in pieces that have boundary tokens of their own.
        rest = sum(len(piece) - added for piece in encoding.overflowing)
        yield TokenisedText(
            ids=read["input_ids"][at],
            type_ids=types[at] if types else None,
            whole=len(encoding) + rest,
            unknown=_unknown_share(text, encoding, tokenizer.unk_token_id),
        )


def _unknown_share(text: str, encoding: Any, unknown: int | None) -> float:
    # The special tokens around the text may have the same number, and lie nowhere in it.
    if unknown is None or unknown not in encoding.ids:
        return 0.0
    offsets = encoding.offsets
    read = text[: max(after for _, after in offsets)]
    return unknown_share(read, unknown_spans(encoding.ids, offsets, unknown))


def _read_slow(texts: Sequence[str], tokenizer: Any, limit: int) -> Iterator[TokenisedText]:
    added = tokenizer.num_special_tokens_to_add()
    for text in texts:
        content = tokenizer(text, add_special_tokens=False)["input_ids"]
        read = tokenizer.prepare_for_model(content, truncation=True, max_length=limit)
        yield TokenisedText(
            ids=read["input_ids"],
            type_ids=read.get("token_type_ids"),
            whole=len(content) + added,
            # Such a tokenizer does not say where a piece lies in the text.
            unknown=content.count(tokenizer.unk_token_id) / max(len(content), 1),
        )


def _only_boundary(tokenizer: Any) -> TokenisedText:
    known = (tokenizer.eos_token_id, tokenizer.pad_token_id, 0)
    return TokenisedText(ids=[next(one for one in known if one is not None)], type_ids=None, whole=0)
