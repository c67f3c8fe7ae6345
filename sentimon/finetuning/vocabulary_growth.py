"""Pieces of the backbone that the model that ships lacks, put back for a script that it cannot read."""

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
from sentimon.finetuning.sentimon_model import OurTrainee, Trainee
from recipes.default_model.vocabulary import METASPACE, build_tokenizer

Pieces = list[tuple[str, float]]


def grown(trainee: Trainee, texts: Sequence[str], *, most: int) -> Trainee:
    """Return the trainee with the pieces of the installed backbone that `texts` need, up to `most`.

    Raises:
        ModelError: it is no model of ours, or the backbone is not installed.
    """
    if not isinstance(trainee, OurTrainee):
        raise ModelError(
            "the vocabulary of this base cannot grow: only that of the model that ships",
            hint="leave out --grow-vocabulary, or --base",
        )
    return grow(trainee, read_backbone(backbone_path()), texts, most=most)


def grow(trainee: OurTrainee, backbone: Backbone, texts: Sequence[str], *, most: int) -> OurTrainee:
    """Return the trainee with up to `most` pieces more, those that `texts` use most, and their embeddings.

    Only pieces with a character that the vocabulary lacks are added: a text of known characters is still
    cut as before, so that what the model says of it does not change. Their embeddings are the backbone's,
    which the model's own were before training, and still lie near to.
    """
    own: Pieces = [
        (piece, score) for piece, score in json.loads(trainee.tokenizer.to_str())["model"]["vocab"]
    ]
    known = {character for piece, _ in own for character in piece}
    rows = _wanted(backbone, known, texts)[:most]
    if not rows:
        return trainee
    added = [(backbone.pieces[row], round(float(backbone.piece_scores[row]), 4)) for row in rows]
    old = trainee.network
    network = Classifier(replace(old.shape, vocabulary=len(own) + len(rows)), dropout=old.dropout)
    state = dict(old.state_dict())
    new = torch.from_numpy(np.array(backbone.tensors["emb.word"][rows]))
    state["words.weight"] = torch.cat([state["words.weight"], new.to(state["words.weight"].device)])
    network.load_state_dict(state)
    network.to(old.words.weight.device)
    return OurTrainee(network=network.eval(), tokenizer=build_tokenizer([*own, *added]))


def _wanted(backbone: Backbone, known: set[str], texts: Sequence[str]) -> list[int]:
    """Return the rows of pieces with an unknown character: single characters first, then by their count."""
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
