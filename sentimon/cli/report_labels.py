"""The labelled rows of a report: of a file that is named, or those joined to the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentimon.files import is_there
from sentimon.workflows.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentimon.labels import Sentiment
    from sentimon.prediction_log.windows import Period
    from sentimon.reporting.report.report_value import Labelled
    from sentimon.scoring.scores import Scores


def read_labelled(workspace: Workspace, period: Period, file: str | None) -> Labelled | None:
    """Return the quality on the rows of `file`, which the model scores now; without one, on those of the log.

    The rows of the log are read only where labels lie beside it.

    Raises:
        DataError: the file holds no labelled texts.
        ModelError: the model cannot be loaded.
    """
    from sentimon.gold_labels.label_book import LABELS_FILE

    if file is not None:
        return _of_file(workspace, file)
    return _of_log(workspace, period) if is_there(workspace.folder / LABELS_FILE) else None


def _of_file(workspace: Workspace, file: str) -> Labelled:
    from sentimon.cli.evaluate import score_all
    from sentimon.evaluation.datasets import load_labelled

    rows = load_labelled(file, split=None, text_column=None, label_column=None)
    judged = score_all(workspace, [row.text for row in rows])
    return _measured(
        workspace, f"{file}, scored by {judged.model}", judged.scores, [row.label for row in rows]
    )


def _of_log(workspace: Workspace, period: Period) -> Labelled | None:
    from sentimon.gold_labels.label_book import LABELS_FILE
    from sentimon.scoring.scores import Scores
    from sentimon.workflows.log_labels import judge_log, read_labels

    judged = judge_log(workspace, read_labels(workspace), period)
    if not judged:
        return None
    return _measured(
        workspace,
        f"{LABELS_FILE} beside the log",
        [Scores.from_probabilities(one.scores) for one in judged],
        [one.label.label for one in judged],
        drawn=any(one.label.drawn for one in judged),
    )


def _measured(
    workspace: Workspace,
    source: str,
    scores: Sequence[Scores],
    labels: Sequence[Sentiment],
    *,
    drawn: bool = False,
) -> Labelled:
    from sentimon.evaluation.calibration_error import reliability
    from sentimon.evaluation.quality import evaluate
    from sentimon.reporting.report.report_value import Labelled

    level = workspace.settings.drift.confidence_level
    right = [one.label is label for one, label in zip(scores, labels, strict=True)]
    return Labelled(
        source=source,
        quality=evaluate(scores, labels, confidence_level=level),
        curve=reliability([one.confidence for one in scores], right, confidence_level=level),
        drawn=drawn,
    )
