"""`sentimon cron`: the lines that have a check run by itself."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentimon.cli.later import later_app
from sentimon.cli.notify import OnTriggerOption, service_trouble
from sentimon.cli.opening import open_workspace
from sentimon.cli.options import ConfigOption, JsonFlag, LogsOption
from sentimon.cli.output import note, show_json
from sentimon.cli.recording import Recording
from sentimon.config.layers import PROJECT_FILE
from sentimon.config.paths import expanded
from sentimon.errors import DataError, UsageError
from sentimon.files import is_there

if TYPE_CHECKING:
    from sentimon.reporting.schedule import Schedule
    from sentimon.workflows.workspace import Workspace

app = later_app("cron", "Show the lines that have a check run by itself: crontab, systemd.")
_ADDRESS = re.compile(r"[A-Za-z0-9._+@,-]+")
_UNIT = re.compile(r"[A-Za-z0-9:_.-]{1,100}")


@app.callback()
def cron() -> None:
    """Have `show` be a command of a group, also where it is the only one."""


@app.command("show", short_help="Print a crontab entry and a systemd timer.")
def show_lines(
    every: Annotated[
        str, typer.Option("--every", metavar="DURATION", help="How often to check: 15m, 1h, 6h, 1d, 1w.")
    ] = "15m",
    logs: LogsOption = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME",
            help="Rows that each run looks at. (default: 7d; all new ones where the monitor judges)",
        ),
    ] = None,
    prometheus: Annotated[
        Path | None,
        typer.Option(
            "--prometheus",
            metavar="FILE",
            help="Also write it, in each run, for node_exporter's textfile collector.",
        ),
    ] = None,
    on_trigger: OnTriggerOption = None,
    mailto: Annotated[
        str | None, typer.Option("--mailto", metavar="ADDRESS", help="Who gets what cron has to say.")
    ] = None,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Name of the systemd units.")
    ] = "sentimon",
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Print a crontab line, and a systemd service with its timer, that run retrain-check.

    Nothing is installed. All paths are absolute; a run that is still going is not joined by a second
    (flock on the folder of the log); a finding is no failure.

    Example: sentimon cron show --every 15m --logs logs/ --mailto ops@example.com
    """
    from sentimon.reporting.schedule import Job, crontab_text, service_text, timer_text

    schedule = _schedule(every)
    if not _UNIT.fullmatch(name):
        raise UsageError(f"--name {name!r} names no unit", hint="use letters, digits, and . _ - :")
    if mailto is not None and not _ADDRESS.fullmatch(mailto):
        raise UsageError(f"--mailto {mailto!r} is no address", hint="write it as ops@example.com")
    workspace = open_workspace(config, {"logs.dir": logs})
    if prometheus is not None:
        Recording(expanded(prometheus)).check(logs, config)
    lock = workspace.folder.absolute()
    command = _check_command(workspace, config, since, prometheus, on_trigger)
    # With a slash at its end: flock would make a file of a folder that is not there.
    job = Job(name=name, folder=str(Path.cwd()), lock=f"{lock}/", flock=_flock(), command=command)
    parts = {
        "crontab": crontab_text(job, schedule, mailto=mailto),
        "service": service_text(job),
        "timer": timer_text(job, schedule),
    }
    _note_trouble(workspace, lock)
    show_json(parts) if as_json else _show(parts, name)


def _check_command(
    workspace: Workspace,
    config: Path | None,
    since: str | None,
    prometheus: Path | None,
    on_trigger: str | None,
) -> tuple[str, ...]:
    """Return the words of the check, with absolute paths."""
    given = {
        "--prometheus": None if prometheus is None else _absolute(prometheus),
        "--on-trigger": on_trigger,
    }
    return (
        *_program(),
        "retrain-check",
        "--logs",
        str(workspace.folder.absolute()),
        *_configured(config),
        *_period(workspace, since),
        "--save",
        "--quiet",
        *(word for option, value in given.items() if value for word in (option, value)),
    )


def _schedule(every: str) -> Schedule:
    from sentimon.reporting.schedule import Schedule

    try:
        return Schedule.of(every)
    except DataError as error:
        raise UsageError(f"--every: {error.message}", hint=error.hint) from error


def _show(parts: dict[str, str], name: str) -> None:
    units = f"~/.config/systemd/user/{name}"
    sys.stdout.write(
        f"# crontab -e\n{parts['crontab']}\n"
        f"# {units}.service\n{parts['service']}\n"
        f"# {units}.timer, then: systemctl --user enable --now {name}.timer\n{parts['timer']}"
    )


def _program() -> tuple[str, ...]:
    """Return the program that this is, by absolute path."""
    # Not resolved: the interpreter of a virtual environment is a link, and knows its place by its name.
    beside = Path(sys.executable).absolute().parent / "sentimon"
    return (str(beside),) if os.access(beside, os.X_OK) else (sys.executable, "-m", "sentimon")


def _configured(config: Path | None) -> tuple[str, ...]:
    """Return the option that names the configuration file in force here, if there is one."""
    found = PROJECT_FILE if Path(PROJECT_FILE).is_file() else ""
    named = config or os.environ.get("SENTIMON_CONFIG") or found
    return ("--config", _absolute(Path(named))) if named else ()


def _period(workspace: Workspace, since: str | None) -> tuple[str, ...]:
    """Return the option that says which rows a run looks at; none where the monitor judges each row once.

    Raises:
        UsageError: it is no time, or does not go with the monitor.
    """
    from sentimon.prediction_log.windows import Period
    from sentimon.workflows.retraining import is_monitored
    from sentimon.workflows.state_files import read_baseline

    path = workspace.baseline_path(None)
    baseline = read_baseline(path, workspace.classes) if is_there(path) else None
    if since is None and is_monitored(workspace, baseline, Period()):
        return ()
    is_monitored(workspace, baseline, workspace.period(since or "7d", None))
    # Without it a long quiet time would dilute a change.
    return ("--since", since or "7d")


def _absolute(path: Path) -> str:
    return str(expanded(path).absolute())


def _flock() -> str:
    return shutil.which("flock") or "/usr/bin/flock"


def _note_trouble(workspace: Workspace, lock: Path) -> None:
    """Say on stderr what works here and now, and would not by itself."""
    unknown = sorted({origin for origin in workspace.loaded.origins.values() if origin.startswith("$")})
    if unknown:
        note(
            f"neither cron nor systemd knows {', '.join(unknown)}: put what it says into a file for --config"
        )
    trouble = service_trouble(workspace)
    if trouble:
        note(trouble)
    if not lock.is_dir():
        note(f"{lock}: no such folder yet; `sentimon log` makes it")
    if shutil.which("flock") is None:
        note("flock is not here; it comes with util-linux")
