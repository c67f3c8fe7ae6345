"""How the teacher and the student are trained: the hyperparameters, and the package's loop run with them."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from tokenizers import Tokenizer
from torch import Tensor

from recipes.default_model.data import Example
from sentimon.finetuning.checkpoints import read_checkpoint, save_checkpoint
from sentimon.finetuning.retraining_plan import has_bfloat16
from sentimon.finetuning.sentimon_model import SentimonModel
from sentimon.finetuning.targets import SMOOTHING, cross_entropy, smooth_label
from sentimon.finetuning.tokenizer import encode_texts
from sentimon.finetuning.training_batches import TrainingRow, TrainingRows
from sentimon.finetuning.training_loop import EpochMetrics, Hyperparameters, Loss, TrainingLoop

MAX_TOKENS = 160
"""Longer texts are cut in training; a tweet has 32 on average, a text of our own 40."""
STEPS_PER_LINE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How long and how fast to train one network; the other hyperparameters are common to all."""

    epochs: int
    rate: float
    seed: int
    batch: int = 32
    layer_decay: float = 0.93
    """The learning rate shrinks by this factor at each layer downwards."""
    average_decay: float = 0.999
    """How much the running average of the weights keeps at each step."""

    @property
    def hyperparameters(self) -> Hyperparameters:
        """Return what the loop is given: averaged weights, no early stop, bfloat16 where it is fast."""
        return Hyperparameters(
            epochs=self.epochs,
            rate=self.rate,
            batch=self.batch,
            patience=self.epochs + 1,
            seed=self.seed,
            bfloat16=has_bfloat16(),
            warmup=0.06,
            betas=(0.9, 0.98),
            epsilon=1e-6,
            average_decay=self.average_decay,
        )


def train(
    model: SentimonModel,
    data: TrainingRows,
    recipe: Recipe,
    *,
    working: Path,
    loss: Loss = cross_entropy,
    after_epoch: Callable[[int, dict[str, Tensor], Tensor], None] = lambda epoch, weights, logits: None,
) -> dict[str, Tensor]:
    """Train `model`, which is used up, and return its averaged float32 weights.

    `after_epoch` gets the number of each epoch from 0, the averaged weights, and their logits for the
    held-out rows, which decide nothing. A run that was stopped resumes from its checkpoint in `working`,
    which the caller removes once the weights are kept.

    Raises:
        StoreError: the checkpoint cannot be written, or is of another run.
    """
    run = _run_id(recipe, data)
    hyper = recipe.hyperparameters
    progress = _Progress(recipe.epochs * data.steps_per_epoch(recipe.batch), loss)
    loop = TrainingLoop(
        model,
        data,
        hyper,
        read_checkpoint(working, run=run),
        loss=progress,
        layer_rate=partial(layer_rate, layers=model.network.shape.layers, decay=recipe.layer_decay),
    )
    progress.step = loop.state.step

    def report(metrics: EpochMetrics, seconds: float) -> None:
        if metrics.number:
            after_epoch(metrics.number - 1, loop.weights, loop.held_out_logits)

    loop.run(save=lambda state: save_checkpoint(working, state, run=run), report=report)
    return loop.weights


def labelled_rows(
    tokenizer: Tokenizer, examples: Sequence[Example], *, smoothing: float = SMOOTHING
) -> list[TrainingRow]:
    """Return the rows that teach or measure the labels of the examples, in their order."""
    ids = encode_texts(tokenizer, [example.text for example in examples], limit=MAX_TOKENS)
    return [
        TrainingRow(ids=tokens, target=smooth_label(example.label, smoothing))
        for tokens, example in zip(ids, examples, strict=True)
    ]


def layer_rate(name: str, *, layers: int, decay: float) -> float:
    """Return the factor on a parameter's learning rate in `Classifier`: `decay` for each layer downwards.

    >>> [layer_rate(name, layers=2, decay=0.5) for name in ("head.bias", "blocks.1.up.bias", "words.weight")]
    [1.0, 0.5, 0.125]
    """
    if name.startswith(("dense", "head")):
        depth = 0
    else:
        depth = layers - int(name.split(".")[1]) if name.startswith("blocks") else layers + 1
    return decay**depth


class _Progress:
    """The loss, told on stderr at every hundredth step."""

    def __init__(self, steps: int, loss: Loss) -> None:
        self.step, self.steps, self.loss = 0, steps, loss
        self.started = time.monotonic()

    def __call__(self, logits: Tensor, rows: Sequence[TrainingRow]) -> Tensor:
        value = self.loss(logits, rows)
        self.step += 1
        if self.step % STEPS_PER_LINE == 0:
            seconds = time.monotonic() - self.started
            sys.stderr.write(f"step {self.step}/{self.steps} loss {value.item():.4f} {seconds:.0f} s\n")
            sys.stderr.flush()
        return value


def _run_id(recipe: Recipe, data: TrainingRows) -> str:
    content = hashlib.sha256(json.dumps([asdict(recipe), data.replay_per_epoch]).encode())
    for row in (*data.new, *data.replay):
        content.update(repr(row).encode())
    return content.hexdigest()[:16]
