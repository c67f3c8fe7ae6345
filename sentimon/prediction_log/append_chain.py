"""Whether the live file only ever grew through our own writer, told without reading it again.

The lock file holds a record: the state that the live file had after the writer's last append, and the
name of the unbroken chain of appends that led to it. Whoever knew the chain at an earlier state knows
that the bytes he read then are still there. The record is trusted only while the file has just that
state, so a program that does not know of it, a crash between the rows and the record, or a lost record
ends the chain, and never the other way round.

What it cannot see is a change by another program that leaves the size as it was and comes within the
same tick of the file system's clock as our own append: up to 10 ms with Linux before 6.13.
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
"""More than any record takes."""


ANY_DEVICE = -1


class FileState(msgspec.Struct, frozen=True, kw_only=True):
    """What the file system says of a file; two equal ones are the same file, untouched in between."""

    device: int
    """ANY_DEVICE where the number is another one on each machine; who opens the file compares its content."""
    inode: int
    size: int
    """Bytes."""
    modified_ns: int
    """When its content changed last, in nanoseconds since 1970."""
    changed_ns: int
    """When its content, name or mode changed last; no program can set it."""

    @property
    def file(self) -> tuple[int, int]:
        """Return what names the file: an inode is one only together with its device."""
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


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    boot: str
    """After a power cut a file may come back shorter than it was read: each start is another chain."""
    custody: AppendChain


_decode_record = msgspec.json.Decoder(_Record).decode


def read_append_chain(folder: Path) -> AppendChain | None:
    """Return the record of the live file in `folder`; None where there is none that can be trusted.

    The caller holds the lock of `folder`, shared or alone, and compares the state with the file's own.
    """
    try:
        descriptor = open_own(lock_file(folder), os.O_RDONLY)
    except OSError:
        return None
    try:
        return _custody_in(_content(descriptor))
    finally:
        os.close(descriptor)


def extend_append_chain(lock: int, before: os.stat_result, after: os.stat_result) -> None:
    """Record an append that took the live file from `before` to `after`.

    `lock` is the descriptor of the lock file, held alone. The chain goes on if `before` is where the
    last append left the file, and else a new one begins. No error is raised, for the rows are in: a
    record that cannot be written is a chain that ends.
    """
    old = _content(lock)
    known = _custody_in(old)
    unbroken = known is not None and known.state == FileState.of(before)
    chain = known.chain if known and unbroken else os.urandom(_CHAIN_BYTES).hex()
    record = _Record(boot=this_boot(), custody=AppendChain(chain=chain, state=FileState.of(after)))
    new = encode(record) + b"\n"
    with contextlib.suppress(OSError):
        os.pwrite(lock, new, 0)
        if len(old) > len(new):
            os.ftruncate(lock, len(new))


def break_append_chain(lock: int) -> None:
    """End the chain, for the live file changed in another way than by growing; no error is raised."""
    with contextlib.suppress(OSError):
        os.ftruncate(lock, 0)


def _content(descriptor: int) -> bytes:
    try:
        return os.pread(descriptor, _MOST_BYTES, 0)
    except OSError:
        return b""


def _custody_in(content: bytes) -> AppendChain | None:
    line, newline, _ = content.partition(b"\n")
    if not newline:
        return None
    try:
        record = decode_line(line, _decode_record)
    except LineError:
        return None
    return record.custody if record.boot == this_boot() else None


@cache
def this_boot() -> str:
    """Return what names this run of the system; empty where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
