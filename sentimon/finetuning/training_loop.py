"""The fine-tuning loop: any network, seeded step by step, so that a stopped run goes on as if it never was.

A loop of our own, and not transformers' Trainer: the model that ships is no transformers model, Trainer
needs another dependency (accelerate), and its checkpoints are pickles that do not promise the same bytes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn

from sentimon.finetuning.calibrate import fit_temperature, log_loss
from sentimon.finetuning.training_batches import Row, batches, cross_entropy
from sentimon.finetuning.sentimon_model import Trainee

WARMUP = 0.1
WEIGHT_DECAY = 0.01
LARGEST_GRADIENT = 1.0
JUDGED_AT_ONCE = 32
CHECKPOINT_SECONDS = 120.0
"""A checkpoint is written after each pass, and after so long within one."""
TIMED_STEPS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long and how fast to train."""

    epochs: int
    rate: float
    batch: int
    patience: int
    seed: int
    bfloat16: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """Rows as the loop reads them. Each pass sees all `fresh` ones and `replayed` of the `replay` ones."""

    fresh: Sequence[Row]
    replay: Sequence[Row]
    replayed: int
    judged: Sequence[Row]
    """Rows kept out; `target` is all on the label."""

    def of_pass(self, number: int, pace: Pace) -> Iterator[list[Row]]:
        """Yield the batches of a pass; the same for the same seed."""
        generator = np.random.default_rng([pace.seed, number])
        drawn = generator.permutation(len(self.replay))[: self.replayed]
        return batches([*self.fresh, *(self.replay[at] for at in drawn)], pace.batch, generator)

    def steps(self, pace: Pace) -> int:
        """Return the steps of a pass."""
        return -(-(len(self.fresh) + min(self.replayed, len(self.replay))) // pace.batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one pass over the rows came to; number 0 is the model before training."""

    number: int
    loss: float | None
    """Mean training loss, nats."""
    held_out_loss: float
    """Mean log loss of the rows kept out, nats, once the temperature that fits them best is taken out: that a
    network grows too sure of itself is mended by calibration, and is no reason to stop."""
    macro_recall: float
    """Of the rows kept out, 0..1."""


@dataclass(slots=True, kw_only=True)
class State:
    """Where a run stands: what a checkpoint holds."""

    step: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)
    best: dict[str, Tensor] = field(default_factory=dict)
    moments: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)
    passes: list[Pass] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    """Of the steps of the pass that is going on."""

    @property
    def best_pass(self) -> Pass:
        """Return the pass of the least held-out loss, the earlier of two alike."""
        return min(self.passes, key=lambda one: one.held_out_loss)


class Run:
    """One training of one network, from a state onwards."""

    def __init__(self, trainee: Trainee, lessons: Lessons, pace: Pace, state: State | None = None) -> None:
        self.trainee, self.lessons, self.pace = trainee, lessons, pace
        network = trainee.network
        self.live = dict(network.named_parameters())
        self.exact = {name: one.detach().float().clone() for name, one in self.live.items()}
        self.state = state or State()
        if state is not None:
            for name, value in state.weights.items():
                self.exact[name].copy_(value)
        if pace.bfloat16:
            network.bfloat16()
        # Moving to another number type may put new tensors in their place.
        self.live = dict(network.named_parameters())
        self._show()
        self.optimiser = torch.optim.AdamW(
            [
                {"params": [one], "weight_decay": WEIGHT_DECAY if one.dim() > 1 else 0.0}
                for one in self.exact.values()
            ],
            lr=pace.rate,
            fused=True,
        )
        if state is not None:
            for name, one in self.exact.items():
                first, second = state.moments[name]
                self.optimiser.state[one] = {
                    "step": torch.tensor(float(state.step), device=one.device),
                    "exp_avg": first.to(one.device),
                    "exp_avg_sq": second.to(one.device),
                }

    def go(self, *, save: Callable[[State], None], tell: Callable[[Pass, float], None]) -> State:
        """Return the state at the end; `save` gets it at times, `tell` each pass and its seconds."""
        begun = saved = time.monotonic()
        steps = self.lessons.steps(self.pace)
        if not self.state.passes:
            self._judge(0, None)
            tell(self.state.passes[-1], time.monotonic() - begun)
        while not self.over:
            number = self.state.step // steps
            left = islice(self.lessons.of_pass(number + 1, self.pace), self.state.step % steps, None)
            for group in left:
                self.state.losses.append(self._step(group, steps * self.pace.epochs))
                self.state.step += 1
                if time.monotonic() - saved > CHECKPOINT_SECONDS and self.state.step % steps:
                    save(self.snapshot())
                    saved = time.monotonic()
            self._judge(number + 1, float(np.mean(self.state.losses)))
            self.state.losses = []
            save(self.snapshot())
            saved = time.monotonic()
            tell(self.state.passes[-1], saved - begun)
        return self.state

    @property
    def over(self) -> bool:
        """Return whether all passes are done, or the last ones brought nothing."""
        done = self.state.passes[-1].number
        return done >= self.pace.epochs or done - self.state.best_pass.number >= self.pace.patience

    def seconds_a_step(self) -> float:
        """Return about how long a step takes; changes nothing."""
        groups = list(islice(self.lessons.of_pass(1, self.pace), TIMED_STEPS + 1))
        begun = time.perf_counter()
        for place, group in enumerate(groups):
            if place == 1:
                # The first one makes room in memory, which the others need not.
                begun = time.perf_counter()
            self._gradients(group, 0)
        self.trainee.network.zero_grad()
        return (time.perf_counter() - begun) / max(1, len(groups) - 1)

    def snapshot(self) -> State:
        """Return the state with the weights and moments as they are now."""
        self.state.weights = {name: one.detach().cpu() for name, one in self.exact.items()}
        states = {name: self.optimiser.state[one] for name, one in self.exact.items()}
        self.state.moments = {
            name: (one["exp_avg"].cpu(), one["exp_avg_sq"].cpu()) for name, one in states.items()
        }
        return self.state

    def _gradients(self, group: Sequence[Row], step: int) -> float:
        network = self.trainee.network
        network.train()
        # Seeded anew each step: a run that goes on needs no state of the generator.
        torch.manual_seed(self.pace.seed * 1_000_003 + step)
        loss = cross_entropy(self.trainee.logits([row.ids for row in group]), group)
        torch.autograd.backward(loss)
        return float(loss.detach())

    def _step(self, group: Sequence[Row], total: int) -> float:
        step = self.state.step
        loss = self._gradients(group, step)
        nn.utils.clip_grad_norm_(self.live.values(), LARGEST_GRADIENT)
        for name, exact in self.exact.items():
            live = self.live[name]
            exact.grad = torch.zeros_like(exact) if live.grad is None else live.grad.float()
            live.grad = None
        warm = max(1, int(total * WARMUP))
        factor = min((step + 1) / warm, (total - step) / max(1, total - warm))
        for one in self.optimiser.param_groups:
            one["lr"] = self.pace.rate * factor
        self.optimiser.step()
        self._show()
        return loss

    def _show(self) -> None:
        """Copy the exact weights into the network."""
        with torch.no_grad():
            for name, exact in self.exact.items():
                self.live[name].copy_(exact)

    def _judge(self, number: int, loss: float | None) -> None:
        """Add the pass that just ended, and keep its weights where they are the best so far."""
        rows = self.lessons.judged
        scores = judge(self.trainee, [row.ids for row in rows])
        gold = np.array([int(np.argmax(row.target)) for row in rows])
        logits = scores.double().numpy()
        predicted = logits.argmax(axis=1)
        found = [float(np.mean(predicted[gold == k] == k)) for k in sorted(set(gold.tolist()))]
        one = Pass(
            number=number,
            loss=loss,
            held_out_loss=log_loss(logits / fit_temperature([(logits, gold)]), gold),
            macro_recall=float(np.mean(found)),
        )
        self.state.passes.append(one)
        if self.state.best_pass is one:
            self.state.best = {name: value.detach().cpu().clone() for name, value in self.exact.items()}


def judge(trainee: Trainee, texts: Sequence[list[int]]) -> Tensor:
    """Return the logits of each text, (texts, 3), in eval mode."""
    trainee.network.eval()
    order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
    found = torch.empty((len(texts), 3))
    with torch.inference_mode():
        for start in range(0, len(order), JUDGED_AT_ONCE):
            chosen = order[start : start + JUDGED_AT_ONCE]
            found[chosen] = trainee.logits([texts[at] for at in chosen])
    return found
