"""What the index knows of a file of the log, and whether it is still true."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from zlib import crc32

import msgspec

from sentimon.prediction_log.append_chain import FileState
from sentimon.prediction_log.folder import LIVE_FILE, stem_of
from sentimon.prediction_log.index.file_snapshot import SeenFile, opened_again
from sentimon.prediction_log.index.line_blocks import BLOCK
from sentimon.prediction_log.index.packed_sums import BadLines, Part
from sentimon.prediction_log.index.scan_units import UNIT
from sentimon.prediction_log.segment import Segment
from sentimon.prediction_log.summary import SHOWN_BAD_LINES
from sentimon.timestamps import to_microseconds

_RACY_NS = 50_000_000
"""What changed so shortly before it was read may change again within the same tick of the file system."""


class Checksum(msgspec.Struct, array_like=True):
    """The CRC-32 of the bytes of a file from the checksum before it to `end`."""

    end: int
    value: int


class Reading(msgspec.Struct, kw_only=True):
    """How far a file was read, and what was found beside its rows."""

    checksums: list[Checksum] = []
    """Of everything that was read, without a gap."""
    lines: int = 0
    bad: BadLines = BadLines()

    @property
    def end(self) -> int:
        """Return the byte after the last line that was read."""
        return self.checksums[-1].end if self.checksums else 0

    @property
    def open_checksum(self) -> tuple[int, int]:
        """Return (the checksum that the next bytes go on with, where its bytes begin)."""
        begin = self.checksums[-2].end if len(self.checksums) > 1 else 0
        is_open = self.checksums and self.end - begin < UNIT
        return (self.checksums[-1].value, begin) if is_open else (0, self.end)

    @property
    def damaged(self) -> bool:
        """Return whether the rest of the file could not be read."""
        return "segment" in self.bad.kinds

    def add(self, part: Part) -> None:
        """Take in the next part."""
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
        self.bad = BadLines(kinds, first[:SHOWN_BAD_LINES])


class Entry(msgspec.Struct, kw_only=True):
    """A file of the log as the index knows it."""

    number: int
    """Its key in the index."""
    stem: str
    """Its name without the ending, when it was read."""
    state: FileState
    settled: bool
    """Whether an equal state proves equal content."""
    chain: str | None
    zone: str
    """The fingerprint of the time zone that its naive timestamps were read in; empty where it has none."""
    longest: int
    """Bytes of the longest line that was read as one."""
    reading: Reading = msgspec.field(default_factory=Reading)


def new_entry(seen: SeenFile, *, longest: int, number: int = 0) -> Entry:
    """Return the entry of a file of which nothing was read yet."""
    return Entry(
        number=number, stem="", state=seen.state, settled=False, chain=None, zone="", longest=longest
    )


def is_unchanged(entry: Entry, seen: SeenFile) -> bool:
    """Return whether the file is, byte for byte, what was read, told from what the file system says."""
    return entry.settled and entry.state == seen.state


def has_grown(entry: Entry, seen: SeenFile) -> bool:
    """Return whether the file is what was read and more, told by the chain of appends of our own writer."""
    same = entry.state.file == seen.state.file
    longer = seen.state.size >= entry.reading.end
    return same and longer and seen.chain is not None and entry.chain == seen.chain


def holds_what_was_read(entry: Entry, seen: SeenFile) -> bool:
    """Return whether the file begins with what was read, told by reading it.

    Raises:
        MovedError: the file is not there any more.
        StoreError: it cannot be read.
    """
    reading = entry.reading
    if reading.damaged or not reading.end or (not seen.compressed and reading.end > seen.state.size):
        return False
    with opened_again(seen.path, seen.state) as segment:
        try:
            return _begins_with(segment, reading.checksums)
        except segment.damage:
            return False


def candidates(seen: SeenFile, entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries that may be of the file under another name or in another form.

    A sealed file was the live one, perhaps at the time of the entry.
    """
    near = (stem_of(seen.path), stem_of(seen.path.with_name(LIVE_FILE)))
    return [one for one in entries if one.stem in near or one.state.file == seen.state.file]


def settles(state: FileState, now: datetime) -> bool:
    """Return whether the file was at rest for so long, `now`, that another change would show in its state."""
    return max(state.modified_ns, state.changed_ns) < to_microseconds(now) * 1000 - _RACY_NS


def _begins_with(segment: Segment, checksums: Sequence[Checksum]) -> bool:
    begin, block = 0, b""
    for checksum in checksums:
        value = 0
        while begin < checksum.end:
            block = segment.stream.read(min(BLOCK, checksum.end - begin))
            if not block:
                return False
            value = crc32(block, value)
            begin += len(block)
        if value != checksum.value:
            return False
    # A last line without its newline was read as it was; it may have become longer.
    return block.endswith(b"\n")
