"""A tiny network of our own kind, with random weights, ready to train."""

from __future__ import annotations

import numpy as np
import torch

from recipes.default_model.network import classifier_from_backbone
from sentimon.finetuning.sentimon_model import SentimonModel
from sentimon.finetuning.tokenizer import build_tokenizer
from tests.support.tiny_backbone import tiny_backbone


def tiny_model() -> SentimonModel:
    backbone = tiny_backbone()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = classifier_from_backbone(backbone, np.arange(len(backbone.pieces)), layers=2).eval()
    pieces = list(zip(backbone.pieces, map(float, backbone.piece_scores), strict=True))
    return SentimonModel(network=network, tokenizer=build_tokenizer(pieces))
