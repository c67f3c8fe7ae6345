"""A retraining carried out: trained, calibrated, exported, measured, and put in its place in one step."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from sentimon.config.settings import ModelSettings
from sentimon.finetuning.checkpoints import name_full_disk, read_checkpoint, save_checkpoint
from sentimon.finetuning.model_card import write_card
from sentimon.finetuning.results import RetrainingResults, compare_results
from sentimon.finetuning.retraining_plan import RetrainingPlan
from sentimon.finetuning.split import Labelled
from sentimon.finetuning.trainable import TrainableModel
from sentimon.finetuning.training_loop import EpochMetrics, TrainingLoop, TrainingState
from sentimon.finetuning.working_folder import FINISHED
from sentimon.labels import THREE, TWO, Sentiment
from sentimon.scoring.scorer import Scorer, load_scorer
from sentimon.scoring.scores import Scores
from sentimon.statistics.score_scaling import TEMPERATURE, fit_scaling

"""The folder of the finished model in the working folder."""


def estimate_seconds(plan: RetrainingPlan) -> float:
    """Return about how long the training of `plan` takes on this machine; a few steps are timed."""
    return TrainingLoop(plan.model, plan.training_rows(), plan.hyper).seconds_per_step() * plan.steps


def fine_tune(
    plan: RetrainingPlan,
    output: Path,
    *,
    working: Path,
    sources: Sequence[str],
    on_estimate: Callable[[float], None],
    on_epoch: Callable[[EpochMetrics, float], None],
) -> RetrainingResults:
    """Make the model of `plan` at `output`, all of it or nothing, and return the results.

    A run that was stopped resumes from the checkpoint in the folder `working`, which is removed in the end.
    `on_estimate` gets the seconds that training will take, `on_epoch` each epoch and the seconds so far;
    `sources` say in the model card where the rows came from.

    Raises:
        StoreError: something cannot be written, or the checkpoint is of another run.
    """
    _be_deterministic()
    state = read_checkpoint(working, run=plan.run_id)
    loop = TrainingLoop(plan.model, plan.training_rows(), plan.hyper, state)
    on_estimate(loop.seconds_per_step() * (plan.steps - loop.state.step))
    state = loop.run(save=lambda now: save_checkpoint(working, now, run=plan.run_id), report=on_epoch)
    network = plan.model.network.float()
    network.load_state_dict(state.best, strict=False)
    finished = working / FINISHED
    with name_full_disk(finished):
        results = _finish(plan, state, finished)
        card, facts = write_card(plan, results, sources=sources), json.dumps(results.to_dict(), indent=2)
        (finished / "MODEL_CARD.md").write_text(card, encoding="utf-8")
        (finished / "training.json").write_text(facts + "\n", encoding="utf-8")
        for path in finished.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        output.parent.mkdir(parents=True, exist_ok=True)
        finished.replace(output)
        shutil.rmtree(working)
    return results


def _finish(plan: RetrainingPlan, state: TrainingState, folder: Path) -> RetrainingResults:
    """Write the model into `folder`, calibrated on the new held-out rows, and measure it as it will serve."""
    split = plan.split
    texts = [text for text, _ in split.train]
    gold = np.array([int(label) for _, label in split.held_out])
    raw = _scores(_written(plan.model, folder, 1.0, texts), split.held_out)
    scores = np.array([one.vector for one in raw])
    temperature = fit_scaling(scores, gold, TEMPERATURE).temperature or 1.0
    scorer = _written(plan.model, folder, temperature, texts)
    return compare_results(
        split,
        before=_scores(plan.base, split.all_held_out),
        after=_scores(scorer, split.all_held_out),
        epochs=tuple(state.epochs),
        temperature=temperature,
        revision=scorer.revision,
        present=THREE if Sentiment.NEUTRAL in plan.model.classes else TWO,
    )


def _written(model: TrainableModel, folder: Path, temperature: float, texts: Sequence[str]) -> Scorer:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    model.write(folder, temperature=temperature, texts=texts)
    return load_scorer(ModelSettings(name=str(folder)))


def _scores(scorer: Scorer, rows: Sequence[Labelled]) -> list[Scores]:
    return [one.scores for one in scorer.score([text for text, _ in rows])]


def _be_deterministic() -> None:
    # cuBLAS reads it when it starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
