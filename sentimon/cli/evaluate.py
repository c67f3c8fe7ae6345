"""`sentimon evaluate`: scores against gold labels."""

from __future__ import annotations

from sentimon.cli.dataset_options import InputOptions, LabelledOption, SplitOption
from sentimon.cli.engine import EngineOption
from sentimon.cli.inputs import show_plan
from sentimon.cli.opening import open_workspace
from sentimon.cli.options import (
    ByOption,
    ConfigOption,
    DryRunFlag,
    JsonFlag,
    ModelOption,
    RevisionOption,
    WhereOption,
    grouped,
)
from sentimon.cli.output import show, show_json


@grouped
def evaluate(
    *,
    data: LabelledOption,
    split: SplitOption = None,
    reading: InputOptions,
    by: ByOption = None,
    where: WhereOption = None,
    model: ModelOption = None,
    revision: RevisionOption = None,
    engine: EngineOption = None,
    dry_run: DryRunFlag = False,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Measure the model on labelled texts.

    Accuracy, macro recall, F1, calibration and the confusion matrix, each number with its interval.
    Files are .jsonl, .csv, .tsv or .parquet, with a text and a label each row. --by shows the quality of
    each value of a column, or of what is told from the text, such as its @length.

    Example: sentimon evaluate --data labelled.jsonl
    """
    from sentimon.ingest.input_row import texts_of
    from sentimon.prediction_log.slice_fields import parse_conditions
    from sentimon.reporting.quality_tables import quality_table
    from sentimon.reporting.slice_quality_tables import slice_evaluation_object, slice_evaluation_table
    from sentimon.workflows.evaluation import evaluate_model
    from sentimon.workflows.labelled_texts import read_labelled

    flags = {"model.name": model, "model.revision": revision, "engine.name": engine}
    workspace = open_workspace(config, flags | reading.flags())
    # The rows are those of the file, which need not have the fields of the log.
    workspace = workspace.narrowed(parse_conditions(where or (), origin="--where"))
    rows = read_labelled(workspace, data, split=split, by=by)
    if dry_run:
        texts = texts_of(row.text for row in rows)
        show_plan(workspace, texts, data=data, as_json=as_json)
        return
    found = evaluate_model(workspace, rows, by=by)
    if as_json:
        model_of = {"data": data, "model": found.model, "revision": found.revision}
        parts = {} if found.by is None else {"by": slice_evaluation_object(found.by)}
        show_json(model_of | found.quality.to_dict() | parts)
    else:
        show(quality_table(found.quality, workspace.names, title=f"{found.model} on {data}"))
        if found.by is not None:
            show(slice_evaluation_table(found.by))
