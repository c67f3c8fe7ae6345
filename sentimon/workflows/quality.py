"""How good the predictions of a log were: measured on gold labels, or estimated for rows without them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentimon.errors import NoVerdictError
from sentimon.workflows.log_labels import (
    read_labels,
    risk_since_baseline,
    slice_risks_since_baseline,
    text_hash,
)
from sentimon.workflows.log_rows import open_log

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.evaluation.error_rate_monitor import ErrorRateCheck
    from sentimon.evaluation.estimate import Estimates
    from sentimon.evaluation.estimate_rows import ModelRows
    from sentimon.evaluation.realised_quality import EstimateGap, Judged, QualityWindow, RealisedQuality
    from sentimon.evaluation.slice_error_rates import SliceErrorRates
    from sentimon.evaluation.slice_quality import FieldEstimates, FieldQuality, SliceEstimate
    from sentimon.labels import Sentiment
    from sentimon.prediction_log.record import PredictionRecord
    from sentimon.prediction_log.slice_fields import SliceField
    from sentimon.prediction_log.slices import Slices
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
    slice_risks: SliceErrorRates | None
    """Whether that of a slice of the declared fields did; None where none is declared, or one is chosen."""
    rows: int
    """Rows of the period, labelled or not."""
    labelled: int
    by: FieldQuality | None = None
    """The quality by the values of a field; None where that is not asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityEstimate:
    """How good the rows of a period are likely to be, learnt from labelled rows."""

    estimates: Estimates
    """`learnt` is None where the estimate cannot be trusted."""
    gap: EstimateGap | None
    """How far the estimate was off on labelled rows of the period itself; None where there are none."""
    by: FieldEstimates | None = None
    """The estimates by the values of a field; None where that is not asked for."""


def measure_quality(
    workspace: Workspace, period: Period | None = None, *, every: str | None = None, by: str | None = None
) -> LogQuality:
    """Return the quality of the labelled rows of `period`; with `every`, such as "1d", also per window.

    With `by`, the name of a field such as "channel", also per slice of the rows by its values.

    Raises:
        UsageError: no such windows fit the calendar, or rows cannot be divided by that field.
        StoreError: the log, its labels or the baseline cannot be read.
    """
    from sentimon.evaluation.realised_quality import judge, realised_quality_of, realised_quality_windows
    from sentimon.gold_labels.label_join import join_labels
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.slices import field_named

    field = None if by is None else field_named(by)
    calendar = None if every is None else workspace.calendar(every)
    level, period = workspace.settings.drift.confidence_level, period or Period()
    book = read_labels(workspace)
    with open_log(workspace, period) as records:
        rows = join_labels(workspace.checked(records), book.finder(text_hash(workspace)))
        fields = {one.name: one for one in (*workspace.fields, *([] if field is None else [field]))}
        judged, counts = judge(rows, calendar, fields=tuple(fields.values()))
    windows = None
    if calendar is not None:
        windows = realised_quality_windows(
            judged, counts, calendar, now=workspace.now, confidence_level=level
        )
    baseline = workspace.baseline_path(None)
    return LogQuality(
        quality=realised_quality_of(judged, confidence_level=level),
        windows=windows,
        risk=risk_since_baseline(workspace, book, judged, baseline),
        slice_risks=slice_risks_since_baseline(workspace, book, judged, baseline),
        rows=sum(counts.values()),
        labelled=len(judged),
        by=None if field is None else _quality_by(workspace, period, field, judged),
    )


def _quality_by(
    workspace: Workspace, period: Period, field: SliceField, judged: Sequence[Judged]
) -> FieldQuality:
    from sentimon.evaluation.slice_quality import measure_slice_quality

    settings = workspace.settings
    return measure_slice_quality(
        field.name,
        judged,
        _slices(workspace, period, field),
        most=settings.segments.most_values,
        min_labels=settings.quality.min_labels,
        confidence_level=settings.drift.confidence_level,
    )


def _slices(workspace: Workspace, period: Period, field: SliceField) -> Slices:
    """Return the sums over all rows of the period by the values of a field that some row has."""
    from sentimon.workflows.slices import check_some_row_has

    slices = workspace.divided_by(field).slices(period, field)
    check_some_row_has(workspace, field, slices)
    return slices


def estimate_quality(
    workspace: Workspace,
    period: Period | None = None,
    *,
    calibration: Path | None = None,
    by: str | None = None,
) -> QualityEstimate:
    """Return what the labelled rows of the log say of the rows of `period`.

    It learns from the labels of other times, so that those of the period can tell how far it was off;
    where these are too few, from all. The file of `calibration` is what `sentimon calibrate` saved.
    With `by`, the name of a field such as "channel", also per slice of the rows by its values: learnt from
    the labels of the slice where they are enough, else from those of all rows.

    Raises:
        UsageError: rows cannot be divided by that field.
        NoVerdictError: too few labelled rows of a class, no rows in the period, or none with the scores of
            all classes.
        StoreError: the calibration cannot be read back, or is of another model.
    """
    from sentimon.evaluation.slice_quality import FieldEstimates
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.slices import field_named

    period = period or Period()
    division = None if by is None else _Division.of(workspace, period, field_named(by))
    model, gathered = _gather(workspace, period, None if division is None else division.slice_of)
    calibrator = None if calibration is None else _calibrator(calibration, model)
    found, gap = _estimate(workspace, gathered, calibrator)
    parts = None
    if division is not None:
        parts = FieldEstimates(
            field=division.field.name,
            slices=tuple(_estimate_slices(workspace, gathered, [*division.shown.tallies], calibrator)),
            values=division.slices.distinct,
        )
    return QualityEstimate(estimates=found, gap=gap, by=parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Division:
    """The rows of a period by the values of a field."""

    field: SliceField
    slices: Slices
    shown: Slices
    """The same, with the values that are told apart, and all others as one."""

    @classmethod
    def of(cls, workspace: Workspace, period: Period, field: SliceField) -> _Division:
        """Return the rows in `period` by the values of a `field` that some row has."""
        slices = _slices(workspace, period, field)
        shown = slices.told_apart(slices.largest(workspace.settings.segments.most_values))
        return cls(field=field, slices=slices, shown=shown)

    def slice_of(self, record: PredictionRecord) -> str:
        """Return the slice of a row among those that are told apart."""
        from sentimon.prediction_log.slices import OTHER

        value = self.field.value(record, record.extra)
        return value if value in self.shown.tallies else OTHER


def _estimate(
    workspace: Workspace, rows: ModelRows, calibrator: Calibrator | None, source: ModelRows | None = None
) -> tuple[Estimates, EstimateGap | None]:
    """Return the estimates for some rows, learnt from their own labels or from those of `source`."""
    from sentimon.evaluation.estimate import estimate
    from sentimon.evaluation.estimate_rows import Source
    from sentimon.evaluation.realised_quality import estimate_gap

    settings, level = workspace.settings.quality, workspace.settings.drift.confidence_level
    origin = source or rows
    judged, later = _split(origin, settings.min_labels_per_class, workspace.classes)
    found = estimate(
        Source.of(judged, without_scores=origin.labelled_without_scores, present=workspace.classes),
        rows.target(workspace.classes),
        calibrator=calibrator,
        confidence_level=level,
        fewest=settings.min_labels_per_class,
        fit_level=settings.fit_level,
        new_words=settings.new_words,
        seed=_SEED,
    )
    # Labelled rows that were learnt from say nothing of how far the estimate is off.
    own = rows.inside if later else []
    gap = estimate_gap(found.learnt.accuracy if found.learnt else None, own, confidence_level=level)
    return found, gap


def _estimate_slices(
    workspace: Workspace, gathered: ModelRows, values: Sequence[str], calibrator: Calibrator | None
) -> Iterator[SliceEstimate]:
    from sentimon.evaluation.estimate_rows import ModelRows, Source
    from sentimon.evaluation.slice_quality import SliceEstimate

    settings, present = workspace.settings, workspace.classes
    for value in workspace.progress(values, "slices estimated", total=len(values)):
        rows = gathered.slices.get(value, ModelRows())
        own = Source.of(rows.outside + rows.inside, present=present).per_class
        own_labels = min(own) >= settings.quality.min_labels_per_class
        few = rows.rows < settings.drift.min_samples
        estimates, gap, lacking = None, None, _lacking(rows, few=few)
        if lacking is None:
            estimates, gap = _estimate(workspace, rows, calibrator, None if own_labels else gathered)
        yield SliceEstimate(
            value=value,
            rows=rows.rows,
            few=few,
            own_labels=own_labels,
            estimates=estimates,
            gap=gap,
            lacking=lacking,
        )


def _lacking(rows: ModelRows, *, few: bool) -> str | None:
    """Return what some rows lack for estimates; None where they lack nothing."""
    if few:
        return "too few rows for a verdict"
    return None if any(rows.counts) else "no row has the scores of all classes"


def _gather(
    workspace: Workspace, period: Period, slice_of: Callable[[PredictionRecord], str] | None
) -> tuple[ModelKey, ModelRows]:
    """Return the model with the most rows in the period, and what the log has of it."""
    from sentimon.evaluation.estimate_rows import gather
    from sentimon.gold_labels.label_join import join_labels
    from sentimon.prediction_log.windows import Period as Whole
    from sentimon.reporting.plain_text import counted

    finder = read_labels(workspace).finder(text_hash(workspace))
    with open_log(workspace, Whole()) as records:
        found = gather(join_labels(workspace.checked(records), finder), period, seed=_SEED, slice_of=slice_of)
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
