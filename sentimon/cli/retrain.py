"""`sentimon retrain`: a model fine-tuned on labelled texts, calibrated, exported, and described."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from sentimon.cli.labelled import log_rows
from sentimon.cli.options import ConfigOption, JsonFlag, flag
from sentimon.cli.output import counted, note, show, show_json
from sentimon.cli.session import Session, start
from sentimon.errors import UsageError
from sentimon.workflows.labels import read_labels, text_hash

if TYPE_CHECKING:
    from sentimon.labels import Sentiment
    from sentimon.training.course import Labelled
    from sentimon.training.retrain import Plan
    from sentimon.training.tuning import Pass

DataOption = Annotated[
    list[str] | None,
    typer.Option("--data", metavar="FILE|DATASET", help="Labelled texts; may be given several times."),
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
    float | None, typer.Option("--rate", metavar="RATE", help="Learning rate. (default: 0.00005)")
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
    int, typer.Option("--seed", metavar="N", help="Of the split, order and dropout.", min=0)
]
DryRunFlag = Annotated[bool, flag("--dry-run", help="Show the plan and how long it takes; train nothing.")]


def retrain(
    output: Annotated[Path, typer.Option("--output", metavar="DIR", help="The new folder of the model.")],
    data: DataOption = None,
    labels_from: LabelsFromOption = None,
    base: BaseOption = None,
    replay: ReplayOption = None,
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
    from sentimon.config.paths import expanded
    from sentimon.training.places import check_output, part_of

    flags = {"training.replay_share": replay_share, "training.epochs": epochs, "training.rate": rate}
    session = start(config, {**flags, "logs.dir": labels_from, "model.name": base})
    path = expanded(output)
    check_output(path)
    if not data and labels_from is None:
        raise UsageError("nothing to learn from", hint="name labelled texts with --data or --labels-from")
    sources = [*(data or []), *([f"the labels of {labels_from}"] if labels_from else [])]
    plan = _plan(session, _Named(data or [], replay or [], labels_from is not None), seed, grow_vocabulary)
    # Only now what takes seconds to load.
    from sentimon.reporting.retrained import explain_unknown, plan_object, plan_table, results_table
    from sentimon.training.card import write_card
    from sentimon.training.retrain import carry_out
    from sentimon.training.tuning import Run

    unreadable = explain_unknown(plan)
    if unreadable:
        note(unreadable)
    if dry_run:
        seconds = Run(plan.trainee, plan.lessons(), plan.pace).seconds_a_step() * plan.steps
        if as_json:
            show_json(plan_object(plan, seconds))
        else:
            show(plan_table(plan, seconds))
        return
    if part_of(path).is_dir():
        note(f"going on from {part_of(path)}")
    results = carry_out(
        plan,
        path,
        tell=_tell,
        estimate=_estimate,
        describe=lambda found: write_card(plan, found, sources=sources),
    )
    if as_json:
        show_json({"path": str(path), **results.to_dict()})
    else:
        show(results_table(results, path=str(path)))


class _Named(NamedTuple):
    """Where the rows come from."""

    data: list[str]
    replay: list[str]
    labels: bool


def _plan(session: Session, named: _Named, seed: int, more_pieces: int) -> Plan:
    """Return the plan for the rows that were named."""
    from sentimon.training.course import check_covered, plan_course

    rows = [*_rows(named.data), *(_labelled_rows(session) if named.labels else [])]
    old = _rows(named.replay)
    settings = session.settings.training
    fewest = settings.min_per_class
    course = plan_course(rows, old, held_out=settings.held_out, fewest=fewest, seed=seed)
    # Only now what takes seconds to load.
    from sentimon.scoring.scorer import load_scorer
    from sentimon.training.growth import grown
    from sentimon.training.retrain import plan_retraining
    from sentimon.training.trainee import check_classes, load_trainee

    trainee = load_trainee(session.settings.model)
    base = load_scorer(session.settings.model)
    check_classes(trainee, [label for _, label in (*rows, *old)], base.model)
    check_covered(course, trainee.classes, fewest=fewest)
    if more_pieces:
        trainee = grown(trainee, [text for text, _ in course.fresh], most=more_pieces)
    return plan_retraining(base=base, trainee=trainee, course=course, settings=settings, seed=seed)


def _rows(sources: list[str]) -> list[Labelled]:
    from sentimon.evaluation.datasets import load_labelled

    return [(row.text, row.label) for source in sources for row in load_labelled(source)]


def _labelled_rows(session: Session) -> list[Labelled]:
    """Return the texts of the log that have a label, one for each label."""
    from sentimon.logbook.windows import Period

    finder = read_labels(session).finder(text_hash(session))
    found: dict[str, Sentiment] = {}
    without = 0
    with log_rows(session, Period()) as records:
        for record in records:
            label = finder.label_of(record)
            if label is not None and record.text:
                found[record.text] = label.label
            without += label is not None and not record.text
    if without:
        note(f"{counted(without, 'labelled row')} without a text left out (logs.text keeps none)")
    return list(found.items())


def _estimate(seconds: float) -> None:
    from sentimon.reporting.retrained import duration

    note(f"about {duration(seconds)} of training left")


def _tell(one: Pass, seconds: float) -> None:
    loss = "" if one.loss is None else f"loss {one.loss:.4f}, "
    note(
        f"pass {one.number}: {loss}held-out loss {one.held_out_loss:.4f}, "
        f"macro recall {one.macro_recall:.3f}, {seconds:.0f} s"
    )
