"""The quarantine: a file with one JSON entry for each bad line that was moved out of the log.

A line that is too long to be held in memory goes to a compressed file of its own, which the entry names.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import os
import tempfile
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from sentimon.compression import compressor
from sentimon.jsonl import BadLine, LineError, decode_line, encode
from sentimon.prediction_log.durable_files import errors_named, sync_name, write_at_end
from sentimon.prediction_log.folder import SEALED, stem_of
from sentimon.prediction_log.log_file import LineFragment
from sentimon.timestamps import format_moment

QUARANTINE_FILE = "quarantine.jsonl"
LONG_LINES = "quarantine-*.zst"
"""The names of the files that hold one long line each."""
_MOST_WAITING_BYTES = 1_000_000
_TEMPORARY = f".{SEALED}quarantine."
"""The prefix of temporary files; whoever rewrites next removes them if this program is killed."""


class Quarantine:
    """Collects bad lines and appends them to `quarantine.jsonl`; the caller is the `only_rewriter`."""

    def __init__(self, folder: Path, *, now: datetime) -> None:
        self.path = folder / QUARANTINE_FILE
        self._now = format_moment(now)
        self._waiting: list[bytes] = []
        self._size = 0
        self._long: _LongLine | None = None

    def add(self, bad: BadLine, raw: bytes) -> None:
        """Add one bad line; `raw` is the line as it stands in its file."""
        self._add(bad, _content_of(raw.removesuffix(b"\n")))

    def add_fragment(self, bad: BadLine, piece: LineFragment) -> None:
        """Add the next fragment of a bad line that is too long to be held in memory.

        Raises:
            StoreError: its file cannot be written, or the disk is full.
        """
        with errors_named(self.path.parent):
            if self._long is None:
                self._long = _LongLine(self.path.parent)
            self._long.write(piece)
            if piece.last:
                name = self._long.keep(f"quarantine-{stem_of(Path(bad.path))}-{bad.line}")
                self._long = None
                self._add(bad, {"content_file": name})

    def drop_unfinished(self) -> None:
        """Drop a long line whose end was not read, because its file is damaged."""
        if self._long is not None:
            self._long.close()
            self._long = None

    def _add(self, bad: BadLine, content: dict[str, str]) -> None:
        entry = {
            "timestamp": self._now,
            "file": Path(bad.path).name,
            "line": bad.line,
            "kind": bad.kind,
            "reason": bad.reason,
            **content,
        }
        self._waiting.append(encode(entry))
        self._size += len(self._waiting[-1])
        if self._size >= _MOST_WAITING_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write the collected lines to the disk.

        Raises:
            StoreError: the file cannot be written, or the disk is full.
        """
        if self._waiting:
            with errors_named(self.path):
                write_at_end(self.path, self._waiting, sync=True)
        self._waiting, self._size = [], 0


class _LongLine:
    """The file of a long line, written fragment by fragment."""

    def __init__(self, folder: Path) -> None:
        descriptor, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=folder)
        self._name = Path(name)
        with ExitStack() as stack:
            stack.callback(self._name.unlink, missing_ok=True)
            self._raw: BinaryIO = stack.enter_context(os.fdopen(descriptor, "wb"))
            self._sink = stack.enter_context(compressor(self._raw, ".zst"))
            self._stack = stack.pop_all()

    def write(self, piece: LineFragment) -> None:
        content = bytes(piece.content)
        self._sink.write(content.removesuffix(b"\n") if piece.last else content)

    def keep(self, stem: str) -> str:
        """Force the file onto the disk, and return its final name."""
        self._sink.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        for number in itertools.count():
            beside = self._name.with_name(f"{stem}{f'.{number}' if number else ''}.zst")
            try:
                os.link(self._name, beside)
            except FileExistsError:
                continue
            break
        self.close()
        sync_name(beside)
        return beside.name

    def close(self) -> None:
        self._stack.close()


def quarantined_line(entry: bytes) -> bytes:
    """Return the bad line in an entry of the quarantine; the entry itself if it is none."""
    try:
        fields = decode_line(entry, _decode_entry)
        return _raw_of(fields) or entry
    except (LineError, binascii.Error):
        return entry


class _QuarantineEntry(msgspec.Struct):
    content: str | None = None
    content_base64: str | None = None


_decode_entry = msgspec.json.Decoder(_QuarantineEntry).decode


def _content_of(raw: bytes) -> dict[str, str]:
    try:
        return {"content": raw.decode()}
    except UnicodeDecodeError:
        return {"content_base64": base64.b64encode(raw).decode()}


def _raw_of(entry: _QuarantineEntry) -> bytes:
    if entry.content_base64 is not None:
        return base64.b64decode(entry.content_base64)
    return (entry.content or "").encode()
