"""Commands that are loaded when they are run: what is not asked for costs nothing to start."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand
from typer.main import get_group


class Later(TyperCommand):
    """A command, or group of commands, of the module in cli that has its name; `help` is for the list."""

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> Any:
        """Return the context of the command itself, which is what runs."""
        return _load(str(self.name)).make_context(info_name, args, *rest, **extra)


def _load(name: str) -> Any:
    module = importlib.import_module(f"sentimon.cli.{name}")
    holder = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
    if hasattr(module, "app"):
        holder.add_typer(module.app, name=name)
    else:
        command = getattr(module, name)
        holder.command(name, help=help_of(command))(command)
    return get_group(holder).commands[name]


def help_of(command: Callable[..., None]) -> str:
    """Return the docstring of a command, each paragraph on one line: the terminal breaks it anew."""
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split("\n")) for paragraph in paragraphs)
