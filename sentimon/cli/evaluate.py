"""`sentimon evaluate`: scores against gold labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sentimon.cli.options import ConfigOption, JsonFlag, ModelOption, RevisionOption
from sentimon.cli.output import counted, note, show, show_json
from sentimon.cli.progress import watched
from sentimon.cli.session import Session, start

if TYPE_CHECKING:
    from sentimon.scoring.scorer import Scorer
    from sentimon.scoring.scores import Scores


def evaluate(
    data: Annotated[
        str, typer.Option("--data", metavar="FILE|DATASET", help="Labelled file, or hub data set.")
    ],
    split: Annotated[
        str | None, typer.Option("--split", help="Split of a hub data set. (default: test)")
    ] = None,
    text_column: Annotated[str | None, typer.Option("--text-column", help="Column of the texts.")] = None,
    label_column: Annotated[
        str | None, typer.Option("--label-column", help="Column of the gold labels.")
    ] = None,
    model: ModelOption = None,
    revision: RevisionOption = None,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Measure the model on labelled texts.

    Accuracy, macro recall, F1, calibration and the confusion matrix, each number with its interval.
    Files are .jsonl, .csv, .tsv or .parquet, with a text and a label each row.

    Example: sentimon evaluate --data labelled.jsonl
    """
    from sentimon.evaluation.datasets import load_labelled
    from sentimon.evaluation.quality import evaluate as measure_quality
    from sentimon.reporting.quality import quality_table
    from sentimon.scoring.scorer import load_scorer

    session = start(config, {"model.name": model, "model.revision": revision})
    rows = load_labelled(data, split=split, text_column=text_column, label_column=label_column)
    scorer = load_scorer(session.settings.model)
    quality = measure_quality(
        score_all(session, scorer, [row.text for row in rows]),
        [row.label for row in rows],
        confidence_level=session.settings.drift.confidence_level,
    )
    if as_json:
        show_json({"data": data, "model": scorer.model, "revision": scorer.revision, **quality.to_dict()})
    else:
        show(quality_table(quality, session.names, title=f"{scorer.model} on {data}"))


def score_all(session: Session, scorer: Scorer, texts: list[str]) -> list[Scores]:
    """Return the scores of `texts`, in their order; what the model could not read to its end is noted."""
    from sentimon.scoring.scorer import score_stream

    stream = score_stream(scorer, texts, buffer_size=session.settings.model.buffer_size)
    scored = [one for _, one in watched(stream, "texts scored")]
    truncated = sum(one.truncated for one in scored)
    if truncated:
        read = counted(len(scored), "text")
        note(f"{truncated} of {read} longer than the model reads: the end was not seen")
    return [one.scores for one in scored]
