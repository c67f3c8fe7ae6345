"""Retention: which sealed files are to go, and how files are removed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sentimon.config.settings import LogSettings
from sentimon.prediction_log.durable_files import errors_named
from sentimon.prediction_log.folder import ENDINGS, LIVE_FILE, stem_of
from sentimon.prediction_log.locks import exclusive
from sentimon.prediction_log.log_file import LogFile
from sentimon.prediction_log.rotation import MEGABYTE


def files_to_prune(files: Sequence[LogFile], settings: LogSettings, *, now: datetime) -> list[LogFile]:
    """Return those of `files` that retention removes, the oldest first.

    These are the files last written more than `keep_days` ago, then the oldest until the rest fits in
    `keep_megabytes`. The live file always stays.
    """
    sealed = sorted((one for one in files if one.path.name != LIVE_FILE), key=lambda one: one.written)
    gone: list[LogFile] = []
    if settings.keep_days:
        gone = [one for one in sealed if now - one.written > timedelta(days=settings.keep_days)]
    kept = sealed[len(gone) :]
    if settings.keep_megabytes:
        room = settings.keep_megabytes * MEGABYTE - sum(one.size for one in files if one not in sealed)
        while kept and sum(one.size for one in kept) > room:
            gone.append(kept.pop(0))
    return gone


def remove_files(folder: Path, files: Iterable[LogFile]) -> None:
    """Remove `files` from the log in `folder`, in both forms, plain and compressed.

    Raises:
        StoreError: a file may not be removed.
    """
    with errors_named(folder), exclusive(folder):
        for one in files:
            live = one.path.name == LIVE_FILE
            for name in (LIVE_FILE,) if live else (stem_of(one.path) + ending for ending in ENDINGS):
                (folder / name).unlink(missing_ok=True)
