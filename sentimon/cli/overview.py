"""`sentimon` alone: where one is with the log, and what to type next."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from sentimon.cli.opening import clock, command_options
from sentimon.config import load_settings
from sentimon.reporting.overview_text import overview_lines
from sentimon.workflows.overview import look_around
from sentimon.workflows.workspace import Workspace

_WIDEST = 100


def show_overview(logs: str | None, config: Path | None) -> None:
    """Print where one is with the log of the settings; nothing is written, and no log is read for it."""
    flags = {} if logs is None else {"logs.dir": logs}
    workspace = Workspace(loaded=load_settings(config, flags=flags), now=clock())
    found = look_around(workspace)
    width = max(20, min(shutil.get_terminal_size().columns, _WIDEST))
    for line in overview_lines(found, command_options(workspace, config, None), width=width):
        sys.stdout.write(f"{line}\n")
