"""The way in for programs: a workspace, opened by the name of a log."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sentimon.config import load_settings
from sentimon.workflows.workspace import Workspace


def open_workspace(
    logs: str | Path = "logs",
    config: str | Path | None = None,
    now: datetime | None = None,
    **settings: Any,
) -> Workspace:
    """Return the workspace of the log in the folder `logs`, which need not be there yet.

    Settings come from `settings`, the environment, the TOML file `config` and the defaults, in that order.
    A key is written with two underscores for its dot, as in the environment. `now` is the moment of each
    question; None is the time at which the workspace is opened.

    >>> from sentimon import open_workspace
    >>> workspace = open_workspace("logs", drift__threshold=0.1)
    >>> workspace.settings.drift.threshold, str(workspace.folder)
    (0.1, 'logs')

    Raises:
        ConfigError: a file cannot be read, a key is unknown, or a value is out of range.
    """
    flags = {key.replace("__", ".", 1): value for key, value in settings.items()}
    loaded = load_settings(
        None if config is None else Path(config), flags={"logs.dir": os.fspath(logs), **flags}
    )
    return Workspace(loaded=loaded, now=datetime.now(UTC) if now is None else now)
