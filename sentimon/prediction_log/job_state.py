"""What a job was asked to do, in plain JSON: who goes on with it must be asked the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from sentimon.errors import StoreError
from sentimon.files import read_if_there
from sentimon.jsonl import decode_file

J = TypeVar("J")
Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
"""Of rows, lines or bytes."""
Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
"""SHA-256, in hexadecimal."""
_CONTENT = ("bytes", "modified_ns")
"""What is asked of the input itself: by these it is known again."""
_ONCE_ASKED = ("chunk_texts",)
"""What earlier versions asked of every job, and now makes no difference to some."""


def read_job(path: Path, decode: Callable[[bytes], J], *, kind: str) -> J | None:
    """Return what is kept of a job at `path`; None where nothing is kept.

    Raises:
        StoreError: it cannot be read, or is no such `kind` of file.
    """
    content = read_if_there(path)
    if content is None:
        return None
    return decode_file(content, decode, origin=str(path), what=kind, hint="remove it")


def has_changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Return whether the input is no longer the file that it was, whatever is to be done with it."""
    return any(before.get(key) != now.get(key) for key in _CONTENT)


def check_asked(before: Mapping[str, Any], now: Mapping[str, Any], path: Path) -> None:
    """Do nothing where a job that was begun is asked for again; `path` is where it is kept.

    Raises:
        StoreError: it was asked otherwise, or its input has changed; the first difference is named.
    """
    for key in dict.fromkeys((*before, *now)):
        if key in _ONCE_ASKED and key not in now:
            continue
        was, given = before.get(key), now.get(key)
        if was != given:
            raise StoreError(
                f"{path}: was begun with {key} {was!r}, not {given!r}",
                hint=f"run it as it was begun, or begin anew: remove {path}",
            )
