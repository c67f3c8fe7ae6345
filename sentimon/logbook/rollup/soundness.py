"""Is an index sound in itself: a cheap look, which reads nothing of the log."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import msgspec

from sentimon.logbook.rollup import store
from sentimon.logbook.rollup.cells import WIDTHS
from sentimon.logbook.rollup.cover import checked


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
