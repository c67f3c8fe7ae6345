"""`sentimon calibrate`: what makes a model's scores mean what they say, kept in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from sentimon.cli.dataset_options import InputOptions, LabelledOption, ShowInputFlag, SplitOption
from sentimon.cli.inputs import show_labelled
from sentimon.cli.opening import open_workspace
from sentimon.cli.options import (
    ConfigOption,
    JsonFlag,
    ModelOption,
    RevisionOption,
    flag,
    grouped,
    output_option,
)
from sentimon.cli.output import note, show, show_json


@grouped
def calibrate(
    *,
    data: LabelledOption,
    output: Annotated[Path, output_option("Where to write the file.")],
    split: SplitOption = None,
    reading: InputOptions,
    model: ModelOption = None,
    revision: RevisionOption = None,
    force: Annotated[bool, flag("--force", help="Overwrite the file if it is there.")] = False,
    dry_run: ShowInputFlag = False,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Fit the temperature of a model, so that a score of 0.8 is right 8 times in 10.

    Vector scaling, a weight and a bias per class, is taken where it wins on rows held out. The log keeps
    raw scores always; `metrics --estimate --calibration FILE` uses the file, and says so.

    Example: sentimon calibrate --data labelled.jsonl --output calibration.json
    """
    from sentimon.ingest.input_columns import Need
    from sentimon.jsonl import encode
    from sentimon.prediction_log.output_files import CALIBRATION
    from sentimon.reporting.quality_tables import calibration_table
    from sentimon.workflows.evaluation import calibrate_model
    from sentimon.workflows.labelled_texts import read_labelled

    workspace = open_workspace(config, {"model.name": model, "model.revision": revision} | reading.flags())
    if dry_run:
        show_labelled(workspace, data, need=Need.LABELLED, as_json=as_json)
        return
    target = workspace.output(output, CALIBRATION, inputs=(config, data), force=force)
    rows = read_labelled(workspace, data, split=split)
    found = calibrate_model(workspace, rows)
    content = found.calibration.to_dict(created=workspace.now)
    target.write(encode(content) + b"\n")
    if as_json:
        errors = {"raw": found.error_raw.to_dict(), "calibrated": found.error_calibrated.to_dict()}
        show_json(content | {"path": str(target), "expected_calibration_error": errors})
    else:
        show(calibration_table(found.calibration, found.error_raw, found.error_calibrated))
        note(f"calibration saved to {target}; the log keeps raw scores")
