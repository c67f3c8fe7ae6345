"""Every error that sentimon raises on purpose, and the exit code each one becomes.

    SentimonError            exit 1  anything below; the command line catches this one class
    |- UsageError            exit 2  an option or argument that cannot be used as given
    |- ConfigError           exit 2  an unknown key, or a value out of range
    |- DataError             exit 1  input that is not what it claims to be: a row, a label, a distribution
    |  `- jsonl.LineError    exit 1  one line of it, counted by kind; it never stops a read
    |- StoreError            exit 1  a file is missing, unreadable, or cannot be written
    |  |- ReadOnlyError      exit 1  where it lies this program may read and not write
    |  `- SegmentError       exit 1  a file that is part of the log, by its name, cannot be read
    |- ModelError            exit 1  a model that cannot be found, loaded or mapped onto the three classes
    |- EngineError           exit 1  a cluster that cannot be reached, started, or used for the work
    |- MissingPackageError   exit 1  a package of an extra is not installed
    `- NoVerdictError        exit 4  a question that the data at hand cannot answer

A message names the thing (path:line, key, label); a hint names the next step. Anything that is not a
SentimonError is a bug and keeps its traceback.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class ExitCode(enum.IntEnum):
    """What the process says to its caller: a crash never looks like drift, drift never like a crash."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    FINDING = 3
    NO_VERDICT = 4
    HUNG_UP = 129
    INTERRUPTED = 130
    TERMINATED = 143


ENDED = (ExitCode.HUNG_UP, ExitCode.INTERRUPTED, ExitCode.TERMINATED)
"""The program was asked to end: by SIGHUP, Ctrl-C, SIGTERM."""


class SentimonError(Exception):
    """Base of all errors raised on purpose; `message` for people, `hint` for the next step."""

    exit_code = ExitCode.FAILURE

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(SentimonError):
    """An option or argument that cannot be used as given."""

    exit_code = ExitCode.USAGE


class ConfigError(SentimonError):
    """A configuration key that does not exist, or a value out of its range."""

    exit_code = ExitCode.USAGE


class DataError(SentimonError):
    """Input that is not what it claims to be: a row, a label, a distribution."""


class StoreError(SentimonError):
    """A file is missing, unreadable, or cannot be written."""


class ReadOnlyError(StoreError):
    """A file cannot be written because its folder may only be read: mounted read-only, or another user's."""


class LogFileError(StoreError):
    """A file that is part of the log, by its name, cannot be read; `path` says which."""

    path: Path | None = None


class ModelError(SentimonError):
    """A model that cannot be found, loaded, or mapped onto the three classes."""


class EngineError(SentimonError):
    """A cluster that cannot be reached, started, or used for the work."""


class MissingPackageError(SentimonError):
    """A package that an extra brings is not installed (`sentimon.extras`)."""


class NoVerdictError(SentimonError):
    """A question that the data at hand cannot answer."""

    exit_code = ExitCode.NO_VERDICT
