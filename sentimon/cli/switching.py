"""What a switch of models means for the log: a new monitor, a new baseline, and what is left to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentimon.cli.output import note
from sentimon.cli.session import clock
from sentimon.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.cli.session import Session
    from sentimon.monitoring.baseline_collection import Wanted


def check_baseline_rows(session: Session) -> None:
    """Do nothing where a baseline of `training.baseline_rows` rows could be compared with.

    Raises:
        UsageError: it would have too few rows for any verdict.
    """
    rows, fewest = session.settings.training.baseline_rows, session.settings.drift.min_samples
    if 0 < rows < fewest:
        raise UsageError(
            f"a baseline of {rows} rows is too small: drift.min_samples is {fewest}",
            hint=f"--baseline-rows {max(1000, fewest)} or more; 0 makes none",
        )


def follow_switch(session: Session, version: str, revision: str | None) -> Wanted | None:
    """Have monitor and baseline of the log follow a switch just made, and return what is collected now.

    Raises:
        StoreError: the folder of the log cannot be written.
    """
    from sentimon.workflows.monitor_file import forget_monitors
    from sentimon.workflows.next_baseline import Heir, hand_over, say_given_up

    rows = session.settings.training.baseline_rows
    if not rows and not session.folder.is_dir():
        return None
    if revision is None:
        # The history does not say; no row could be told to be of that model.
        forget_monitors(session.folder)
        return None
    # The clock, not the begin of the command: its gate may have taken minutes.
    heir = Heir(name=version, revision=revision, since=clock(), asked=rows)
    path = session.baseline_path(None)
    say_given_up(path, session.say)
    return hand_over(session.folder, path, heir, fewest=session.settings.drift.min_samples)


def advise(session: Session, folder: Path, wanted: Wanted | None) -> None:
    """Say on stderr what a switch leaves to do, and what becomes of the baseline."""
    from sentimon.config.paths import expanded
    from sentimon.timestamps import format_moment
    from sentimon.workflows.model_registry import CURRENT

    if expanded(session.settings.model.name or ".") != folder / CURRENT:
        note(f'name it in the configuration: [model] name = "{folder}/{CURRENT}"')
    if wanted is not None:
        end = "its baseline is taken up again" if wanted.again else "they are its baseline"
        note(f"no verdict on drift for the next {wanted.rows} rows of {wanted.name}; then {end}")
    elif session.baseline_path(None).exists():
        since = format_moment(session.now)
        note(
            "the baseline is of the model before; once enough rows of this one are logged: sentimon "
            f"baseline create --force --since {since} --logs {session.source}"
        )
