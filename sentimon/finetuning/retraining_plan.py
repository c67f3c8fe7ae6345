"""A retraining from its plan to the finished folder: what `sentimon retrain` runs."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from sentimon.config.settings import ModelSettings
from sentimon.config.training import TrainingSettings
from sentimon.errors import ModelError
from sentimon.evaluation.scaling import TEMPERATURE, fit_scaling
from sentimon.labels import Sentiment
from sentimon.scoring.scorer import Scorer, load_scorer
from sentimon.scoring.scores import Scores
from sentimon.finetuning.checkpoints import read_checkpoint, room_on_disk, save_checkpoint
from sentimon.finetuning.split import Course, Labelled
from sentimon.finetuning.training_batches import Row
from sentimon.training.places import part_of
from sentimon.finetuning.results import Results, compare_results
from recipes.default_model.teacher import smoothed
from sentimon.finetuning.sentimon_model import Trainee
from sentimon.finetuning.training_loop import Lessons, Pace, Pass, Run, State

ANSWER_SHARE = 0.7
"""How much of an old row's target is what the base model says of it; the rest is its label."""
PRIOR_SHARE = 0.4
"""How much of the class mix of the new rows is taken out of what is learned, as for the model that ships."""
FINISHED = "finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that a retraining is made of; the same plan gives the same model on the same machine."""

    base: Scorer
    trainee: Trainee
    course: Course
    pace: Pace
    replayed: int
    max_tokens: int

    @property
    def run(self) -> str:
        """Return what tells this run from any other: of rows, base and recipe."""
        size = sum(one.numel() for one in self.trainee.network.parameters())
        facts = [
            size,
            self.course.fingerprint,
            self.base.revision,
            self.replayed,
            self.max_tokens,
            asdict(self.pace),
        ]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]

    @property
    def steps(self) -> int:
        """Return the most steps that it takes."""
        rows = len(self.course.fresh) + min(self.replayed, len(self.course.replay))
        return math.ceil(rows / self.pace.batch) * self.pace.epochs

    @property
    def unknown(self) -> float:
        """Return the share of the tokens of the new texts that stand for what the model cannot read."""
        ids = [one for text, _ in self._read(self.course.fresh) for one in text]
        return sum(one == self.trainee.unknown for one in ids) / len(ids)

    def lessons(self) -> Lessons:
        """Return the rows as the loop reads them; asks the base model about the old ones."""
        course = self.course
        replay = course.replay[: self.replayed * self.pace.epochs]
        answers = (
            [one.scores.vector for one in self.base.score([text for text, _ in replay])] if replay else []
        )
        mixed = [_mixed(smoothed(label), answer) for (_, label), answer in zip(replay, answers, strict=True)]
        offsets = _offsets(course)
        fresh = [
            Row(ids=ids, target=smoothed(label), offsets=offsets) for ids, label in self._read(course.fresh)
        ]
        judged = [Row(ids=ids, target=smoothed(label, 0.0)) for ids, label in self._read(course.held)]
        return Lessons(
            fresh=fresh,
            replay=[
                Row(ids=ids, target=target)
                for (ids, _), target in zip(self._read(replay), mixed, strict=True)
            ],
            replayed=self.replayed,
            judged=judged,
        )

    def _read(self, rows: Sequence[Labelled]) -> list[tuple[list[int], Sentiment]]:
        ids = self.trainee.encode([text for text, _ in rows], limit=self.max_tokens)
        return list(zip(ids, (label for _, label in rows), strict=True))


def plan_retraining(
    *, base: Scorer, trainee: Trainee, course: Course, settings: TrainingSettings, seed: int
) -> Plan:
    """Return the plan of a retraining.

    Raises:
        ModelError: what writes ONNX is not installed.
    """
    if importlib.util.find_spec("onnx") is None:
        raise ModelError("onnx is not installed", hint="install the extra: pip install 'sentimon[train]'")
    share = settings.replay_share if course.replay else 0.0
    return Plan(
        base=base,
        trainee=trainee,
        course=course,
        replayed=min(len(course.replay), round(len(course.fresh) * share / (1 - share))),
        max_tokens=settings.max_tokens,
        pace=Pace(
            epochs=settings.epochs,
            rate=settings.rate,
            batch=settings.batch,
            patience=settings.patience,
            seed=seed,
            bfloat16=settings.precision == "bfloat16" or (settings.precision == "auto" and has_bfloat16()),
        ),
    )


def has_bfloat16() -> bool:
    """Return whether this machine multiplies bfloat16 in instructions of its own; elsewhere it is slower."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def carry_out(
    plan: Plan,
    output: Path,
    *,
    tell: Callable[[Pass, float], None],
    estimate: Callable[[float], None],
    describe: Callable[[Results], str],
) -> Results:
    """Make the model of `plan` at `output`, all of it or nothing, and return what it came to.

    A run that was stopped goes on from the checkpoint in the folder `part_of(output)`, which is gone in the
    end. `estimate` is told the seconds that are left, `tell` each pass; `describe` gives the model card.

    Raises:
        StoreError: something cannot be written, or the checkpoint is of another run.
    """
    _be_deterministic()
    part = part_of(output)
    state = read_checkpoint(part, run=plan.run)
    run = Run(plan.trainee, plan.lessons(), plan.pace, state)
    estimate(run.seconds_a_step() * (plan.steps - run.state.step))
    state = run.go(save=lambda now: save_checkpoint(part, now, run=plan.run), tell=tell)
    network = plan.trainee.network.float()
    network.load_state_dict(state.best, strict=False)
    finished = part / FINISHED
    with room_on_disk(finished):
        results = _finish(plan, state, finished)
        card, facts = describe(results), json.dumps(results.to_dict(), indent=2)
        (finished / "MODEL_CARD.md").write_text(card, encoding="utf-8")
        (finished / "training.json").write_text(facts + "\n", encoding="utf-8")
        for path in finished.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        output.parent.mkdir(parents=True, exist_ok=True)
        finished.replace(output)
        shutil.rmtree(part)
    return results


def _finish(plan: Plan, state: State, folder: Path) -> Results:
    """Write the model into `folder`, calibrated on the new rows kept out, and measure it as it will serve."""
    course = plan.course
    texts = [text for text, _ in course.fresh]
    gold = np.array([int(label) for _, label in course.held])
    raw = _scores(_written(plan.trainee, folder, 1.0, texts), course.held)
    scores = np.array([one.vector for one in raw])
    temperature = fit_scaling(scores, gold, TEMPERATURE).temperature or 1.0
    scorer = _written(plan.trainee, folder, temperature, texts)
    return compare_results(
        course,
        before=_scores(plan.base, course.judged_on),
        after=_scores(scorer, course.judged_on),
        passes=tuple(state.passes),
        temperature=temperature,
        revision=scorer.revision,
    )


def _written(trainee: Trainee, folder: Path, temperature: float, texts: Sequence[str]) -> Scorer:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    trainee.write(folder, temperature=temperature, texts=texts)
    return load_scorer(ModelSettings(name=str(folder)))


def _scores(scorer: Scorer, rows: Sequence[Labelled]) -> list[Scores]:
    return [one.scores for one in scorer.score([text for text, _ in rows])]


def _mixed(label: Sequence[float], answer: Sequence[float]) -> tuple[float, float, float]:
    low, middle, high = (
        (1 - ANSWER_SHARE) * one + ANSWER_SHARE * other for one, other in zip(label, answer, strict=True)
    )
    return low, middle, high


def _offsets(course: Course) -> tuple[float, float, float]:
    """Return PRIOR_SHARE of the log class mix of the new rows; 0 for a class that has none.

    Source: Menon et al. (2021), Long-tail learning via logit adjustment, equation 10.
    """
    total = len(course.fresh)
    low, middle, high = (PRIOR_SHARE * math.log(count / total) if count else 0.0 for count in course.counts)
    return low, middle, high


def _be_deterministic() -> None:
    # What cuBLAS wants to be told before it starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
