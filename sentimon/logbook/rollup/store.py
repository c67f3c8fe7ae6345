"""The index on the disk: a SQLite file that can be deleted at any time."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from sentimon.logbook.custody import FileState
from sentimon.logbook.locks import PRIVATE
from sentimon.logbook.rollup.cells import Stretch
from sentimon.logbook.rollup.entries import Entry, Reading
from sentimon.logbook.rollup.parts import PackedCell, few_stretches, pack, unpack
from sentimon.logbook.summary import GrowingSummary

FORMAT = 1
"""Of the tables and of what is in them; another one is thrown away."""
_PATIENCE_SECONDS = 2.0
_FAR = 1 << 62
"""More hours than the calendar has."""
_TABLES = (
    "DROP TABLE IF EXISTS entry",
    "DROP TABLE IF EXISTS cell",
    "CREATE TABLE entry (number INTEGER PRIMARY KEY, stem TEXT, state BLOB, settled INTEGER, chain TEXT, "
    "zone TEXT, reading BLOB, total BLOB)",
    "CREATE TABLE cell (entry INTEGER, hour INTEGER, sums BLOB, stretches BLOB, PRIMARY KEY (entry, hour)) "
    "WITHOUT ROWID",
    f"PRAGMA user_version = {FORMAT}",
)

_state = msgspec.msgpack.Decoder(FileState).decode
_reading = msgspec.msgpack.Decoder(Reading).decode
_stretches = msgspec.msgpack.Decoder(list[Stretch]).decode
_encode = msgspec.msgpack.encode


class Store:
    """An open index.

    Its methods raise sqlite3.Error or msgspec.MsgspecError where the file is broken, full or locked.
    """

    def __init__(self, path: Path | None) -> None:
        """Open the index at `path`, which is made if need be; None: one for this process alone."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE))
        self.connection = sqlite3.connect(path or "", timeout=_PATIENCE_SECONDS, isolation_level=None)
        self._do("PRAGMA synchronous = NORMAL")
        if not self._is_made():
            self._make()

    def copy(self, path: Path) -> None:
        """Start from what the index at `path` holds, which another program is changing now."""
        other = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE_SECONDS)
        with contextlib.closing(other):
            other.backup(self.connection)
        if not self._is_made():
            self._make()

    def close(self) -> None:
        """Forget what was not kept, and close."""
        self.connection.close()

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Change the index, alone; all that is changed in the context is kept, or none."""
        self._do("BEGIN IMMEDIATE")
        try:
            yield
            self._do("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._do("ROLLBACK")
            raise

    def entries(self) -> list[Entry]:
        """Return what is known of each file."""
        rows = self._all(
            "SELECT number, stem, state, settled, chain, zone, reading FROM entry ORDER BY number"
        )
        return [
            Entry(
                number=number,
                stem=stem,
                state=_state(state),
                settled=bool(settled),
                chain=chain,
                zone=zone,
                reading=_reading(reading),
            )
            for number, stem, state, settled, chain, zone, reading in rows
        ]

    def put(self, entry: Entry, total: GrowingSummary) -> None:
        """Write an entry, with the sum over all its rows."""
        self._do(
            "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            entry.number,
            entry.stem,
            _encode(entry.state),
            entry.settled,
            entry.chain,
            entry.zone,
            _encode(entry.reading),
            pack(total),
        )

    def drop(self, number: int) -> None:
        """Forget an entry, if there is one, and its cells."""
        self._do("DELETE FROM entry WHERE number = ?", number)
        self._do("DELETE FROM cell WHERE entry = ?", number)

    def free_number(self) -> int:
        """Return a number that no entry has."""
        (highest,) = self._all("SELECT coalesce(max(number), 0) FROM entry")[0]
        return int(highest) + 1

    def total(self, number: int) -> GrowingSummary:
        """Return the sum over all rows of an entry."""
        return unpack(self._all("SELECT total FROM entry WHERE number = ?", number)[0][0])

    def cells(
        self, number: int, first: int = -_FAR, last: int = _FAR
    ) -> list[tuple[int, GrowingSummary, list[Stretch]]]:
        """Return (hour, sum, stretches) for each hour of an entry with rows, from `first` to `last`."""
        query = (
            "SELECT hour, sums, stretches FROM cell WHERE entry = ? AND hour BETWEEN ? AND ? ORDER BY hour"
        )
        rows = self._all(query, number, first, last)
        return [(hour, unpack(sums), _stretches(stretches)) for hour, sums, stretches in rows]

    def add_cells(self, number: int, cells: Iterable[PackedCell]) -> None:
        """Add rows to the hours of an entry."""
        query = "INSERT OR IGNORE INTO cell VALUES (?, ?, ?, ?)"
        for cell in cells:
            row = (number, cell.key, cell.sums, _encode(cell.stretches))
            if not self.connection.execute(query, row).rowcount:
                self._add_to_cell(number, cell)

    def _add_to_cell(self, number: int, cell: PackedCell) -> None:
        [(_, sums, stretches)] = self.cells(number, cell.key, cell.key)
        sums.include(unpack(cell.sums))
        self._do(
            "UPDATE cell SET sums = ?, stretches = ? WHERE entry = ? AND hour = ?",
            pack(sums),
            _encode(few_stretches([*stretches, *cell.stretches])),
            number,
            cell.key,
        )

    def _is_made(self) -> bool:
        return self._all("PRAGMA user_version") == [(FORMAT,)]

    def _make(self) -> None:
        with self.changing():
            # Another program may have made it while this one waited.
            for statement in () if self._is_made() else _TABLES:
                self._do(statement)

    def _do(self, statement: str, *values: object) -> None:
        self.connection.execute(statement, values)

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self.connection.execute(query, values).fetchall()


def remove_index(path: Path) -> None:
    """Remove the index at `path`, as far as that is allowed."""
    for name in (path, path.with_name(path.name + "-journal")):
        with contextlib.suppress(OSError):
            name.unlink()
