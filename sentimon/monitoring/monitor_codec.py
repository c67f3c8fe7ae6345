"""What monitors remember, as a file holds it: one file a log, the state of one monitor a baseline."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC

import msgspec

from sentimon.errors import DataError
from sentimon.jsonl import decode_file
from sentimon.monitoring.monitor_state import MonitorState
from sentimon.timestamps import parse_moment

FORMAT = 1
_MOST = 8
"""Monitors that are remembered; those used longest ago are forgotten."""


class _File(msgspec.Struct, frozen=True):
    format: int
    monitors: dict[str, MonitorState]


_decode_file = msgspec.json.Decoder(_File).decode


def decode_monitors(content: bytes, *, origin: str) -> dict[str, MonitorState]:
    """Return the states that a file holds, by baseline; `origin` names the file in errors.

    Raises:
        StoreError: it holds none, or is of another format.
    """
    hint = "`sentimon drift --reset` starts anew"
    return decode_file(content, _from_content, origin=origin, what="state of a monitor", hint=hint)


def _from_content(content: bytes) -> dict[str, MonitorState]:
    file = _decode_file(content)
    if file.format != FORMAT:
        raise DataError(f"is of format {file.format}, this version reads {FORMAT}")
    for state in file.monitors.values():
        if state.incident is not None:
            parse_moment(state.incident.since, UTC)
    return file.monitors


def encode_monitors(monitors: Mapping[str, MonitorState]) -> bytes:
    """Return the file of the latest of `monitors`, the one used last at the end."""
    latest = dict(list(monitors.items())[-_MOST:])
    return msgspec.json.encode(_File(FORMAT, latest)) + b"\n"
