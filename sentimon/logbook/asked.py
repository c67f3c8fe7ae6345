"""What a job was asked to do, in plain JSON: who goes on with it must be asked the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sentimon.errors import StoreError


def check_asked(before: Mapping[str, Any], now: Mapping[str, Any], path: Path) -> None:
    """Do nothing where a job that was begun is asked for again; `path` is where it is kept.

    Raises:
        StoreError: it was asked otherwise, or its input has changed; the first difference is named.
    """
    for key in dict.fromkeys((*before, *now)):
        was, given = before.get(key), now.get(key)
        if was != given:
            raise StoreError(
                f"{path}: was begun with {key} {was!r}, not {given!r}",
                hint=f"run it as it was begun, or begin anew: remove {path}",
            )
