"""The index on the disk: a SQLite file that can be deleted at any time.

Each row carries a checksum of what it says and of its key, so that what a disk, or another program, did
to the file is noticed where it is read.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec

from sentimon.files import PRIVATE
from sentimon.prediction_log.durable_files import remove_file
from sentimon.prediction_log.index.cells import Stretch
from sentimon.prediction_log.index.file_entries import Entry
from sentimon.prediction_log.index.packed_sums import PackedCell, few_stretches, pack, unpack
from sentimon.prediction_log.summary import GrowingSummary

FORMAT = 6
"""Of the tables and of what is in them; another one is thrown away."""
PATIENCE_SECONDS = 2.0
_CHECKSUM = 4
"""Bytes."""
ALL_HOURS = range(-(1 << 62), 1 << 62)
"""More than the calendar has."""
_SCHEMA = {
    "cell": """CREATE TABLE cell (
        entry INTEGER, width INTEGER, hour INTEGER, content BLOB, PRIMARY KEY (entry, width, hour)
    ) WITHOUT ROWID""",
    "entry": "CREATE TABLE entry (number INTEGER PRIMARY KEY, content BLOB, total BLOB)",
}
_TABLES = (
    "DROP TABLE IF EXISTS entry",
    "DROP TABLE IF EXISTS cell",
    *_SCHEMA.values(),
    f"PRAGMA user_version = {FORMAT}",
)
_LOOK_EVERY = 100_000
"""Instructions of SQLite between two looks at how many there were."""
_LEAST_INSTRUCTIONS = 50_000_000
"""That a statement may take whatever the size of the index: a second or so."""

_entry = msgspec.msgpack.Decoder(Entry).decode
_cell = msgspec.msgpack.Decoder(tuple[bytes, list[Stretch]]).decode
_encode = msgspec.msgpack.encode


class KeptCell(msgspec.Struct, frozen=True):
    """The rows of an entry in so many hours from one on."""

    width: int
    hour: int
    """Since 1970, UTC."""
    sums: GrowingSummary
    stretches: list[Stretch]

    @property
    def hours(self) -> range:
        """Return the hours, with rows or without."""
        return range(self.hour, self.hour + self.width)


class Store:
    """An open index.

    Its methods raise sqlite3.Error or msgspec.MsgspecError where the file is broken, full or locked.
    """

    def __init__(self, path: Path | None) -> None:
        """Open the index at `path`, which is made if need be; None: one for this process alone."""
        if path is not None:
            _make_private(path)
        # Absolute: a name that begins with `file:` would be read as a URI.
        name = "" if path is None else path.absolute()
        self.connection = sqlite3.connect(name, timeout=PATIENCE_SECONDS, isolation_level=None)
        with contextlib.ExitStack() as unless_it_is_good:
            unless_it_is_good.callback(self.close)
            self._patience = guard(self.connection, path)
            self._do("PRAGMA synchronous = NORMAL")
            if not self._is_made():
                self._make()
            check_schema(self.connection)
            unless_it_is_good.pop_all()

    def copy(self, path: Path) -> None:
        """Start from what the index at `path` holds, which another program is changing now."""
        other = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=PATIENCE_SECONDS)
        with contextlib.closing(other):
            other.backup(self.connection, progress=_give_up)
        if not self._is_made():
            self._make()
        check_schema(self.connection)

    def stand_still(self) -> None:
        """Show the index as it is now, whatever others make of it, until it is changed here or closed."""
        self._end()
        self._do("BEGIN")

    @property
    def version(self) -> int:
        """Return a number that another program's change alters; from now on the index stands still."""
        return int(self._all("PRAGMA data_version")[0][0])

    def close(self) -> None:
        """Forget what was not kept, and close."""
        self.connection.close()

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Change the index, alone; all that is changed in the context is kept, or none."""
        with self._transaction():
            # Writing something tells whether that is possible, before much is read in vain.
            self._do(f"PRAGMA user_version = {FORMAT}")
            yield

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._end()
        self._do("BEGIN IMMEDIATE")
        try:
            yield
            self._do("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._end()
            raise

    def entries(self) -> list[Entry]:
        """Return what is known of each file."""
        rows = self._all("SELECT number, content FROM entry ORDER BY number")
        return [_entry(_checked(content, "entry", number)) for number, content in rows]

    def put(self, entry: Entry, total: GrowingSummary) -> None:
        """Write an entry, with the sum over all its rows."""
        self._do(
            "INSERT OR REPLACE INTO entry VALUES (?, ?, ?)",
            entry.number,
            _signed(_encode(entry), "entry", entry.number),
            _signed(pack(total), "total", entry.number),
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
        rows = self._all("SELECT total FROM entry WHERE number = ?", number)
        return unpack(_checked(rows[0][0] if rows else None, "total", number))

    def cells(self, number: int, width: int, hours: range = ALL_HOURS) -> Iterator[KeptCell]:
        """Yield the cells of an entry, of one width, that reach into `hours`; in order."""
        query = (
            "SELECT hour, content FROM cell"
            " WHERE entry = ? AND width = ? AND hour > ? AND hour < ? ORDER BY hour"
        )
        self._patience.begin()
        found = self.connection.execute(query, (number, width, hours.start - width, hours.stop))
        for hour, content in found:
            sums, stretches = _cell(_checked(content, number, width, hour))
            yield KeptCell(width, hour, unpack(sums), stretches)

    def add_cells(self, number: int, cells: Iterable[PackedCell]) -> None:
        """Add rows to the cells of an entry."""
        for cell in cells:
            key = (number, cell.width, cell.hour)
            old = list(self.cells(number, cell.width, range(cell.hour, cell.hour + 1)))
            self._do(
                "INSERT OR REPLACE INTO cell VALUES (?, ?, ?, ?)",
                *key,
                _signed(_encode(_merged(cell, old)), *key),
            )

    def _is_made(self) -> bool:
        return self._all("PRAGMA user_version") == [(FORMAT,)]

    def _make(self) -> None:
        with self._transaction():
            # Another program may have made it while this one waited.
            for statement in () if self._is_made() else _TABLES:
                self._do(statement)

    def _end(self) -> None:
        if self.connection.in_transaction:
            self._do("ROLLBACK")

    def _do(self, statement: str, *values: object) -> None:
        self._patience.begin()
        self.connection.execute(statement, values)

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        self._patience.begin()
        return self.connection.execute(query, values).fetchall()


class Patience:
    """Ends a statement that takes more instructions than any of ours does in an index of so many bytes."""

    def __init__(self, size: int) -> None:
        # A row takes ten instructions or so, and more bytes than that.
        self._most = self._left = (_LEAST_INSTRUCTIONS + size) // _LOOK_EVERY

    def begin(self) -> None:
        """Allow all of it to the next statement."""
        self._left = self._most

    def __call__(self) -> bool:
        """Return whether it is used up."""
        self._left -= 1
        return self._left < 0


def guard(connection: sqlite3.Connection, path: Path | None) -> Patience:
    """Let a file that is not what we made of it do nothing: run no function, and hold nobody up for ever.

    What a statement may take is returned; it ends with sqlite3.OperationalError where that is not enough.
    """
    connection.execute("PRAGMA trusted_schema = OFF")
    patience = Patience(0 if path is None else path.stat().st_size)
    connection.set_progress_handler(patience, _LOOK_EVERY)
    return patience


def check_schema(connection: sqlite3.Connection) -> None:
    """Raise sqlite3.DatabaseError unless the tables are ours, and there is nothing else.

    A view in place of a table may have no end, and a trigger may do anything.
    """
    query = "SELECT type, name, sql FROM sqlite_master ORDER BY name LIMIT ?"
    found = connection.execute(query, (len(_SCHEMA) + 1,)).fetchall()
    if found != [("table", name, sql) for name, sql in _SCHEMA.items()]:
        raise damaged()


def remove_index(path: Path) -> None:
    """Remove the index at `path`, with all that SQLite keeps beside it; that it is not there is no error.

    Raises:
        StoreError: it may not be removed.
    """
    for name in path.parent.glob(f"{path.name}*"):
        remove_file(name)


def _make_private(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISLNK(path.lstat().st_mode):
            # SQLite would write to whatever it leads to.
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    # Not one that is there: closing it would give up the locks that another thread holds on it.
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE))


def _give_up(status: int, *_: object) -> None:
    """End a copy that cannot go on; by itself it waits for a writer without end, and that may be stopped."""
    if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        raise sqlite3.OperationalError("the index is locked")


def _merged(cell: PackedCell, old: Sequence[KeptCell]) -> tuple[bytes, list[Stretch]]:
    sums, stretches = cell.sums, cell.stretches
    for known in old:
        known.sums.include(unpack(sums))
        sums, stretches = pack(known.sums), few_stretches([*known.stretches, *stretches])
    return sums, stretches


def _signed(content: bytes, *key: object) -> bytes:
    return _checksum(content, key) + content


def _checked(signed: object, *key: object) -> bytes:
    """Return what `_signed` was given.

    Raises:
        sqlite3.DatabaseError: it was given something else.
    """
    content = signed[_CHECKSUM:] if isinstance(signed, bytes) else b""
    if signed != _signed(content, *key):
        raise damaged()
    return content


def damaged() -> sqlite3.DatabaseError:
    """Return the error for an index that contradicts itself."""
    return sqlite3.DatabaseError("the index is damaged")


def _checksum(content: bytes, key: object) -> bytes:
    return crc32(content, crc32(repr(key).encode())).to_bytes(_CHECKSUM, "big")
