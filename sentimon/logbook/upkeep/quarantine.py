"""Where bad lines go that leave the log: a line of strict JSON for each, with the line as it stood."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from pathlib import Path

import msgspec

from sentimon.jsonl import BadLine, LineError, decode_line, encode
from sentimon.logbook.files import errors_named, write_at_end
from sentimon.logbook.moments import format_moment

QUARANTINE_FILE = "quarantine.jsonl"
_MOST_WAITING_BYTES = 1_000_000


class Quarantine:
    """Bad lines on their way into `quarantine.jsonl`; the caller is the `only_rewriter` of the folder."""

    def __init__(self, folder: Path, *, now: datetime) -> None:
        self.path = folder / QUARANTINE_FILE
        self._now = format_moment(now)
        self._waiting: list[bytes] = []
        self._size = 0

    def add(self, bad: BadLine, raw: bytes) -> None:
        """Take one bad line, `raw` as it stands in its file."""
        entry = {
            "timestamp": self._now,
            "file": Path(bad.path).name,
            "line": bad.line,
            "kind": bad.kind,
            "reason": bad.reason,
            **_content_of(raw.removesuffix(b"\n")),
        }
        self._waiting.append(encode(entry))
        self._size += len(self._waiting[-1])
        if self._size >= _MOST_WAITING_BYTES:
            self.flush()

    def flush(self) -> None:
        """Put what was taken onto the disk.

        Raises:
            StoreError: the file cannot be written, or the disk is full.
        """
        if self._waiting:
            with errors_named(self.path):
                write_at_end(self.path, self._waiting, sync=True)
        self._waiting, self._size = [], 0


def quarantined_line(entry: bytes) -> bytes:
    """Return the bad line that a line of the quarantine holds; where that is no entry, the line itself."""
    try:
        fields = decode_line(entry, _decode_entry)
        return _raw_of(fields) or entry
    except (LineError, binascii.Error):
        return entry


class _Entry(msgspec.Struct):
    content: str | None = None
    content_base64: str | None = None


_decode_entry = msgspec.json.Decoder(_Entry).decode


def _content_of(raw: bytes) -> dict[str, str]:
    try:
        return {"content": raw.decode()}
    except UnicodeDecodeError:
        return {"content_base64": base64.b64encode(raw).decode()}


def _raw_of(entry: _Entry) -> bytes:
    if entry.content_base64 is not None:
        return base64.b64decode(entry.content_base64)
    return (entry.content or "").encode()
