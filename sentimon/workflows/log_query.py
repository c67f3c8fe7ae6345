"""The rows of a log that fit a question."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sentimon.errors import DataError, UsageError

if TYPE_CHECKING:
    from sentimon.labels import Sentiment
    from sentimon.prediction_log.row_filter import MatchingRows, RowFilter
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.workspace import Workspace


def row_filter(
    workspace: Workspace,
    *,
    sentiments: Iterable[str] | None = None,
    min_confidence: float | None = None,
    max_confidence: float | None = None,
    contains: str | None = None,
    row_id: str | None = None,
    model: str | None = None,
) -> RowFilter:
    """Return what a row must be to be found; None asks for nothing.

    Raises:
        UsageError: there is no such class, or no confidence can be like that.
    """
    from sentimon.prediction_log.row_filter import RowFilter

    found = RowFilter(
        sentiments=_classes(workspace, sentiments),
        min_confidence=_share("--min-confidence", min_confidence),
        max_confidence=_share("--max-confidence", max_confidence),
        contains=contains,
        id=row_id,
        model=model,
    )
    low, high = found.min_confidence, found.max_confidence
    if low is not None and high is not None and low > high:
        raise UsageError(
            f"--min-confidence {low:g} is above --max-confidence {high:g}", hint="exchange the two"
        )
    return found


def find_rows(workspace: Workspace, period: Period, wanted: RowFilter, stack: ExitStack) -> MatchingRows:
    """Return the rows of `period` that are `wanted`, in log order; their files are open until `stack` closes.

    Raises:
        StoreError: the log cannot be read.
    """
    from sentimon.prediction_log.row_filter import MatchingRows

    rows = workspace.logged_rows(period, stack)
    return MatchingRows(workspace.progress(rows, "rows read"), wanted, trouble=rows.trouble)


def _classes(workspace: Workspace, labels: Iterable[str] | None) -> frozenset[Sentiment] | None:
    from sentimon.labels import parse_label

    names = [name for name in workspace.names if name]
    places = dict(zip(names, workspace.classes, strict=True))
    try:
        found = [places[one] if one in places else parse_label(one) for one in labels or ()]
    except DataError as error:
        hint = f"use one of: {', '.join(names)}"
        raise UsageError(f"--sentiment: {error.message}", hint=hint) from error
    return frozenset(found) or None


def _share(option: str, value: float | None) -> float | None:
    if value is not None and not 0.0 <= value <= 1.0:
        raise UsageError(f"{option} is {value:g}", hint="a confidence is a number from 0 to 1")
    return value
