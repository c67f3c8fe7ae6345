"""Who is told of a trigger that fired: a command, a webhook. What becomes of it changes no exit code."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentimon.cli.output import note

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
    """Tell whom the settings and `command` name of a trigger that fired, and say on stderr how it went.

    It comes after the decision is saved: neither a webhook that hangs nor a command that fails can
    take it back.
    """
    from sentimon.config.durations import parse_duration
    from sentimon.jsonl import encode

    settings = workspace.settings.notify
    if settings.webhook:
        from sentimon.cli.webhook import send

        note(send(settings, encode(trigger)))
    if command and command.strip():
        from sentimon.cli.hook import run_command, variables

        limit = parse_duration(settings.command_timeout).total_seconds()
        environment = _GIVEN | variables(trigger)
        outcome = run_command(command, encode(trigger) + b"\n", environment, limit_seconds=limit)
        note(f"--on-trigger: {outcome}")
