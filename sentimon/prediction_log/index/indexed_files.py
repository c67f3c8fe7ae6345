"""What the index knows of each file of the log, and how files that changed are matched with it.

A file whose state is the same is not read again. One that our own writer appended to, or that was sealed,
compressed or renamed, is read on from where its entry ends. Any other change means reading from the start.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import msgspec

from sentimon.jsonl import LONGEST
from sentimon.prediction_log.append_chain import FileState
from sentimon.prediction_log.folder import LIVE_FILE, stem_of
from sentimon.prediction_log.index.file_snapshot import FileSnapshot, open_same_file
from sentimon.prediction_log.index.line_blocks import BLOCK
from sentimon.prediction_log.index.packed_sums import BadLineCounts, PartialSum
from sentimon.prediction_log.index.scan import UNIT_BYTES
from sentimon.prediction_log.log_file import OpenLogFile
from sentimon.prediction_log.summary import SHOWN_BAD_LINES
from sentimon.timestamps import local_time, to_microseconds, zone_rules

if TYPE_CHECKING:
    from sentimon.prediction_log.slice_fields import SliceCondition

_RACY_NS = 50_000_000
"""A file changed so shortly ago may change again within the same tick of the file system's clock."""


class Checksum(msgspec.Struct, array_like=True):
    """The CRC-32 of the bytes of a file from the end of the previous checksum to `end`."""

    end: int
    value: int


class ReadProgress(msgspec.Struct, kw_only=True):
    """How far a file was read, the checksums of what was read, and its bad lines."""

    checksums: list[Checksum] = []
    """They cover everything that was read, without a gap."""
    lines: int = 0
    bad: BadLineCounts = BadLineCounts()

    @property
    def end(self) -> int:
        """Return the byte after the last line that was read."""
        return self.checksums[-1].end if self.checksums else 0

    @property
    def open_checksum(self) -> tuple[int, int]:
        """Return (the checksum that the next bytes continue, the byte where it begins)."""
        begin = self.checksums[-2].end if len(self.checksums) > 1 else 0
        is_open = self.checksums and self.end - begin < UNIT_BYTES
        return (self.checksums[-1].value, begin) if is_open else (0, self.end)

    @property
    def damaged(self) -> bool:
        """Return whether the rest of the compressed file could not be read."""
        return "segment" in self.bad.kinds

    def add(self, part: PartialSum) -> None:
        """Add the next part."""
        _, begin = self.open_checksum
        if begin < part.begin:
            self.checksums.pop()
        self.checksums.append(Checksum(part.end, part.checksum))
        kinds = dict(self.bad.kinds)
        first = [*self.bad.first]
        for kind, count in part.bad.kinds.items():
            kinds[kind] = kinds.get(kind, 0) + count
        first += [(self.lines + number, kind, reason) for number, kind, reason in part.bad.first]
        self.lines += part.lines
        if part.damage is not None:
            kinds["segment"] = kinds.get("segment", 0) + 1
            first.append((self.lines + 1, "segment", part.damage))
        self.bad = BadLineCounts(kinds, first[:SHOWN_BAD_LINES])


class IndexEntry(msgspec.Struct, kw_only=True, rename={"progress": "reading"}):
    """What the index stores about a file of the log."""

    number: int
    """Its key in the index."""
    stem: str
    """Its name without the ending, when it was read."""
    state: FileState
    settled: bool
    """Whether the same state proves the same content; see `is_at_rest`."""
    chain: str | None
    """The chain of appends by our own writer that led to the state; None if it is not known."""
    zone: str
    """The fingerprint of the zone of its naive timestamps; empty if it has none."""
    longest: int
    """Bytes of the longest line that was read as one."""
    fields: tuple[str, ...] = ()
    """The fields that divide its rows into slices."""
    progress: ReadProgress = msgspec.field(default_factory=ReadProgress)


def new_entry(
    snapshot: FileSnapshot, *, longest: int, fields: tuple[str, ...] = (), number: int = 0
) -> IndexEntry:
    """Return the entry of a file that was not read yet."""
    return IndexEntry(
        number=number,
        stem="",
        state=snapshot.state,
        settled=False,
        chain=None,
        zone="",
        longest=longest,
        fields=fields,
    )


def is_unchanged(entry: IndexEntry, snapshot: FileSnapshot) -> bool:
    """Return whether the state of the file proves that it is, byte for byte, what was read."""
    return entry.settled and entry.state == snapshot.state


def has_only_grown(entry: IndexEntry, snapshot: FileSnapshot) -> bool:
    """Return whether our own writer's chain of appends proves that the file has only grown."""
    same = entry.state.file == snapshot.state.file
    longer = snapshot.state.size >= entry.progress.end
    return same and longer and snapshot.chain is not None and entry.chain == snapshot.chain


def starts_with_what_was_read(entry: IndexEntry, snapshot: FileSnapshot) -> bool:
    """Return whether the file begins with the bytes that were read; their checksums are compared.

    Raises:
        MovedError: the file is not there any more.
        StoreError: it cannot be read.
    """
    progress = entry.progress
    if (
        progress.damaged
        or not progress.end
        or (not snapshot.compressed and progress.end > snapshot.state.size)
    ):
        return False
    with open_same_file(snapshot.path, snapshot.state) as opened:
        try:
            return _begins_with(opened, progress.checksums)
        except opened.damage:
            return False


def possible_entries(snapshot: FileSnapshot, entries: Iterable[IndexEntry]) -> list[IndexEntry]:
    """Return the entries that may describe this file under another name, or before it was compressed.

    A sealed file may have been the live file when the entry was written.
    """
    near = (stem_of(snapshot.path), stem_of(snapshot.path.with_name(LIVE_FILE)))
    return [one for one in entries if one.stem in near or one.state.file == snapshot.state.file]


def is_at_rest(state: FileState, now: datetime) -> bool:
    """Return whether the file has been unchanged for long enough that any other change shows in its state."""
    return max(state.modified_ns, state.changed_ns) < to_microseconds(now) * 1000 - _RACY_NS


def _begins_with(opened: OpenLogFile, checksums: Sequence[Checksum]) -> bool:
    begin, block = 0, b""
    for checksum in checksums:
        value = 0
        while begin < checksum.end:
            block = opened.stream.read(min(BLOCK, checksum.end - begin))
            if not block:
                return False
            value = crc32(block, value)
            begin += len(block)
        if value != checksum.value:
            return False
    # If the last line had no newline when it was read, it may have become longer.
    return block.endswith(b"\n")


class IndexedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the log as it was listed, and its entry in the index."""

    snapshot: FileSnapshot
    entry: IndexEntry
    unchanged: bool

    def opened(self) -> AbstractContextManager[OpenLogFile]:
        """Open the same file again, as a context, to read it as it was read before.

        Raises:
            MovedError: another file is in its place, or none.
            StoreError: it cannot be read.
        """
        return open_same_file(self.snapshot.path, self.snapshot.state, longest=self.entry.longest)


class ReadOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How lines are read; what was read with other options has to be read again."""

    zone: tzinfo | None
    """The zone of timestamps that name none; None is local time."""
    longest: int = LONGEST
    """Bytes of the longest line that is read as one."""
    fields: tuple[str, ...] = ()
    """The fields that divide the rows into slices; what was read with others besides will do."""
    where: tuple[SliceCondition, ...] = ()
    """The rows that there are: those for which all conditions hold. Such an index is of one question."""


def match_files(
    files: Sequence[FileSnapshot],
    entries: Sequence[IndexEntry],
    options: ReadOptions,
    excluded: Collection[str],
) -> tuple[list[IndexedFile], list[IndexEntry]]:
    """Return (each file with its entry, a new one if it was never read; the entries without a file)."""
    in_zone = zone_fingerprint(options.zone) if any(entry.zone for entry in entries) else ""
    left = {
        entry.state: entry
        for entry in entries
        if entry.zone in ("", in_zone)
        and entry.longest == options.longest
        and {*options.fields} <= {*entry.fields}
    }
    unchanged = {
        snapshot.state: left.pop(snapshot.state)
        for snapshot in files
        if snapshot.state in left and is_unchanged(left[snapshot.state], snapshot)
    }
    known = []
    for snapshot in files:
        if snapshot.state in unchanged:
            known.append(IndexedFile(snapshot=snapshot, entry=unchanged[snapshot.state], unchanged=True))
        else:
            entry = _entry_of(snapshot, list(left.values())) or new_entry(snapshot, longest=options.longest)
            # What comes now is divided by the fields that are asked for now, and by no others.
            entry.fields = options.fields
            left.pop(entry.state, None)
            known.append(IndexedFile(snapshot=snapshot, entry=entry, unchanged=False))
    kept = {one.entry.number for one in known}
    stems = {stem_of(Path(name)) for name in excluded}
    return known, [one for one in entries if one.number not in kept and one.stem not in stems]


def _entry_of(snapshot: FileSnapshot, entries: Sequence[IndexEntry]) -> IndexEntry | None:
    near = possible_entries(snapshot, entries)
    for entry in near:
        if has_only_grown(entry, snapshot):
            return entry
    for entry in near:
        if starts_with_what_was_read(entry, snapshot):
            return entry
    return None


def zone_fingerprint(zone: tzinfo | None) -> str:
    """Return a fingerprint of a time zone and its rules; None is local time."""
    return f"{crc32(repr((zone or local_time(), zone_rules(zone))).encode()):08x}"
