"""The index brought up to date: what changed is read, and nothing else."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, tzinfo
from pathlib import Path
from zlib import crc32

import msgspec

from sentimon.config.paths import on_objects
from sentimon.jsonl import LONGEST
from sentimon.prediction_log.folder import stem_of
from sentimon.prediction_log.index.file_entries import (
    Entry,
    candidates,
    has_grown,
    holds_what_was_read,
    is_unchanged,
    new_entry,
    settles,
)
from sentimon.prediction_log.index.file_snapshot import MovedError, SeenFile, list_seen, opened_again
from sentimon.prediction_log.index.line_blocks import line_end_before
from sentimon.prediction_log.index.object_sidecars import adopt, keep
from sentimon.prediction_log.index.packed_sums import Part, unpack
from sentimon.prediction_log.index.scan_units import COMPRESSION, Read, Unit, plain_bounds, read_unit
from sentimon.prediction_log.index.sqlite_store import Store
from sentimon.prediction_log.segment import Segment
from sentimon.prediction_log.summary import GrowingSummary
from sentimon.timestamps import zone_rules

Run = Callable[[Read, Sequence[Unit]], Iterable[Iterable[Part]]]
"""Like `map`: gives what a function makes of each unit, in their order, wherever it runs."""

BULK_BYTES = 4_000_000
"""So much to read that loading numpy pays."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the log, and what the index knows of it."""

    seen: SeenFile
    entry: Entry
    unchanged: bool

    def opened(self) -> AbstractContextManager[Segment]:
        """Return a context in which the file is open, to be read as it was read.

        Raises:
            MovedError: another file is in its place, or none.
            StoreError: it cannot be read.
        """
        return opened_again(self.seen.path, self.seen.state, longest=self.entry.longest)


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How the lines of a log are read; what was read on other terms is of no use."""

    zone: tzinfo | None
    """Of timestamps that name none; None is local time."""
    longest: int = LONGEST
    """Bytes of the longest line that is read as one."""


def refresh(
    store: Store, folder: Path, *, terms: Terms, now: datetime, run: Run, without: Collection[str] = ()
) -> list[Known]:
    """Bring the index up to date, and return the files of the log in reading order with what it knows now.

    From then on it stands still, so that all of an answer is of one moment. Files named in `without` are
    left out; what is known of them is kept.

    Raises:
        MovedError: a file went away meanwhile, or another program changed the index.
        StoreError: there is no such folder, or a file cannot be read.
        sqlite3.Error, msgspec.MsgspecError: the index is broken, full or locked.
    """
    store.stand_still()
    known, gone = _match(list_seen(folder, without=without), store.entries(), terms, without)
    if not gone and all(one.unchanged for one in known):
        return known
    with store.changing():
        # Another program may have brought it up to date just now.
        known, gone = _match(list_seen(folder, without=without), store.entries(), terms, without)
        for entry in gone:
            store.drop(entry.number)
        changed = [one for one in known if not one.unchanged]
        for number, one in enumerate(changed, start=store.free_number()):
            one.entry.number = one.entry.number or number
        if on_objects(folder):
            known = _with_what_others_read(store, known, terms)
            changed = [one for one in known if not one.unchanged]
        read_files(store, changed, zone=terms.zone, now=now, run=run)
        version = store.version
    store.stand_still()
    if store.version != version:
        raise MovedError
    return known


def _with_what_others_read(store: Store, known: Sequence[Known], terms: Terms) -> list[Known]:
    new = [(one.seen, one.entry.number) for one in known if not one.unchanged]
    adopted = adopt(store, new, zone=_fingerprint(terms.zone), longest=terms.longest)
    return [
        Known(seen=one.seen, entry=adopted[one.entry.number], unchanged=True)
        if one.entry.number in adopted
        else one
        for one in known
    ]


def _match(
    files: Sequence[SeenFile], entries: Sequence[Entry], terms: Terms, without: Collection[str]
) -> tuple[list[Known], list[Entry]]:
    """Return (each file with its entry, a new one where it was never read; the entries of no file)."""
    in_zone = _fingerprint(terms.zone) if any(entry.zone for entry in entries) else ""
    left = {
        entry.state: entry
        for entry in entries
        if entry.zone in ("", in_zone) and entry.longest == terms.longest
    }
    unchanged = {
        seen.state: left.pop(seen.state)
        for seen in files
        if seen.state in left and is_unchanged(left[seen.state], seen)
    }
    known = []
    for seen in files:
        if seen.state in unchanged:
            known.append(Known(seen=seen, entry=unchanged[seen.state], unchanged=True))
        else:
            entry = _find(seen, list(left.values())) or new_entry(seen, longest=terms.longest)
            left.pop(entry.state, None)
            known.append(Known(seen=seen, entry=entry, unchanged=False))
    kept = {one.entry.number for one in known}
    stems = {stem_of(Path(name)) for name in without}
    return known, [one for one in entries if one.number not in kept and one.stem not in stems]


def _find(seen: SeenFile, entries: Sequence[Entry]) -> Entry | None:
    near = candidates(seen, entries)
    for entry in near:
        if has_grown(entry, seen):
            return entry
    for entry in near:
        if holds_what_was_read(entry, seen):
            return entry
    return None


def read_files(
    store: Store, changed: Sequence[Known], *, zone: tzinfo | None, now: datetime, run: Run
) -> None:
    """Read on in each file from where its entry ends, and write what was found, and the entries, to `store`.

    Raises:
        MovedError: a file is not there any more.
        StoreError: a file cannot be read.
        sqlite3.Error, msgspec.MsgspecError: the store is broken or full.
    """
    amount = sum(
        COMPRESSION * one.seen.state.size
        if one.seen.compressed
        else one.seen.state.size - one.entry.reading.end
        for one in changed
    )
    units = [(one, unit) for one in changed for unit in _units(one, zone, amount >= BULK_BYTES)]
    totals = {
        one.entry.number: store.total(one.entry.number) if one.entry.reading.end else GrowingSummary()
        for one in changed
    }
    left = Counter(one.entry.number for one, _ in units)
    for (one, _), parts in zip(units, run(read_unit, [unit for _, unit in units]), strict=True):
        number = one.entry.number
        for part in parts:
            one.entry.reading.add(part)
            store.add_cells(number, part.cells)
            totals[number].include(unpack(part.total))
        left[number] -= 1
        if not left[number]:
            _put(store, one, totals.pop(number), zone, now)
    for one in changed:
        if one.entry.number in totals:
            _put(store, one, totals[one.entry.number], zone, now)


def _put(store: Store, one: Known, total: GrowingSummary, zone: tzinfo | None, now: datetime) -> None:
    """Write what was read of a file, now that it is all."""
    entry = one.entry
    entry.stem, entry.state, entry.chain = stem_of(one.seen.path), one.seen.state, one.seen.chain
    entry.settled = settles(one.seen.state, now)
    # What a zone makes of a timestamp can also be that there is no such moment.
    zoned = "naive_timestamp" in total.properties or "timestamp" in entry.reading.bad.kinds
    entry.zone = _fingerprint(zone) if zoned else ""
    store.put(entry, total)
    if on_objects(one.seen.path) and entry.settled:
        keep(store, one.seen.path, entry)


def _units(one: Known, zone: tzinfo | None, bulk: bool) -> Iterator[Unit]:
    seen, reading = one.seen, one.entry.reading
    bounds: list[tuple[int, int | None]] = [(reading.end, None)]
    if not seen.compressed:
        with opened_again(seen.path, seen.state) as segment:
            end = line_end_before(segment, seen.state.size, reading.end)
            bounds = [*plain_bounds(segment, reading.end, end)]
    for begin, after in bounds:
        checksum, checksum_begin = reading.open_checksum if begin == reading.end else (0, begin)
        yield Unit(
            path=str(seen.path),
            state=seen.state,
            begin=begin,
            end=after,
            checksum=checksum,
            checksum_begin=checksum_begin,
            zone=zone,
            bulk=bulk,
            longest=one.entry.longest,
        )


def _fingerprint(zone: tzinfo | None) -> str:
    """Return what tells two time zones apart, or a zone from itself after its rules were changed."""
    local = (os.environ.get("TZ"), os.path.realpath("/etc/localtime"), time.tzname)
    return f"{crc32(repr((zone or local, zone_rules(zone))).encode()):08x}"
