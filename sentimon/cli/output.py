"""Where a command's words go: results to stdout, notes to stderr, the exit code to the caller."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from sentimon.errors import ExitCode
from sentimon.reporting.plain_text import counted as counted
from sentimon.reporting.plain_text import visible

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sentimon.reporting.command_steps import Step

__all__ = [
    "NARROWEST",
    "counted",
    "leave",
    "note",
    "show",
    "show_json",
    "show_lines",
    "show_sentences",
    "show_steps",
]
NARROWEST = 60


def show(renderable: RenderableType, *, wrap: bool = True) -> None:
    """Print a table or a text for people on stdout; without `wrap` its lines are as long as they are."""
    from rich.console import Console

    console = Console(markup=False, highlight=False, emoji=False)
    # Narrower, a table would lose digits; a terminal that is narrower wraps its lines.
    console.width = max(console.width, NARROWEST)
    console.print(renderable, soft_wrap=not wrap)


def show_sentences(sentences: Iterable[str]) -> None:
    """Print sentences for people on stdout, each from a line of its own on."""
    for sentence in sentences:
        show(sentence)


def show_steps(steps: Iterable[Step]) -> None:
    """Print what to do now on stdout: each step, and its commands on lines of their own."""
    show("\nWhat to do now:")
    for step in steps:
        show(f"- {step.text}")
        for command in step.commands:
            # A command that is broken into lines cannot be copied.
            show(f"    {visible(command)}", wrap=False)


def show_json(value: Mapping[str, Any]) -> None:
    """Print one object as a line of strict JSON on stdout."""
    show_lines([value])


def show_lines(values: Iterable[Mapping[str, Any]]) -> None:
    """Print objects as lines of strict JSON on stdout, as they come."""
    from sentimon.jsonl import encode

    # Bytes: JSON is UTF-8 whatever the terminal's encoding is.
    sys.stdout.flush()
    for value in values:
        sys.stdout.buffer.write(encode(value) + b"\n")


def note(message: str) -> None:
    """Print one line for people on stderr."""
    from sentimon.config.secrets import masked

    sys.stderr.write(visible(masked(message)) + "\n")


def leave(code: ExitCode, *, exit_zero: bool = False) -> NoReturn:
    """End the command; `exit_zero` turns a finding and no verdict into 0."""
    if exit_zero and code in (ExitCode.FINDING, ExitCode.NO_VERDICT):
        code = ExitCode.OK
    raise typer.Exit(int(code))
