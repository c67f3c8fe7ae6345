import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sentimon.errors import ModelError
from sentimon.finetuning.model_folder import is_sentimon_model, read_network
from sentimon.finetuning.sentimon_model import SentimonModel
from sentimon.finetuning.trainable import predict_logits
from sentimon.scoring.normalise import normalise
from sentimon.scoring.onnx_backend import OnnxScorer
from sentimon.scoring.scorer import DEFAULT_FOLDER
from tests.conftest import ROOT
from tests.support.tiny_model import tiny_model


def test_a_network_read_back_from_its_bits_differs_by_the_rounding_alone(tmp_path: Path) -> None:
    model = tiny_model()
    model.write(tmp_path, temperature=1.0, texts=["good bad", "good !"])
    (tmp_path / "model.safetensors").unlink()
    ids = model.encode(["good bad a!", "bad"], limit=32)
    whole = predict_logits(model, ids).softmax(-1)
    again = predict_logits(replace(model, network=read_network(tmp_path)), ids).softmax(-1)
    assert torch.allclose(whole, again, atol=0.03)
    assert not torch.equal(whole, again)


def test_a_network_read_back_and_written_again_gives_the_same_bits(tmp_path: Path) -> None:
    # Only the four-bit embeddings are searched anew; they find the steps that they were made of.
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
    model = tiny_model()
    model.write(first, temperature=1.0, texts=["good bad", "good !"])
    (first / "model.safetensors").unlink()
    SentimonModel(network=read_network(first), tokenizer=model.tokenizer).write(
        second, temperature=1.0, texts=["good bad", "good !"]
    )
    texts = ["good bad", "bad a!"]
    a, b = (OnnxScorer.load(folder, name="x").score(texts) for folder in (first, second))
    assert np.allclose([one.scores.vector for one in a], [one.scores.vector for one in b], atol=0.02)


def test_the_temperature_is_part_of_what_is_read_back(tmp_path: Path) -> None:
    model = tiny_model()
    ids = model.encode(["good bad a!"], limit=32)
    whole = predict_logits(model, ids)
    model.write(tmp_path, temperature=2.0, texts=["good bad"])
    assert torch.allclose(
        predict_logits(replace(model, network=read_network(tmp_path)), ids), whole / 2, atol=1e-5
    )


def test_the_model_that_ships_can_be_read_back_and_says_what_it_says_as_shipped() -> None:
    assert is_sentimon_model(DEFAULT_FOLDER)
    lines = (ROOT / "tests/scoring/plain_sentences.jsonl").read_text(encoding="utf-8").split("\n")
    texts = [json.loads(line)["text"] for line in lines if line][::4]
    scorer = OnnxScorer.load(DEFAULT_FOLDER, name="x", threads=1)
    model = SentimonModel(network=read_network(DEFAULT_FOLDER), tokenizer=scorer.tokenizer)
    ids = model.encode([normalise(text) for text in texts], limit=128)
    found = predict_logits(model, ids).double().softmax(-1).numpy()
    shipped = np.array([one.scores.vector for one in scorer.score(texts)])
    assert np.abs(found - shipped).max() < 0.1
    assert np.array_equal(found.argmax(axis=1), shipped.argmax(axis=1))


def test_another_model_is_not_ours_and_cannot_be_read_back(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    assert not is_sentimon_model(tmp_path)
    assert not is_sentimon_model(tmp_path / "nothing")
    with pytest.raises(ModelError, match="cannot be read back"):
        read_network(tmp_path)
