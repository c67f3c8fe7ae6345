"""The files of a log: the live one, and the sealed ones behind it, plain or compressed.

A sealed file exists for a moment both plain and compressed; then the plain one counts. Files are sealed,
replaced and opened under the folder's lock, so that a reader meets each row exactly once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from sentimon.errors import LogFileError, StoreError
from sentimon.files import unreadable
from sentimon.prediction_log.locks import shared
from sentimon.prediction_log.log_file import LogFile, unreadable_log_file

LIVE_FILE = "predictions.jsonl"
SEALED = "predictions-"
_SEALED_NAME = re.compile(r"predictions-\d{8}T\d{6}Z(?:_\d{4,})?", re.ASCII)
"""Names of sealed files; no other file is part of the log, so that a copy beside it does not count twice."""
_LOOKS = 2
"""How often to look for a file that the folder lists but that is missing: it may be created just now."""
ENDINGS = (".jsonl", ".jsonl.zst", ".jsonl.gz")
"""Endings of a sealed file, the preferred form first."""


def check_folder(folder: Path) -> None:
    """Raise StoreError unless `folder` can be the folder of a log; it may be empty.

    Raises:
        StoreError: there is no such folder.
    """
    try:
        there = folder.exists()
    except OSError as error:
        raise unreadable(folder, error) from error
    if not there:
        hint = "name the folder of the log with --logs, or run `sentimon log`"
        raise StoreError(f"{folder}: no such folder", hint=hint)
    if not folder.is_dir():
        hint = "--logs names the folder that holds predictions.jsonl"
        raise StoreError(f"{folder}: is a file, not a folder", hint=hint)


def sealed_files(folder: Path) -> list[Path]:
    """Return the paths of the sealed files, oldest first, each file in one form; some may not exist any more.

    Raises:
        StoreError: the folder cannot be listed.
    """
    return sealed_among(folder / name for name in _names(folder) if name.startswith(SEALED))


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise unreadable(folder, error) from error


def status_of(path: Path) -> os.stat_result | None:
    """Return the status of a file of the log; None if the folder does not list it any more.

    Raises:
        SegmentError: the folder lists it, but it is missing (a link to nothing), or its status is refused.
    """
    for _ in range(_LOOKS):
        try:
            return path.stat()
        except FileNotFoundError as error:
            if path.name not in _names(path.parent):
                return None
            missing = error
        except OSError as error:
            raise unreadable_log_file(path, error) from error
    raise unreadable_log_file(path, missing) from missing


def live_status(live: Path) -> os.stat_result | None:
    """Return the status of the live file; None if there is none.

    Raises:
        SegmentError: it is a link to nothing or to a file of another user, or its status is refused.
    """
    status = status_of(live)
    if status is not None and status.st_uid != os.geteuid() and live.is_symlink():
        hint = "put the file itself into the folder of the log, or read it as the user who owns it"
        foreign = LogFileError(f"{live}: is a link to a file of another user", hint=hint)
        foreign.path = live
        raise foreign
    return status


def sealed_among(paths: Iterable[Path]) -> list[Path]:
    """Return those of `paths` that are sealed files, oldest first, each file in one form."""
    found: dict[str, Path] = {}
    by_form = [*paths]
    for ending in ENDINGS:
        for path in by_form:
            if path.name.endswith(ending) and _SEALED_NAME.fullmatch(stem_of(path)):
                found.setdefault(stem_of(path), path)
    return [found[stem] for stem in sorted(found, key=_sort_key)]


def _sort_key(stem: str) -> tuple[str, int]:
    """Return the sort key of the stem of a sealed file; files of one second are numbered."""
    name, _, number = stem.partition("_")
    return name, int(number or 0)


def stem_of(path: Path) -> str:
    """Return the name of a sealed file without its ending, which is the same plain and compressed."""
    ending = next((one for one in reversed(ENDINGS) if path.name.endswith(one)), "")
    return path.name.removesuffix(ending)


def list_files(folder: Path) -> list[LogFile]:
    """Return the files of the log in reading order, the live one last; none if nothing was logged yet.

    Raises:
        StoreError: there is no such folder, or a file in it cannot be looked at.
    """
    check_folder(folder)
    with shared(folder):
        found = [(path, status_of(path)) for path in (*sealed_files(folder), folder / LIVE_FILE)]
        return [LogFile.of(path, status) for path, status in found if status is not None]
