"""Check an index: against itself, which is cheap, or against all files of the log, read again."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import datetime
from pathlib import Path

import msgspec

from sentimon.files import NotOursError
from sentimon.prediction_log.index.cells import WIDTHS
from sentimon.prediction_log.index.indexed_files import IndexedFile, IndexEntry, ReadOptions, new_entry
from sentimon.prediction_log.index.period_sums import PeriodSums, verified_cells
from sentimon.prediction_log.index.refresh import UnitRunner, read_files
from sentimon.prediction_log.index.sqlite_store import (
    ALL_HOURS,
    PATIENCE_SECONDS,
    IndexStore,
    check_index_file,
    check_schema,
    limit_statements,
)
from sentimon.prediction_log.log_file import LogFile


def index_damage(path: Path) -> str | None:
    """Return what is wrong with the index at `path`; None if nothing is.

    It checks the pages of the file, every checksum, and that the hours of each file of the log add up to
    its total. It reads nothing of the log; `differing_files` does.

    Raises:
        sqlite3.OperationalError: another program is changing it now.
    """
    try:
        check_index_file(path)
        name, timeout = f"{path.absolute().as_uri()}?mode=ro", PATIENCE_SECONDS
        with contextlib.closing(sqlite3.connect(name, uri=True, timeout=timeout)) as connection:
            limit_statements(connection, path)
            check_schema(connection)
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            return str(found)
        with contextlib.closing(IndexStore(path)) as index:
            for entry in index.entries():
                expected = index.total(entry.number).hours
                for width in WIDTHS:
                    for cell in verified_cells(
                        index.cells(entry.number, width), ALL_HOURS, expected=expected
                    ):
                        index.packed_slices(entry.number, entry.fields, cell)
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            raise
        return str(error)
    except NotOursError as error:
        return error.strerror
    except (sqlite3.Error, msgspec.MsgspecError, UnicodeDecodeError, OSError) as error:
        return str(error)
    return None


def differing_files(sums: PeriodSums, *, now: datetime, run: UnitRunner) -> list[LogFile]:
    """Read all files of a log again, and return those whose sums in the index are wrong.

    Raises what `read_files` raises.
    """
    with contextlib.closing(IndexStore(None)) as store:
        again = [
            IndexedFile(snapshot=one.snapshot, entry=_unread(one), unchanged=False) for one in sums.files
        ]
        read_files(store, again, options=ReadOptions(zone=sums.zone), now=now, run=run)
        return [
            old.snapshot.file
            for old, new in zip(sums.files, again, strict=True)
            if _stored_content(sums.store, old) != _content(store, new)
        ]


def _unread(file: IndexedFile) -> IndexEntry:
    entry = file.entry
    return new_entry(file.snapshot, longest=entry.longest, fields=entry.fields, number=entry.number)


def _stored_content(store: IndexStore, file: IndexedFile) -> object:
    try:
        return _content(store, file)
    except (sqlite3.Error, msgspec.MsgspecError):
        return None


def _content(store: IndexStore, file: IndexedFile) -> object:
    number, reading = file.entry.number, file.entry.progress
    cells = [
        (width, cell.hour, cell.sums.summary(), store.packed_slices(number, file.entry.fields, cell))
        for width in WIDTHS
        for cell in store.cells(number, width)
    ]
    return reading.end, reading.lines, reading.bad, store.total(number).summary(), cells
