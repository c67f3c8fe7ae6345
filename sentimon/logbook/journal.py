"""A file logged in steps, each of them once, wherever the program is killed.

The journal of a job lies beside the log, in `.sentimon/jobs/`, and says how many rows of the input are
done. Before some rows are appended it also holds these rows themselves, and where the live file ended:
written under the lock of the log, forced onto the disk, and replaced as a whole. So whoever comes after a
kill reads at that place what was appended: all of it, none, or its first lines; and appends the rest.
After a step the journal says that it is done, and at the end that all is. It stays there, without any rows,
so that the same job, asked for again, adds none. It is the only one of its input, and makes room for the job
of the next file under that name: one that was changed after all of it was logged is another.

Between the two it may happen that another program replaces the file, or seals and compresses it. Then
nobody can tell, and that is what is said; no row is guessed to be there or not.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from sentimon.errors import StoreError
from sentimon.jsonl import encode
from sentimon.logbook.asked import check_asked, has_changed, read_job
from sentimon.logbook.custody import end_custody
from sentimon.logbook.files import errors_named, replace_file
from sentimon.logbook.intake import Row
from sentimon.logbook.locks import STATE_FOLDER, exclusive, only_one
from sentimon.logbook.place import Place, opened_own
from sentimon.logbook.record import PredictionRecord
from sentimon.logbook.writer import LogWriter
from sentimon.scoring.rows import content_of

_JOBS = "jobs"


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How far a job is."""

    rows: int = 0
    """Of the input that are done with."""
    digest: str = hashlib.sha256().hexdigest()
    """SHA-256 of these rows."""
    logged: int = 0
    bad_lines: int = 0


class _Intent(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that are about to be appended, and where."""

    lines: list[str]
    after: Counts
    place: Place


class _State(msgspec.Struct, frozen=True, kw_only=True):
    asked: dict[str, Any]
    done: Counts = Counts()
    intent: _Intent | None = None
    complete: bool = False


_decode_state = msgspec.json.Decoder(_State).decode


class Journal:
    """The journal of one job; made by `open_journal`."""

    def __init__(self, path: Path, writer: LogWriter, state: _State) -> None:
        self.path = path
        self._writer = writer
        self._state = state
        self._digest = hashlib.sha256()

    @property
    def done(self) -> Counts:
        """Return how far the job is, earlier runs of it included."""
        return self._state.done

    @property
    def complete(self) -> bool:
        """Return whether all of the input is done."""
        return self._state.complete

    def rest(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows of the input that are not done with.

        Raises:
            StoreError: those before them are not the ones that were.
        """
        before, passed = self.done.rows, 0
        for row in rows:
            if passed == before:
                yield row
                continue
            self._digest.update(content_of(row))
            passed += 1
            if passed == before:
                self._check_digest()
        if passed < before:
            self._check_digest()

    def append(
        self, rows: Sequence[Row], records: Sequence[PredictionRecord], *, bad_lines: int, now: datetime
    ) -> None:
        """Append the records that some rows of the input have become, and note that these are done.

        Raises:
            StoreError: the log or the journal cannot be written; then the rows are not done.
        """
        for row in rows:
            self._digest.update(content_of(row))
        done = self.done
        after = Counts(
            rows=done.rows + len(rows),
            digest=self._digest.hexdigest(),
            logged=done.logged + len(records),
            bad_lines=done.bad_lines + bad_lines,
        )
        self._append(self._writer.lines_of(records), after, now)

    def recover(self, *, now: datetime) -> None:
        """Bring a step that was under way when the program was killed to its end.

        Raises:
            StoreError: nobody can tell how far it came.
        """
        intent = self._state.intent
        if intent is not None:
            lines = [line.encode() for line in intent.lines]
            self._append(lines[self._count_there(intent, lines) :], intent.after, now)

    def finish(self) -> None:
        """Note that all of the input is done.

        Raises:
            StoreError: the journal cannot be written.
        """
        self._keep(msgspec.structs.replace(self._state, complete=True))

    def _append(self, lines: list[bytes], after: Counts, now: datetime) -> None:
        self._writer.append_lines(lines, now=now, before=lambda: self._intend(lines, after))
        self._keep(_State(asked=self._state.asked, done=after))

    def _intend(self, lines: list[bytes], after: Counts) -> None:
        place = Place.of(self._writer.path)
        intent = _Intent(lines=[line.decode() for line in lines], after=after, place=place)
        self._keep(msgspec.structs.replace(self._state, intent=intent))

    def _keep(self, state: _State) -> None:
        replace_file(self.path, encode(state) + b"\n")
        self._state = state

    def _check_digest(self) -> None:
        if self._digest.hexdigest() != self.done.digest:
            raise StoreError(
                f"the input has changed since its first {self.done.rows} rows were logged",
                hint=f"log what is missing by itself, and remove {self.path}",
            )

    def _count_there(self, intent: _Intent, lines: list[bytes]) -> int:
        """Return how many of the lines are in the log; a torn one behind them is taken away."""
        folder = self._writer.path.parent
        with errors_named(self._writer.path), exclusive(folder) as lock:
            path = intent.place.found_in(folder)
            if path is None:
                raise StoreError(
                    f"{folder}: was rewritten or sealed while {len(lines)} rows were being logged: "
                    "nobody can tell whether they are in it",
                    hint=f"look for the last text in {self.path}, then remove that file",
                )
            there, torn = intent.place.lines_there(path, lines)
            if torn is not None:
                with opened_own(path, os.O_RDWR) as descriptor:
                    os.ftruncate(descriptor, torn)
                end_custody(lock)
        return there


@contextlib.contextmanager
def open_journal(
    folder: Path, name: str, asked: Mapping[str, Any], writer: LogWriter, *, now: datetime
) -> Iterator[Journal]:
    """Give the journal of the job that logs the input called `name` in `folder`: new, begun, or complete.

    `asked` is what the job was asked to do: one that was begun otherwise is not gone on with.

    Raises:
        StoreError: the job is running, was asked otherwise, or its journal cannot be used.
    """
    digest = hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:16]
    path = folder / STATE_FOLDER / _JOBS / f"{digest}.json"
    with contextlib.ExitStack() as stack:
        with errors_named(path):
            alone = stack.enter_context(only_one(path.with_suffix(".lock")))
        if not alone:
            raise StoreError(f"{name} is being logged by another program", hint="wait until that has ended")
        journal = Journal(path, writer, _read_state(path, dict(asked)))
        journal.recover(now=now)
        yield journal


def _read_state(path: Path, asked: dict[str, Any]) -> _State:
    state = read_job(path, _decode_state, kind="journal")
    if state is None or (state.complete and has_changed(state.asked, asked)):
        return _State(asked=asked)
    check_asked(state.asked, asked, path)
    return state
