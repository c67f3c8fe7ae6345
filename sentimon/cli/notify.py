"""The options that say who is told of a trigger that fired: a command, a webhook."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sentimon.workflows.workspace import Workspace

_GIVEN = dict(os.environ)
"""The environment as this program was given it: what it sets for itself later is not for others."""

OnTriggerOption = Annotated[
    str | None,
    typer.Option(
        "--on-trigger",
        metavar="COMMAND",
        help="Shell command to run for a trigger that fires: its JSON on stdin, SENTIMON_TRIGGER_... set.",
    ),
]
WebhookOption = Annotated[
    str | None,
    typer.Option(
        "--webhook", metavar="URL", help="Where to send a trigger that fires: https, or http to this machine."
    ),
]


def tell(workspace: Workspace, trigger: Mapping[str, Any], *, command: str | None) -> None:
    """Tell whom the settings and `command` name of a trigger that fired; what these say goes to stderr."""
    from sentimon.workflows.trigger_delivery import tell_of_trigger

    tell_of_trigger(workspace, trigger, command=command, environment=_GIVEN, output=_stderr())


def _stderr() -> int:
    """Return the descriptor of stderr, or of nothing where that is closed."""
    try:
        sys.stderr.flush()
        return sys.stderr.fileno()
    except (OSError, ValueError):
        return os.open(os.devnull, os.O_WRONLY)
