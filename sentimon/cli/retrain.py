"""`sentimon retrain`: a model fine-tuned on labelled texts, calibrated, exported, and described."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentimon.cli.dataset_options import InputOptions
from sentimon.cli.inputs import understood
from sentimon.cli.opening import open_workspace
from sentimon.cli.options import ConfigOption, JsonFlag, flag, grouped, output_option
from sentimon.cli.output import counted, note, show, show_json
from sentimon.errors import UsageError
from sentimon.workflows.log_labels import read_labels, text_hash
from sentimon.workflows.log_rows import open_log
from sentimon.workflows.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentimon.finetuning.retraining_plan import RetrainingPlan
    from sentimon.finetuning.split import Labelled
    from sentimon.finetuning.training_loop import EpochMetrics

DataOption = Annotated[
    list[str] | None,
    typer.Option(
        "--data",
        "--input",
        "-i",
        metavar="FILE|DATASET",
        help="Labelled file, or hub data set; may be given again.",
    ),
]
LabelsFromOption = Annotated[
    str | None,
    typer.Option("--labels-from", metavar="DIR", help="Folder of a log: its rows that are labelled."),
]
ReplayOption = Annotated[
    list[str] | None,
    typer.Option("--replay", metavar="FILE|DATASET", help="Old labelled texts, mixed in against forgetting."),
]
BaseOption = Annotated[
    str | None, typer.Option("--base", metavar="MODEL", help="Model to start from. (default: the one in use)")
]
ReplayShareOption = Annotated[
    float | None,
    typer.Option("--replay-share", metavar="SHARE", help="Old rows among those of a pass. (default: 0.5)"),
]
EpochsOption = Annotated[
    int | None, typer.Option("--epochs", metavar="N", help="Most passes over the rows. (default: 4)")
]
RateOption = Annotated[
    float | None,
    typer.Option("--learning-rate", "--rate", metavar="RATE", help="Learning rate. (default: 0.00005)"),
]
GrowOption = Annotated[
    int,
    typer.Option(
        "--grow-vocabulary",
        metavar="N",
        help="Add up to N word pieces for scripts that the model that ships cannot read.",
        min=0,
        max=100_000,
    ),
]
SeedOption = Annotated[
    int, typer.Option("--seed", metavar="N", help="Seed of the split, order and dropout.", min=0)
]
DryRunFlag = Annotated[bool, flag("--dry-run", help="Only say what would be learnt, and how long it takes.")]


@grouped
def retrain(
    *,
    output: Annotated[Path, output_option("Where to write the model: a new folder.")],
    data: DataOption = None,
    labels_from: LabelsFromOption = None,
    base: BaseOption = None,
    replay: ReplayOption = None,
    reading: InputOptions,
    replay_share: ReplayShareOption = None,
    epochs: EpochsOption = None,
    rate: RateOption = None,
    grow_vocabulary: GrowOption = 0,
    seed: SeedOption = 0,
    dry_run: DryRunFlag = False,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Fine-tune a model on labelled texts.

    Any sequence classifier of HuggingFace, or the model that ships. The result is calibrated, exported to
    ONNX in eight bits and measured on rows kept out; its folder holds a model card and works wherever a
    model is named. The same rows, seed and machine give the same model. A run that was stopped goes on
    from its last checkpoint when the same command is given again.

    Example: sentimon retrain --labels-from logs/ --replay old.jsonl --output models/new
    """
    from sentimon.finetuning.working_folder import CHECKPOINT_FILE, working_folder
    from sentimon.workflows import retrain as workflow

    flags = {"training.replay_share": replay_share, "training.epochs": epochs, "training.rate": rate}
    workspace = open_workspace(
        config, {**flags, **reading.flags(), "logs.dir": labels_from, "model.name": base}
    )
    files = [*(data or []), *(replay or [])]
    path = _checked_place(workspace, output, inputs=files)
    if not data and labels_from is None:
        raise UsageError("nothing to learn from", hint="name labelled texts with --data or --labels-from")
    rows, old = [workflow.rows_of_sources(workspace, one or []) for one in (data, replay)]
    if labels_from is not None:
        rows += _rows_of_log(workspace)
    plan = workflow.plan_retraining(workspace.settings, rows, old, seed=seed, new_pieces=grow_vocabulary)
    # Only now what takes seconds to load.
    from sentimon.reporting.retrain_tables import explain_unknown, results_table

    unreadable = explain_unknown(plan)
    if unreadable:
        note(unreadable)
    if dry_run:
        _show_plan(workspace, plan, files, as_json=as_json)
        return
    if ((working := working_folder(path)) / CHECKPOINT_FILE).is_file():
        note(f"going on from {working}")
    sources = [*(data or []), *([f"the labels of {labels_from}"] if labels_from else [])]
    results = workflow.retrain(plan, path, sources=sources, on_estimate=_note_estimate, on_epoch=_note_epoch)
    if as_json:
        show_json({"path": str(path), **results.to_dict()})
    else:
        show(results_table(results, path=str(path)))


def _checked_place(workspace: Workspace, output: Path, *, inputs: Sequence[str]) -> Path:
    """Return where the model will be, with its working folder beside it; neither holds anything of others.

    Raises:
        UsageError: it is the folder of a log, holds other things, or may not be made.
        StoreError: something is there.
    """
    from sentimon.finetuning.working_folder import WORKING_NAMES, check_output, working_folder

    path = workspace.check_new_folder(output, inputs=inputs, parents=True)
    check_output(path)
    workspace.check_new_folder(working_folder(path), ours=WORKING_NAMES.__contains__, parents=True)
    return path


def _show_plan(workspace: Workspace, plan: RetrainingPlan, sources: list[str], *, as_json: bool) -> None:
    """Print how the files are understood, what is to be learnt from them, and about how long it takes."""
    from sentimon.ingest.input_columns import Need
    from sentimon.reporting.input_tables import understanding_object, understanding_table
    from sentimon.reporting.retrain_tables import plan_object, plan_table
    from sentimon.workflows.retrain import estimate_seconds
    from sentimon.workflows.scoring import is_file

    seconds = estimate_seconds(plan)
    inputs = [understood(workspace, one, need=Need.LABELLED) for one in sources if is_file(one)]
    if as_json:
        read = {"inputs": [understanding_object(one) for one in inputs]}
        show_json(plan_object(plan, seconds, workspace.labels) | read)
        return
    for one in inputs:
        show(understanding_table(one))
    show(plan_table(plan, seconds, workspace.labels))


def _rows_of_log(workspace: Workspace) -> list[Labelled]:
    """Return the texts of the log that have a label."""
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.retrain import rows_of_log

    finder = read_labels(workspace).finder(text_hash(workspace))
    with open_log(workspace, Period()) as records:
        found = rows_of_log(records, finder)
    if found.without_text:
        without = counted(found.without_text, "labelled row")
        note(f"{without} without a text left out (logs.text keeps none)")
    return list(found.rows)


def _note_estimate(seconds: float) -> None:
    from sentimon.reporting.retrain_tables import duration

    note(f"about {duration(seconds)} of training left")


def _note_epoch(metrics: EpochMetrics, seconds: float) -> None:
    loss = "" if metrics.loss is None else f"loss {metrics.loss:.4f}, "
    note(
        f"pass {metrics.number}: {loss}held-out loss {metrics.held_out_loss:.4f}, "
        f"macro recall {metrics.macro_recall:.3f}, {seconds:.0f} s"
    )
