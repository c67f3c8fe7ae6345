"""The training loop: any network, seeded step by step, so that a stopped run resumes as if it never stopped.

`retrain` and the recipe of the model that ships both use it. It is a loop of our own, and not transformers'
Trainer: the model that ships is no transformers model, Trainer needs another dependency (accelerate), and
its checkpoints are pickles that do not promise the same bytes.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn

from sentimon.evaluation.classification_metrics import confusion_table, mean_recall
from sentimon.finetuning.targets import cross_entropy
from sentimon.finetuning.trainable import TrainableModel, predict_logits
from sentimon.finetuning.training_batches import TrainingRow, TrainingRows
from sentimon.statistics.score_scaling import (
    fit_temperature,
    log_loss,
    softmax,
)

MAX_GRADIENT_NORM = 1.0
_SMALLEST_SCORE = 1e-12
"""Lower scores count as this in the held-out loss, so that one row cannot make it infinite."""
CHECKPOINT_SECONDS = 120.0
"""A checkpoint is written after each epoch, and within one after so many seconds."""
TIMED_STEPS = 3

Loss = Callable[[Tensor, Sequence[TrainingRow]], Tensor]
LayerRate = Callable[[str], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperparameters:
    """How long and how fast to train, with AdamW. The defaults are those of `retrain`."""

    epochs: int
    rate: float
    """Learning rate after the warm-up; it then falls in a line to 0."""
    batch: int
    patience: int
    """Epochs without a better held-out loss after which training stops."""
    seed: int
    bfloat16: bool
    """Whether the network computes in bfloat16; the weights that the optimiser moves are float32."""
    warmup: float = 0.1
    """Share of the steps."""
    weight_decay: float = 0.01
    """Of matrices; vectors have none."""
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    average_decay: float | None = None
    """How much a running average of the weights keeps at each step; None: the last weights are used."""

    def rate_factor(self, step: int, steps: int) -> float:
        """Return the factor on the learning rate: up to 1 during the warm-up, then down to 0 at the end."""
        warmup = max(1, int(steps * self.warmup))
        return min((step + 1) / warmup, (steps - step) / max(1, steps - warmup))


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochMetrics:
    """The losses of one epoch; number 0 is the model before training."""

    number: int
    loss: float | None
    """Mean training loss, nats."""
    held_out_loss: float
    """Mean log loss of the held-out rows, nats, at the temperature that fits them best: calibration corrects
    overconfidence later, so it is no reason to stop."""
    macro_recall: float
    """Of the held-out rows, 0..1."""


@dataclass(slots=True, kw_only=True)
class TrainingState:
    """How far a run is: the content of a checkpoint."""

    step: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)
    average: dict[str, Tensor] = field(default_factory=dict)
    """Empty unless `average_decay` is set."""
    best: dict[str, Tensor] = field(default_factory=dict)
    moments: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)
    epochs: list[EpochMetrics] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    """One for each step of the epoch that is not over yet."""

    @property
    def best_epoch(self) -> EpochMetrics:
        """Return the epoch of the least held-out loss, the earlier of two alike."""
        return min(self.epochs, key=lambda one: one.held_out_loss)


class TrainingLoop:
    """One training of one network, from the start or from a saved state.

    `layer_rate` gives the factor on the learning rate for the name of a parameter.
    """

    def __init__(
        self,
        model: TrainableModel,
        rows: TrainingRows,
        hyper: Hyperparameters,
        state: TrainingState | None = None,
        *,
        loss: Loss = cross_entropy,
        layer_rate: LayerRate = lambda name: 1.0,
    ) -> None:
        self.model, self.rows, self.hyper, self.loss = model, rows, hyper, loss
        network = model.network
        self.exact = {name: one.detach().float().clone() for name, one in network.named_parameters()}
        self.averaged = None
        self.average: dict[str, Tensor] = {}
        if hyper.average_decay is not None:
            # Its network holds the averages, in float32; `model` trains.
            self.averaged = copy.deepcopy(model)
            self.averaged.network.float()
            self.average = {name: one.clone() for name, one in self.exact.items()}
        self.held_out_logits = torch.empty((0, 3))
        """Of the last evaluation, (held-out rows, 3)."""
        self.state = state or TrainingState()
        for name, value in self.state.weights.items():
            self.exact[name].copy_(value)
        for name, value in self.state.average.items():
            self.average[name].copy_(value)
        if hyper.bfloat16:
            network.bfloat16()
        # Only now: a change of the number type may replace the tensors.
        self.live = dict(network.named_parameters())
        _copy(self.exact, self.live)
        self.optimiser = self._optimiser(layer_rate)

    def _optimiser(self, layer_rate: LayerRate) -> torch.optim.AdamW:
        """Return AdamW over the float32 weights, its moments those of the state."""
        hyper = self.hyper
        groups = [
            {
                "params": [one],
                "weight_decay": hyper.weight_decay if one.dim() > 1 else 0.0,
                "peak": hyper.rate * layer_rate(name),
            }
            for name, one in self.exact.items()
        ]
        made = torch.optim.AdamW(groups, lr=hyper.rate, betas=hyper.betas, eps=hyper.epsilon, fused=True)
        for name, (first, second) in self.state.moments.items():
            one = self.exact[name]
            made.state[one] = {
                "step": torch.tensor(float(self.state.step), device=one.device),
                "exp_avg": first.to(one.device),
                "exp_avg_sq": second.to(one.device),
            }
        return made

    def run(
        self,
        *,
        save: Callable[[TrainingState], None],
        report: Callable[[EpochMetrics, float], None],
    ) -> TrainingState:
        """Train to the end and return the state.

        `save` gets the state after each epoch and at times within one; before that, `report` gets the
        epoch's metrics and the seconds since the start.
        """
        started = saved = time.monotonic()
        steps = self.rows.steps_per_epoch(self.hyper.batch)
        if not self.state.epochs:
            self._evaluate(0, None)
            report(self.state.epochs[-1], time.monotonic() - started)
        while not self.over:
            epoch = self.state.step // steps + 1
            batches = self.rows.batches(epoch, size=self.hyper.batch, seed=self.hyper.seed)
            for batch in islice(batches, self.state.step % steps, None):
                self.state.losses.append(self._step(batch, steps * self.hyper.epochs))
                self.state.step += 1
                if time.monotonic() - saved > CHECKPOINT_SECONDS and self.state.step % steps:
                    save(self.snapshot())
                    saved = time.monotonic()
            self._evaluate(epoch, float(np.mean(self.state.losses)))
            self.state.losses = []
            report(self.state.epochs[-1], time.monotonic() - started)
            save(self.snapshot())
            saved = time.monotonic()
        return self.state

    @property
    def over(self) -> bool:
        """Return whether all epochs are done, or the last ones brought no better held-out loss."""
        done = self.state.epochs[-1].number
        return done >= self.hyper.epochs or done - self.state.best_epoch.number >= self.hyper.patience

    @property
    def weights(self) -> dict[str, Tensor]:
        """Return the float32 weights as they are now: the averages if they are asked for."""
        return self.average or self.exact

    def seconds_per_step(self) -> float:
        """Return about how long a step takes; changes nothing."""
        batches = self.rows.batches(1, size=self.hyper.batch, seed=self.hyper.seed)
        timed = list(islice(batches, TIMED_STEPS + 1))
        started = time.perf_counter()
        for place, batch in enumerate(timed):
            if place == 1:
                # The first step allocates memory, the others do not.
                started = time.perf_counter()
            self._gradients(batch, 0)
        self.model.network.zero_grad()
        return (time.perf_counter() - started) / max(1, len(timed) - 1)

    def snapshot(self) -> TrainingState:
        """Return the state with the weights, averages and moments as they are now."""
        self.state.weights = {name: one.detach().cpu() for name, one in self.exact.items()}
        self.state.average = {name: one.detach().cpu() for name, one in self.average.items()}
        states = {name: self.optimiser.state[one] for name, one in self.exact.items()}
        self.state.moments = {
            name: (one["exp_avg"].cpu(), one["exp_avg_sq"].cpu()) for name, one in states.items()
        }
        return self.state

    def _gradients(self, batch: Sequence[TrainingRow], step: int) -> float:
        self.model.network.train()
        # Seeded anew at each step: a run that resumes needs no state of the generator.
        torch.manual_seed(self.hyper.seed * 1_000_003 + step)
        loss = self.loss(self.model.logits([row.ids for row in batch]), batch)
        torch.autograd.backward(loss)
        return float(loss.detach())

    def _step(self, batch: Sequence[TrainingRow], steps: int) -> float:
        loss = self._gradients(batch, self.state.step)
        nn.utils.clip_grad_norm_(self.live.values(), MAX_GRADIENT_NORM)
        for name, exact in self.exact.items():
            live = self.live[name]
            exact.grad = torch.zeros_like(exact) if live.grad is None else live.grad.float()
            live.grad = None
        factor = self.hyper.rate_factor(self.state.step, steps)
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * factor
        self.optimiser.step()
        _copy(self.exact, self.live)
        self._update_average()
        return loss

    def _update_average(self) -> None:
        if self.hyper.average_decay is None:
            return
        step = self.state.step
        # A short memory at first, or the average would keep the start for too long.
        decay = min(self.hyper.average_decay, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, average in self.average.items():
                average.lerp_(self.exact[name], 1 - decay)

    def _evaluate(self, number: int, loss: float | None) -> None:
        """Add the metrics of the epoch that just ended, and keep its weights if they are the best so far."""
        model = self.model
        if self.averaged is not None:
            model = self.averaged
            _copy(self.average, dict(model.network.named_parameters()))
        rows = self.rows.held_out
        self.held_out_logits = predict_logits(model, [row.ids for row in rows])
        gold = np.array([int(np.argmax(row.target)) for row in rows])
        logits = self.held_out_logits.double().numpy()
        temperature = fit_temperature([(logits, gold)])
        metrics = EpochMetrics(
            number=number,
            loss=loss,
            held_out_loss=float(
                log_loss(softmax(logits / temperature), gold, smallest=_SMALLEST_SCORE).mean()
            ),
            macro_recall=mean_recall(confusion_table(gold, logits.argmax(axis=1))),
        )
        self.state.epochs.append(metrics)
        if self.state.best_epoch is metrics:
            self.state.best = {name: value.detach().cpu().clone() for name, value in self.weights.items()}


def _copy(source: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for name, value in source.items():
            target[name].copy_(value)
