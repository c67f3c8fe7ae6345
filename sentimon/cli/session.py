"""What a command starts from: settings in force, the clock read once, and where results go."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from sentimon.config import LoadedSettings, Settings, load_settings
from sentimon.config.paths import expanded
from sentimon.errors import DataError, ExitCode, UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sentimon.logbook.windows import Calendar, Period
    from sentimon.logbook.writer import LogWriter

BASELINE_FILE = "baseline.json"
NARROWEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One run of a command."""

    loaded: LoadedSettings
    now: datetime

    @property
    def settings(self) -> Settings:
        """Return the settings in force."""
        return self.loaded.settings

    @property
    def folder(self) -> Path:
        """Return the folder of the log."""
        return expanded(self.settings.logs.dir)

    @property
    def source(self) -> str:
        """Return the folder of the log as text, also where the system's encoding is not UTF-8."""
        return os.fsencode(self.folder).decode(errors="replace")

    @property
    def names(self) -> tuple[str, str, str]:
        """Return what the classes are called in tables."""
        return self.settings.labels.names

    def writer(self) -> LogWriter:
        """Return the writer of the log.

        Raises:
            StoreError: the key of the hash cannot be read.
        """
        from sentimon.logbook.writer import LogWriter

        return LogWriter(self.folder, self.settings.logs)

    @property
    def naive_zone(self) -> tzinfo | None:
        """Return the zone of logged timestamps that name none; None is local time."""
        from sentimon.logbook.moments import time_zone

        return time_zone(self.settings.logs.naive_time_zone)

    @property
    def zone(self) -> tzinfo | None:
        """Return the zone of windows and dates; None is local time."""
        from sentimon.logbook.moments import time_zone

        return time_zone(self.settings.metrics.time_zone)

    def period(self, since: str | None, until: str | None) -> Period:
        """Return the period that `--since` and `--until` name.

        Raises:
            UsageError: one of them is no time, or the period ends before it begins.
        """
        from sentimon.logbook.moments import parse_bound
        from sentimon.logbook.windows import Period

        bounds = []
        for option, text in (("--since", since), ("--until", until)):
            try:
                bounds.append(text if text is None else parse_bound(text, now=self.now, zone=self.zone))
            except DataError as error:
                raise UsageError(f"{option}: {error.message}", hint=error.hint) from error
        begin, end = bounds
        if begin is not None and end is not None and begin >= end:
            raise UsageError(f"--since {since} is not before --until {until}", hint="exchange the two")
        return Period(since=begin, until=end)

    def calendar(self, every: str) -> Calendar:
        """Return the windows that `--every` names.

        Raises:
            UsageError: no such windows fit the calendar.
        """
        from sentimon.logbook.windows import Calendar

        try:
            return Calendar.of(every, self.zone)
        except DataError as error:
            raise UsageError(f"--every: {error.message}", hint=error.hint) from error


def start(config: Path | None, **flags: Any) -> Session:
    """Return the session of a command; `flags` are settings given as options, None where they are not.

    A flag is named after its key with two underscores: `drift__threshold`.
    """
    given = {name.replace("__", "."): _plain(value) for name, value in flags.items() if value is not None}
    return Session(loaded=load_settings(config, flags=given), now=datetime.now(UTC))


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def show(renderable: RenderableType) -> None:
    """Print a table or a text for people on stdout."""
    from rich.console import Console

    console = Console(markup=False, highlight=False, emoji=False)
    # Narrower, a table would lose digits; a terminal that is narrower wraps its lines.
    console.width = max(console.width, NARROWEST)
    console.print(renderable)


def show_json(value: Mapping[str, Any]) -> None:
    """Print one object as a line of strict JSON on stdout."""
    from sentimon.jsonl import encode

    # Bytes: JSON is UTF-8 whatever the terminal's encoding is.
    sys.stdout.flush()
    sys.stdout.buffer.write(encode(value) + b"\n")


def note(message: str) -> None:
    """Print one line for people on stderr."""
    from sentimon.reporting.text import visible

    sys.stderr.write(visible(message) + "\n")


def leave(code: ExitCode, *, exit_zero: bool = False) -> NoReturn:
    """End the command; `exit_zero` turns a finding and no verdict into 0."""
    if exit_zero and code in (ExitCode.FINDING, ExitCode.NO_VERDICT):
        code = ExitCode.OK
    raise typer.Exit(int(code))
