"""The commands of the program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer.main

from sentimon.cli.app import app


def commands(group: Any, *way: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each command that does something, with the way to it; a group that does something is one, too."""
    context = group.make_context("sentimon", [], resilient_parsing=True)
    for name in group.list_commands(context):
        _, command, _ = group.resolve_command(context, [name])
        is_group = hasattr(command, "list_commands")
        if not is_group or command.invoke_without_command:
            yield (*way, name), command
        if is_group:
            yield from commands(command, *way, name)


ALL = list(commands(typer.main.get_command(app)))
