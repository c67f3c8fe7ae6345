"""The program, and the one boundary at which errors become messages and exit codes."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from typing import Annotated, NoReturn

import typer

import sentimon
from sentimon.cli.later import LaterGroup
from sentimon.cli.options import ConfigOption, LogsOption, flag
from sentimon.errors import ExitCode, SentimonError, UsageError

app = typer.Typer(
    name="sentimon",
    cls=LaterGroup,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    # Plain: loading what draws boxes takes as long as everything else that --help needs.
    rich_markup_mode=None,
    epilog="Exit codes: 0 done, 1 failed, 2 usage, 3 a finding, 4 no verdict, 130 interrupted, 143 ended.",
)


def _version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"sentimon {sentimon.__version__}\n")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    version: Annotated[
        bool,
        flag("--version", "-V", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
    logs: LogsOption = None,
    config: ConfigOption = None,
) -> None:
    """Watch a sentiment classifier in production: score, log, sum up, compare, decide.

    Without a command it shows where you are: the log, the verdict that stands, and what to type next.
    """
    if context.invoked_subcommand is None:
        from sentimon.cli.overview import show_overview

        show_overview(logs, config)
        return
    for name, given in (("--logs", logs), ("--config", config)):
        if given is not None:
            raise UsageError(
                f"{name} stands before the command {context.invoked_subcommand}",
                hint=f"write it after the command: sentimon {context.invoked_subcommand} ... {name} {given}",
            )


def run() -> None:
    """Run the command line; the process ends with one of the exit codes."""
    if sys.stderr is None:
        # Nobody listens: what is said goes nowhere, and the exit code tells.
        sys.stderr = io.StringIO()
    if sys.stdout is None:
        _fail("standard output is closed: there is nowhere to put the result")
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its escape, not a crash.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            app(prog_name="sentimon")
        finally:
            sys.stdout.flush()
    except SentimonError as error:
        _fail(error.message, hint=error.hint, code=error.exit_code)
    except OSError as error:
        # What a file of ours says is named where it is opened; what is left is stdout, or a strange path.
        _close_stdout()
        if error.errno == errno.EPIPE:
            sys.exit(int(ExitCode.FAILURE))
        _fail(f"{error.filename or 'standard output'}: cannot be used: {error.strerror or error}")


def _fail(message: str, *, hint: str | None = None, code: ExitCode = ExitCode.FAILURE) -> NoReturn:
    from sentimon.config.secrets import masked
    from sentimon.reporting.plain_text import visible

    sys.stderr.write(f"error: {visible(masked(message))}\n")
    if hint:
        sys.stderr.write(f"hint: {visible(masked(hint))}\n")
    sys.exit(int(code))


def _close_stdout() -> None:
    # What is still buffered can go nowhere; without this the interpreter tries again as it ends.
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
