"""The index on disk: a SQLite file that can be deleted at any time.

Each row carries a checksum of its key and content, so that damage by the disk or by another program is
noticed when the row is read.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import msgspec

from sentimon.files import PRIVATE, NotOursError
from sentimon.prediction_log.durable_files import remove_file
from sentimon.prediction_log.index.cells import ByteRange
from sentimon.prediction_log.index.indexed_files import IndexEntry
from sentimon.prediction_log.index.packed_sums import PackedCell, merged_ranges, merged_slices, pack, unpack
from sentimon.prediction_log.locks import check_state_folder
from sentimon.prediction_log.summary import GrowingSummary

if TYPE_CHECKING:
    from sentimon.prediction_log.slices import GrowingSlices

FORMAT = 9
"""The version of the tables and their content; an index of another version is thrown away."""
PATIENCE_SECONDS = 2.0
_CHECKSUM_BYTES = 4
ALL_HOURS = range(-(1 << 62), 1 << 62)
"""All hours of the calendar."""
_SCHEMA = {
    "cell": """CREATE TABLE cell (
        entry INTEGER, width INTEGER, hour INTEGER, content BLOB, PRIMARY KEY (entry, width, hour)
    ) WITHOUT ROWID""",
    "entry": "CREATE TABLE entry (number INTEGER PRIMARY KEY, content BLOB, total BLOB)",
    "slices": """CREATE TABLE slices (
        entry INTEGER, field TEXT, width INTEGER, hour INTEGER, content BLOB,
        PRIMARY KEY (entry, field, width, hour)
    ) WITHOUT ROWID""",
}
_TABLES = (
    "DROP TABLE IF EXISTS entry",
    "DROP TABLE IF EXISTS cell",
    "DROP TABLE IF EXISTS slices",
    *_SCHEMA.values(),
    f"PRAGMA user_version = {FORMAT}",
)
_INSTRUCTIONS_BETWEEN_CALLS = 100_000
"""Instructions of SQLite between two calls of the statement limit."""
_LEAST_INSTRUCTIONS = 50_000_000
"""What any statement may take, whatever the size of the index: about a second."""

_entry = msgspec.msgpack.Decoder(IndexEntry).decode
_cell = msgspec.msgpack.Decoder(tuple[bytes, list[ByteRange]]).decode
_encode = msgspec.msgpack.encode


class StoredCell(msgspec.Struct, frozen=True):
    """The sum over the rows of one entry in `width` hours from `hour` on, as it is stored."""

    width: int
    hour: int
    """Hours since 1970, UTC."""
    sums: GrowingSummary
    ranges: list[ByteRange]

    @property
    def hours(self) -> range:
        """Return the hours that it covers, with rows or without."""
        return range(self.hour, self.hour + self.width)


class IndexStore:
    """An open index file.

    Its methods raise sqlite3.Error or msgspec.MsgspecError if the file is broken, full or locked.
    """

    def __init__(self, path: Path | None) -> None:
        """Open the index at `path`, and create it if need be; None: a temporary one for this process."""
        if path is not None:
            _make_private(path)
        # Absolute: a name that begins with `file:` would be read as a URI.
        name = "" if path is None else path.absolute()
        self.connection = sqlite3.connect(name, timeout=PATIENCE_SECONDS, isolation_level=None)
        with contextlib.ExitStack() as on_error:
            on_error.callback(self.close)
            self._limit = limit_statements(self.connection, path)
            self._do("PRAGMA synchronous = NORMAL")
            if not self._is_made():
                self._make()
            check_schema(self.connection)
            on_error.pop_all()

    def copy_from(self, path: Path) -> None:
        """Copy the content of the index at `path`, which another program is changing now."""
        check_index_file(path)
        other = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=PATIENCE_SECONDS)
        with contextlib.closing(other):
            other.backup(self.connection, progress=_give_up)
        if not self._is_made():
            self._make()
        check_schema(self.connection)

    def hold_snapshot(self) -> None:
        """Keep reading the index as it is now, whatever others write, until it is changed here or closed."""
        self._end()
        self._do("BEGIN")

    @property
    def version(self) -> int:
        """Return a number that another program's change alters."""
        return int(self._all("PRAGMA data_version")[0][0])

    def close(self) -> None:
        """Roll back an open transaction, and close."""
        self.connection.close()

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Write to the index alone; all changes in the context are kept, or none."""
        with self._transaction():
            # Fail now if the file cannot be written, before much is read in vain.
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

    def entries(self) -> list[IndexEntry]:
        """Return the entry of each file."""
        rows = self._all("SELECT number, content FROM entry ORDER BY number")
        return [_entry(_without_checksum(content, "entry", number)) for number, content in rows]

    def put_entry(self, entry: IndexEntry, total: GrowingSummary) -> None:
        """Write an entry, and the sum over all its rows."""
        self._do(
            "INSERT OR REPLACE INTO entry VALUES (?, ?, ?)",
            entry.number,
            _with_checksum(_encode(entry), "entry", entry.number),
            _with_checksum(pack(total), "total", entry.number),
        )

    def drop_entry(self, number: int) -> None:
        """Delete an entry, if there is one, and its cells."""
        self._do("DELETE FROM entry WHERE number = ?", number)
        self._do("DELETE FROM cell WHERE entry = ?", number)
        self._do("DELETE FROM slices WHERE entry = ?", number)

    def free_number(self) -> int:
        """Return a number above those of all entries."""
        (highest,) = self._all("SELECT coalesce(max(number), 0) FROM entry")[0]
        return int(highest) + 1

    def total(self, number: int) -> GrowingSummary:
        """Return the sum over all rows of an entry."""
        rows = self._all("SELECT total FROM entry WHERE number = ?", number)
        return unpack(_without_checksum(rows[0][0] if rows else None, "total", number))

    def cells(self, number: int, width: int, hours: range = ALL_HOURS) -> Iterator[StoredCell]:
        """Yield in order the cells of an entry, of one width, that overlap `hours`."""
        query = (
            "SELECT hour, content FROM cell"
            " WHERE entry = ? AND width = ? AND hour > ? AND hour < ? ORDER BY hour"
        )
        self._limit.begin()
        found = self.connection.execute(query, (number, width, hours.start - width, hours.stop))
        for hour, content in found:
            sums, ranges = _cell(_without_checksum(content, number, width, hour))
            yield StoredCell(width, hour, unpack(sums), ranges)

    def add_cells(self, number: int, cells: Iterable[PackedCell]) -> None:
        """Add sums over more rows to the cells of an entry."""
        for cell in cells:
            key = (number, cell.width, cell.hour)
            old = list(self.cells(number, cell.width, range(cell.hour, cell.hour + 1)))
            self._do(
                "INSERT OR REPLACE INTO cell VALUES (?, ?, ?, ?)",
                *key,
                _with_checksum(_encode(_merged(cell, old)), *key),
            )
            for field, packed in cell.slices.items():
                self._add_slices(packed, number, field, cell.width, cell.hour)

    def slices(self, number: int, field: str, cell: StoredCell) -> GrowingSlices:
        """Return the sums over the slices of a cell, by one of the fields that divide the rows of its entry.

        Raises:
            sqlite3.DatabaseError: they do not add up to the cell: the index is damaged.
        """
        from sentimon.prediction_log.slices import unpack_slices

        key = (number, field, cell.width, cell.hour)
        found = unpack_slices(_without_checksum(self._slices_at(*key), *key))
        counts = [sum(numbers) for numbers in zip(*found.values.values(), strict=True)][:3]
        if counts != [tally.count for tally in cell.sums.classes]:
            raise damaged_index()
        return found

    def packed_slices(self, number: int, fields: Iterable[str], cell: StoredCell) -> dict[str, bytes]:
        """Return for each of some fields the packed sums over the slices of a cell."""
        from sentimon.prediction_log.slices import pack_slices

        return {field: pack_slices(self.slices(number, field, cell)) for field in fields}

    def _slices_at(self, *key: object) -> object:
        rows = self._all(
            "SELECT content FROM slices WHERE entry = ? AND field = ? AND width = ? AND hour = ?", *key
        )
        return rows[0][0] if rows else None

    def _add_slices(self, packed: bytes, *key: object) -> None:
        old = self._slices_at(*key)
        if old is not None:
            packed = merged_slices({"": _without_checksum(old, *key)}, {"": packed})[""]
        self._do("INSERT OR REPLACE INTO slices VALUES (?, ?, ?, ?, ?)", *key, _with_checksum(packed, *key))

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
        self._limit.begin()
        self.connection.execute(statement, values)

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        self._limit.begin()
        return self.connection.execute(query, values).fetchall()


def read_entries(path: Path) -> list[tuple[IndexEntry, GrowingSummary]] | None:
    """Return (the entry of each file, the sum over its rows) of the index at `path`, and leave it as it is.

    None where it is of another version.

    Raises:
        sqlite3.Error: there is none, it is damaged, or another program is changing it.
        NotOursError: SQLite must not open it.
    """
    check_index_file(path)
    name = f"{path.absolute().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(name, uri=True, timeout=0)) as connection:
        limit_statements(connection, path)
        check_schema(connection)
        if connection.execute("PRAGMA user_version").fetchall() != [(FORMAT,)]:
            return None
        rows = connection.execute("SELECT number, content, total FROM entry").fetchall()
    return [
        (
            _entry(_without_checksum(content, "entry", number)),
            unpack(_without_checksum(total, "total", number)),
        )
        for number, content, total in rows
    ]


class StatementLimit:
    """A progress handler of SQLite that ends a statement which takes too many instructions.

    None of our statements takes as many in an index of that size.
    """

    def __init__(self, size: int) -> None:
        # A row takes about ten instructions, and more bytes than that.
        self._most = self._left = (_LEAST_INSTRUCTIONS + size) // _INSTRUCTIONS_BETWEEN_CALLS

    def begin(self) -> None:
        """Start counting for the next statement."""
        self._left = self._most

    def __call__(self) -> bool:
        """Return whether the limit is exceeded."""
        self._left -= 1
        return self._left < 0


def limit_statements(connection: sqlite3.Connection, path: Path | None) -> StatementLimit:
    """Keep a manipulated index file from running functions or statements without end.

    Return the limit; a statement that exceeds it raises sqlite3.OperationalError.
    """
    connection.execute("PRAGMA trusted_schema = OFF")
    patience = StatementLimit(0 if path is None else path.stat().st_size)
    connection.set_progress_handler(patience, _INSTRUCTIONS_BETWEEN_CALLS)
    return patience


def check_schema(connection: sqlite3.Connection) -> None:
    """Raise sqlite3.DatabaseError unless the file has our tables and nothing else.

    A view in place of a table may be endless, and a trigger may do anything.
    """
    query = "SELECT type, name, sql FROM sqlite_master ORDER BY name LIMIT ?"
    found = connection.execute(query, (len(_SCHEMA) + 1,)).fetchall()
    if found != [("table", name, sql) for name, sql in _SCHEMA.items()]:
        raise damaged_index()


def remove_index(path: Path) -> None:
    """Remove the index at `path`, if there is one, and the files that SQLite keeps beside it.

    Raises:
        StoreError: it may not be removed.
    """
    for name in path.parent.glob(f"{path.name}*"):
        remove_file(name)


def check_index_file(path: Path) -> None:
    """Raise NotOursError if SQLite must not open `path`: it would write through a link, or wait for a pipe.

    Raises:
        NotOursError: it is a link, or lies in the state of a log behind a link, or is no regular file.
    """
    check_state_folder(path)
    with contextlib.suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a link" if stat.S_ISLNK(mode) else "no regular file"
            raise NotOursError(errno.ELOOP, f"is {kind}")


def _make_private(path: Path) -> None:
    check_index_file(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Only a new file: closing an old one would release the locks that another thread holds on it.
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE))


def _give_up(status: int, *_: object) -> None:
    """End a copy that finds the index locked; by itself it would wait for the writer, maybe for ever."""
    if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        raise sqlite3.OperationalError("the index is locked")


def _merged(cell: PackedCell, old: Sequence[StoredCell]) -> tuple[bytes, list[ByteRange]]:
    sums, ranges = cell.sums, cell.ranges
    for known in old:
        known.sums.include(unpack(sums))
        sums, ranges = pack(known.sums), merged_ranges([*known.ranges, *ranges])
    return sums, ranges


def _with_checksum(content: bytes, *key: object) -> bytes:
    return _checksum(content, key) + content


def _without_checksum(signed: object, *key: object) -> bytes:
    """Return the content that `_with_checksum` signed.

    Raises:
        sqlite3.DatabaseError: the checksum does not match: the index is damaged.
    """
    content = signed[_CHECKSUM_BYTES:] if isinstance(signed, bytes) else b""
    if signed != _with_checksum(content, *key):
        raise damaged_index()
    return content


def damaged_index() -> sqlite3.DatabaseError:
    """Return the error for an index that contradicts itself."""
    return sqlite3.DatabaseError("the index is damaged")


def _checksum(content: bytes, key: object) -> bytes:
    return crc32(content, crc32(repr(key).encode())).to_bytes(_CHECKSUM_BYTES, "big")
