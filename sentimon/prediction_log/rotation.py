"""Rotation: the live file is sealed by a rename under the lock, and compressed afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from sentimon.config.settings import LogSettings
from sentimon.errors import DataError, StoreError
from sentimon.files import open_regular
from sentimon.jsonl import LineError, decode_line, decode_object, numbered_lines
from sentimon.prediction_log.append_chain import FileState
from sentimon.prediction_log.durable_files import sync, sync_name
from sentimon.prediction_log.folder import ENDINGS, LIVE_FILE, SEALED, sealed_files, stem_of
from sentimon.prediction_log.locks import exclusive, only_compressor
from sentimon.timestamps import parse_moment

MEGABYTE = 1_000_000
_PLAIN = ENDINGS[0]
_ENDING_OF = {"zstd": ".zst", "gzip": ".gz"}


def seal_if_due(folder: Path, settings: LogSettings, *, now: datetime) -> bool:
    """Seal the live file if it is large or old enough; return whether it was. The caller holds the lock.

    A file is old if its last row was written on an earlier day, UTC. Sealing is one rename: a program
    killed before or after it loses and doubles no row.

    Raises:
        OSError: the folder cannot be written.
    """
    live = folder / LIVE_FILE
    try:
        status = live.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(status.st_mode):
        # The file behind a link was put elsewhere by its owner, and stays there.
        return False
    large = 0 < settings.rotate_megabytes * MEGABYTE <= status.st_size
    old = settings.rotate_daily and datetime.fromtimestamp(status.st_mtime, UTC).date() < now.date()
    if not status.st_size or not (large or old):
        return False
    if settings.fsync != "never":
        # The writer forces only the new live file onto the disk at its end; these rows now.
        sync(live)
    live.rename(_free_name(folder, _first_moment(live, status.st_mtime)))
    if settings.fsync != "never":
        sync_name(live)
    return True


def compress_sealed(folder: Path, compression: str) -> None:
    """Compress the sealed files that are still plain, unless another program is compressing them.

    The compressed file is complete on the disk before it replaces the plain one. A file that cannot be
    compressed, because the disk is full perhaps, stays plain and is read as it is.
    """
    ending = _ENDING_OF.get(compression)
    if ending is None:
        return
    with contextlib.suppress(OSError, StoreError), only_compressor(folder) as alone:
        for orphan in folder.glob(f".{SEALED}*") if alone else ():
            # Left by a program that was killed.
            orphan.unlink()
        for path in _to_compress(folder) if alone else ():
            # If one cannot be compressed, go on with the others.
            with contextlib.suppress(OSError):
                _compress(path, path.with_name(path.name + ending))


def compress_left_over(folder: Path, compression: str) -> None:
    """Compress the sealed files that an earlier compression left plain, if there is room on the disk."""
    if compression not in _ENDING_OF:
        return
    with contextlib.suppress(OSError, StoreError):
        left = [path.stat().st_size for path in _to_compress(folder)]
        if left and shutil.disk_usage(folder).free > max(left):
            compress_sealed(folder, compression)


def _to_compress(folder: Path) -> list[Path]:
    """Return the sealed files that are plain; links are left out, for their files lie elsewhere."""
    return [path for path in sealed_files(folder) if path.name.endswith(_PLAIN) and not path.is_symlink()]


def _compress(plain: Path, target: Path) -> None:
    from sentimon.compression import compressor

    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=plain.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as raw, open_regular(plain) as source:
            compressed = FileState.of(os.fstat(source.fileno()))
            with compressor(raw, target.suffix) as sink:
                shutil.copyfileobj(source, sink)
            raw.flush()
            os.fsync(raw.fileno())
        # Retention needs the time of the last row.
        shutil.copystat(plain, temporary)
        with exclusive(plain.parent):
            # If it was removed or replaced meanwhile, by retention or an erasure, the old rows must not come
            # back.
            if plain.exists() and FileState.of(plain.lstat()) == compressed:
                temporary.replace(target)
                sync_name(target)
                plain.unlink()
    finally:
        temporary.unlink(missing_ok=True)


def _first_moment(live: Path, otherwise: float) -> datetime:
    with live.open("rb") as stream:
        for _, line in numbered_lines(stream):
            try:
                return parse_moment(str(decode_line(line, decode_object).get("timestamp")), None)[0]
            except (LineError, DataError):
                continue
    return datetime.fromtimestamp(otherwise, UTC)


def _free_name(folder: Path, first: datetime) -> Path:
    # %Y gives the year 476 only three digits.
    stem = f"{SEALED}{first.year:04d}{first:%m%dT%H%M%SZ}"
    taken = {stem_of(path) for path in sealed_files(folder)}
    number = 0
    while (name := f"{stem}_{number:04d}" if number else stem) in taken:
        number += 1
    return folder / (name + _PLAIN)
