"""Which sealed files are kept, and which are old or many enough to go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sentimon.config.settings import LogSettings
from sentimon.logbook.files import errors_named
from sentimon.logbook.locks import exclusive
from sentimon.logbook.sealing import MEGABYTE
from sentimon.logbook.segments import LIVE_FILE, log_files, sealed_files


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFile:
    """A file of the log, as the folder shows it."""

    path: Path
    size: int
    """Bytes."""
    written: datetime
    """When its last row was appended, in UTC."""


def list_files(folder: Path) -> list[LogFile]:
    """Return the files of the log, the oldest first, the live one last.

    Raises:
        StoreError: there is no such folder.
    """
    found = []
    for path in log_files(folder):
        with errors_named(path):
            status = path.stat()
        written = datetime.fromtimestamp(status.st_mtime, UTC)
        found.append(LogFile(path=path, size=status.st_size, written=written))
    return found


def plan_prune(files: list[LogFile], settings: LogSettings, *, now: datetime) -> list[LogFile]:
    """Return those of `files` (as `list_files` gives them) that retention removes.

    First what is older than `keep_days`; then the oldest, until all together fit in `keep_megabytes`.
    The live file always stays.
    """
    sealed = [one for one in files if one.path.name != LIVE_FILE]
    live = [one for one in files if one.path.name == LIVE_FILE]
    gone: list[LogFile] = []
    if settings.keep_days:
        gone = [one for one in sealed if one.written < now - timedelta(days=settings.keep_days)]
    kept = [one for one in sealed if one not in gone]
    if settings.keep_megabytes:
        while kept and sum(one.size for one in kept + live) > settings.keep_megabytes * MEGABYTE:
            gone.append(kept.pop(0))
    return gone


def prune(folder: Path, files: list[LogFile]) -> None:
    """Remove `files` from the log in `folder`; one that has been compressed meanwhile goes too.

    Raises:
        StoreError: a file may not be removed.
    """
    stems = {one.path.name.split(".")[0] for one in files}
    with errors_named(folder), exclusive(folder):
        for path in sealed_files(folder):
            if path.name.split(".")[0] in stems:
                path.unlink()
