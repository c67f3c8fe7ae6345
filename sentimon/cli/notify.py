"""Who is told of what a check found: a command, a webhook, and the services of the settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pathlib import Path

    from sentimon.reporting.command_steps import CommandOptions
    from sentimon.workflows.retraining import RetrainingDecision
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


def tell_services(
    workspace: Workspace, decision: RetrainingDecision, *, config: Path | None, file: Path | None
) -> None:
    """Tell the services of notify.urls_file what is news of a saved decision."""
    if not workspace.settings.notify.urls_file:
        return
    from sentimon.workflows.messages import tell_services as tell_them

    options, host = message_place(workspace, config, file)
    tell_them(workspace, workspace.baseline_path(file), decision, options=options, host=host)


def service_trouble(workspace: Workspace) -> str | None:
    """Return what is wrong with the services of notify.urls_file; None where nothing is, or none are set."""
    told = workspace.settings.notify.urls_file
    if not told:
        return None
    from sentimon.config.paths import expanded
    from sentimon.errors import SentimonError
    from sentimon.extras import require
    from sentimon.workflows.message_services import APPRISE, NEED, exposure, read_services

    path = expanded(told)
    try:
        read_services(path)
        require(NEED, APPRISE)
    except SentimonError as error:
        return f"notify.urls_file: {error.message}: {error.hint}"
    exposed = exposure(path)
    return "; ".join(exposed) if exposed else None


def message_place(workspace: Workspace, config: Path | None, file: Path | None) -> tuple[CommandOptions, str]:
    """Return how a message read elsewhere names the log, its settings and its baseline, and this machine."""
    import platform

    from sentimon.cli.opening import command_options
    from sentimon.config.paths import expanded, on_objects

    found = command_options(workspace, None if config is None else config.absolute(), file)
    logs = workspace.settings.logs.dir
    place = found.logs if on_objects(logs) else str(expanded(logs).absolute())
    return found.at(place), platform.node() or "this machine"


def _stderr() -> int:
    """Return the descriptor of stderr, or of nothing where that is closed."""
    try:
        sys.stderr.flush()
        return sys.stderr.fileno()
    except (OSError, ValueError):
        return os.open(os.devnull, os.O_WRONLY)
