"""How good the predictions of a log were: measured on gold labels, or estimated for rows without them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentimon.errors import NoVerdictError
from sentimon.workflows.log_labels import read_labels, risk_since_baseline, text_hash
from sentimon.workflows.log_rows import open_log

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.evaluation.error_rate_monitor import ErrorRateCheck
    from sentimon.evaluation.estimate import Estimates
    from sentimon.evaluation.estimate_rows import ModelRows
    from sentimon.evaluation.realised_quality import EstimateGap, Judged, QualityWindow, RealisedQuality
    from sentimon.labels import Sentiment
    from sentimon.prediction_log.summary import ModelKey
    from sentimon.prediction_log.windows import Period
    from sentimon.statistics.score_scaling import Calibrator
    from sentimon.workflows.workspace import Workspace

_SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuality:
    """How good the labelled rows of a period were."""

    quality: RealisedQuality
    windows: Sequence[QualityWindow] | None
    """None where no windows are asked for."""
    risk: ErrorRateCheck
    """Whether the error rate rose since the baseline."""
    rows: int
    """Rows of the period, labelled or not."""
    labelled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityEstimate:
    """How good the rows of a period are likely to be, learnt from labelled rows."""

    estimates: Estimates
    """`learnt` is None where the estimate cannot be trusted."""
    gap: EstimateGap | None
    """How far the estimate was off on labelled rows of the period itself; None where there are none."""


def measure_quality(
    workspace: Workspace, period: Period | None = None, *, every: str | None = None
) -> LogQuality:
    """Return the quality of the labelled rows of `period`; with `every`, such as "1d", also per window.

    Raises:
        UsageError: no such windows fit the calendar.
        StoreError: the log, its labels or the baseline cannot be read.
    """
    from sentimon.evaluation.realised_quality import judge, realised_quality_of, realised_quality_windows
    from sentimon.gold_labels.label_join import join_labels
    from sentimon.prediction_log.windows import Period

    calendar = None if every is None else workspace.calendar(every)
    level = workspace.settings.drift.confidence_level
    book = read_labels(workspace)
    with open_log(workspace, period or Period()) as records:
        judged, counts = judge(
            join_labels(workspace.checked(records), book.finder(text_hash(workspace))), calendar
        )
    windows = None
    if calendar is not None:
        windows = realised_quality_windows(
            judged, counts, calendar, now=workspace.now, confidence_level=level
        )
    return LogQuality(
        quality=realised_quality_of(judged, confidence_level=level),
        windows=windows,
        risk=risk_since_baseline(workspace, book, judged, workspace.baseline_path(None)),
        rows=sum(counts.values()),
        labelled=len(judged),
    )


def estimate_quality(
    workspace: Workspace, period: Period | None = None, *, calibration: Path | None = None
) -> QualityEstimate:
    """Return what the labelled rows of the log say of the rows of `period`.

    It learns from the labels of other times, so that those of the period can tell how far it was off;
    where these are too few, from all. The file of `calibration` is what `sentimon calibrate` saved.

    Raises:
        NoVerdictError: too few labelled rows of a class, no rows in the period, or none with the scores of
            all classes.
        StoreError: the calibration cannot be read back, or is of another model.
    """
    from sentimon.evaluation.estimate import estimate
    from sentimon.evaluation.estimate_rows import Source
    from sentimon.evaluation.realised_quality import estimate_gap
    from sentimon.prediction_log.windows import Period

    model, gathered = _gather(workspace, period or Period())
    settings, level = workspace.settings.quality, workspace.settings.drift.confidence_level
    judged, later = _split(gathered, settings.min_labels_per_class, workspace.classes)
    found = estimate(
        Source.of(judged, without_scores=gathered.labelled_without_scores, present=workspace.classes),
        gathered.target(workspace.classes),
        calibrator=None if calibration is None else _calibrator(calibration, model),
        confidence_level=level,
        fewest=settings.min_labels_per_class,
        fit_level=settings.fit_level,
        new_words=settings.new_words,
        seed=_SEED,
    )
    gap = estimate_gap(found.learnt.accuracy if found.learnt else None, later, confidence_level=level)
    return QualityEstimate(estimates=found, gap=gap)


def _gather(workspace: Workspace, period: Period) -> tuple[ModelKey, ModelRows]:
    """Return the model with the most rows in the period, and what the log has of it."""
    from sentimon.evaluation.estimate_rows import gather
    from sentimon.gold_labels.label_join import join_labels
    from sentimon.prediction_log.windows import Period as Whole
    from sentimon.reporting.plain_text import counted

    finder = read_labels(workspace).finder(text_hash(workspace))
    with open_log(workspace, Whole()) as records:
        found = gather(join_labels(workspace.checked(records), finder), period, seed=_SEED)
    if not any(one.rows for one in found.values()):
        raise NoVerdictError("no predictions in that period", hint="choose another with --since and --until")
    model = max(found, key=lambda name: (found[name].rows, str(name)))
    if not any(found[model].counts):
        raise NoVerdictError(
            f"none of {counted(found[model].rows, 'row')} has the scores of all classes: no estimate without",
            hint="log all scores if the classifier gives them; `sentimon metrics --quality` needs none",
        )
    others = sum(one.rows for name, one in found.items() if name != model)
    if others:
        named = model[0] or "unnamed"
        workspace.say(f"{counted(others, 'row')} of other models left out: estimates are for {named}")
    return model, found[model]


def _split(
    gathered: ModelRows, fewest: int, present: tuple[Sentiment, ...]
) -> tuple[list[Judged], list[Judged]]:
    """Return (the labelled rows to learn from, those that tell how far the estimate was off)."""
    from sentimon.evaluation.estimate_rows import Source

    if min(Source.of(gathered.outside, present=present).per_class) >= fewest:
        return gathered.outside, gathered.inside
    return gathered.outside + gathered.inside, []


def _calibrator(path: Path, model: ModelKey) -> Calibrator:
    from sentimon.config.paths import expanded
    from sentimon.evaluation.calibration_file import read_calibration

    return read_calibration(expanded(path)).for_model(*model)
