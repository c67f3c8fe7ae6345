"""Options that are taken as they were written, so that no library is loaded to check them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.core import TyperOption


class LightOption(TyperOption):
    """An option whose value needs no check where it is absent, a text or a path.

    From version 0.29 on typer has pydantic look at every value, also at those that were not given: to
    load it takes as long as to load typer.
    """

    def get_runtime_param(self) -> Any:
        """Return what typer asks for the value."""
        return _Light(super().get_runtime_param)


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
    """Have a command, and those that belong to it, take their options as they were written."""
    for option in command.get_params(ctx):
        if type(option) is TyperOption:
            # typer makes the options itself, and takes no other class for them.
            option.__class__ = LightOption
    for one in getattr(command, "commands", {}).values():
        lighten(one, ctx)
