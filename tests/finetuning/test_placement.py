"""Where tensors lie when there is a GPU: the device `meta`, which every torch has, stands for it."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from sentimon.config.settings import ModelSettings
from sentimon.finetuning.retraining_plan import has_bfloat16
from sentimon.finetuning.trainable import load_trainable_model
from sentimon.finetuning.transformers_model import TransformersModel
from sentimon.labels import Sentiment
from tests.support.tiny_model import tiny_model


class Elsewhere(nn.Module):
    """A network in bfloat16 on another device, that notes where its inputs lie."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(2, 2, device="meta", dtype=torch.bfloat16)
        self.device = self.words.weight.device
        self.given: set[str] = set()

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        self.given |= {ids.device.type, mask.device.type}
        return torch.zeros((len(ids), 3), dtype=torch.bfloat16)


class OfTransformers(Elsewhere):
    """The same, called as transformers calls its own."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> SimpleNamespace:  # type: ignore[override]
        return SimpleNamespace(logits=super().forward(input_ids, attention_mask))


def test_ids_go_to_our_network_and_logits_come_back_in_float32() -> None:
    network = Elsewhere()
    found = replace(tiny_model(), network=network).logits([[0, 4, 2], [0, 2]])  # type: ignore[arg-type]
    assert network.given == {"meta"}
    assert (found.device.type, found.dtype) == ("cpu", torch.float32)


def test_ids_go_to_a_network_of_transformers_and_logits_come_back_in_float32() -> None:
    network = OfTransformers()
    model = TransformersModel(
        name="m",
        network=network,  # type: ignore[arg-type]
        tokenizer=SimpleNamespace(pad_token_id=1),
        outputs=tuple(Sentiment),
        limit=9,
    )
    found = model.logits([[0, 4, 2], [0, 2]])
    assert network.given == {"meta"}
    assert (found.device.type, found.dtype) == ("cpu", torch.float32)


def test_the_model_that_ships_is_trained_on_the_gpu_if_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def to(network: nn.Module, device: object) -> nn.Module:
        asked.append(device)
        return network

    monkeypatch.setattr("sentimon.finetuning.encoder.Classifier.to", to)
    for there in (True, False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        load_trainable_model(ModelSettings())
    assert asked == ["cuda", "cpu"]


@pytest.mark.parametrize("can", [True, False])
def test_a_gpu_says_itself_whether_it_multiplies_bfloat16(monkeypatch: pytest.MonkeyPatch, can: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: can)
    assert has_bfloat16() is can
