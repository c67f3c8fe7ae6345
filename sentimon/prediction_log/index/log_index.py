"""Questions to a log, answered through its index: only what is new in the files is read."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from zlib import crc32

import msgspec
from msgspec.structs import replace

from sentimon.config.paths import on_objects
from sentimon.errors import LogFileError, StoreError
from sentimon.jsonl import LONGEST
from sentimon.prediction_log.folder import check_folder
from sentimon.prediction_log.index.file_snapshot import LogChangedError
from sentimon.prediction_log.index.indexed_files import ReadOptions
from sentimon.prediction_log.index.period_sums import PeriodSums
from sentimon.prediction_log.index.refresh import UnitRunner, refresh_index
from sentimon.prediction_log.index.sqlite_store import IndexStore, remove_index
from sentimon.prediction_log.locks import STATE_FOLDER, shared

if TYPE_CHECKING:
    from sentimon.prediction_log.slice_fields import SliceCondition

T = TypeVar("T")
Question = Callable[[PeriodSums], T]

_NAME = "rollup.sqlite"
_TRIES = 20
_TRIES_WITHOUT_LOCK = 5
_BROKEN = (sqlite3.Error, msgspec.MsgspecError, UnicodeDecodeError)
"""What reading a damaged index raises; even the message of SQLite may be damaged text."""
_REFUSED = (
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
)
"""SQLite's codes for what the system refuses; the index itself may be fine."""


def index_paths(folder: Path, cache: Path | None) -> tuple[Path, ...]:
    """Return the possible paths of the index of the log in `folder`: beside the log, then in `cache`."""
    remote = on_objects(folder)
    beside_log = () if remote else (folder / STATE_FOLDER / _NAME,)
    if cache is None:
        return beside_log
    digest = address_digest(str(folder) if remote else os.path.realpath(folder))
    return *beside_log, cache / digest / _NAME


def address_digest(address: str) -> str:
    """Return 16 hexadecimal digits that identify a log by its address."""
    name = os.fsencode(address)
    return f"{crc32(name):08x}{crc32(name[::-1]):08x}"


class LogIndex(msgspec.Struct, frozen=True, kw_only=True):
    """The index of the log in a folder."""

    folder: Path
    zone: tzinfo | None
    """The zone of timestamps that name none; None is local time."""
    now: datetime
    run: UnitRunner
    """Reads the units of the files that are new, in this process or in others."""
    paths: Sequence[Path] = ()
    """Where the index may be kept, the best path first; excluded any, each program reads everything."""
    longest: int = LONGEST
    """Bytes of the longest line that is read as one; a longer one is a bad line."""
    fields: tuple[str, ...] = ()
    """The fields that divide the rows into slices."""
    where: tuple[SliceCondition, ...] = ()
    """The rows that there are: those for which all conditions hold; then no index is kept (`paths`)."""
    excluded: frozenset[str] = frozenset()
    """The names of files that are left out of every answer."""

    def ask(self, question: Question[T]) -> T:
        """Return what `question` computes from the log as it is at one consistent moment.

        The index is brought up to date first; then all that `question` asks of its argument is answered
        from the files of that moment. If a file is renamed, rewritten or removed meanwhile, the question
        is put again: so it must only read, and may be called several times. An index that is locked,
        broken or not writable costs time and never changes the answer.

        Raises:
            StoreError: there is no such folder, or a file cannot be read.
        """
        if not on_objects(self.folder):
            check_folder(self.folder)
        for path in self.paths:
            try:
                return self._ask_at(question, path)
            except _BROKEN as error:
                code = _code_of(error)
                if code == sqlite3.SQLITE_BUSY:
                    # Another program is busy reading a long log.
                    return self._ask_in_memory(question, copy_of=path)
                if code not in _REFUSED:
                    with contextlib.suppress(StoreError):
                        remove_index(path)
                    with contextlib.suppress(*_BROKEN, OSError):
                        return self._ask_at(question, path)
            except OSError:
                continue
        return self._ask_in_memory(question)

    def ask_readable_files(self, question: Question[T]) -> tuple[T, list[LogFileError]]:
        """Return (the answer from the files that can be read, the error of each file that cannot).

        Raises:
            StoreError: there is no such folder.
        """
        unreadable: dict[str, LogFileError] = {}
        while True:
            try:
                return replace(self, excluded=frozenset(unreadable)).ask(question), [*unreadable.values()]
            except LogFileError as error:
                if error.path is None or error.path.name in unreadable:
                    raise
                unreadable[error.path.name] = error

    def _ask_at(self, question: Question[T], path: Path | None, copy_of: Path | None = None) -> T:
        for attempt in range(_TRIES):
            # Files that are sealed and compressed all the time would never hold still: lock the writers out.
            lock = (
                shared(self.folder)
                if attempt >= _TRIES_WITHOUT_LOCK and not on_objects(self.folder)
                else contextlib.nullcontext()
            )
            with _retry_if_moved(), lock, contextlib.closing(IndexStore(path)) as store:
                if copy_of is not None:
                    store.copy_from(copy_of)
                options = ReadOptions(
                    zone=self.zone, longest=self.longest, fields=self.fields, where=self.where
                )
                files = refresh_index(
                    store, self.folder, options=options, now=self.now, run=self.run, excluded=self.excluded
                )
                return question(PeriodSums(store=store, files=files, zone=self.zone, where=self.where))
        raise StoreError(
            f"{self.folder}: its files are renamed faster than they can be read",
            hint="run it again when the other programs are done",
        )

    def _ask_in_memory(self, question: Question[T], copy_of: Path | None = None) -> T:
        if copy_of is not None:
            with contextlib.suppress(*_BROKEN):
                return self._ask_at(question, None, copy_of)
        try:
            return self._ask_at(question, None)
        except _BROKEN as error:
            raise StoreError(
                f"no room for what is read of the log: {error}",
                hint="make room on the disk for temporary files",
            ) from error


@contextlib.contextmanager
def _retry_if_moved() -> Iterator[None]:
    """Swallow the errors after which the question is put again: a file moved, or the index was removed."""
    try:
        yield
    except LogChangedError:
        pass
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_READONLY_DBMOVED:
            raise


def _code_of(error: Exception) -> int:
    """Return the primary error code of SQLite, or that of a broken file if there is none."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)) & 0xFF
