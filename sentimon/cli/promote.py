"""`sentimon promote`: a candidate takes the place of the model in use, if the gate lets it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sentimon.cli.compare import ToleranceOption
from sentimon.cli.dataset_options import InputOptions, LabelledIfAnyOption, ShowInputFlag
from sentimon.cli.inputs import show_labelled
from sentimon.cli.opening import clock, open_workspace
from sentimon.cli.options import ConfigOption, ExitZeroFlag, JsonFlag, LogsOption, flag, grouped
from sentimon.cli.output import leave, note, show, show_json
from sentimon.errors import ExitCode

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


@grouped
def promote(
    candidate: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder of the new model, or sentimon-default.")
    ],
    *,
    data: LabelledIfAnyOption = None,
    regressions: Annotated[
        str | None,
        typer.Option("--regressions", metavar="FILE", help="Labelled texts that must keep their label."),
    ] = None,
    reading: InputOptions,
    reason: ReasonOption = "",
    baseline_rows: BaselineRowsOption = None,
    models: ModelsOption = None,
    tolerance: ToleranceOption = None,
    force: Annotated[
        bool, flag("--force", help="Promote whatever the gate says; it is written down.")
    ] = False,
    logs: LogsOption = None,
    dry_run: ShowInputFlag = False,
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
    from sentimon.ingest.input_columns import Need
    from sentimon.reporting.json_shapes import wanted_object
    from sentimon.reporting.model_tables import gate_object, gate_table
    from sentimon.workflows.promotion import advice, promote_candidate, registry_folder

    flags = {"logs.dir": logs, "training.models": models, "quality.compare_tolerance": tolerance}
    workspace = open_workspace(config, flags | {"training.baseline_rows": baseline_rows} | reading.flags())
    if dry_run:
        for file in filter(None, (data, regressions)):
            show_labelled(workspace, file, need=Need.LABELLED, as_json=as_json)
        return
    done = promote_candidate(
        workspace, candidate, data=data, regressions=regressions, reason=reason, force=force, clock=clock
    )
    if as_json:
        facts = {"promoted": done.version is not None, "version": done.version, "serving": done.serving}
        show_json(facts | gate_object(done.gate) | {"baseline": wanted_object(done.collected)})
    else:
        show(gate_table(done.gate, serving=done.serving, candidate=str(done.candidate), data=data or ""))
    if done.version is None:
        note("refused: what served still does")
        leave(ExitCode.FINDING, exit_zero=exit_zero)
    note(f"{done.version} serves as {registry_folder(workspace)}/current")
    for sentence in advice(workspace, done.collected):
        note(sentence)
