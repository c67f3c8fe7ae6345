"""A tiny network of our own kind, with random weights, ready to train."""

from __future__ import annotations

import numpy as np
import torch

from sentimon.finetuning.encoder import from_backbone
from sentimon.finetuning.sentimon_model import OurTrainee
from recipes.default_model.vocabulary import build_tokenizer
from tests.support.tiny_backbone import tiny_backbone


def tiny_ours() -> OurTrainee:
    backbone = tiny_backbone()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = from_backbone(backbone, np.arange(len(backbone.pieces)), layers=2).eval()
    pieces = list(zip(backbone.pieces, map(float, backbone.piece_scores), strict=True))
    return OurTrainee(network=network, tokenizer=build_tokenizer(pieces))
