"""Is an index sound in itself: a cheap look, which reads nothing of the log."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import datetime
from pathlib import Path

import msgspec

from sentimon.prediction_log.index import sqlite_store as store
from sentimon.prediction_log.index.cell_cover import checked
from sentimon.prediction_log.index.cells import WIDTHS
from sentimon.prediction_log.index.file_entries import Entry, new_entry
from sentimon.prediction_log.index.period_sums import Sums
from sentimon.prediction_log.index.refresh import Known, Run, read_files
from sentimon.prediction_log.index.sqlite_store import Store
from sentimon.prediction_log.segment import LogFile


def damage_of(path: Path) -> str | None:
    """Return what is wrong with the index at `path`, None where nothing is.

    Looked at are the pages of the file, every checksum, and whether the hours of each file of the log
    add up to its total. Whether they say what the log says is for `logs verify`.

    Raises:
        sqlite3.OperationalError: another program is changing it now.
    """
    try:
        name, patience = f"{path.absolute().as_uri()}?mode=ro", store.PATIENCE_SECONDS
        with contextlib.closing(sqlite3.connect(name, uri=True, timeout=patience)) as raw:
            store.guard(raw, path)
            store.check_schema(raw)
            (found,) = raw.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            return str(found)
        with contextlib.closing(store.Store(path)) as index:
            for entry in index.entries():
                known = index.total(entry.number).hours
                for width in WIDTHS:
                    for _ in checked(index.cells(entry.number, width), store.ALL_HOURS, known=known):
                        pass
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            raise
        return str(error)
    except (sqlite3.Error, msgspec.MsgspecError, UnicodeDecodeError, OSError) as error:
        return str(error)
    return None


def differing_files(sums: Sums, *, now: datetime, run: Run) -> list[LogFile]:
    """Read all files of a log again, and return those of which the index says something else.

    Raises what `read_files` raises.
    """
    with contextlib.closing(Store(None)) as store:
        again = [Known(seen=one.seen, entry=_unread(one), unchanged=False) for one in sums.files]
        read_files(store, again, zone=sums.zone, now=now, run=run)
        return [
            old.seen.file
            for old, new in zip(sums.files, again, strict=True)
            if _kept(sums.store, old) != _content(store, new)
        ]


def _unread(known: Known) -> Entry:
    return new_entry(known.seen, longest=known.entry.longest, number=known.entry.number)


def _kept(store: Store, known: Known) -> object:
    try:
        return _content(store, known)
    except (sqlite3.Error, msgspec.MsgspecError):
        return None


def _content(store: Store, known: Known) -> object:
    number, reading = known.entry.number, known.entry.reading
    cells = [
        (width, cell.hour, cell.sums.summary()) for width in WIDTHS for cell in store.cells(number, width)
    ]
    return reading.end, reading.lines, reading.bad, store.total(number).summary(), cells
