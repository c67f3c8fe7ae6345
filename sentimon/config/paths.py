"""Paths as people write them, `~` included."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sentimon.errors import UsageError

SCHEME = "://"
"""In an address of object storage; no folder has it."""


def on_objects(place: object) -> bool:
    """Return whether a log is on object storage, told from its address."""
    return SCHEME in str(place)


def expanded(path: str | Path) -> Path:
    """Return `path` with a leading `~` or `~name` replaced by that home folder.

    Raises:
        UsageError: there is no such user.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{path}: there is no such home folder", hint="write the path out") from error


def state_folder(environment: Mapping[str, str], home: Path) -> Path:
    """Return where what is to last is kept for the user (XDG base directories)."""
    return Path(environment.get("XDG_STATE_HOME") or home / ".local" / "state") / "sentimon"


def cache_folder(environment: Mapping[str, str], home: Path) -> Path:
    """Return where what can be made again is kept for the user (XDG base directories)."""
    return Path(environment.get("XDG_CACHE_HOME") or home / ".cache") / "sentimon"
