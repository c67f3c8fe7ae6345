"""Commands that load only when they are named, so that the others start no later for them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

LATER: Mapping[str, str] = MappingProxyType(
    {
        "export": "Write what is known for other programs: Prometheus.",
        "cron": "Show the lines that have a check run by itself: crontab, systemd.",
        "doctor": "Look whether everything a check needs is well.",
    }
)
"""Each command (its module in this room has the same name) with its line in --help."""


def later_app(line: str) -> typer.Typer:
    """Return what the commands of such a module are added to; `line` is its help."""
    return typer.Typer(
        help=line,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )


class LaterGroup(TyperGroup):
    """The commands of a program, and those that come later."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, line in LATER.items():
            self.commands[name] = TyperCommand(name, help=line)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return what the arguments name, loaded."""
        if args[0] in LATER:
            app = import_module(f"sentimon.cli.{args[0]}").app
            make = get_group if app.registered_callback else get_command
            self.commands[args[0]] = make(app)
        return super().resolve_command(ctx, args)
