"""The files of a log: the live one, and the sealed ones behind it, plain or compressed.

A sealed file exists for a moment both plain and compressed; then the plain one counts. Sealing,
replacing and opening happen under the folder's lock, so that a reader meets each row exactly once.
"""

from __future__ import annotations

import gzip
import os
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from sentimon.errors import StoreError
from sentimon.jsonl import LineError, unreadable
from sentimon.logbook.files import check_no_pipe, errors_named
from sentimon.logbook.locks import exclusive, shared

LIVE_FILE = "predictions.jsonl"
SEALED = "predictions-"
_SEALED_NAME = re.compile(r"predictions-\d{8}T\d{6}Z(?:_\d{4,})?")
"""Nothing else is part of the log: a copy put beside it must not double it."""
ENDINGS = (".jsonl", ".jsonl.zst", ".jsonl.gz")
"""Of a sealed file, in the order in which one is preferred to another."""


class LogFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the log, as the folder shows it."""

    path: Path
    size: int
    """Bytes."""
    written: datetime
    """When its last row was appended, in UTC."""

    @classmethod
    def of(cls, path: Path, status: os.stat_result) -> LogFile:
        """Return the file at `path`, whose state is `status`."""
        return cls(path=path, size=status.st_size, written=datetime.fromtimestamp(status.st_mtime, UTC))


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the log that is open for reading."""

    file: LogFile
    stream: BinaryIO
    damage: tuple[type[Exception], ...]
    """What the stream raises where the compressed file is broken."""
    descriptor: int
    """Of the file itself."""

    def pass_over_to(self, begin: int) -> None:
        """Go on at byte `begin` of the content.

        Raises:
            LineError: the compressed file is broken before that.
        """
        try:
            self.stream.seek(begin)
        except self.damage as error:
            raise self._broken(error) from error

    def raw_lines(self) -> Iterator[bytes]:
        """Yield each line as it stands, from where the stream is to where the file ended when opened.

        What is appended to it meanwhile may be half written.

        Raises:
            LineError: the compressed file is broken from here on.
            StoreError: the file cannot be read.
        """
        try:
            left = sys.maxsize if self.damage else self.file.size - self.stream.tell()
            for line in self.stream:
                if len(line) >= left:
                    yield line[:left]
                    return
                yield line
                left -= len(line)
        except self.damage as error:
            raise self._broken(error) from error
        except OSError as error:
            raise unreadable(self.file.path, error) from error

    def _broken(self, error: Exception) -> LineError:
        return LineError("segment", f"the rest of the compressed file is damaged: {error}")


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
            if _SEALED_NAME.fullmatch(stem_of(path)):
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
        StoreError: there is no such folder.
    """
    check_folder(folder)
    with shared(folder):
        live = folder / LIVE_FILE
        paths = sealed_files(folder) + ([live] if live.exists() else [])
        return [LogFile.of(path, path.stat()) for path in paths]


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
    for candidate in (path, *(path.with_name(stem_of(path) + ending) for ending in ENDINGS)):
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
    descriptor = raw.fileno()
    file = LogFile.of(path, os.fstat(descriptor))
    if path.suffix == ".zst":
        from sentimon.logbook.zstandard import ZstdError, ZstdFile

        stream, damage = cast(BinaryIO, ZstdFile(raw)), (ZstdError, EOFError)
        return Segment(file=file, stream=stream, damage=damage, descriptor=descriptor)
    if path.suffix == ".gz":
        stream, broken = cast(BinaryIO, gzip.GzipFile(fileobj=raw)), (gzip.BadGzipFile, EOFError, zlib.error)
        return Segment(file=file, stream=stream, damage=broken, descriptor=descriptor)
    return Segment(file=file, stream=raw, damage=(), descriptor=descriptor)
