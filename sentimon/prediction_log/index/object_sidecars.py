"""Sums over objects of a log on object storage, saved beside them: other machines need not read them again.

Object storage has no locks and no appends, so the index itself cannot lie there. Objects do not change, so
the sums over each are written once, as an object of its own, which holds for just that state.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import msgspec

from sentimon.errors import StoreError
from sentimon.prediction_log.index.cells import WIDTHS
from sentimon.prediction_log.index.file_snapshot import FileSnapshot
from sentimon.prediction_log.index.indexed_files import IndexEntry, ReadOptions
from sentimon.prediction_log.index.packed_sums import PackedCell, pack, unpack
from sentimon.prediction_log.index.sqlite_store import FORMAT, IndexStore
from sentimon.prediction_log.locks import STATE_FOLDER
from sentimon.prediction_log.object_storage import read_objects, write_object

_CHECKSUM_BYTES = 4
_AT_ONCE = 256
"""Objects that are fetched together."""


class _Sidecar(msgspec.Struct, array_like=True, frozen=True):
    format: int
    entry: IndexEntry
    total: bytes
    cells: list[PackedCell]


_decode = msgspec.msgpack.Decoder(_Sidecar).decode


def load_sidecars(
    store: IndexStore, found: Sequence[tuple[FileSnapshot, int]], *, zone: str, options: ReadOptions
) -> dict[int, IndexEntry]:
    """Copy the saved sums of some objects into `store`, each under its number, and return their entries.

    Objects without a valid sidecar, or read with other `options`, are missing in the result. `zone` is the
    fingerprint of the zone of naive timestamps.

    Raises:
        sqlite3.Error: the store is full.
    """
    loaded: dict[int, IndexEntry] = {}
    for begin in range(0, len(found), _AT_ONCE):
        some = found[begin : begin + _AT_ONCE]
        contents = read_objects([_sidecar_path(snapshot.path) for snapshot, _ in some])
        for (snapshot, number), content in zip(some, contents, strict=True):
            read = _valid_sidecar(content, snapshot, zone)
            if read is not None and _was_read_so(read.entry, options):
                read.entry.number = number
                store.put_entry(read.entry, unpack(read.total))
                store.add_cells(number, read.cells)
                loaded[number] = read.entry
    return loaded


def save_sidecar(store: IndexStore, path: Path, entry: IndexEntry) -> None:
    """Save the sums over the object at `path` beside it; if that is refused, nothing but time is lost.

    Raises:
        sqlite3.Error, msgspec.MsgspecError: the store is broken.
    """
    number, fields = entry.number, entry.fields
    cells = [
        PackedCell(width, one.hour, pack(one.sums), one.ranges, store.packed_slices(number, fields, one))
        for width in WIDTHS
        for one in store.cells(entry.number, width)
    ]
    content = msgspec.msgpack.encode(_Sidecar(FORMAT, entry, pack(store.total(entry.number)), cells))
    with contextlib.suppress(StoreError):
        write_object(_sidecar_path(path), crc32(content).to_bytes(_CHECKSUM_BYTES, "big") + content)


def _was_read_so(entry: IndexEntry, options: ReadOptions) -> bool:
    return entry.longest == options.longest and {*options.fields} <= {*entry.fields}


def _sidecar_path(path: Path) -> Path:
    return path.parent / STATE_FOLDER / "rollup" / f"{path.name}.msgpack"


def _valid_sidecar(signed: bytes | None, snapshot: FileSnapshot, zone: str) -> _Sidecar | None:
    content = (signed or b"")[_CHECKSUM_BYTES:]
    if not signed or int.from_bytes(signed[:_CHECKSUM_BYTES], "big") != crc32(content):
        return None
    with contextlib.suppress(msgspec.MsgspecError):
        read = _decode(content)
        if read.format == FORMAT and read.entry.state == snapshot.state and read.entry.zone in ("", zone):
            return read
    return None
