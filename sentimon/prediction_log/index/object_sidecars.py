"""What was read of each object of a log, kept beside it: what one machine has read no other reads again.

Object storage has no lock and no append, so that the index itself cannot lie there. An object is written
once; so is what was read of it, as an object of its own, valid for just that state.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import msgspec

from sentimon.errors import StoreError
from sentimon.prediction_log.index.cells import WIDTHS
from sentimon.prediction_log.index.file_entries import Entry
from sentimon.prediction_log.index.file_snapshot import SeenFile
from sentimon.prediction_log.index.packed_sums import PackedCell, pack, unpack
from sentimon.prediction_log.index.sqlite_store import FORMAT, Store
from sentimon.prediction_log.locks import STATE_FOLDER
from sentimon.prediction_log.object_storage import read_objects, write_object

_CHECKSUM = 4
"""Bytes, before all others."""
_AT_ONCE = 256
"""Objects fetched together."""


class _Read(msgspec.Struct, array_like=True, frozen=True):
    format: int
    entry: Entry
    total: bytes
    cells: list[PackedCell]


_decode = msgspec.msgpack.Decoder(_Read).decode


def adopt(
    store: Store, found: Sequence[tuple[SeenFile, int]], *, zone: str, longest: int
) -> dict[int, Entry]:
    """Take over what others have read of some objects, each with the number it is to have in `store`.

    Returns the entries by number; those of which nothing of use is kept are missing. `zone` is the
    fingerprint of the zone of naive timestamps; read are lines of up to `longest` bytes.

    Raises:
        sqlite3.Error: the store is full.
    """
    adopted: dict[int, Entry] = {}
    for begin in range(0, len(found), _AT_ONCE):
        some = found[begin : begin + _AT_ONCE]
        contents = read_objects([_beside(seen.path) for seen, _ in some])
        for (seen, number), content in zip(some, contents, strict=True):
            read = _read(content, seen, zone)
            if read is not None and read.entry.longest == longest:
                read.entry.number = number
                store.put(read.entry, unpack(read.total))
                store.add_cells(number, read.cells)
                adopted[number] = read.entry
    return adopted


def keep(store: Store, path: Path, entry: Entry) -> None:
    """Keep what was read of the object at `path` beside it; one that may not be written costs time only.

    Raises:
        sqlite3.Error, msgspec.MsgspecError: the store is broken.
    """
    cells = [
        PackedCell(width, one.hour, pack(one.sums), one.stretches)
        for width in WIDTHS
        for one in store.cells(entry.number, width)
    ]
    content = msgspec.msgpack.encode(_Read(FORMAT, entry, pack(store.total(entry.number)), cells))
    with contextlib.suppress(StoreError):
        write_object(_beside(path), crc32(content).to_bytes(_CHECKSUM, "big") + content)


def _beside(path: Path) -> Path:
    return path.parent / STATE_FOLDER / "rollup" / f"{path.name}.msgpack"


def _read(signed: bytes | None, seen: SeenFile, zone: str) -> _Read | None:
    content = (signed or b"")[_CHECKSUM:]
    if not signed or int.from_bytes(signed[:_CHECKSUM], "big") != crc32(content):
        return None
    with contextlib.suppress(msgspec.MsgspecError):
        read = _decode(content)
        if read.format == FORMAT and read.entry.state == seen.state and read.entry.zone in ("", zone):
            return read
    return None
