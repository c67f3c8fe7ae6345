"""What was predicted in a period, how often and how confidently; and its history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sentimon.labels import LABELS

if TYPE_CHECKING:
    from datetime import datetime

    from sentimon.monitoring.prediction_metrics import Metrics
    from sentimon.monitoring.slice_metrics import FieldMetrics
    from sentimon.prediction_log.summary import Summary
    from sentimon.prediction_log.windows import Period, Window
    from sentimon.workflows.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodMetrics:
    """Class counts, shares and confidence of a period, each with its interval."""

    made: datetime
    metrics: Metrics
    summary: Summary
    """The sum over the rows of the period, and over all bad lines."""
    windows: Sequence[Window] | None
    """None where no windows are asked for."""
    by: FieldMetrics | None = None
    """The rows by the values of a field; None where that is not asked for."""
    confidence_level: float
    labels: tuple[str, str, str] = LABELS
    """What the classes are called in JSON; "" for one that there is not."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as `sentimon metrics --json` shows it."""
        from sentimon.reporting.json_shapes import metrics_object, summary_object, window_object

        content = metrics_object(self.metrics, timestamp=self.made, names=self.labels)
        content |= summary_object(self.summary)
        if self.windows is not None:
            level, names = self.confidence_level, self.labels
            content["windows"] = [
                window_object(one, confidence_level=level, names=names) for one in self.windows
            ]
        if self.by is not None:
            from sentimon.reporting.slice_tables import slices_object

            content["by"] = slices_object(self.by, self.labels)
        return content


def measure_period(
    workspace: Workspace, period: Period | None = None, *, every: str | None = None, by: str | None = None
) -> PeriodMetrics:
    """Return the metrics of the rows in `period`; with `every`, such as "1d", also the windows.

    With `by`, the name of a field such as "channel", also the slices of the rows by its values.

    >>> import tempfile
    >>> from sentimon import PredictionLogger, measure_period, open_workspace
    >>> folder = tempfile.TemporaryDirectory()
    >>> scores = {"negative": 0.1, "neutral": 0.2, "positive": 0.7}
    >>> logged = PredictionLogger(log_dir=folder.name).log_prediction(text="Ottimo!", sentiment_scores=scores)
    >>> found = measure_period(open_workspace(folder.name))
    >>> found.metrics.total, found.metrics.counts
    (1, (0, 0, 1))
    >>> folder.cleanup()

    Raises:
        UsageError: no such windows fit the calendar, or rows cannot be divided by that field.
        StoreError: the log cannot be read.
    """
    from sentimon.monitoring.prediction_metrics import measure
    from sentimon.prediction_log.windows import Period, gaps
    from sentimon.workflows.slices import field_named, measure_by

    if by is not None:
        # Told before the log is read; and both questions are answered of one reading.
        workspace = workspace.divided_by(field_named(by))
    period, level = period or Period(), workspace.settings.drift.confidence_level
    windows: Sequence[Window] | None = None
    if every is None:
        summary = workspace.summary(period)
    else:
        windows, summary = workspace.windows(period, workspace.calendar(every))
        for begin, end in gaps(windows):
            workspace.say(
                f"no rows from {begin.date()} to {end.date()}: the windows between are left out, as they "
                "are too many; --since and --until choose a period"
            )
    return PeriodMetrics(
        made=workspace.now,
        metrics=measure(summary, confidence_level=level),
        summary=summary,
        windows=windows,
        by=None if by is None else measure_by(workspace, period, by),
        confidence_level=level,
        labels=workspace.labels,
    )


def save_metrics(workspace: Workspace, found: PeriodMetrics) -> None:
    """Append metrics to their history beside the log, with what the traffic is now.

    Raises:
        StoreError: the history cannot be written.
    """
    from sentimon.prediction_log.history import METRICS_FILE, append_entry
    from sentimon.reporting.traffic_sentences import traffic_key
    from sentimon.workflows.traffic import check_traffic

    content = {**found.to_dict(), **traffic_key(check_traffic(workspace))}
    # Where a bad line stood says nothing later, and what it said may be erased from the log.
    trouble = {name: value for name, value in content["bad_lines"].items() if name != "first"}
    append_entry(workspace.folder / METRICS_FILE, content | {"bad_lines": trouble})
