"""What a command starts from: its workspace, with the settings in force and the time of the question."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentimon.config import load_settings
from sentimon.config.paths import on_objects
from sentimon.errors import UsageError
from sentimon.workflows.workspace import Workspace

if TYPE_CHECKING:
    from sentimon.reporting.command_steps import CommandOptions


def open_workspace(
    config: Path | None,
    flags: Mapping[str, Any] | None = None,
    *,
    objects: bool = False,
    where: Sequence[str] | None = None,
) -> Workspace:
    """Return the workspace of a command; `flags` are the settings given as options, None where they are not.

    With `where`, what `--where` says, it is the log of these rows alone. Its notes go to stderr, and so
    does the progress of long work.

    Raises:
        UsageError: the log is on object storage, and the command needs one on this machine (not `objects`);
            or `where` is no condition on a row, or no row of the log has its field.
    """
    from sentimon.cli.output import note
    from sentimon.cli.progress import watched

    given = {key: value for key, value in (flags or {}).items() if value is not None}
    loaded = load_settings(config, flags=given)
    folder = loaded.settings.logs.dir
    if on_objects(folder) and not objects:
        from sentimon.config.secrets import masked

        raise UsageError(
            f"{masked(folder)}: this command works on a log of this machine",
            hint="name a folder; object storage is read by metrics, baseline, drift and retrain-check",
        )
    workspace = Workspace(loaded=loaded, now=clock(), progress=watched, say=note)
    if on_objects(folder):
        # Where that fails, what is to be kept there says so.
        with contextlib.suppress(OSError, UsageError):
            workspace.folder.mkdir(parents=True, exist_ok=True)
    if where:
        from sentimon.workflows.slices import narrowed_log

        workspace = narrowed_log(workspace, where)
    return workspace


def command_options(workspace: Workspace, config: Path | None, file: Path | None) -> CommandOptions:
    """Return how the commands that an answer shows name the log, the settings and the baseline `file`."""
    from sentimon.config.secrets import masked
    from sentimon.reporting.command_steps import CommandOptions

    return CommandOptions(
        where=tuple(map(str, workspace.where)),
        logs=masked(workspace.settings.logs.dir),
        config=None if config is None else str(config),
        baseline=None if file is None else str(file),
    )


def clock() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)
