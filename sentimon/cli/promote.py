"""`sentimon promote`: a candidate takes the place of the model in use, if the gate lets it."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec.structs import replace

from sentimon.cli.compare import SEGMENT, ToleranceOption, score_both
from sentimon.cli.options import ConfigOption, ExitZeroFlag, JsonFlag, LogsOption, flag
from sentimon.cli.output import leave, note, show, show_json
from sentimon.cli.session import Session, start
from sentimon.cli.switching import advise, check_baseline_rows, follow_switch
from sentimon.errors import ExitCode, ModelError, UsageError

if TYPE_CHECKING:
    from sentimon.evaluation.datasets import LabelledText
    from sentimon.evaluation.model_comparison import Comparison, Gate

ModelsOption = Annotated[
    str | None,
    typer.Option("--models", metavar="DIR", help="Folder of the promoted models. (default: models)"),
]
BaselineRowsOption = Annotated[
    int | None,
    typer.Option(
        "--baseline-rows",
        metavar="N",
        help="Make the next N rows of the model the baseline, once they are logged. (default: 0, none)",
    ),
]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept in the registry.")]


def promote(
    candidate: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder of the new model, or sentimon-default.")
    ],
    data: Annotated[
        str | None, typer.Option("--data", metavar="FILE|DATASET", help="Labelled rows held back.")
    ] = None,
    regressions: Annotated[
        str | None,
        typer.Option("--regressions", metavar="FILE", help="Labelled texts that must keep their label."),
    ] = None,
    reason: ReasonOption = "",
    baseline_rows: BaselineRowsOption = None,
    models: ModelsOption = None,
    tolerance: ToleranceOption = None,
    force: Annotated[
        bool, flag("--force", help="Promote whatever the gate says; it is written down.")
    ] = False,
    logs: LogsOption = None,
    as_json: JsonFlag = False,
    exit_zero: ExitZeroFlag = False,
    config: ConfigOption = None,
) -> None:
    """Let a new model serve, if it is not worse than the one in use.

    The gate: on held-back rows neither accuracy nor macro recall may fall by more than the tolerance
    (paired, with intervals), and each listed text keeps its label. Then the model is copied into the
    registry and `current` is switched in one step; [model] name = "models/current" serves it. The monitor
    of the log begins anew; with --baseline-rows so does the baseline: until so many rows of the new model
    are logged, drift and retrain-check give no verdict. Exit code: 0 promoted, 3 refused, 4 too few rows.

    Example: sentimon promote models/new --data held_back.jsonl --baseline-rows 2000 --reason "Italian"
    """
    from sentimon.reporting.json_shapes import wanted_object
    from sentimon.reporting.model_tables import figures_of, gate_object, gate_table
    from sentimon.scoring.scorer import load_scorer
    from sentimon.workflows.model_registry import promote_model, read_registry

    flags = {"logs.dir": logs, "training.models": models, "quality.compare_tolerance": tolerance}
    session = start(config, flags | {"training.baseline_rows": baseline_rows})
    check_baseline_rows(session)
    source, folder = _folder_of(candidate), registry_folder(session)
    if data is None and regressions is None and not force:
        raise UsageError("nothing to judge by", hint="name rows with --data or --regressions, or use --force")
    before, serving = read_registry(folder), served(session, folder)
    revision = load_scorer(replace(session.settings.model, name=str(source), revision="")).revision
    gate = _gate(session, (serving, str(source)), data, regressions)
    version = wanted = None
    if gate.open or force:
        facts = facts_of(session, reason) | {"revision": revision, "forced": not gate.open}
        version = promote_model(folder, source, facts | {"metrics": figures_of(gate)}, judged=before)
        wanted = follow_switch(session, version, revision)
    if as_json:
        facts = {"promoted": version is not None, "version": version, "serving": serving}
        show_json(facts | gate_object(gate) | {"baseline": wanted_object(wanted)})
    else:
        show(gate_table(gate, serving=serving, candidate=str(source), data=data or ""))
    note(f"{version} serves as {folder}/current" if version else "refused: what served still does")
    if version:
        advise(session, folder, wanted)
    leave(ExitCode.OK if version else ExitCode.FINDING, exit_zero=exit_zero)


def _folder_of(candidate: Path) -> Path:
    from sentimon.config.paths import expanded
    from sentimon.scoring.scorer import DEFAULT_FOLDER, DEFAULT_MODEL

    folder = DEFAULT_FOLDER if str(candidate) == DEFAULT_MODEL else expanded(candidate)
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder", hint="name a folder that `sentimon retrain` made")
    return folder


def registry_folder(session: Session) -> Path:
    """Return the folder of the promoted models, to be written to.

    Raises:
        UsageError: it is the folder of a log, or no folder.
    """
    return session.check_new_folder(session.settings.training.models, parents=True)


def served(session: Session, folder: Path) -> str:
    """Return the name of the model in use; before the first promotion `current` is the model that ships."""
    from sentimon.config.paths import expanded
    from sentimon.scoring.scorer import DEFAULT_MODEL
    from sentimon.workflows.model_registry import CURRENT

    name = session.settings.model.name
    first = expanded(name or ".") == folder / CURRENT and not (folder / CURRENT).exists()
    return DEFAULT_MODEL if first or not name else name


def facts_of(session: Session, reason: str) -> dict[str, Any]:
    """Return who switches, when, and why."""
    from sentimon.timestamps import format_moment

    try:
        who = getpass.getuser()
    except (OSError, KeyError):
        # A container may have no name for its user.
        who = "unknown"
    return {"timestamp": format_moment(session.now), "who": who, "why": reason}


def _gate(session: Session, names: tuple[str, str], data: str | None, regressions: str | None) -> Gate:
    from sentimon.evaluation.datasets import load_labelled
    from sentimon.evaluation.model_comparison import Gate, find_broken

    held = load_labelled(data, segment_column=SEGMENT) if data else []
    listed = load_labelled(regressions) if regressions else []
    rows = [*held, *listed]
    if not rows:
        return Gate(comparison=None, listed=0, broken=())
    before, now, seconds = score_both(session, names, rows)
    many = len(held)
    places = ([int(one) for one in before[:many]], [int(one) for one in now[:many]])
    return Gate(
        comparison=_compared(session, held, places, seconds) if data else None,
        listed=len(listed),
        broken=find_broken(listed, before[many:], now[many:]),
    )


def _compared(
    session: Session,
    rows: list[LabelledText],
    found: tuple[list[int], list[int]],
    seconds: tuple[float, float],
) -> Comparison:
    import numpy as np

    from sentimon.evaluation.model_comparison import compare_models, parts_of

    gold, a, b = (np.array(one, dtype=np.int64) for one in ([row.label for row in rows], *found))
    quality = session.settings.quality
    return compare_models(
        gold,
        a,
        b,
        parts=parts_of(gold, [row.text for row in rows], SEGMENT, [row.segment for row in rows]),
        seconds=seconds,
        tolerance=quality.compare_tolerance,
        confidence_level=session.settings.drift.confidence_level,
        fewest=quality.min_labels,
    )
