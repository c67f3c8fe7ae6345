"""The index held against the files themselves."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import datetime

import msgspec

from sentimon.logbook.opened import LogFile
from sentimon.logbook.rollup.cells import WIDTHS
from sentimon.logbook.rollup.entries import Entry, new_entry
from sentimon.logbook.rollup.refresh import Known, Run, read_files
from sentimon.logbook.rollup.store import Store
from sentimon.logbook.rollup.sums import Sums


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
