"""How the live file becomes a sealed one: renamed under the lock, compressed behind the reader's back."""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

from sentimon.config.settings import LogSettings
from sentimon.errors import DataError
from sentimon.jsonl import LineError, decode_line, decode_object, numbered_lines
from sentimon.logbook.files import sync
from sentimon.logbook.locks import exclusive, only_compressor
from sentimon.logbook.moments import parse_moment
from sentimon.logbook.segments import ENDINGS, LIVE_FILE, SEALED, sealed_files, stem_of

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
    if live.is_symlink() or not live.is_file():
        return False
    status = live.stat()
    large = 0 < settings.rotate_megabytes * MEGABYTE <= status.st_size
    old = settings.rotate_daily and datetime.fromtimestamp(status.st_mtime, UTC).date() < now.date()
    if not status.st_size or not (large or old):
        return False
    if settings.fsync != "never":
        # The rest of this command's rows go elsewhere; these are safe before their file is out of sight.
        sync(live)
    live.rename(_free_name(folder, _first_moment(live, status.st_mtime)))
    return True


def compress_sealed(folder: Path, compression: str) -> None:
    """Compress the sealed files that are still plain; where another program is at it, leave it to that one.

    The compressed file is complete on the disk before it takes the plain one's place. What cannot be
    compressed, for want of room perhaps, stays plain and is read as it is.
    """
    ending = _ENDING_OF.get(compression)
    if ending is None:
        return
    with contextlib.suppress(OSError), only_compressor(folder) as alone:
        for orphan in folder.glob(f".{SEALED}*") if alone else ():
            # Left by one that was killed; nobody else is at it now.
            orphan.unlink()
        for path in sealed_files(folder) if alone else ():
            if path.name.endswith(_PLAIN):
                _compress(path, path.with_name(path.name + ending))


def _compress(plain: Path, target: Path) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=plain.parent)
    temporary = Path(name)
    try:
        with plain.open("rb") as source, os.fdopen(descriptor, "wb") as raw:
            with _compressor(raw, target.suffix) as sink:
                shutil.copyfileobj(source, sink)
            raw.flush()
            os.fsync(raw.fileno())
        # The time of its last row goes with it: retention asks for that.
        shutil.copystat(plain, temporary)
        with exclusive(plain.parent):
            # Removed meanwhile by retention, it must not come back.
            if plain.exists():
                temporary.replace(target)
                plain.unlink()
    finally:
        temporary.unlink(missing_ok=True)


def _compressor(raw: BinaryIO, suffix: str) -> BinaryIO:
    if suffix == ".zst":
        from sentimon.logbook.zstandard import OPTIONS, ZstdFile

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
    stem = f"{SEALED}{first:%Y%m%dT%H%M%SZ}"
    taken = {stem_of(path) for path in sealed_files(folder)}
    number = 0
    # A longer name sorts behind its beginning, so a second file of one second comes second.
    while (name := f"{stem}_{number:04d}" if number else stem) in taken:
        number += 1
    return folder / (name + _PLAIN)
