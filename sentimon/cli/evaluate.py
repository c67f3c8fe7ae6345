"""`sentimon evaluate`: scores against gold labels."""

from __future__ import annotations

from sentimon.cli.dataset_options import InputOptions, LabelledOption, SplitOption
from sentimon.cli.engine import EngineOption
from sentimon.cli.inputs import show_plan
from sentimon.cli.opening import open_workspace
from sentimon.cli.options import ConfigOption, DryRunFlag, JsonFlag, ModelOption, RevisionOption, grouped
from sentimon.cli.output import show, show_json


@grouped
def evaluate(
    *,
    data: LabelledOption,
    split: SplitOption = None,
    reading: InputOptions,
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
    from sentimon.ingest.input_row import texts_of
    from sentimon.reporting.quality_tables import quality_table
    from sentimon.workflows.evaluation import evaluate_model
    from sentimon.workflows.labelled_texts import read_labelled

    flags = {"model.name": model, "model.revision": revision, "engine.name": engine}
    workspace = open_workspace(config, flags | reading.flags())
    rows = read_labelled(workspace, data, split=split)
    if dry_run:
        texts = texts_of(row.text for row in rows)
        show_plan(workspace, texts, data=data, as_json=as_json)
        return
    found = evaluate_model(workspace, rows)
    if as_json:
        model_of = {"data": data, "model": found.model, "revision": found.revision}
        show_json(model_of | found.quality.to_dict())
    else:
        show(quality_table(found.quality, workspace.names, title=f"{found.model} on {data}"))
