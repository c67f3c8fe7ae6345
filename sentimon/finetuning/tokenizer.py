"""The tokenizer of our own models: unigram word pieces, as SentencePiece cuts them."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")
"""The first four pieces, at ids 0 to 3."""
PAD_ID, UNKNOWN_ID = SPECIALS.index("<pad>"), SPECIALS.index("<unk>")
METASPACE = "\u2581"
"""Stands for the space before a word."""


def build_tokenizer(pieces: Sequence[tuple[str, float]]) -> Tokenizer:
    """Return a unigram tokenizer over (piece, log-probability) pairs that puts <s> and </s> around a text."""
    tokenizer = Tokenizer(models.Unigram(list(pieces), unk_id=UNKNOWN_ID, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=METASPACE, prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        special_tokens=[("<s>", SPECIALS.index("<s>")), ("</s>", SPECIALS.index("</s>"))],
    )
    tokenizer.add_special_tokens(list(SPECIALS))
    return tokenizer


def encode_texts(tokenizer: Tokenizer, texts: Sequence[str], *, limit: int) -> list[list[int]]:
    """Return the token ids of each text, at most `limit`; a long text keeps its closing token."""
    found = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
    return [ids if len(ids) <= limit else [*ids[: limit - 1], ids[-1]] for ids in found]
