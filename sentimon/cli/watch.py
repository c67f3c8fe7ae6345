"""`sentimon watch`: the log in a terminal, live."""

from __future__ import annotations

import os
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from sentimon.cli.opening import clock, open_workspace
from sentimon.cli.options import (
    BaselineOption,
    ByOption,
    ConfigOption,
    LogsOption,
    TimeZoneOption,
    WhereOption,
)
from sentimon.errors import DataError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from sentimon.reporting.live_view import Watched
    from sentimon.workflows.watch import Watcher
    from sentimon.workflows.workspace import Workspace

_RESTS = 10
"""How many times as long as a look took it rests at least, so that a large log costs no core."""

IntervalOption = Annotated[
    str, typer.Option("--interval", metavar="DURATION", help="How often to look: 1s, 5s, 1m.")
]
EveryOption = Annotated[
    str, typer.Option("--every", metavar="DURATION", help="Window length: 15m, 1h, 6h, 1d, 1w.")
]


def watch(
    logs: LogsOption = None,
    interval: IntervalOption = "5s",
    every: EveryOption = "1h",
    file: BaselineOption = None,
    by: ByOption = None,
    where: WhereOption = None,
    tz: TimeZoneOption = None,
    config: ConfigOption = None,
) -> None:
    """Watch the log live in a terminal: class mix, confidence and pace, drift, the latest rows.

    It only reads: the monitor does not look for it. Press q to leave, any other key to look at once. Where
    stdout is no terminal it prints what there is, once. Windows below 1h cost more: rows are read again.

    Example: sentimon watch --logs logs/ --interval 5s --every 1h
    """
    from rich.console import Console

    from sentimon.reporting.live_view import MOST_WINDOWS
    from sentimon.workflows.slices import field_named
    from sentimon.workflows.watch import Watcher

    pause = _pause(interval)
    workspace = open_workspace(config, {"logs.dir": logs, "metrics.time_zone": tz}, where=where)
    if by is not None:
        workspace = workspace.divided_by(field_named(by))
    watcher = Watcher(
        every=every,
        calendar=workspace.calendar(every),
        windows=MOST_WINDOWS,
        path=workspace.baseline_path(file),
        by=by,
    )
    # Before the screen is taken: a log that cannot be read is an error, a long one shows its progress.
    first = watcher.look(workspace)
    console = Console(markup=False, highlight=False, emoji=False)
    if sys.stdout.isatty() and not console.is_dumb_terminal:
        _follow(workspace, watcher, console, pause)
    else:
        _print(workspace, console, first)


def _print(workspace: Workspace, console: Console, state: Watched) -> None:
    from sentimon.cli.output import NARROWEST
    from sentimon.reporting.live_view import frame

    console.width = max(console.width, NARROWEST)
    console.print(frame(state, workspace.names, width=console.width))


def _follow(workspace: Workspace, watcher: Watcher, console: Console, pause: timedelta) -> None:
    """Show the log until it is enough."""
    from rich.live import Live

    from sentimon.cli.terminal import QUIT, STOPPED, terminal
    from sentimon.reporting.live_view import frame

    live = Live(
        console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
    )
    with terminal() as keys, live:
        news = None
        while news != QUIT:
            begun, now = time.monotonic(), clock()
            state = watcher.look(workspace.quiet(now))
            width, height = _measure(console)
            live.update(frame(state, workspace.names, width=width, height=height), refresh=True)
            took = time.monotonic() - begun
            news = keys.wait(max(pause.total_seconds(), _RESTS * took))
            if news == STOPPED:
                live.stop()
                keys.give_way()
                live.start()


def _measure(console: Console) -> tuple[int, int]:
    """Return (width, height) of the terminal as it is now, and have the console draw for that.

    COLUMNS and LINES in the environment may be those of a terminal of another size.
    """
    from rich.console import ConsoleDimensions

    width, height = os.get_terminal_size(sys.stdout.fileno())
    if width and height:
        console.size = ConsoleDimensions(width, height)
    return console.size


def _pause(interval: str) -> timedelta:
    from sentimon.config.durations import parse_duration

    try:
        pause = parse_duration(interval)
    except DataError as error:
        raise UsageError(f"--interval: {error.message}", hint=error.hint) from error
    if not pause:
        raise UsageError(f"--interval {interval} leaves no time between two looks", hint="give 1s or more")
    return pause
