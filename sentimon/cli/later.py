"""Commands that load only when they are named, so that the others start no later for them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from sentimon.cli.light import lighten
from sentimon.cli.options import plain_help, where_examples_are

LATER: Mapping[str, str] = MappingProxyType(
    {
        "watch": "Watch the log live in a terminal: class mix, confidence and pace, drift, the latest rows.",
        "calibrate": "Fit the temperature of a model, so that a score of 0.8 is right 8 times in 10.",
        "compare": "Compare two models on the same labelled texts, to see whether B may take the place of A.",
        "label": "Join gold labels to the log, see how far they reach, draw what to label next.",
        "report": "Write all that is known of a log into one file for people: HTML or Markdown.",
        "retrain": "Fine-tune a model on labelled texts.",
        "promote": "Let a new model serve, if it is not worse than the one in use.",
        "models": "List the promoted models, show one, or go back to an older one.",
        "export": "Write what is known for other programs: Prometheus.",
        "cron": "Show the lines that have a check run by itself: crontab, systemd.",
        "doctor": "Look whether everything a check needs is well, and say how to mend what is not.",
    }
)
"""Each command (its module in this room has the same name) with its line in --help."""


def later_app(name: str) -> typer.Typer:
    """Return what the commands of such a module are added to."""
    return typer.Typer(
        help=LATER[name],
        epilog=where_examples_are(name),
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
    module = import_module(f"sentimon.cli.{name}")
    app = getattr(module, "app", None)
    if app is None:
        app, command = later_app(name), getattr(module, name)
        app.command(name, help=plain_help(command))(command)
        return get_command(app)
    return get_group(app) if app.registered_callback else get_command(app)
