from dataclasses import replace

import numpy as np
import pytest
import torch

from sentimon.errors import ModelError
from sentimon.finetuning.tokenizer import METASPACE
from sentimon.finetuning.vocabulary_growth import add_pieces, grow_vocabulary
from tests.support.tiny_backbone import tiny_backbone
from tests.support.tiny_model import tiny_model


def larger_backbone():  # type: ignore[no-untyped-def]
    """The backbone of the tiny model, with two pieces more: a word and a letter in another script."""
    small = tiny_backbone()
    extra = np.full((2, small.tensors["emb.word"].shape[1]), 0.5, dtype=np.float32)
    return replace(
        small,
        pieces=[*small.pieces, f"{METASPACE}ات", "ت"],
        piece_scores=np.append(small.piece_scores, np.float32([-2.0, -3.0])),
        tensors=small.tensors | {"emb.word": np.concatenate([small.tensors["emb.word"], extra])},
    )


def test_texts_in_a_new_script_get_their_pieces_and_others_are_cut_and_judged_as_before() -> None:
    before = tiny_model()
    after = add_pieces(before, larger_backbone(), ["ات ات", "تت"], most=10)
    assert after.network.shape.vocabulary == before.network.shape.vocabulary + 2
    ids = before.encode(["good bad a!"], limit=32)
    assert after.encode(["good bad a!"], limit=32) == ids
    assert torch.equal(before.logits(ids), after.logits(ids))
    # The word, known as one piece, was unknown letters before.
    _, piece, _ = after.encode(["ات"], limit=32)[0]
    assert after.tokenizer.id_to_token(piece) == f"{METASPACE}ات"
    assert torch.equal(after.network.words.weight[piece], torch.full((64,), 0.5))


def test_no_more_pieces_are_added_than_asked_for_and_none_where_none_are_unknown() -> None:
    before = tiny_model()
    assert (
        add_pieces(before, larger_backbone(), ["ات تت"], most=1).network.shape.vocabulary
        == len(before.network.words.weight) + 1
    )
    assert add_pieces(before, larger_backbone(), ["good bad"], most=9) is before


def test_only_our_own_vocabulary_grows() -> None:
    with pytest.raises(ModelError, match="cannot grow"):
        grow_vocabulary(object(), ["ات"], most=9)  # type: ignore[arg-type]
