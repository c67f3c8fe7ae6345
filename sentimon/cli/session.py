"""The earlier names of `sentimon.cli.opening`."""

from __future__ import annotations

from sentimon.cli.opening import clock
from sentimon.cli.opening import open_workspace as start
from sentimon.workflows.workspace import Workspace as Session

__all__ = ["Session", "clock", "start"]
