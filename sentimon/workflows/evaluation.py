"""Models measured on labelled texts: how good one is, which of two is better, and what its scores mean."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sentimon.engine.scoring_engine import chunk_texts, score_batches
from sentimon.errors import DataError, UsageError
from sentimon.reporting.plain_text import counted
from sentimon.scoring.batch_scoring import PlainTexts, UnscorableText, chunks_of
from sentimon.scoring.scorer import bounded, load_scorer
from sentimon.scoring.scores import Scores
from sentimon.workflows.labelled_texts import read_labelled

if TYPE_CHECKING:
    from sentimon.evaluation.calibration_file import Calibration
    from sentimon.evaluation.datasets import LabelledText
    from sentimon.evaluation.model_comparison import Comparison
    from sentimon.evaluation.quality import Quality
    from sentimon.evaluation.slice_quality import FieldEvaluation
    from sentimon.labels import Sentiment
    from sentimon.statistics.intervals import Estimate
    from sentimon.workflows.workspace import Workspace

LANGUAGE_COLUMN = "language"
"""The column whose values are segments, where nobody names another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredTexts:
    """The scores that a model gives some texts, in their order."""

    scores: list[Scores]
    model: str
    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How good a model is on labelled texts."""

    quality: Quality
    model: str
    revision: str
    by: FieldEvaluation | None = None
    """The quality by the values of a field; None where that is not asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationFit:
    """A calibration, and the expected calibration error on the same rows without it and with it."""

    calibration: Calibration
    error_raw: Estimate
    error_calibrated: Estimate


def evaluate_model(
    workspace: Workspace, rows: Sequence[LabelledText], *, by: str | None = None
) -> Evaluation:
    """Return how good the model in force is on labelled texts, which were read `by` the same field, if any.

    Raises:
        DataError: a text cannot be scored.
    """
    from sentimon.evaluation.quality import evaluate
    from sentimon.evaluation.slice_quality import evaluate_slices
    from sentimon.prediction_log.slice_fields import MISSING

    scored = score_all(workspace, [row.text for row in rows])
    settings, labels = workspace.settings, [row.label for row in rows]
    level, present = settings.drift.confidence_level, workspace.classes
    slices = None
    if by is not None:
        slices = evaluate_slices(
            by,
            [row.slices.get(by, MISSING) for row in rows],
            scored.scores,
            labels,
            most=settings.segments.most_values,
            min_labels=settings.quality.min_labels,
            confidence_level=level,
            present=present,
        )
    quality = evaluate(scored.scores, labels, confidence_level=level, present=present)
    return Evaluation(quality=quality, model=scored.model, revision=scored.revision, by=slices)


def calibrate_model(workspace: Workspace, rows: Sequence[LabelledText]) -> CalibrationFit:
    """Return the calibration of the model in force, fitted on labelled texts.

    Raises:
        NoVerdictError: there are too few rows of a class, or the labels contradict the scores.
    """
    import numpy as np

    from sentimon.evaluation.calibration_file import calibrate, errors_of

    scored = score_all(workspace, [row.text for row in rows])
    present = workspace.classes
    scores = np.array([one.vector for one in scored.scores]).reshape(-1, 3)[:, list(present)]
    gold = np.array([present.index(row.label) for row in rows], dtype=np.int64)
    fewest = workspace.settings.quality.min_labels_per_class
    found = calibrate(
        scores, gold, model=scored.model, revision=scored.revision, fewest=fewest, present=present
    )
    raw, calibrated = errors_of(found.calibrator, scores, gold)
    return CalibrationFit(calibration=found, error_raw=raw, error_calibrated=calibrated)


def compare_on(
    workspace: Workspace,
    models: tuple[str, str],
    data: str,
    *,
    split: str | None = None,
    segment: str = LANGUAGE_COLUMN,
) -> Comparison:
    """Return how the second model compares with the first on the labelled texts that `data` names.

    Raises:
        UsageError: a model has no name, or texts cannot be divided by that field.
        DataError: the texts cannot be read, or lack the column that was named for segments.
        NoVerdictError: there are too few rows.
    """
    if not all(name.strip() for name in models):
        raise UsageError("a model has no name", hint="sentimon-default is the model that ships")
    named = segment != LANGUAGE_COLUMN
    rows = read_labelled(workspace, data, split=split, by=segment, origin="--segment", needed=named)
    a, b, seconds = score_with_both(workspace, models, rows)
    return compare_classes(workspace, rows, a, b, seconds=seconds, segment=segment)


def compare_classes(
    workspace: Workspace,
    rows: Sequence[LabelledText],
    a: Sequence[Sentiment],
    b: Sequence[Sentiment],
    *,
    seconds: tuple[float, float],
    segment: str,
) -> Comparison:
    """Return the paired comparison of the classes that two models give labelled texts.

    Raises:
        NoVerdictError: there are too few rows.
    """
    import numpy as np

    from sentimon.evaluation.model_comparison import compare_models, parts_of

    settings = workspace.settings
    gold = np.array([row.label for row in rows], dtype=np.int64)
    texts = [row.text for row in rows]
    return compare_models(
        gold,
        np.array(a, dtype=np.int64),
        np.array(b, dtype=np.int64),
        parts=parts_of(gold, texts, segment, [row.slices.get(segment) for row in rows], workspace.classes),
        seconds=seconds,
        tolerance=settings.quality.compare_tolerance,
        confidence_level=settings.drift.confidence_level,
        fewest=settings.quality.min_labels,
    )


def score_all(workspace: Workspace, texts: list[str]) -> ScoredTexts:
    """Return the scores that the model in force gives; what it could not read to its end is said.

    Raises:
        DataError: a text ended each worker that was to score it: without it there is no fair measure.
    """
    settings = workspace.settings
    scores: list[Scores] = []
    truncated, unreadable, model, revision = 0, 0, "", ""
    chunks = chunks_of(workspace.progress(texts, "texts scored"), chunk_texts(settings))
    for _, answers in score_batches(settings, map(PlainTexts, chunks), say=workspace.say):
        model, revision = answers.model, answers.revision
        for answer in answers.answers:
            if isinstance(answer, UnscorableText):
                raise DataError(f"row {len(scores) + 1}: {answer.reason}", hint="leave that text out")
            scores.append(answer.scores)
            truncated += answer.truncated
            unreadable += answer.unreadable
    if truncated:
        read = counted(len(scores), "text")
        workspace.say(f"{truncated} of {read} longer than the model reads: the end was not seen")
    if unreadable:
        from sentimon.reporting.prediction_table import explain_unreadable

        workspace.say(explain_unreadable(unreadable, model, total=len(scores)))
    return ScoredTexts(scores=scores, model=model, revision=revision)


def score_with_both(
    workspace: Workspace, names: tuple[str, str], rows: Sequence[LabelledText]
) -> tuple[list[Sentiment], list[Sentiment], tuple[float, float]]:
    """Return the classes that each model gives the texts, and the seconds that each took a text.

    They take turns, so that what else the machine does meets both alike.
    """
    settings = workspace.settings.model
    scorers = [
        load_scorer(replace(settings, name=name, revision=""), present=workspace.classes, say=workspace.say)
        for name in names
    ]
    classes: tuple[list[Sentiment], list[Sentiment]] = ([], [])
    passed, truncated, unreadable = [0.0, 0.0], [0, 0], [0, 0]
    for scorer in scorers:
        scorer.score([rows[0].text])
    chunks = bounded((row.text for row in rows), count=settings.buffer_size, length=len)
    for texts in workspace.progress(chunks, "chunks of texts scored"):
        for place, scorer in enumerate(scorers):
            begun = time.perf_counter()
            scored = scorer.score(texts)
            passed[place] += time.perf_counter() - begun
            classes[place].extend(one.scores.label for one in scored)
            truncated[place] += sum(one.truncated for one in scored)
            unreadable[place] += sum(one.unreadable for one in scored)
    for name, cut, unread in zip(names, truncated, unreadable, strict=True):
        if cut:
            workspace.say(f"{counted(cut, 'text')} longer than {name} reads: the end was not seen")
        if unread:
            workspace.say(f"{counted(unread, 'text')} mostly in letters that {name} does not know")
    return classes[0], classes[1], (passed[0] / len(rows), passed[1] / len(rows))
