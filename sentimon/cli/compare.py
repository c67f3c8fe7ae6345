"""`sentimon compare`: two models on the same labelled texts."""

from __future__ import annotations

from typing import Annotated

import typer

from sentimon.cli.dataset_options import InputOptions, LabelledOption, ShowInputFlag, SplitOption
from sentimon.cli.inputs import show_labelled
from sentimon.cli.opening import open_workspace
from sentimon.cli.options import ConfigOption, ExitZeroFlag, JsonFlag, grouped
from sentimon.cli.output import leave, show, show_json
from sentimon.errors import ExitCode

ToleranceOption = Annotated[
    float | None,
    typer.Option("--tolerance", metavar="SHARE", help="How much worse B may be. (default: 0.01)"),
]


@grouped
def compare(
    model_a: Annotated[str, typer.Argument(metavar="MODEL_A", help="The model in use: id or folder.")],
    model_b: Annotated[str, typer.Argument(metavar="MODEL_B", help="The model that may take its place.")],
    *,
    data: LabelledOption,
    split: SplitOption = None,
    reading: InputOptions,
    segment: Annotated[
        str,
        typer.Option("--segment", metavar="FIELD", help="Column whose values are parts, or @script, @model."),
    ] = "language",
    tolerance: ToleranceOption = None,
    dry_run: ShowInputFlag = False,
    as_json: JsonFlag = False,
    exit_zero: ExitZeroFlag = False,
    config: ConfigOption = None,
) -> None:
    """Compare two models on the same labelled texts, to see whether B may take the place of A.

    Paired: the difference of accuracy and macro recall with its interval, McNemar's exact test, each
    class, language and length by itself, and the time a text takes. sentimon-default is the model that
    ships. Exit code: 0 B is not worse, 3 it may be worse by more than the tolerance, 4 too few rows.

    Example: sentimon compare sentimon-default models/new --data labelled.jsonl
    """
    from sentimon.ingest.input_columns import Need
    from sentimon.reporting.model_tables import comparison_object, comparison_table
    from sentimon.workflows.evaluation import compare_on

    workspace = open_workspace(config, {"quality.compare_tolerance": tolerance} | reading.flags())
    if dry_run:
        show_labelled(workspace, data, need=Need.LABELLED, as_json=as_json)
        return
    found = compare_on(workspace, (model_a, model_b), data, split=split, segment=segment)
    if as_json:
        show_json({"data": data, "model_a": model_a, "model_b": model_b, **comparison_object(found)})
    else:
        show(comparison_table(found, a=model_a, b=model_b, data=data))
    leave(ExitCode.FINDING if found.worse else ExitCode.OK, exit_zero=exit_zero)
