"""`sentimon evaluate`: scores against gold labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from sentimon.cli.engine import EngineOption, chunk_texts, scoring_of
from sentimon.cli.inputs import note_truncated
from sentimon.cli.options import ConfigOption, DryRunFlag, JsonFlag, ModelOption, RevisionOption
from sentimon.cli.output import show, show_json
from sentimon.cli.plan_scoring import show_plan
from sentimon.cli.progress import watched
from sentimon.cli.session import Session, start
from sentimon.errors import DataError

if TYPE_CHECKING:
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
    from sentimon.evaluation.quality import evaluate as measure_quality
    from sentimon.ingest.input_row import texts_of
    from sentimon.reporting.quality_tables import quality_table

    flags = {"model.name": model, "model.revision": revision, "engine.name": engine}
    session = start(config, flags)
    rows = load_labelled(data, split=split, text_column=text_column, label_column=label_column)
    texts = [row.text for row in rows]
    if dry_run:
        show_plan(session, texts_of(texts), as_json=as_json)
        return
    judged = score_all(session, texts)
    quality = measure_quality(
        judged.scores,
        [row.label for row in rows],
        confidence_level=session.settings.drift.confidence_level,
    )
    if as_json:
        show_json({"data": data, "model": judged.model, "revision": judged.revision, **quality.to_dict()})
    else:
        show(quality_table(quality, session.names, title=f"{judged.model} on {data}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a model says about some texts, in their order."""

    scores: list[Scores]
    model: str
    revision: str


def score_all(session: Session, texts: list[str]) -> Judged:
    """Return what the model in force says; what it could not read to its end is noted.

    Raises:
        DataError: a text ended each worker that was to score it: without it there is no fair measure.
    """
    from sentimon.scoring.batch_scoring import Poison, chunks_of

    scores: list[Scores] = []
    truncated, model, revision = 0, "", ""
    chunks = chunks_of(watched(texts, "texts scored"), chunk_texts(session.settings))
    for _, answers in scoring_of(session.settings)(chunks, list):
        model, revision = answers.model, answers.revision
        for answer in answers.found:
            if isinstance(answer, Poison):
                raise DataError(f"row {len(scores) + 1}: {answer.reason}", hint="leave that text out")
            scores.append(answer.scores)
            truncated += answer.truncated
    note_truncated(truncated, len(scores))
    return Judged(scores=scores, model=model, revision=revision)
