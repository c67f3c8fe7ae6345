"""Commands that load only when they are named, and check no more than they must: each starts fast."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command, get_group

from sentimon.cli.help_panels import (
    COMMANDS,
    PanelledCommand,
    PanelledGroup,
    long_name,
    write_commands,
    write_options,
)
from sentimon.cli.options import plain_help, where_examples_are

LATER: Mapping[str, str] = MappingProxyType(
    {name: line for lines in COMMANDS.values() for name, line in lines.items()}
)
"""Each command with its line in --help.

Its module in this room has the same name, with an underscore for a hyphen.
"""


def later_app(name: str, about: str | None = None) -> typer.Typer:
    """Return what the commands of such a module are added to; `about` is what its own --help begins with."""
    return typer.Typer(
        help=about,
        epilog=where_examples_are(name),
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )


class LaterGroup(PanelledGroup):
    """The commands of a program; each is loaded when it is named."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, line in LATER.items():
            self.commands[name] = TyperCommand(name, short_help=line)

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands, in the order of the way from text to decision."""
        return list(LATER)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, then the options."""
        write_commands(formatter)
        write_options(self, ctx, formatter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return the arguments that are left for a command."""
        # Not before: typer adds the options of shell completion last.
        lighten(self, ctx)
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return what the arguments name, loaded."""
        if args[0] in LATER:
            self.commands[args[0]] = _load(args[0])
            lighten(self.commands[args[0]], ctx)
        return super().resolve_command(ctx, args)


def _load(name: str) -> Any:
    """Return the command: that of the module's `app`, or its function of that name."""
    of_python = name.replace("-", "_")
    module = import_module(f"sentimon.cli.{of_python}")
    app = getattr(module, "app", None)
    if app is None:
        app, command = later_app(name), getattr(module, of_python)
        app.command(name, help=plain_help(command))(command)
        return get_command(app)
    return get_group(app) if app.registered_callback else get_command(app)


def _propose(param: Any, ctx: Any, incomplete: str) -> None:
    """Have the shell propose the values of an option or argument, where they are known."""
    from sentimon.cli.completion import completed_values

    name = long_name(param) if param.param_type_name == "option" else param.name
    values = completed_values(name, ctx.info_name, ctx.params, incomplete)
    if values is not None:
        # What typer asks first.
        param._custom_shell_complete = lambda *_: values


class LightArgument(TyperArgument):
    """An argument whose values the shell proposes."""

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Return the values that begin with `incomplete`."""
        _propose(self, ctx, incomplete)
        return super().shell_complete(ctx, incomplete)


class LightOption(TyperOption):
    """An option whose value needs no check where it is absent, a text or a path.

    From version 0.29 on typer has pydantic look at every value, also at those that were not given: to
    load it takes as long as to load typer. The shell proposes its values.
    """

    def get_runtime_param(self) -> Any:
        """Return what typer asks for the value."""
        return _Light(super().get_runtime_param)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Return the values that begin with `incomplete`."""
        _propose(self, ctx, incomplete)
        return super().shell_complete(ctx, incomplete)


class _Light:
    def __init__(self, thorough: Callable[[], Any]) -> None:
        self._thorough = thorough

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value of an option as the command takes it."""
        kind, single = param.type_descriptor.annotation, param.nargs == 1 and not param.multiple
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if single and kind in (str, Path) and isinstance(value, str | Path):
            return kind(value)
        return self._thorough().coerce(value, param=param, ctx=ctx)


def lighten(command: Any, ctx: Any) -> None:
    """Have a command, and those that belong to it, take their options as written, and show them in panels."""
    for plain, panelled in ((TyperCommand, PanelledCommand), (TyperGroup, PanelledGroup)):
        if type(command) is plain:
            command.__class__ = panelled
    for option in command.get_params(ctx):
        if type(option) is TyperOption:
            # typer makes the options itself, and takes no other class for them.
            option.__class__ = LightOption
        elif type(option) is TyperArgument:
            option.__class__ = LightArgument
    for one in getattr(command, "commands", {}).values():
        lighten(one, ctx)
