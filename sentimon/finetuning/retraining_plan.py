"""The plan of a retraining: base model, rows, hyperparameters, and what each row teaches."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from sentimon.config.settings import TrainingSettings
from sentimon.finetuning.split import DataSplit, Labelled
from sentimon.finetuning.targets import mix_targets, prior_offsets, smooth_label
from sentimon.finetuning.trainable import TrainableModel
from sentimon.finetuning.training_batches import TrainingRow, TrainingRows
from sentimon.finetuning.training_loop import Hyperparameters
from sentimon.labels import Sentiment
from sentimon.scoring.scorer import Scorer

ANSWER_SHARE = 0.7
"""How much of an old row's target is the base model's answer; the rest is its label."""
PRIOR_SHARE = 0.4
"""How much of the class mix of the new rows is taken out of what is learned, as for the model that ships."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainingPlan:
    """Everything that decides a retraining: the same plan gives the same model on the same machine."""

    base: Scorer
    """The base model as it serves."""
    model: TrainableModel
    """The same model, ready to train."""
    split: DataSplit
    hyper: Hyperparameters
    replay_per_epoch: int
    max_tokens: int

    @property
    def run_id(self) -> str:
        """Return a digest of rows, base and hyperparameters, which binds a checkpoint to its run."""
        hyper = self.hyper
        facts = [
            sum(one.numel() for one in self.model.network.parameters()),
            self.split.fingerprint,
            self.base.revision,
            self.replay_per_epoch,
            self.max_tokens,
            {
                "epochs": hyper.epochs,
                "rate": hyper.rate,
                "batch": hyper.batch,
                "patience": hyper.patience,
                "seed": hyper.seed,
                "bfloat16": hyper.bfloat16,
            },
        ]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]

    @property
    def steps(self) -> int:
        """Return the most steps that training takes."""
        rows = len(self.split.train) + min(self.replay_per_epoch, len(self.split.replay))
        return -(-rows // self.hyper.batch) * self.hyper.epochs

    @property
    def unknown_share(self) -> float:
        """Return the share of the new texts' tokens that stand for what the model cannot read."""
        ids = [one for text, _ in self._encoded(self.split.train) for one in text]
        return sum(one == self.model.unknown_id for one in ids) / len(ids)

    def training_rows(self) -> TrainingRows:
        """Return the rows as the loop reads them; scores the old ones with the base model."""
        split = self.split
        replay = split.replay[: self.replay_per_epoch * self.hyper.epochs]
        answers = (
            [one.scores.vector for one in self.base.score([text for text, _ in replay])] if replay else []
        )
        mixed = [
            mix_targets(smooth_label(label), answer, answer_share=ANSWER_SHARE)
            for (_, label), answer in zip(replay, answers, strict=True)
        ]
        offsets = prior_offsets(split.counts, share=PRIOR_SHARE)
        return TrainingRows(
            new=[
                TrainingRow(ids=ids, target=smooth_label(label), offsets=offsets)
                for ids, label in self._encoded(split.train)
            ],
            held_out=[
                TrainingRow(ids=ids, target=smooth_label(label, 0.0))
                for ids, label in self._encoded(split.held_out)
            ],
            replay=[
                TrainingRow(ids=ids, target=target)
                for (ids, _), target in zip(self._encoded(replay), mixed, strict=True)
            ],
            replay_per_epoch=self.replay_per_epoch,
        )

    def _encoded(self, rows: Sequence[Labelled]) -> list[tuple[list[int], Sentiment]]:
        ids = self.model.encode([text for text, _ in rows], limit=self.max_tokens)
        return list(zip(ids, (label for _, label in rows), strict=True))


def make_plan(
    *, base: Scorer, model: TrainableModel, split: DataSplit, settings: TrainingSettings, seed: int
) -> RetrainingPlan:
    """Return the plan of a retraining."""
    share = settings.replay_share if split.replay else 0.0
    return RetrainingPlan(
        base=base,
        model=model,
        split=split,
        replay_per_epoch=min(len(split.replay), round(len(split.train) * share / (1 - share))),
        max_tokens=settings.max_tokens,
        hyper=Hyperparameters(
            epochs=settings.epochs,
            rate=settings.rate,
            batch=settings.batch,
            patience=settings.patience,
            seed=seed,
            bfloat16=settings.precision == "bfloat16" or (settings.precision == "auto" and has_bfloat16()),
        ),
    )


def has_bfloat16() -> bool:
    """Return whether this machine has instructions that multiply bfloat16; elsewhere bfloat16 is slower."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
