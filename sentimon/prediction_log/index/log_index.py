"""The log by way of its index: of what an answer needs, only what is new is read."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TypeVar
from zlib import crc32

import msgspec
from msgspec.structs import replace

from sentimon.config.paths import on_objects
from sentimon.errors import SegmentError, StoreError
from sentimon.jsonl import LONGEST
from sentimon.prediction_log.folder import check_folder
from sentimon.prediction_log.index.file_snapshot import MovedError
from sentimon.prediction_log.index.period_sums import Sums
from sentimon.prediction_log.index.refresh import Run, Terms, refresh
from sentimon.prediction_log.index.sqlite_store import Store, remove_index
from sentimon.prediction_log.locks import STATE_FOLDER, shared

T = TypeVar("T")
Question = Callable[[Sums], T]

_NAME = "rollup.sqlite"
_TRIES = 20
_PATIENT_TRIES = 5
_BROKEN = (sqlite3.Error, msgspec.MsgspecError, UnicodeDecodeError)
"""What a damaged index leads to; also the words in which SQLite says so may be damaged."""
_REFUSED = (
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
)
"""What SQLite says where the system refuses something; the index itself may be fine."""


def places_of(folder: Path, cache: Path | None) -> tuple[Path, ...]:
    """Return where the index of the log in `folder` may be: beside the log, or else in the cache, if any."""
    remote = on_objects(folder)
    beside = () if remote else (folder / STATE_FOLDER / _NAME,)
    if cache is None:
        return beside
    digest = address_digest(str(folder) if remote else os.path.realpath(folder))
    return *beside, cache / digest / _NAME


def address_digest(address: str) -> str:
    """Return 16 hexadecimal digits that tell one log from another."""
    name = os.fsencode(address)
    return f"{crc32(name):08x}{crc32(name[::-1]):08x}"


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """The index of the log in a folder."""

    folder: Path
    zone: tzinfo | None
    """Of timestamps that name none; None is local time."""
    now: datetime
    run: Run
    """Does the reading, in this process or in others."""
    places: Sequence[Path] = ()
    """Where it may be kept, the best first; if nowhere, each program reads everything."""
    longest: int = LONGEST
    """Bytes of the longest line that is read as one; a longer one is a bad line."""
    without: frozenset[str] = frozenset()
    """The names of files that are left out of every answer."""

    def ask(self, question: Question[T]) -> T:
        """Bring the index up to date, and return the answer that it gives.

        The answer is that of the files alone. An index that is locked, broken, or cannot be written
        costs time and nothing else. The question may be put again, where a file was renamed meanwhile.

        Raises:
            StoreError: there is no such folder, or a file cannot be read.
        """
        if not on_objects(self.folder):
            check_folder(self.folder)
        for place in self.places:
            try:
                return self._ask(question, place)
            except _BROKEN as error:
                code = _code_of(error)
                if code == sqlite3.SQLITE_BUSY:
                    # Another program has just begun to read a long log.
                    return self._ask_alone(question, like=place)
                if code not in _REFUSED:
                    with contextlib.suppress(StoreError):
                        remove_index(place)
                    with contextlib.suppress(*_BROKEN, OSError):
                        return self._ask(question, place)
            except OSError:
                continue
        return self._ask_alone(question)

    def ask_of_the_readable(self, question: Question[T]) -> tuple[T, list[SegmentError]]:
        """Return (the answer that the files give which can be read, why each of the others cannot be).

        Raises:
            StoreError: there is no such folder.
        """
        lost: dict[str, SegmentError] = {}
        while True:
            try:
                return replace(self, without=frozenset(lost)).ask(question), [*lost.values()]
            except SegmentError as error:
                if error.path is None or error.path.name in lost:
                    raise
                lost[error.path.name] = error

    def _ask(self, question: Question[T], place: Path | None, like: Path | None = None) -> T:
        for attempt in range(_TRIES):
            # Where files are sealed and compressed all the time, the writers wait for once.
            still = (
                shared(self.folder)
                if attempt >= _PATIENT_TRIES and not on_objects(self.folder)
                else contextlib.nullcontext()
            )
            with _again_if_moved(), still, contextlib.closing(Store(place)) as store:
                if like is not None:
                    store.copy(like)
                terms = Terms(zone=self.zone, longest=self.longest)
                files = refresh(
                    store, self.folder, terms=terms, now=self.now, run=self.run, without=self.without
                )
                return question(Sums(store=store, files=files, zone=self.zone))
        raise StoreError(
            f"{self.folder}: its files are renamed faster than they can be read",
            hint="run it again when the other programs are done",
        )

    def _ask_alone(self, question: Question[T], like: Path | None = None) -> T:
        if like is not None:
            with contextlib.suppress(*_BROKEN):
                return self._ask(question, None, like)
        try:
            return self._ask(question, None)
        except _BROKEN as error:
            raise StoreError(
                f"no room for what is read of the log: {error}",
                hint="make room on the disk for temporary files",
            ) from error


@contextlib.contextmanager
def _again_if_moved() -> Iterator[None]:
    """Go on where a file of the log is somewhere else now, or the index is removed."""
    try:
        yield
    except MovedError:
        pass
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_READONLY_DBMOVED:
            raise


def _code_of(error: Exception) -> int:
    """Return what SQLite says, without the details; the code for a broken file where it says nothing."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)) & 0xFF
