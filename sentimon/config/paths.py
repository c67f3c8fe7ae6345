"""Paths as people write them, `~` included."""

from __future__ import annotations

from pathlib import Path

from sentimon.errors import UsageError


def expanded(path: str | Path) -> Path:
    """Return `path` with a leading `~` or `~name` replaced by that home folder.

    Raises:
        UsageError: there is no such user.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{path}: there is no such home folder", hint="write the path out") from error
