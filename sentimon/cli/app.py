"""The program: its commands, and the one boundary at which errors become messages and exit codes."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from typing import Annotated, Any, NoReturn

import typer

import sentimon
from sentimon.cli import baseline, config, drift, evaluate, log, logs, metrics, predict, retrain_check
from sentimon.cli.later import LaterGroup
from sentimon.cli.options import flag, plain_help
from sentimon.errors import ExitCode, SentimonError


class InOrder(LaterGroup):
    """Lists the commands in the order of the way from text to decision."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands."""
        order = (
            "predict",
            "log",
            "metrics",
            "watch",
            "baseline",
            "drift",
            "retrain-check",
            "evaluate",
            "calibrate",
            "compare",
            "label",
            "retrain",
            "promote",
            "models",
            "logs",
            "report",
            "export",
            "cron",
            "doctor",
            "config",
        )
        return sorted(self.commands, key=order.index)


app = typer.Typer(
    name="sentimon",
    cls=InOrder,
    no_args_is_help=True,
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
    version: Annotated[
        bool,
        flag("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Watch a sentiment classifier in production: score, log, sum up, compare, decide."""


for name, command in (
    ("predict", predict.predict),
    ("log", log.log),
    ("metrics", metrics.metrics),
    ("retrain-check", retrain_check.retrain_check),
    ("evaluate", evaluate.evaluate),
    ("config", config.config),
):
    app.command(name, help=plain_help(command))(command)
drift.app.callback(help=plain_help(drift.drift))(drift.drift)
app.add_typer(drift.app, name="drift")
app.add_typer(baseline.app, name="baseline")
app.add_typer(logs.app, name="logs")


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
