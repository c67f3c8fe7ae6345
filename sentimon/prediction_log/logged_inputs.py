"""Which files were logged already, known by their content: for each the keyless hash of its bytes alone.

logs/.sentimon/inputs/
  <first 32 digits of the SHA-256>.json    one for each file of which rows were logged

Of several programs that log the same content at once, one does.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

from sentimon.errors import StoreError
from sentimon.files import read_if_there, unreadable
from sentimon.jsonl import decode_file, encode
from sentimon.prediction_log.durable_files import create_file, replace_file
from sentimon.prediction_log.locks import STATE_FOLDER
from sentimon.timestamps import format_moment

_FOLDER = "inputs"
_DIGITS = 32
_PIECE = 1 << 20


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a file that was logged."""

    begun: str
    """When, RFC 3339."""
    job: str = ""
    """The resumable job that logs it; empty: a run that does not go on after a stop."""
    logged: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """How many of its rows were logged; None where the run has not come to its end."""


_decode = msgspec.json.Decoder(_Entry).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedInput:
    """The mark of one file in the folder of a log: that its rows were logged, or are being logged."""

    path: Path
    name: str
    """The file, as the user called it."""
    again: bool = False
    """Whether it may be logged although it was before."""
    job: str = ""
    """The resumable job that logs it, if it is one: that may go on with what it has begun."""

    def claim(self, *, now: datetime) -> None:
        """Mark the file as being logged, before its first row is.

        Raises:
            StoreError: it was logged before, or is being logged by another program.
        """
        content = encode(_Entry(begun=format_moment(now), job=self.job))
        if self.again:
            replace_file(self.path, content)
        elif not create_file(self.path, content):
            self._check()

    def check(self) -> None:
        """Raise an error if the file was logged already, before there is work for nothing.

        Raises:
            StoreError: it was.
        """
        if not self.again and self._entry() is not None:
            self._check()

    def finish(self, logged: int, *, now: datetime) -> None:
        """Note that all of the file is logged.

        Raises:
            StoreError: the mark cannot be written.
        """
        replace_file(self.path, encode(_Entry(begun=format_moment(now), job=self.job, logged=logged)))

    def _entry(self) -> _Entry | None:
        content = read_if_there(self.path)
        if content is None:
            return None
        hint = f"remove it, and {self.name} counts as not logged"
        return decode_file(content, _decode, origin=str(self.path), what="mark of a logged file", hint=hint)

    def _check(self) -> None:
        entry = self._entry()
        if entry is None or (self.job and entry.job == self.job):
            return
        if entry.logged is not None:
            rows = "1 row" if entry.logged == 1 else f"{entry.logged} rows"
            raise StoreError(
                f"{self.name}: was logged already, {rows} on {entry.begun}",
                hint="--again logs it once more; each row is then counted twice",
            )
        raise StoreError(
            f"{self.name}: is being logged since {entry.begun}, or that run was stopped half-way",
            hint="--again logs all of it; `sentimon log --resume` is for files that may be interrupted",
        )


def logged_input(folder: Path, path: Path, *, again: bool = False, job: str = "") -> LoggedInput:
    """Return the mark of the file at `path` in the log in `folder`; the file is read to its end.

    Raises:
        StoreError: the file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except OSError as error:
        raise unreadable(path, error) from error
    name = f"{digest.hexdigest()[:_DIGITS]}.json"
    return LoggedInput(path=folder / STATE_FOLDER / _FOLDER / name, name=str(path), again=again, job=job)
