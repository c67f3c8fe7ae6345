"""The rows of the log as workflows read them, and what there is to say about bad ones among them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentimon.prediction_log.record import PredictionRecord
    from sentimon.prediction_log.summary import Summary
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.workspace import Workspace


@contextmanager
def open_log(
    workspace: Workspace, period: Period, *, noted: bool = True
) -> Iterator[Iterator[PredictionRecord]]:
    """Give the rows of the log in `period`, in log order, until the block ends; bad lines are `noted`.

    Raises:
        StoreError: the log cannot be read.
    """
    with ExitStack() as stack:
        rows = workspace.logged_rows(period, stack)
        if noted:
            say_trouble(workspace, rows.trouble)
        yield workspace.progress(rows, "rows read")


def say_trouble(workspace: Workspace, summary: Summary) -> None:
    """Say how many lines were bad, which were the first, and what had to be assumed about the rows."""
    from sentimon.reporting.plain_text import counted
    from sentimon.timestamps import from_microseconds

    say = workspace.say
    if summary.bad_count:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(summary.bad.items()))
        say(f"{counted(summary.bad_count, 'bad line')} left out ({kinds}); the first:")
        for line in summary.bad_lines:
            say(f"  {line}")
    naive = summary.properties.get("naive_timestamp", 0)
    if naive:
        zone = workspace.settings.logs.naive_time_zone
        say(f"{counted(naive, 'timestamp')} without a time zone read as {zone} time (logs.naive_time_zone)")
    latest = workspace.now if summary.last is None else from_microseconds(summary.last)
    if latest > workspace.now:
        say(f"some rows are dated in the future, the latest {latest:%Y-%m-%d %H:%M} UTC")
