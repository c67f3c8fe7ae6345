"""The files of a log: the live one, and the sealed ones behind it, plain or compressed.

A sealed file exists for a moment both plain and compressed; then the plain one counts. Sealing,
replacing and opening happen under the folder's lock, so that a reader meets each row exactly once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

from sentimon.errors import SegmentError, StoreError
from sentimon.files import unreadable
from sentimon.jsonl import LONGEST
from sentimon.prediction_log.durable_files import errors_named
from sentimon.prediction_log.locks import exclusive, shared
from sentimon.prediction_log.segment import LogFile, Segment, lost, open_regular, opened, segment_of

LIVE_FILE = "predictions.jsonl"
SEALED = "predictions-"
_SEALED_NAME = re.compile(r"predictions-\d{8}T\d{6}Z(?:_\d{4,})?", re.ASCII)
"""Nothing else is part of the log: a copy put beside it must not double it."""
_LOOKS = 2
"""At a file that is named and not there: it may have come to be named just now."""
ENDINGS = (".jsonl", ".jsonl.zst", ".jsonl.gz")
"""Of a sealed file, in the order in which one is preferred to another."""


def check_folder(folder: Path) -> None:
    """Do nothing where `folder` is the folder of a log, be it empty.

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
    """Return the sealed files, the oldest first, each once; what a name leads to may be missing.

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
    """Return the state of what may be a file of the log; None if nothing has that name any more.

    Raises:
        SegmentError: the folder names it, and it is not there, or cannot be looked at.
    """
    for _ in range(_LOOKS):
        try:
            return path.stat()
        except FileNotFoundError as error:
            if path.name not in _names(path.parent):
                return None
            missing = error
        except OSError as error:
            raise lost(path, error) from error
    raise lost(path, missing) from missing


def live_status(live: Path) -> os.stat_result | None:
    """Return the state of the live file; None where there is none.

    Raises:
        SegmentError: it is a link to nowhere or to what others own, or cannot be looked at.
    """
    status = status_of(live)
    if status is not None and status.st_uid != os.geteuid() and live.is_symlink():
        hint = "put the file itself into the folder of the log, or read it as the user who owns it"
        foreign = SegmentError(f"{live}: is a link to a file of another user", hint=hint)
        foreign.path = live
        raise foreign
    return status


def sealed_among(paths: Iterable[Path]) -> list[Path]:
    """Return those of `paths` that are sealed files, the oldest first, each once."""
    found: dict[str, Path] = {}
    by_form = [*paths]
    for ending in ENDINGS:
        for path in by_form:
            if path.name.endswith(ending) and _SEALED_NAME.fullmatch(stem_of(path)):
                found.setdefault(stem_of(path), path)
    return [found[stem] for stem in sorted(found, key=_in_order)]


def _in_order(stem: str) -> tuple[str, int]:
    """Return what sorts the names of sealed files: those of one second are numbered."""
    name, _, number = stem.partition("_")
    return name, int(number or 0)


def stem_of(path: Path) -> str:
    """Return the name of a sealed file without its ending: plain and compressed, it is one file."""
    ending = next((one for one in reversed(ENDINGS) if path.name.endswith(one)), "")
    return path.name.removesuffix(ending)


def list_files(folder: Path) -> list[LogFile]:
    """Return the files of the log in reading order, the live one last; none where nothing was logged yet.

    Raises:
        StoreError: there is no such folder, or a file in it cannot be looked at.
    """
    check_folder(folder)
    with shared(folder):
        found = [(path, status_of(path)) for path in (*sealed_files(folder), folder / LIVE_FILE)]
        return [LogFile.of(path, status) for path, status in found if status is not None]


def remove_files(folder: Path, files: Iterable[LogFile]) -> None:
    """Remove `files` from the log in `folder`, plain and compressed.

    Raises:
        StoreError: a file may not be removed.
    """
    with errors_named(folder), exclusive(folder):
        for one in files:
            live = one.path.name == LIVE_FILE
            for name in (LIVE_FILE,) if live else (stem_of(one.path) + ending for ending in ENDINGS):
                (folder / name).unlink(missing_ok=True)


def open_segments(folder: Path, *, longest: int = LONGEST) -> Iterator[Segment]:
    """Yield each file of the log, open, one at a time: those that were there at the first call.

    The live file is opened at once, for it may be sealed while the others are read; rows appended to
    it meanwhile may be read too. A line of more than `longest` bytes is given in fragments.

    Raises:
        StoreError: there is no such folder, or a file cannot be read.
    """
    check_folder(folder)
    with ExitStack() as stack:
        live = None
        with shared(folder):
            sealed = sealed_files(folder)
            if live_status(folder / LIVE_FILE) is not None:
                live = stack.enter_context(opened(folder / LIVE_FILE, longest=longest))
        for path in sealed:
            yield from _open_sealed(path, longest)
        if live is not None:
            yield live


def _open_sealed(path: Path, longest: int) -> Iterator[Segment]:
    # Between listing and opening it may have been compressed; removed by retention, it is no part of the log.
    for candidate in (path, *(path.with_name(stem_of(path) + ending) for ending in ENDINGS)):
        if status_of(candidate) is None:
            continue
        try:
            raw = open_regular(candidate)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise lost(candidate, error) from error
        with raw:
            yield segment_of(candidate, raw, longest=longest)
        return
