"""The training loop: bfloat16 weights with float32 masters, length-sorted batches, averaged weights."""

from __future__ import annotations

import copy
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that torch's own texts use

from sentimon.finetuning.encoder import Classifier

MAX_TOKENS = 96
"""Longer texts are cut in training; a tweet has 32 on average."""
PAD = 1
BUCKET_BATCHES = 50
"""Batches drawn together and sorted by length: little padding, still random."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One text to train on: token ids, and the target shares of the three classes.

    `offsets` are added to the logits before the loss: log-priors that the model need not learn.
    `answer` holds a teacher's logits, where one was asked.
    """

    ids: list[int]
    target: tuple[float, float, float]
    offsets: tuple[float, float, float] = (0.0, 0.0, 0.0)
    answer: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How long and how fast to train; the learning rate shrinks by `layer_decay` a layer downwards."""

    epochs: int
    rate: float
    batch: int = 32
    layer_decay: float = 0.93
    warmup_share: float = 0.06
    weight_decay: float = 0.01
    average_decay: float = 0.999
    seed: int = 0


def pad(texts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Return ids and mask, (batch, longest), padded with `<pad>`."""
    longest = max(map(len, texts))
    ids = torch.full((len(texts), longest), PAD)
    mask = torch.zeros((len(texts), longest))
    for i, text in enumerate(texts):
        ids[i, : len(text)] = torch.tensor(text)
        mask[i, : len(text)] = 1
    return ids, mask


def batches(rows: Sequence[Row], size: int, generator: np.random.Generator) -> Iterator[list[Row]]:
    """Yield every row once, in random batches of rows of like length."""
    order = generator.permutation(len(rows)).tolist()
    groups = []
    for start in range(0, len(order), size * BUCKET_BATCHES):
        bucket = sorted(order[start : start + size * BUCKET_BATCHES], key=lambda i: len(rows[i].ids))
        groups += [bucket[i : i + size] for i in range(0, len(bucket), size)]
    for at in generator.permutation(len(groups)):
        yield [rows[i] for i in groups[at]]


class Masters:
    """The float32 copies that the optimiser moves, and their running average."""

    def __init__(self, model: Classifier, recipe: Recipe, steps: int) -> None:
        self.live = list(model.parameters())
        self.exact = [parameter.detach().float().clone() for parameter in self.live]
        self.average = [parameter.clone() for parameter in self.exact]
        self.decay = recipe.average_decay
        groups = []
        for (name, live), exact in zip(model.named_parameters(), self.exact, strict=True):
            scale = recipe.layer_decay ** _depth(name, model.shape.layers)
            decay = recipe.weight_decay if live.dim() > 1 else 0.0
            groups.append({"params": [exact], "lr": recipe.rate * scale, "weight_decay": decay})
        self.optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-6, fused=True)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimiser, lambda step: _warm_then_linear(step, steps, recipe.warmup_share)
        )

    def step(self, number: int) -> None:
        """Move the masters by the gradients of the live weights, then copy them back."""
        torch.nn.utils.clip_grad_norm_(self.live, 1.0)
        for live, exact in zip(self.live, self.exact, strict=True):
            exact.grad = None if live.grad is None else live.grad.float()
            live.grad = None
        self.optimiser.step()
        self.schedule.step()
        # a short memory at first, or the average would keep the start for too long
        decay = min(self.decay, (1 + number) / (10 + number))
        with torch.no_grad():
            for live, exact, average in zip(self.live, self.exact, self.average, strict=True):
                average.lerp_(exact, 1 - decay)
                live.copy_(exact)


def _depth(name: str, layers: int) -> int:
    """Return how many layers below the head a parameter lies."""
    if name.startswith(("dense", "head")):
        return 0
    return layers - int(name.split(".")[1]) if name.startswith("blocks") else layers + 1


def _warm_then_linear(step: int, steps: int, warmup_share: float) -> float:
    """Return the factor on the learning rate: up to 1 during the warm-up, then down to 0 at the end."""
    warmup = max(1, int(steps * warmup_share))
    return min((step + 1) / warmup, (steps - step) / max(1, steps - warmup))


Loss = Callable[[Tensor, Sequence[Row]], Tensor]


def cross_entropy(logits: Tensor, rows: Sequence[Row]) -> Tensor:
    """Return the mean cross-entropy of the rows' targets, their offsets added to the logits."""
    targets = torch.tensor([row.target for row in rows])
    offsets = torch.tensor([row.offsets for row in rows])
    return F.cross_entropy(logits.float() + offsets, targets)


def fit(
    model: Classifier,
    rows: Sequence[Row],
    recipe: Recipe,
    *,
    loss: Loss = cross_entropy,
    after_epoch: Callable[[int, Classifier], None] = lambda epoch, model: None,
) -> Classifier:
    """Return the averaged float32 model; `model` is used up. `after_epoch` sees each epoch's average."""
    generator = np.random.default_rng(recipe.seed)
    torch.manual_seed(recipe.seed)
    exact = copy.deepcopy(model).float()
    model.bfloat16().train()
    steps = recipe.epochs * math.ceil(len(rows) / recipe.batch)
    masters = Masters(model, recipe, steps)
    started, number = time.monotonic(), 0
    for epoch in range(recipe.epochs):
        for group in batches(rows, recipe.batch, generator):
            value = loss(model(*_inputs(group)), group)
            torch.autograd.backward(value)
            masters.step(number)
            number += 1
            if number % 100 == 0:
                _tell(epoch, number, steps, value.item(), time.monotonic() - started)
        exact.load_state_dict(
            dict(zip((name for name, _ in model.named_parameters()), masters.average, strict=True))
        )
        after_epoch(epoch, exact.eval())
    return exact.eval()


def _inputs(group: Sequence[Row]) -> tuple[Tensor, Tensor]:
    return pad([row.ids for row in group])


def _tell(epoch: int, number: int, steps: int, value: float, seconds: float) -> None:
    sys.stderr.write(f"epoch {epoch} step {number}/{steps} loss {value:.4f} {seconds:.0f} s\n")
    sys.stderr.flush()


def predict(model: Classifier, texts: Sequence[Sequence[int]], *, batch: int = 64) -> Tensor:
    """Return float32 logits, (texts, 3), in input order."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    logits = torch.empty((len(texts), 3))
    with torch.inference_mode():
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            logits[chosen] = model(*pad([texts[i] for i in chosen])).float()
    return logits
