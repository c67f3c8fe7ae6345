"""What commands say on stderr about the rows that they read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentimon.cli.output import counted, note
from sentimon.workflows.workspace import Workspace

if TYPE_CHECKING:
    from sentimon.prediction_log.summary import Summary


def note_not_kept(reason: str | None) -> None:
    """Say on stderr why a look of the monitor could not be remembered, if it could not."""
    if reason is not None:
        note(f"{reason}: this check is not remembered, and the next one judges its rows again")


def note_trouble(workspace: Workspace, summary: Summary) -> None:
    """Say on stderr how many lines were bad, which were the first, and what had to be assumed."""
    from sentimon.timestamps import from_microseconds

    if summary.bad_count:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(summary.bad.items()))
        note(f"{counted(summary.bad_count, 'bad line')} left out ({kinds}); the first:")
        for line in summary.bad_lines:
            note(f"  {line}")
    naive = summary.properties.get("naive_timestamp", 0)
    if naive:
        zone = workspace.settings.logs.naive_time_zone
        note(f"{counted(naive, 'timestamp')} without a time zone read as {zone} time (logs.naive_time_zone)")
    latest = workspace.now if summary.last is None else from_microseconds(summary.last)
    if latest > workspace.now:
        note(f"some rows are dated in the future, the latest {latest:%Y-%m-%d %H:%M} UTC")
