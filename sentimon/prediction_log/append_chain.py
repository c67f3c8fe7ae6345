"""Detect changes to the live log that our writer did not make, without reading the file again.

The lock file holds a record: the state of the live file after our last append, and the name of the
unbroken chain of appends that led to it. A reader that knew the same chain at an earlier state knows that
the bytes it read then are still there. The record counts only while the file has exactly that state. So a
change by another program, a crash between the rows and the record, and a lost record all end the chain.

One change stays hidden: by another program, within the same tick of the file system's clock as our append
(up to 10 ms with Linux before 6.13), and without a change of size.
"""

from __future__ import annotations

import contextlib
import os
from functools import cache
from pathlib import Path

import msgspec

from sentimon.files import open_own
from sentimon.jsonl import LineError, decode_line, encode
from sentimon.prediction_log.locks import lock_file

_CHAIN_BYTES = 8
_MOST_BYTES = 1024
"""More bytes than any record takes."""
ANY_DEVICE = -1


class FileState(msgspec.Struct, frozen=True, kw_only=True):
    """What the file system says of a file; equal states mean the same file, unchanged in between."""

    device: int
    """ANY_DEVICE if machines number their devices differently; the content is compared then."""
    inode: int
    size: int
    """Bytes."""
    modified_ns: int
    """When its content changed last, in nanoseconds since 1970."""
    changed_ns: int
    """When its content, name or mode changed last; no program can set this time."""

    @property
    def file(self) -> tuple[int, int]:
        """Return (device, inode), which together identify the file."""
        return self.device, self.inode

    @classmethod
    def of(cls, status: os.stat_result) -> FileState:
        """Return the state in `status`."""
        return cls(
            device=status.st_dev,
            inode=status.st_ino,
            size=status.st_size,
            modified_ns=status.st_mtime_ns,
            changed_ns=status.st_ctime_ns,
        )


class AppendChain(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the live file after our last append, and the chain of appends it belongs to."""

    chain: str
    """16 hexadecimal digits; while they stay the same, the file has only grown."""
    state: FileState


class _Record(msgspec.Struct, frozen=True, kw_only=True, rename={"append_chain": "custody"}):
    boot: str
    """The run of the system: after a power cut a file may come back shorter than it was read."""
    append_chain: AppendChain


_decode_record = msgspec.json.Decoder(_Record).decode


def read_append_chain(folder: Path) -> AppendChain | None:
    """Return the record for the live file in `folder`; None if there is none that can be trusted.

    The caller holds the lock of `folder`, shared or exclusive, and compares the state with the file's own.
    """
    try:
        descriptor = open_own(lock_file(folder), os.O_RDONLY)
    except OSError:
        return None
    try:
        return _record_in(_content(descriptor))
    finally:
        os.close(descriptor)


def extend_append_chain(lock: int, before: os.stat_result, after: os.stat_result) -> None:
    """Record an append that took the live file from `before` to `after`.

    `lock` is the descriptor of the exclusive lock. The chain continues if `before` is the state after the
    last append; otherwise a new chain begins. No error is raised, for the rows are written already: a
    record that cannot be written ends the chain.
    """
    old = _content(lock)
    known = _record_in(old)
    unbroken = known is not None and known.state == FileState.of(before)
    chain = known.chain if known and unbroken else os.urandom(_CHAIN_BYTES).hex()
    record = _Record(boot=this_boot(), append_chain=AppendChain(chain=chain, state=FileState.of(after)))
    new = encode(record) + b"\n"
    with contextlib.suppress(OSError):
        os.pwrite(lock, new, 0)
        if len(old) > len(new):
            os.ftruncate(lock, len(new))


def break_append_chain(lock: int) -> None:
    """End the chain, after a change of the live file other than an append; no error is raised."""
    with contextlib.suppress(OSError):
        os.ftruncate(lock, 0)


def _content(descriptor: int) -> bytes:
    try:
        return os.pread(descriptor, _MOST_BYTES, 0)
    except OSError:
        return b""


def _record_in(content: bytes) -> AppendChain | None:
    line, newline, _ = content.partition(b"\n")
    if not newline:
        return None
    try:
        record = decode_line(line, _decode_record)
    except LineError:
        return None
    return record.append_chain if record.boot == this_boot() else None


@cache
def this_boot() -> str:
    """Return the identifier of this run of the system; empty if the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
