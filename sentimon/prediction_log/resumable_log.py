"""A file logged in steps, each row once, wherever the program is killed: the other sink of a resumable job.

Before the rows of a step are appended to the live file, the journal keeps them with the `Place` at which
that file ended. A run that goes on after a kill sees there how many of them were written.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec

from sentimon.errors import StoreError
from sentimon.files import open_own
from sentimon.prediction_log.append_chain import break_append_chain, this_boot
from sentimon.prediction_log.durable_files import errors_named
from sentimon.prediction_log.folder import LIVE_FILE, sealed_files, stem_of
from sentimon.prediction_log.locks import STATE_FOLDER, exclusive
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.resumable_job import (
    Count,
    Digest,
    DoneStep,
    ResumableJob,
    Step,
    open_job,
    steps_left,
)
from sentimon.prediction_log.writer import LogWriter
from sentimon.scoring.scored_rows import Row

_TAIL_BYTES = 4096


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The end of the live file at some moment."""

    inode: Annotated[int, msgspec.Meta(ge=0)]
    device: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """None where the place was noted before devices were."""
    boot: str = ""
    """The run of the system that it was noted in: in another one devices may have other numbers."""
    size: Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]
    """Bytes."""
    tail: str
    """SHA-256 of the last bytes, by which the file is known again."""
    sealed: list[str]
    """The names of the files that were sealed before, without their endings."""

    @classmethod
    def of(cls, live: Path) -> Place:
        """Return where the live file ends, which is made if need be. The caller holds the lock.

        Raises:
            OSError: it cannot be opened.
        """
        with _opened(live, os.O_RDWR | os.O_CREAT) as descriptor:
            status = os.fstat(descriptor)
            return cls(
                inode=status.st_ino,
                device=status.st_dev,
                boot=this_boot(),
                size=status.st_size,
                tail=_tail(descriptor, status.st_size),
                sealed=[stem_of(path) for path in sealed_files(live.parent)],
            )

    def found_in(self, folder: Path) -> Path | None:
        """Return the file that it is in, live or sealed; None where it was rewritten, compressed or removed.

        Raises:
            OSError: a file cannot be read.
        """
        # Where a file was sealed since, that one was the live one; what is live now is another.
        new = [path for path in sealed_files(folder) if stem_of(path) not in self.sealed]
        for path in new or [folder / LIVE_FILE]:
            with contextlib.suppress(FileNotFoundError), _opened(path, os.O_RDONLY) as descriptor:
                status = os.fstat(descriptor)
                same = status.st_ino == self.inode and status.st_size >= self.size
                if same and self._on(status.st_dev) and _tail(descriptor, self.size) == self.tail:
                    return path
        return None

    def _on(self, device: int) -> bool:
        return self.device is None or self.boot != this_boot() or self.device == device

    def lines_there(self, path: Path, lines: Sequence[bytes]) -> tuple[int, int | None]:
        """Return how many of `lines` were appended there, and where a torn one begins that ends the file.

        Raises:
            OSError: the file cannot be read.
        """
        with _opened(path, os.O_RDONLY) as descriptor:
            begin, size = self.size, os.fstat(descriptor).st_size
            # A line that was torn before was ended first.
            if begin and os.pread(descriptor, 1, begin - 1) != b"\n" and size > begin:
                begin += 1
            for count, line in enumerate(lines):
                there = os.pread(descriptor, len(line) + 1, begin)
                if there != line + b"\n":
                    torn = there and begin + len(there) == size and line.startswith(there)
                    return count, begin if torn else None
                begin += len(there)
        return len(lines), None

    def cut(self, path: Path, size: int) -> None:
        """Cut the file at `path`, which `found_in` gave, down to `size` bytes.

        Raises:
            OSError: the file cannot be written.
        """
        with _opened(path, os.O_RDWR) as descriptor:
            os.ftruncate(descriptor, size)


@contextlib.contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    descriptor = open_own(path, flags, linked=True)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _tail(descriptor: int, size: int) -> str:
    begin = max(0, size - _TAIL_BYTES)
    return hashlib.sha256(os.pread(descriptor, size - begin, begin)).hexdigest()


_JOBS = "jobs"


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How far a job is."""

    rows: Count = 0
    """Of the input that are done with."""
    digest: Digest = hashlib.sha256().hexdigest()
    """SHA-256 of these rows."""
    logged: Count = 0
    bad_lines: Count = 0


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


class Journal:
    """The log, as a place for the steps of one job to end; made by `open_journal`."""

    def __init__(self, job: ResumableJob[_State], writer: LogWriter) -> None:
        self._job = job
        self._writer = writer

    @property
    def path(self) -> Path:
        """Return where the journal is kept."""
        return self._job.path

    @property
    def done(self) -> Counts:
        """Return how far the job is, earlier runs of it included."""
        return self._job.state.done

    @property
    def complete(self) -> bool:
        """Return whether all of the input is done."""
        return self._job.state.complete

    def steps_left(self, rows: Iterable[Row], *, step_rows: int) -> Iterator[Step]:
        """Yield the steps of the input that are not logged yet.

        Raises:
            StoreError: the rows before them are not the ones that were logged.
        """
        before = self.done
        changed = StoreError(
            f"the input has changed since its first {before.rows} rows were logged",
            hint=f"log what is missing by itself, and remove {self.path}",
        )
        # What earlier runs have logged counts as one step, however many it took.
        logged = DoneStep(rows=before.rows, digest=before.digest, if_changed=changed)
        return steps_left(rows, {0: logged} if before.rows else {}, step_rows=step_rows)

    def add(self, step: Step, records: Sequence[PredictionRecord], *, bad_lines: int, now: datetime) -> None:
        """Append the records that a step has become, and note that it is done.

        Raises:
            StoreError: the log or the journal cannot be written; then the step is not done.
        """
        done = self.done
        after = Counts(
            rows=done.rows + len(step),
            digest=step.digest_so_far,
            logged=done.logged + len(records),
            bad_lines=done.bad_lines + bad_lines,
        )
        self._append(self._writer.lines_of(records), after, now)

    def recover(self, *, now: datetime) -> None:
        """Bring a step that was under way when the program was killed to its end.

        Raises:
            StoreError: nobody can tell how far it came.
        """
        intent = self._job.state.intent
        if intent is not None:
            lines = [line.encode() for line in intent.lines]
            self._append(lines[self._count_there(intent, lines) :], intent.after, now)

    def finish(self) -> None:
        """Note that all of the input is done.

        Raises:
            StoreError: the journal cannot be written.
        """
        self._job.finish()

    def _append(self, lines: list[bytes], after: Counts, now: datetime) -> None:
        self._writer.append_lines(lines, now=now, before=lambda: self._intend(lines, after))
        self._job.keep(_State(asked=self._job.state.asked, done=after))

    def _intend(self, lines: list[bytes], after: Counts) -> None:
        place = Place.of(self._writer.path)
        intent = _Intent(lines=[line.decode() for line in lines], after=after, place=place)
        self._job.keep(msgspec.structs.replace(self._job.state, intent=intent))

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
                intent.place.cut(path, torn)
                break_append_chain(lock)
        return there


def job_key(name: str) -> str:
    """Return what stands for the job that logs the input called `name`: a hash, fit for a file name."""
    return hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:16]


@contextlib.contextmanager
def open_journal(
    folder: Path, name: str, asked: Mapping[str, Any], writer: LogWriter, *, now: datetime
) -> Iterator[Journal]:
    """Give the journal of the job that logs the input called `name` in `folder`: new, begun, or complete.

    `asked` is what the job was asked to do: one that was begun otherwise is not gone on with.

    Raises:
        StoreError: the job is running, was asked otherwise, or its journal cannot be used.
    """
    path = folder / STATE_FOLDER / _JOBS / f"{job_key(name)}.json"
    lock, new = path.with_suffix(".lock"), _State(asked=dict(asked))
    busy = StoreError(f"{name} is being logged by another program", hint="wait until that has ended")
    with open_job(path, new, lock=lock, kind="journal", busy=busy, anew_if_changed=True) as job:
        journal = Journal(job, writer)
        journal.recover(now=now)
        yield journal
