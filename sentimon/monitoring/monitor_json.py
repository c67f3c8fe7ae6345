"""What monitors remember, as a file holds it: one file a log, the state of one monitor a baseline."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sentimon.errors import StoreError
from sentimon.monitoring.monitor import MonitorState

FORMAT = 1
_MOST = 8
"""Monitors that are remembered; those used longest ago are forgotten."""


class _File(msgspec.Struct, frozen=True):
    format: int
    monitors: dict[str, MonitorState]


def decode_monitors(content: bytes, *, origin: str) -> dict[str, MonitorState]:
    """Return the states that a file holds, by baseline; `origin` names the file in errors.

    Raises:
        StoreError: it holds none, or is of another format.
    """
    try:
        file = msgspec.json.decode(content, type=_File)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error)
    else:
        if file.format == FORMAT:
            return file.monitors
        reason = f"is of format {file.format}, this version reads {FORMAT}"
    raise StoreError(
        f"{origin}: is no state of a monitor: {reason}", hint="`sentimon drift --reset` starts anew"
    )


def encode_monitors(monitors: Mapping[str, MonitorState]) -> bytes:
    """Return the file of the latest of `monitors`, the one used last at the end."""
    latest = dict(list(monitors.items())[-_MOST:])
    return msgspec.json.encode(_File(FORMAT, latest)) + b"\n"
