"""The labelled rows of a report: of a file that is named, or those joined to the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentimon.cli.session import Session
from sentimon.files import is_there

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentimon.labels import Sentiment
    from sentimon.prediction_log.windows import Period
    from sentimon.reporting.report.report_value import Labelled
    from sentimon.scoring.scores import Scores


def read_labelled(session: Session, period: Period, file: str | None) -> Labelled | None:
    """Return the quality on the rows of `file`, which the model scores now; without one, on those of the log.

    The rows of the log are read only where labels lie beside it.

    Raises:
        DataError: the file holds no labelled texts.
        ModelError: the model cannot be loaded.
    """
    from sentimon.gold_labels.label_book import LABELS_FILE

    if file is not None:
        return _of_file(session, file)
    return _of_log(session, period) if is_there(session.folder / LABELS_FILE) else None


def _of_file(session: Session, file: str) -> Labelled:
    from sentimon.evaluation.datasets import load_labelled
    from sentimon.workflows.evaluation import score_all

    rows = load_labelled(file, split=None, text_column=None, label_column=None)
    judged = score_all(session, [row.text for row in rows])
    return _measured(session, f"{file}, scored by {judged.model}", judged.scores, [row.label for row in rows])


def _of_log(session: Session, period: Period) -> Labelled | None:
    from sentimon.gold_labels.label_book import LABELS_FILE
    from sentimon.scoring.scores import Scores
    from sentimon.workflows.log_labels import judge_log, read_labels

    judged = judge_log(session, read_labels(session), period)
    if not judged:
        return None
    return _measured(
        session,
        f"{LABELS_FILE} beside the log",
        [Scores.from_probabilities(one.scores) for one in judged],
        [one.label.label for one in judged],
        drawn=any(one.label.drawn for one in judged),
    )


def _measured(
    session: Session,
    source: str,
    scores: Sequence[Scores],
    labels: Sequence[Sentiment],
    *,
    drawn: bool = False,
) -> Labelled:
    from sentimon.evaluation.calibration_error import reliability
    from sentimon.evaluation.quality import evaluate
    from sentimon.reporting.report.report_value import Labelled

    level = session.settings.drift.confidence_level
    right = [one.label is label for one, label in zip(scores, labels, strict=True)]
    return Labelled(
        source=source,
        quality=evaluate(scores, labels, confidence_level=level),
        curve=reliability([one.confidence for one in scores], right, confidence_level=level),
        drawn=drawn,
    )
