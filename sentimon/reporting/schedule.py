"""A scheduled command as a crontab entry, or as a systemd service and timer."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sentimon.config.durations import parse_duration
from sentimon.errors import UsageError

_MINUTES = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)
_HOURS = (1, 2, 3, 4, 6, 8, 12)
LONGEST_LINE = 990
"""The longest crontab command in bytes that common crons accept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a command runs, in the notation of cron and of systemd."""

    cron: str
    systemd: str

    @classmethod
    def of(cls, every: str) -> Schedule:
        """Return the schedule for an interval, aligned to the hour, the day or the week.

        >>> Schedule.of("15m")
        Schedule(cron='*/15 * * * *', systemd='*:0/15')

        Raises:
            DataError: it is no duration.
            UsageError: it does not divide an hour or a day, which cron needs.
        """
        length = parse_duration(every)
        minutes, seconds = divmod(length, timedelta(minutes=1))
        hours, rest = divmod(minutes, 60)
        if not seconds and minutes in _MINUTES:
            return cls(cron=f"{_each(minutes)} * * * *", systemd=f"*:0/{minutes}")
        if not seconds and not rest and hours in _HOURS:
            return cls(cron=f"0 {_each(hours)} * * *", systemd=f"0/{hours}:00")
        if length == timedelta(days=1):
            return cls(cron="0 0 * * *", systemd="00:00")
        if length == timedelta(weeks=1):
            return cls(cron="0 0 * * 1", systemd="Mon 00:00")
        raise _uneven(every, length)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A command and the folder it runs in; every path is absolute."""

    name: str
    """The name of the systemd units, without their suffix."""
    folder: str
    """The folder that it runs in."""
    lock: str
    """The file that is locked during a run, so that no second run starts."""
    flock: str
    command: Sequence[str]

    def __post_init__(self) -> None:
        """Raise UsageError unless each word fits into a crontab line and a unit.

        Raises:
            UsageError: one has a line break or a control character, or ends in a backslash.
        """
        for word in (self.folder, *self.locked):
            if not word.isprintable() or word.endswith("\\"):
                hint = "rename it, or put the command into a script"
                raise UsageError(f"{word!r} cannot stand in a crontab or a unit", hint=hint)

    @property
    def locked(self) -> tuple[str, ...]:
        """Return the command with flock; if the lock is taken, nothing runs and the exit code is 0."""
        return (self.flock, "-n", "-E", "0", self.lock, *self.command)


def crontab_text(job: Job, schedule: Schedule, *, mailto: str | None) -> str:
    """Return the lines for `crontab -e`.

    Raises:
        UsageError: crons do not agree on what the line means, or it is longer than they read.
    """
    line = f"cd {shlex.quote(job.folder)} && {shlex.join(job.locked)}"
    if "\\\\" in line or "\\%" in line:
        # One cron takes such a backslash away and another does not.
        hint = "rename it, or put the command into a script"
        raise UsageError("a backslash before % or another one means something else in each cron", hint=hint)
    if len(line.encode()) > LONGEST_LINE:
        hint = "use shorter paths, or put the command into a script"
        raise UsageError(f"the line has more than the {LONGEST_LINE} bytes that crons read", hint=hint)
    mail = "# MAILTO=you@example.com names who gets the mail; without it, the owner of this crontab"
    return (
        (f"MAILTO={mailto}" if mailto else mail)
        + "\n"
        # A plain % would end the command; cron itself takes the backslash away, in quotes too.
        + f"{schedule.cron} {line}\n".replace("%", "\\%")
    )


def service_text(job: Job) -> str:
    """Return the service unit, which counts a finding (3) and no verdict (4) as success."""
    return (
        "[Unit]\n"
        "Description=Does the sentiment model need retraining?\n\n"
        "[Service]\n"
        "Type=oneshot\n"
        f"WorkingDirectory={job.folder.replace('%', '%%')}\n"
        f"ExecStart={' '.join(map(systemd_word, job.locked))}\n"
        "SuccessExitStatus=3 4\n"
    )


def timer_text(job: Job, schedule: Schedule) -> str:
    """Return the timer unit, which catches up on a run that was missed while the machine was off."""
    return (
        "[Unit]\n"
        f"Description=Run {job.name}.service\n\n"
        "[Timer]\n"
        f"OnCalendar={schedule.systemd}\n"
        "Persistent=true\n\n"
        "[Install]\n"
        "WantedBy=timers.target\n"
    )


def systemd_word(word: str) -> str:
    r"""Return one argument of ExecStart, quoted so that systemd expands nothing in it.

    >>> systemd_word("/srv/my $shop 100%")
    '"/srv/my $$shop 100%%"'
    """
    plain = word.replace("%", "%%").replace("$", "$$")
    if plain and all(one.isalnum() or one in "/._-+:@%$=," for one in plain) and word.isascii():
        return plain
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _each(number: int) -> str:
    return "*" if number == 1 else f"*/{number}"


def _uneven(every: str, length: timedelta) -> UsageError:
    fitting = [timedelta(minutes=one) for one in _MINUTES] + [timedelta(hours=one) for one in _HOURS]
    fitting += [timedelta(days=1), timedelta(weeks=1)]
    nearest = min(fitting, key=lambda one: abs(one - length))
    return UsageError(
        f"--every {every} does not divide an hour, a day or a week",
        hint=f"the nearest that does is {_short(nearest)}; cron knows 1m to 30m, 1h to 12h, 1d, 1w",
    )


def _short(length: timedelta) -> str:
    for unit, letter in ((timedelta(weeks=1), "w"), (timedelta(days=1), "d"), (timedelta(hours=1), "h")):
        if not length % unit:
            return f"{length // unit}{letter}"
    return f"{length // timedelta(minutes=1)}m"
