"""`sentimon compare`: two models on the same labelled texts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from sentimon.cli.options import ConfigOption, ExitZeroFlag, JsonFlag
from sentimon.cli.output import counted, leave, note, show, show_json
from sentimon.cli.progress import watched
from sentimon.cli.session import Session, start
from sentimon.errors import DataError, ExitCode, UsageError

if TYPE_CHECKING:
    from sentimon.evaluation.datasets import LabelledText
    from sentimon.labels import Sentiment

SEGMENT = "language"
ToleranceOption = Annotated[
    float | None,
    typer.Option("--tolerance", metavar="SHARE", help="How much worse B may be. (default: 0.01)"),
]


def compare(
    model_a: Annotated[str, typer.Argument(metavar="MODEL_A", help="The model in use: id or folder.")],
    model_b: Annotated[str, typer.Argument(metavar="MODEL_B", help="The model that may take its place.")],
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
    segment: Annotated[
        str, typer.Option("--segment", metavar="NAME", help="Column whose values are parts, if it is there.")
    ] = SEGMENT,
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
    import numpy as np

    from sentimon.evaluation.datasets import load_labelled
    from sentimon.evaluation.model_comparison import compare_models, parts_of
    from sentimon.reporting.model_tables import comparison_object, comparison_table

    session = start(config, {"quality.compare_tolerance": tolerance})
    if not model_a.strip() or not model_b.strip():
        raise UsageError("a model has no name", hint="sentimon-default is the model that ships")
    settings = session.settings.quality
    rows = load_labelled(
        data, split=split, text_column=text_column, label_column=label_column, segment_column=segment
    )
    if segment != SEGMENT and rows[0].segment is None:
        raise DataError(f"{data}: no column {segment!r}", hint="leave out --segment, or name another column")
    a, b, seconds = score_both(session, (model_a, model_b), rows)
    gold = np.array([row.label for row in rows], dtype=np.int64)
    texts = [row.text for row in rows]
    found = compare_models(
        gold,
        np.array(a, dtype=np.int64),
        np.array(b, dtype=np.int64),
        parts=parts_of(gold, texts, segment, [row.segment for row in rows]),
        seconds=seconds,
        tolerance=settings.compare_tolerance,
        confidence_level=session.settings.drift.confidence_level,
        fewest=settings.min_labels,
    )
    if as_json:
        show_json({"data": data, "model_a": model_a, "model_b": model_b, **comparison_object(found)})
    else:
        show(comparison_table(found, a=model_a, b=model_b, data=data))
    leave(ExitCode.FINDING if found.worse else ExitCode.OK, exit_zero=exit_zero)


def score_both(
    session: Session, names: tuple[str, str], rows: list[LabelledText]
) -> tuple[list[Sentiment], list[Sentiment], tuple[float, float]]:
    """Return the classes that each model gives the texts, and the seconds that each took a text.

    They take turns, so that what else the machine does meets both alike.
    """
    from sentimon.scoring.scorer import bounded, load_scorer

    scorers = [load_scorer(replace(session.settings.model, name=name, revision="")) for name in names]
    classes: tuple[list[Sentiment], list[Sentiment]] = ([], [])
    passed, truncated = [0.0, 0.0], [0, 0]
    for scorer in scorers:
        scorer.score([rows[0].text])
    chunks = bounded((row.text for row in rows), count=session.settings.model.buffer_size, length=len)
    for texts in watched(chunks, "chunks of texts scored"):
        for place, scorer in enumerate(scorers):
            begun = time.perf_counter()
            scored = scorer.score(texts)
            passed[place] += time.perf_counter() - begun
            classes[place].extend(one.scores.label for one in scored)
            truncated[place] += sum(one.truncated for one in scored)
    for name, count in zip(names, truncated, strict=True):
        if count:
            note(f"{counted(count, 'text')} longer than {name} reads: the end was not seen")
    return classes[0], classes[1], (passed[0] / len(rows), passed[1] / len(rows))
