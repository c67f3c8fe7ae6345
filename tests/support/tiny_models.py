"""Tiny sequence-classification models on disk, in the shapes that real repositories have; seeded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2ForSequenceClassification,
    PreTrainedModel,
    RobertaConfig,
    RobertaForSequenceClassification,
)

NAMED = {0: "negative", 1: "neutral", 2: "positive"}
NUMBERED = {0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}
STARS = {0: "1 star", 1: "2 stars", 2: "3 stars", 3: "4 stars", 4: "5 stars"}
UNKNOWN = {0: "sarcasm", 1: "sincere", 2: "cannot say"}

_MERGES = ["Ġ t", "h e", "i n", "Ġt he", "Ġ a", "r e", "o o", "g oo"]
_SPECIAL = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "cls_token": "<s>",
    "mask_token": {"content": "<mask>", "single_word": False, "lstrip": True, "rstrip": False},
}


def cardiffnlp_roberta(folder: Path, *, id2label: Mapping[int, str] = NAMED) -> Path:
    """Write what cardiffnlp/twitter-roberta-base-sentiment-latest holds: no tokenizer.json, only a `.bin`.

    514 positions, of which RoBERTa can use 512.
    """
    model = roberta(id2label)
    _write_config(folder, model)
    write_byte_level_bpe(folder)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    return folder


def safetensors_roberta(folder: Path, *, id2label: Mapping[int, str] = NUMBERED, **config: object) -> Path:
    """Write a RoBERTa with safetensors, as `save_pretrained` leaves it."""
    model = roberta(id2label, **config)
    model.save_pretrained(folder)
    write_byte_level_bpe(folder)
    return folder


def bert(folder: Path, *, id2label: Mapping[int, str] = NAMED) -> Path:
    """Write a BERT of 64 positions with a WordPiece vocabulary of single characters."""
    letters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{one}" for one in letters)]
    config = BertConfig(
        vocab_size=len(vocabulary), max_position_embeddings=64, id2label=dict(id2label), **_small()
    )
    _seeded(BertForSequenceClassification, config).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    return folder


def gpt2_without_padding(folder: Path) -> Path:
    """Write a GPT-2 classifier whose tokenizer has neither a padding token nor boundary tokens."""
    config = GPT2Config(
        vocab_size=5 + 256 + len(_MERGES), n_positions=32, n_embd=32, n_layer=2, n_head=2,
        bos_token_id=0, eos_token_id=2, id2label=dict(NAMED),
    )  # fmt: skip
    _seeded(GPT2ForSequenceClassification, config).save_pretrained(folder)
    write_byte_level_bpe(folder)
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    (folder / "special_tokens_map.json").write_text(json.dumps(special), encoding="utf-8")
    return folder


def bertweet(folder: Path) -> Path:
    """Write a RoBERTa with the tokenizer of BERTweet, which exists in Python only."""
    roberta(NAMED).save_pretrained(folder)
    edit_config(folder, tokenizer_class="BertweetTokenizer")
    letters = "abcdefghijklmnopqrstuvwxyz"
    lines = [f"{letter}{end} 1" for letter in letters for end in ("", "@@")]
    (folder / "vocab.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "bpe.codes").write_text("t h 9\n", encoding="utf-8")
    return folder


def hub_cache(cache: Path, name: str, commit: str) -> Path:
    """Lay out the local HuggingFace cache as a download of model `name` leaves it; return the snapshot."""
    repository = cache / f"models--{name.replace('/', '--')}"
    snapshot = repository / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit, encoding="utf-8")
    return snapshot


def roberta(id2label: Mapping[int, str], **config: object) -> PreTrainedModel:
    """Return a RoBERTa of two layers over the bytes, 514 positions."""
    settings = {"max_position_embeddings": 514, "type_vocab_size": 1, "id2label": dict(id2label), **config}
    return _seeded(
        RobertaForSequenceClassification,
        RobertaConfig(vocab_size=5 + 256 + len(_MERGES), layer_norm_eps=1e-5, **_small(), **settings),
    )


def write_byte_level_bpe(folder: Path) -> None:
    """Write vocab.json, merges.txt and special_tokens_map.json: the 256 bytes and a few merges."""
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *_byte_letters()]
    tokens += [merge.replace(" ", "") for merge in _MERGES] + ["<mask>"]
    vocabulary = {token: at for at, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *_MERGES]) + "\n", encoding="utf-8")
    (folder / "special_tokens_map.json").write_text(json.dumps(_SPECIAL), encoding="utf-8")


def edit_config(folder: Path, **changes: object) -> Path:
    """Change keys of a model's config.json; None removes one."""
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8")) | changes
    kept = {key: value for key, value in config.items() if value is not None}
    path.write_text(json.dumps(kept), encoding="utf-8")
    return folder


def _small() -> dict[str, object]:
    return {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        # Ten times the usual spread, or all texts would score alike.
        "initializer_range": 0.2,
    }


def _seeded(kind: type[PreTrainedModel], config: object) -> PreTrainedModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(20_260)
        return kind(config).eval()


def _write_config(folder: Path, model: PreTrainedModel) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    config = model.config.to_dict()
    config["architectures"] = [type(model).__name__]
    # That repository's config was written by transformers 4.13.
    config |= {"transformers_version": "4.13.0.dev0", "torch_dtype": "float32"}
    config.pop("dtype", None)
    (folder / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")


def _byte_letters() -> list[str]:
    """Return the letter that byte-level BPE writes for each of the 256 bytes, in byte order."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]
