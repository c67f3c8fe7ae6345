"""`sentimon compare`: two models on the same labelled texts."""

from __future__ import annotations

from typing import Annotated

import typer

from sentimon.cli.dataset_options import (
    ColumnOption,
    FormatOption,
    LabelColumnOption,
    LabelledOption,
    SplitOption,
)
from sentimon.cli.opening import open_workspace
from sentimon.cli.options import ConfigOption, ExitZeroFlag, JsonFlag
from sentimon.cli.output import leave, show, show_json
from sentimon.errors import ExitCode

ToleranceOption = Annotated[
    float | None,
    typer.Option("--tolerance", metavar="SHARE", help="How much worse B may be. (default: 0.01)"),
]


def compare(
    model_a: Annotated[str, typer.Argument(metavar="MODEL_A", help="The model in use: id or folder.")],
    model_b: Annotated[str, typer.Argument(metavar="MODEL_B", help="The model that may take its place.")],
    data: LabelledOption,
    split: SplitOption = None,
    text_column: ColumnOption = None,
    label_column: LabelColumnOption = None,
    file_format: FormatOption = None,
    segment: Annotated[
        str, typer.Option("--segment", metavar="NAME", help="Column whose values are parts, if it is there.")
    ] = "language",
    tolerance: ToleranceOption = None,
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
    from sentimon.reporting.model_tables import comparison_object, comparison_table
    from sentimon.workflows.evaluation import compare_on

    workspace = open_workspace(config, {"quality.compare_tolerance": tolerance})
    found = compare_on(
        workspace,
        (model_a, model_b),
        data,
        split=split,
        text_column=text_column,
        label_column=label_column,
        file_format=file_format,
        segment=segment,
    )
    if as_json:
        show_json({"data": data, "model_a": model_a, "model_b": model_b, **comparison_object(found)})
    else:
        show(comparison_table(found, a=model_a, b=model_b, data=data))
    leave(ExitCode.FINDING if found.worse else ExitCode.OK, exit_zero=exit_zero)
