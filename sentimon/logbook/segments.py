"""The files of a log: the live one, and the sealed ones behind it, plain or compressed.

A sealed file exists for a moment both plain and compressed; then the plain one counts. Sealing,
replacing and opening happen under the folder's lock, so that a reader meets each row exactly once.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from sentimon.errors import StoreError
from sentimon.jsonl import LineError, numbered_lines
from sentimon.logbook.files import check_no_pipe
from sentimon.logbook.locks import shared

LIVE_FILE = "predictions.jsonl"
SEALED = "predictions-"
ENDINGS = (".jsonl", ".jsonl.zst", ".jsonl.gz")
"""Of a sealed file, in the order in which one is preferred to another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A file of the log that is open for reading."""

    path: Path
    stream: BinaryIO
    damage: tuple[type[Exception], ...]
    """What the stream raises where the compressed file is broken."""

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield what `numbered_lines` yields of the content.

        Raises:
            LineError: the compressed file is broken from here on.
            StoreError: the file cannot be read.
        """
        try:
            yield from numbered_lines(self.stream)
        except self.damage as error:
            raise LineError("segment", f"the rest of the compressed file is damaged: {error}") from error
        except OSError as error:
            raise unreadable(self.path, error) from error


def unreadable(path: Path, error: OSError) -> StoreError:
    """Return the error for a file that cannot be read."""
    hint = "check the path and its permissions"
    return StoreError(f"{path}: cannot be read: {error.strerror}", hint=hint)


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
    """Return the sealed files, the oldest first, each once."""
    found: dict[str, Path] = {}
    for ending in ENDINGS:
        for path in folder.glob(f"{SEALED}*{ending}"):
            found.setdefault(path.name.removesuffix(ending), path)
    return [found[name] for name in sorted(found)]


def log_files(folder: Path) -> list[Path]:
    """Return the files of the log in reading order, the live one last; none where nothing was logged yet.

    Raises:
        StoreError: there is no such folder.
    """
    check_folder(folder)
    live = folder / LIVE_FILE
    return sealed_files(folder) + ([live] if live.exists() else [])


def open_segments(folder: Path) -> Iterator[Segment]:
    """Yield each file of the log, open, one at a time: those that were there at the first call.

    The live file is opened at once, for it may be sealed while the others are read; rows appended to
    it meanwhile may be read too.

    Raises:
        StoreError: there is no such folder, or a file cannot be read.
    """
    check_folder(folder)
    with ExitStack() as stack:
        live = None
        with shared(folder):
            sealed = sealed_files(folder)
            if (folder / LIVE_FILE).exists():
                live = stack.enter_context(opened(folder / LIVE_FILE))
        for path in sealed:
            yield from _open_sealed(path)
        if live is not None:
            yield live


def _open_sealed(path: Path) -> Iterator[Segment]:
    # Between listing and opening it may have been compressed; removed by retention, it is no part of the log.
    ending = next(one for one in reversed(ENDINGS) if path.name.endswith(one))
    stem = path.name.removesuffix(ending)
    for candidate in (path, *(path.with_name(stem + one) for one in ENDINGS)):
        try:
            raw = candidate.open("rb")
        except FileNotFoundError:
            continue
        except OSError as error:
            raise unreadable(candidate, error) from error
        with raw:
            yield _segment(candidate, raw)
        return


@contextmanager
def opened(path: Path) -> Iterator[Segment]:
    """Open one file of a log, plain or compressed by its ending.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        check_no_pipe(path)
        raw = path.open("rb")
    except OSError as error:
        raise unreadable(path, error) from error
    with raw:
        yield _segment(path, raw)


def _segment(path: Path, raw: BinaryIO) -> Segment:
    if path.suffix == ".zst":
        from sentimon.logbook.zstandard import ZstdError, ZstdFile

        return Segment(path=path, stream=cast(BinaryIO, ZstdFile(raw)), damage=(ZstdError, EOFError))
    if path.suffix == ".gz":
        damage = (gzip.BadGzipFile, EOFError, zlib.error)
        return Segment(path=path, stream=cast(BinaryIO, gzip.GzipFile(fileobj=raw)), damage=damage)
    return Segment(path=path, stream=raw, damage=())
