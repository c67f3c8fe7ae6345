"""`sentimon metrics --estimate`: quality and class mix of a period without its labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentimon.cli.labelled import log_rows
from sentimon.cli.output import counted, note, show, show_json
from sentimon.errors import ExitCode, NoVerdictError
from sentimon.workflows.log_labels import read_labels, text_hash
from sentimon.workflows.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.evaluation.estimate_rows import Gathered
    from sentimon.evaluation.realised_quality import Judged
    from sentimon.evaluation.score_scaling import Calibrator
    from sentimon.prediction_log.summary import ModelKey
    from sentimon.prediction_log.windows import Period

_SEED = 0


def show_estimate(
    workspace: Workspace, period: Period, *, calibration: Path | None, as_json: bool
) -> ExitCode:
    """Show what the labelled rows of the log say of the rows of `period`.

    Learnt is from the labels of other times, so that those of the period can tell how far it was off;
    where these are too few, from all. Returned is the exit code: 0, or 4 where nothing can be trusted.

    Raises:
        NoVerdictError: too few labelled rows of a class, or no rows in the period.
        StoreError: the calibration cannot be read back, or is of another model.
    """
    from sentimon.evaluation.estimate import estimate, gap_of
    from sentimon.evaluation.estimate_rows import Source
    from sentimon.reporting.estimate_tables import estimates_object, estimates_table

    model, gathered = _gather(workspace, period)
    settings, level = workspace.settings.quality, workspace.settings.drift.confidence_level
    judged, later = _split(gathered, settings.min_labels_per_class)
    found = estimate(
        Source.of(judged),
        gathered.target(),
        calibrator=None if calibration is None else _calibrator(calibration, model),
        confidence_level=level,
        fewest=settings.min_labels_per_class,
        fit_level=settings.fit_level,
        new_words=settings.new_words,
        seed=_SEED,
    )
    gap = gap_of(found.learnt.accuracy if found.learnt else None, later, confidence_level=level)
    origin = None if calibration is None else str(calibration)
    if as_json:
        show_json(estimates_object(found, gap, calibration=origin))
    else:
        show(estimates_table(found, gap, workspace.names, calibration=origin))
    return ExitCode.OK if found.learnt else ExitCode.NO_VERDICT


def _gather(workspace: Workspace, period: Period) -> tuple[ModelKey, Gathered]:
    """Return the model with the most rows in the period, and what the log has of it."""
    from sentimon.evaluation.estimate_rows import gather
    from sentimon.gold_labels.label_coverage import with_labels
    from sentimon.prediction_log.windows import Period as Whole

    finder = read_labels(workspace).finder(text_hash(workspace))
    with log_rows(workspace, Whole()) as records:
        found = gather(with_labels(records, finder), period, seed=_SEED)
    if not any(sum(one.counts) for one in found.values()):
        raise NoVerdictError("no predictions in that period", hint="choose another with --since and --until")
    model = max(found, key=lambda name: (sum(found[name].counts), str(name)))
    others = sum(sum(one.counts) for name, one in found.items() if name != model)
    if others:
        note(f"{counted(others, 'row')} of other models left out: estimates are for {model[0] or 'unnamed'}")
    return model, found[model]


def _split(gathered: Gathered, fewest: int) -> tuple[list[Judged], list[Judged]]:
    """Return (the labelled rows to learn from, those that tell how far the estimate was off)."""
    from sentimon.evaluation.estimate_rows import Source

    if min(Source.of(gathered.outside).per_class) >= fewest:
        return gathered.outside, gathered.inside
    return gathered.outside + gathered.inside, []


def _calibrator(path: Path, model: ModelKey) -> Calibrator:
    from sentimon.config.paths import expanded
    from sentimon.evaluation.calibration_file import read_calibration

    return read_calibration(expanded(path)).for_model(*model)
