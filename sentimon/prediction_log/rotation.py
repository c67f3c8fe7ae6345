"""How the live file becomes a sealed one: renamed under the lock, compressed behind the reader's back."""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import stat
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

from sentimon.config.settings import LogSettings
from sentimon.errors import DataError, StoreError
from sentimon.jsonl import LineError, decode_line, decode_object, numbered_lines
from sentimon.prediction_log.append_chain import FileState
from sentimon.prediction_log.durable_files import sync, sync_name
from sentimon.prediction_log.folder import ENDINGS, LIVE_FILE, SEALED, sealed_files, stem_of
from sentimon.prediction_log.locks import exclusive, only_compressor
from sentimon.prediction_log.segment import open_regular
from sentimon.timestamps import parse_moment

MEGABYTE = 1_000_000
_PLAIN = ENDINGS[0]
_ENDING_OF = {"zstd": ".zst", "gzip": ".gz"}


def seal_if_due(folder: Path, settings: LogSettings, *, now: datetime) -> bool:
    """Seal the live file where it is large or old enough; return whether it was. The caller holds the lock.

    A file is old when its last row was written on an earlier day, UTC. One rename: killed before it
    or after, no row is lost or doubled.

    Raises:
        OSError: the folder cannot be written.
    """
    live = folder / LIVE_FILE
    try:
        status = live.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(status.st_mode):
        # A link leads to a file that its owner put elsewhere, and there it stays.
        return False
    large = 0 < settings.rotate_megabytes * MEGABYTE <= status.st_size
    old = settings.rotate_daily and datetime.fromtimestamp(status.st_mtime, UTC).date() < now.date()
    if not status.st_size or not (large or old):
        return False
    if settings.fsync != "never":
        # The rest of this command's rows go elsewhere; these are safe before their file is out of sight.
        sync(live)
    live.rename(_free_name(folder, _first_moment(live, status.st_mtime)))
    if settings.fsync != "never":
        sync_name(live)
    return True


def compress_sealed(folder: Path, compression: str) -> None:
    """Compress the sealed files that are still plain; where another program is at it, leave it to that one.

    The compressed file is complete on the disk before it takes the plain one's place. What cannot be
    compressed, for want of room perhaps, stays plain and is read as it is.
    """
    ending = _ENDING_OF.get(compression)
    if ending is None:
        return
    with contextlib.suppress(OSError, StoreError), only_compressor(folder) as alone:
        for orphan in folder.glob(f".{SEALED}*") if alone else ():
            # Left by one that was killed; nobody else is at it now.
            orphan.unlink()
        for path in _to_compress(folder) if alone else ():
            # One that cannot be compressed keeps none of the others plain.
            with contextlib.suppress(OSError):
                _compress(path, path.with_name(path.name + ending))


def compress_left_over(folder: Path, compression: str) -> None:
    """Compress the sealed files that an earlier compression left plain, if there is room to try again."""
    if compression not in _ENDING_OF:
        return
    with contextlib.suppress(OSError, StoreError):
        left = [path.stat().st_size for path in _to_compress(folder)]
        if left and shutil.disk_usage(folder).free > max(left):
            compress_sealed(folder, compression)


def _to_compress(folder: Path) -> list[Path]:
    """Return the sealed files that are plain; a link leads to a file that lies elsewhere, and stays one."""
    return [path for path in sealed_files(folder) if path.name.endswith(_PLAIN) and not path.is_symlink()]


def _compress(plain: Path, target: Path) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=plain.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as raw, open_regular(plain) as source:
            compressed = FileState.of(os.fstat(source.fileno()))
            with compressor(raw, target.suffix) as sink:
                shutil.copyfileobj(source, sink)
            raw.flush()
            os.fsync(raw.fileno())
        # The time of its last row goes with it: retention asks for that.
        shutil.copystat(plain, temporary)
        with exclusive(plain.parent):
            # Removed meanwhile by retention, or replaced by a file without some row, the old one must not
            # come back.
            if plain.exists() and FileState.of(plain.lstat()) == compressed:
                temporary.replace(target)
                sync_name(target)
                plain.unlink()
    finally:
        temporary.unlink(missing_ok=True)


def compressor(raw: BinaryIO, suffix: str) -> BinaryIO:
    """Return what compresses into `raw` as the ending of the file's name says, `.zst` or `.gz`."""
    if suffix == ".zst":
        from sentimon.prediction_log.zstandard import OPTIONS, ZstdFile

        return cast(BinaryIO, ZstdFile(raw, "w", options=OPTIONS))
    return cast(BinaryIO, gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0))


def _first_moment(live: Path, otherwise: float) -> datetime:
    with live.open("rb") as stream:
        for _, line in numbered_lines(stream):
            try:
                return parse_moment(str(decode_line(line, decode_object).get("timestamp")), None)[0]
            except (LineError, DataError):
                continue
    return datetime.fromtimestamp(otherwise, UTC)


def _free_name(folder: Path, first: datetime) -> Path:
    # %Y gives the year 476 three digits, with which it would be no name of ours.
    stem = f"{SEALED}{first.year:04d}{first:%m%dT%H%M%SZ}"
    taken = {stem_of(path) for path in sealed_files(folder)}
    number = 0
    while (name := f"{stem}_{number:04d}" if number else stem) in taken:
        number += 1
    return folder / (name + _PLAIN)
