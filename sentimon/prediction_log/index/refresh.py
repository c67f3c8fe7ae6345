"""Bring the index up to date: list the files of the log, and read what is new in them.

Many programs may do this at once: one writes the index, in one transaction, and the others see either the
index before or the index after.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from sentimon.config.paths import on_objects
from sentimon.prediction_log.folder import stem_of
from sentimon.prediction_log.index.file_snapshot import LogChangedError, list_snapshots, open_same_file
from sentimon.prediction_log.index.indexed_files import (
    IndexedFile,
    ReadOptions,
    is_at_rest,
    match_files,
    zone_fingerprint,
)
from sentimon.prediction_log.index.line_blocks import line_end_before
from sentimon.prediction_log.index.object_sidecars import load_sidecars, save_sidecar
from sentimon.prediction_log.index.packed_sums import PartialSum, unpack
from sentimon.prediction_log.index.scan import (
    BULK_BYTES,
    COMPRESSION,
    ScanUnit,
    UnitReader,
    plain_unit_bounds,
    read_unit,
)
from sentimon.prediction_log.index.sqlite_store import IndexStore
from sentimon.prediction_log.summary import GrowingSummary

UnitRunner = Callable[[UnitReader, Sequence[ScanUnit]], Iterable[Iterable[PartialSum]]]
"""Like `map`: yields the result of a function for each unit, in order; it may run in other processes."""


def refresh_index(
    store: IndexStore,
    folder: Path,
    *,
    options: ReadOptions,
    now: datetime,
    run: UnitRunner,
    excluded: Collection[str] = (),
) -> list[IndexedFile]:
    """Bring the index up to date, and return the files of the log with their entries, in reading order.

    Afterwards `store` keeps showing that moment. Files named in `excluded` are left out, and their
    entries stay.

    Raises:
        MovedError: a file was moved meanwhile, or another program changed the index.
        StoreError: there is no such folder, or a file cannot be read.
        sqlite3.Error, msgspec.MsgspecError: the index is broken, full or locked.
    """
    store.hold_snapshot()
    files, gone = match_files(list_snapshots(folder, excluded=excluded), store.entries(), options, excluded)
    if not gone and all(one.unchanged for one in files):
        return files
    with store.changing():
        # Another program may have brought it up to date just now.
        files, gone = match_files(
            list_snapshots(folder, excluded=excluded), store.entries(), options, excluded
        )
        for entry in gone:
            store.drop_entry(entry.number)
        changed = [one for one in files if not one.unchanged]
        for number, one in enumerate(changed, start=store.free_number()):
            one.entry.number = one.entry.number or number
        if on_objects(folder) and not options.where:
            files = _with_sidecars(store, files, options)
            changed = [one for one in files if not one.unchanged]
        read_files(store, changed, options=options, now=now, run=run)
        version = store.version
    store.hold_snapshot()
    if store.version != version:
        raise LogChangedError
    return files


def _with_sidecars(
    store: IndexStore, files: Sequence[IndexedFile], options: ReadOptions
) -> list[IndexedFile]:
    new = [(one.snapshot, one.entry.number) for one in files if not one.unchanged]
    loaded = load_sidecars(store, new, zone=zone_fingerprint(options.zone), options=options)
    return [
        IndexedFile(snapshot=one.snapshot, entry=loaded[one.entry.number], unchanged=True)
        if one.entry.number in loaded
        else one
        for one in files
    ]


def read_files(
    store: IndexStore,
    changed: Sequence[IndexedFile],
    *,
    options: ReadOptions,
    now: datetime,
    run: UnitRunner,
) -> None:
    """Read each file on from where its entry ends, and write the sums and the entries to `store`.

    Raises:
        MovedError: a file is not there any more.
        StoreError: a file cannot be read.
        sqlite3.Error, msgspec.MsgspecError: the store is broken or full.
    """
    amount = sum(
        COMPRESSION * file.snapshot.state.size
        if file.snapshot.compressed
        else file.snapshot.state.size - file.entry.progress.end
        for file in changed
    )
    units = [(file, unit) for file in changed for unit in _units(file, options, amount >= BULK_BYTES)]
    totals = {
        file.entry.number: store.total(file.entry.number) if file.entry.progress.end else GrowingSummary()
        for file in changed
    }
    left = Counter(file.entry.number for file, _ in units)
    for (file, _), parts in zip(units, run(read_unit, [unit for _, unit in units]), strict=True):
        number = file.entry.number
        for part in parts:
            file.entry.progress.add(part)
            store.add_cells(number, part.cells)
            totals[number].include(unpack(part.total))
        left[number] -= 1
        if not left[number]:
            _store_entry(store, file, totals.pop(number), options, now)
    for file in changed:
        if file.entry.number in totals:
            _store_entry(store, file, totals[file.entry.number], options, now)


def _store_entry(
    store: IndexStore, file: IndexedFile, total: GrowingSummary, options: ReadOptions, now: datetime
) -> None:
    """Write the entry of a file that is read to its end."""
    entry = file.entry
    entry.stem, entry.state, entry.chain = (
        stem_of(file.snapshot.path),
        file.snapshot.state,
        file.snapshot.chain,
    )
    entry.settled = is_at_rest(file.snapshot.state, now)
    # In another zone a naive timestamp is another moment, or no moment at all, which is a bad line.
    zoned = "naive_timestamp" in total.properties or "timestamp" in entry.progress.bad.kinds
    entry.zone = zone_fingerprint(options.zone) if zoned else ""
    store.put_entry(entry, total)
    if on_objects(file.snapshot.path) and entry.settled and not options.where:
        save_sidecar(store, file.snapshot.path, entry)


def _units(file: IndexedFile, options: ReadOptions, bulk: bool) -> Iterator[ScanUnit]:
    snapshot, progress = file.snapshot, file.entry.progress
    bounds: list[tuple[int, int | None]] = [(progress.end, None)]
    if not snapshot.compressed:
        with open_same_file(snapshot.path, snapshot.state) as opened:
            end = line_end_before(opened, snapshot.state.size, progress.end)
            bounds = [*plain_unit_bounds(opened, progress.end, end)]
    for begin, after in bounds:
        checksum, checksum_begin = progress.open_checksum if begin == progress.end else (0, begin)
        yield ScanUnit(
            path=str(snapshot.path),
            state=snapshot.state,
            begin=begin,
            end=after,
            checksum=checksum,
            checksum_begin=checksum_begin,
            zone=options.zone,
            bulk=bulk,
            longest=file.entry.longest,
            fields=file.entry.fields,
            where=options.where,
        )
