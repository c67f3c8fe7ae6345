"""The shipped graph says what the network says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from recipes.default_model.network import classifier_from_backbone
from sentimon.finetuning.encoder import Classifier
from sentimon.finetuning.model_folder import write_model
from sentimon.finetuning.onnx_graph import build
from sentimon.finetuning.quantise import measure_ranges
from sentimon.finetuning.tokenizer import SPECIALS, build_tokenizer
from sentimon.scoring.onnx_backend import OnnxScorer
from sentimon.scoring.onnx_runtime import ort
from tests.support.tiny_backbone import PIECES, tiny_backbone

TEXTS = [[0, 5, 6, 7, 2], [0, 15, 2], [0, 2], [0, *range(4, 21), 2]]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    torch.manual_seed(0)
    model = classifier_from_backbone(tiny_backbone(), np.arange(len(PIECES)), layers=2).eval()
    with torch.no_grad():
        model.head.weight.mul_(50)
    return model


def logits_of(model: Classifier, ids: list[int]) -> np.ndarray:
    with torch.inference_mode():
        return model(torch.tensor([ids]), torch.ones(1, len(ids))).numpy()[0]


def run(graph: bytes, ids: list[int]) -> np.ndarray:
    return ort.InferenceSession(graph).run(["logits"], {"input_ids": np.array([ids])})[0][0]


def test_quantised_logits_stay_close_to_the_networks(classifier: Classifier) -> None:
    graph = build(classifier, measure_ranges(classifier, TEXTS), temperature=1.0)
    exact = np.array([logits_of(classifier, ids) for ids in TEXTS])
    shipped = np.array([run(graph.SerializeToString(), ids) for ids in TEXTS])
    assert np.abs(shipped - exact).max() < 0.1 * np.abs(exact).max()
    assert np.corrcoef(shipped.ravel(), exact.ravel())[0, 1] > 0.99


def test_the_temperature_is_folded_into_the_logits(classifier: Classifier) -> None:
    ranges = measure_ranges(classifier, TEXTS)
    plain = build(classifier, ranges, temperature=1.0).SerializeToString()
    folded = build(classifier, ranges, temperature=2.0).SerializeToString()
    for ids in TEXTS:
        assert run(folded, ids) == pytest.approx(run(plain, ids) / 2, abs=1e-4)


def test_an_exported_folder_loads_and_scores(classifier: Classifier, tmp_path: Path) -> None:
    pieces = [(piece, -float(i) / 4) for i, piece in enumerate(PIECES)]
    tokenizer = build_tokenizer(pieces)
    ranges = measure_ranges(classifier, TEXTS)
    revision = write_model(classifier, tokenizer, ranges, tmp_path / "model", temperature=1.5)
    scorer = OnnxScorer.load(tmp_path / "model", name="tiny")
    assert scorer.revision == revision
    assert scorer.limit == 32
    (result,) = scorer.score(["good bad"])
    assert result.tokens == 4
    assert write_model(classifier, tokenizer, ranges, tmp_path / "again", temperature=1.5) == revision
    assert write_model(classifier, tokenizer, ranges, tmp_path / "other", temperature=1.6) != revision


def test_padding_does_not_change_what_the_network_says(classifier: Classifier) -> None:
    ids = TEXTS[0]
    mask = torch.tensor([[1.0] * len(ids) + [0.0] * 3])
    with torch.inference_mode():
        padded = classifier(torch.tensor([ids + [SPECIALS.index("<pad>")] * 3]), mask).numpy()[0]
    assert padded == pytest.approx(logits_of(classifier, ids), abs=1e-4)
