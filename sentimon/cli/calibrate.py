"""`sentimon calibrate`: what makes a model's scores mean what they say, kept in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sentimon.cli.evaluate import score_all
from sentimon.cli.options import ConfigOption, JsonFlag, ModelOption, RevisionOption, flag
from sentimon.cli.output import note, show, show_json
from sentimon.cli.session import start


def calibrate(
    data: Annotated[
        str, typer.Option("--data", metavar="FILE|DATASET", help="Labelled file, or hub data set.")
    ],
    output: Annotated[Path, typer.Option("--output", metavar="FILE", help="The file to write.")],
    split: Annotated[
        str | None, typer.Option("--split", help="Split of a hub data set. (default: test)")
    ] = None,
    text_column: Annotated[str | None, typer.Option("--text-column", help="Column of the texts.")] = None,
    label_column: Annotated[
        str | None, typer.Option("--label-column", help="Column of the gold labels.")
    ] = None,
    model: ModelOption = None,
    revision: RevisionOption = None,
    force: Annotated[bool, flag("--force", help="Overwrite the file if it is there.")] = False,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Fit the temperature of a model, so that a score of 0.8 is right 8 times in 10.

    Vector scaling, a weight and a bias per class, is taken where it wins on rows held out. The log keeps
    raw scores always; `metrics --estimate --calibration FILE` uses the file, and says so.

    Example: sentimon calibrate --data labelled.jsonl --output calibration.json
    """
    import numpy as np

    from sentimon.evaluation.calibration_file import calibrate as fit
    from sentimon.evaluation.calibration_file import errors_of
    from sentimon.evaluation.datasets import load_labelled
    from sentimon.jsonl import encode
    from sentimon.prediction_log.output_files import CALIBRATION
    from sentimon.reporting.quality_tables import calibration_table

    session = start(config, {"model.name": model, "model.revision": revision})
    target = session.output(output, CALIBRATION, inputs=(config, data), force=force)
    rows = load_labelled(data, split=split, text_column=text_column, label_column=label_column)
    judged = score_all(session, [row.text for row in rows])
    scores = np.array([one.vector for one in judged.scores])
    gold = np.array([row.label for row in rows], dtype=np.int64)
    fewest = session.settings.quality.min_labels_per_class
    found = fit(scores, gold, model=judged.model, revision=judged.revision, fewest=fewest)
    content = found.to_dict(created=session.now)
    target.write(encode(content) + b"\n")
    before, after = errors_of(found.calibrator, scores, gold)
    if as_json:
        errors = {"raw": before.to_dict(), "calibrated": after.to_dict()}
        show_json(content | {"path": str(target), "expected_calibration_error": errors})
    else:
        show(calibration_table(found, before, after))
        note(f"calibration saved to {target}; the log keeps raw scores")
