"""What a job was asked to do, in plain JSON: who goes on with it must be asked the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sentimon.errors import StoreError
from sentimon.jsonl import LineError, decode_line
from sentimon.logbook.files import read_file


class Job(Protocol):
    """What is kept of a job while it goes on."""

    @property
    def asked(self) -> Mapping[str, Any]:
        """Return what it was asked to do."""


J = TypeVar("J", bound=Job)


def read_job(path: Path, decode: Callable[[bytes], J], asked: Mapping[str, Any], *, kind: str) -> J | None:
    """Return what is kept of a job at `path`, where the same is asked again; None where nothing is kept.

    Raises:
        StoreError: it cannot be read, is no such `kind` of file, or the job was asked otherwise.
    """
    if not path.exists():
        return None
    try:
        job = decode_line(read_file(path, hint="run it again"), decode)
    except LineError as error:
        raise StoreError(f"{path}: is no {kind}: {error.message}", hint="remove it") from error
    _check_asked(job.asked, asked, path)
    return job


def _check_asked(before: Mapping[str, Any], now: Mapping[str, Any], path: Path) -> None:
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
