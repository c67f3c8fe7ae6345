"""`sentimon evaluate`: scores against gold labels."""

from __future__ import annotations

from sentimon.cli.dataset_options import (
    ColumnOption,
    FormatOption,
    LabelColumnOption,
    LabelledOption,
    SplitOption,
)
from sentimon.cli.engine import EngineOption
from sentimon.cli.inputs import show_plan
from sentimon.cli.opening import open_workspace
from sentimon.cli.options import ConfigOption, DryRunFlag, JsonFlag, ModelOption, RevisionOption
from sentimon.cli.output import show, show_json


def evaluate(
    data: LabelledOption,
    split: SplitOption = None,
    text_column: ColumnOption = None,
    label_column: LabelColumnOption = None,
    file_format: FormatOption = None,
    model: ModelOption = None,
    revision: RevisionOption = None,
    engine: EngineOption = None,
    dry_run: DryRunFlag = False,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Measure the model on labelled texts.

    Accuracy, macro recall, F1, calibration and the confusion matrix, each number with its interval.
    Files are .jsonl, .csv, .tsv or .parquet, with a text and a label each row.

    Example: sentimon evaluate --data labelled.jsonl
    """
    from sentimon.evaluation.datasets import load_labelled
    from sentimon.ingest.input_row import texts_of
    from sentimon.reporting.quality_tables import quality_table
    from sentimon.workflows.evaluation import evaluate_model

    flags = {"model.name": model, "model.revision": revision, "engine.name": engine}
    workspace = open_workspace(config, flags)
    rows = load_labelled(
        data, split=split, text_column=text_column, label_column=label_column, file_format=file_format
    )
    if dry_run:
        show_plan(workspace, texts_of(row.text for row in rows), as_json=as_json)
        return
    found = evaluate_model(workspace, rows)
    if as_json:
        model_of = {"data": data, "model": found.model, "revision": found.revision}
        show_json(model_of | found.quality.to_dict())
    else:
        show(quality_table(found.quality, workspace.names, title=f"{found.model} on {data}"))
