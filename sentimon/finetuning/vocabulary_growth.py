"""Word pieces added to the model that ships, for a script that it cannot read, from its backbone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from sentimon.errors import ModelError
from sentimon.finetuning.backbone import Backbone, backbone_path, read_backbone
from sentimon.finetuning.encoder import Classifier
from sentimon.finetuning.sentimon_model import SentimonModel
from sentimon.finetuning.tokenizer import METASPACE, build_tokenizer
from sentimon.finetuning.trainable import TrainableModel

Pieces = list[tuple[str, float]]


def grow_vocabulary(model: TrainableModel, texts: Sequence[str], *, most: int) -> TrainableModel:
    """Return the model with up to `most` more word pieces of the installed backbone, those that `texts` need.

    Raises:
        ModelError: it is no model of ours, or the backbone is not installed.
    """
    if not isinstance(model, SentimonModel):
        raise ModelError(
            "the vocabulary of this base cannot grow: only that of the model that ships",
            hint="leave out --grow-vocabulary, or --base",
        )
    return add_pieces(model, read_backbone(backbone_path()), texts, most=most)


def add_pieces(model: SentimonModel, backbone: Backbone, texts: Sequence[str], *, most: int) -> SentimonModel:
    """Return the model with up to `most` more pieces, those that `texts` use most, and their embeddings.

    Only pieces with a character that the vocabulary lacks are added: a text of known characters is still
    cut into the same pieces, so its scores do not change. The embeddings are those of the backbone: the
    model's own began there, and training moved them little.
    """
    own: Pieces = [(piece, score) for piece, score in json.loads(model.tokenizer.to_str())["model"]["vocab"]]
    known = {character for piece, _ in own for character in piece}
    rows = _wanted(backbone, known, texts)[:most]
    if not rows:
        return model
    added = [(backbone.pieces[row], round(float(backbone.piece_scores[row]), 4)) for row in rows]
    old = model.network
    network = Classifier(replace(old.shape, vocabulary=len(own) + len(rows)), dropout=old.dropout)
    state = dict(old.state_dict())
    new = torch.from_numpy(np.array(backbone.tensors["emb.word"][rows]))
    state["words.weight"] = torch.cat([state["words.weight"], new.to(state["words.weight"].device)])
    network.load_state_dict(state)
    network.to(old.words.weight.device)
    return SentimonModel(network=network.eval(), tokenizer=build_tokenizer([*own, *added]))


def _wanted(backbone: Backbone, known: set[str], texts: Sequence[str]) -> list[int]:
    """Return the rows of pieces with an unknown character: single characters first, then by frequency."""
    whole = build_tokenizer(list(zip(backbone.pieces, map(float, backbone.piece_scores), strict=True)))
    counts: Counter[int] = Counter()
    for encoding in whole.encode_batch(list(texts), add_special_tokens=False):
        counts.update(encoding.ids)
    characters = set("".join(texts)) - known
    single = [row for row, piece in enumerate(backbone.pieces) if piece.removeprefix(METASPACE) in characters]
    often = sorted(
        (row for row in counts if set(backbone.pieces[row]) - known), key=lambda row: (-counts[row], row)
    )
    return list(dict.fromkeys([*single, *often]))
