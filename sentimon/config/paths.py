"""Paths as people write them, `~` included."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from sentimon.errors import UsageError

_XDG = {"XDG_CONFIG_HOME": ".config", "XDG_STATE_HOME": ".local/state", "XDG_CACHE_HOME": ".cache"}
SCHEME = "://"
"""Marks an address of object storage; no path of a folder contains it."""


def on_objects(place: object) -> bool:
    """Return whether `place` is an address of object storage and not a folder."""
    return SCHEME in str(place)


def expanded(path: str | Path) -> Path:
    """Return `path` with a leading `~` or `~name` replaced by that home folder.

    Where the user has no home, as in a container, `~/.config` is still what `$XDG_CONFIG_HOME` names.

    Raises:
        UsageError: there is no such user, or the user has no home.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        known = _expanded_by_xdg(Path(path))
        if known is not None:
            return known
        own = Path(path).parts[0] == "~"
        says = "the user has no home folder" if own else "there is no such home folder"
        hint = "set HOME or XDG_CONFIG_HOME, or write the path out" if own else "write the path out"
        raise UsageError(f"{path}: {says}", hint=hint) from error


def config_folder(environment: Mapping[str, str]) -> Path | None:
    """Return the folder of the user's settings (XDG base directories); None where the user has no home."""
    return _user_folder("XDG_CONFIG_HOME", environment)


def state_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of the user's lasting state (XDG base directories).

    Raises:
        UsageError: the user has no home.
    """
    found = _user_folder("XDG_STATE_HOME", environment)
    if found is None:
        raise UsageError(
            "there is no folder for the state of the log: the user has no home",
            hint="set logs.state_dir, $XDG_STATE_HOME or $HOME",
        )
    return found


def cache_folder(environment: Mapping[str, str]) -> Path | None:
    """Return the folder of the user's caches (XDG base directories); None where the user has no home."""
    return _user_folder("XDG_CACHE_HOME", environment)


def _user_folder(variable: str, environment: Mapping[str, str]) -> Path | None:
    named = environment.get(variable)
    if named:
        return Path(named) / "sentimon"
    home = environment.get("HOME")
    try:
        return (Path(home) if home else Path.home()) / _XDG[variable] / "sentimon"
    except RuntimeError:
        # A user id without a name, as `docker run --user` gives.
        return None


def _expanded_by_xdg(path: Path) -> Path | None:
    for variable, usual in _XDG.items():
        named = os.environ.get(variable)
        if named and path.is_relative_to(Path("~") / usual):
            return Path(named) / path.relative_to(Path("~") / usual)
    return None
