"""Append records to the log: seal the live file if it is due, then write whole rows under the lock."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from sentimon.config.settings import LogSettings
from sentimon.errors import DataError
from sentimon.jsonl import encode
from sentimon.prediction_log.append_chain import break_append_chain, extend_append_chain
from sentimon.prediction_log.durable_files import errors_named, sync, sync_name, write_at_end
from sentimon.prediction_log.folder import LIVE_FILE
from sentimon.prediction_log.locks import exclusive
from sentimon.prediction_log.privacy import Privacy
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.rotation import compress_left_over, compress_sealed, seal_if_due


class LogWriter:
    """Appends to the log in a folder, which is made if need be; several programs may do so at once.

    Used as a context, it forces the rows onto the disk at the end if `logs.fsync` is "batch", and
    compresses sealed files that an earlier compression left plain.

    Raises:
        StoreError: the key of the hash cannot be read.
    """

    def __init__(self, folder: Path, settings: LogSettings, *, file: str = LIVE_FILE) -> None:
        self.path = folder / file
        self._settings = settings
        self._privacy = Privacy.of(settings)
        self._unsynced = False
        self._wrote = False

    def append(self, records: Iterable[PredictionRecord], *, now: datetime) -> list[PredictionRecord]:
        """Append `records`, all or none, and return them as they were stored.

        The live file is sealed first if it is due.

        Raises:
            StoreError: the log cannot be written; then none of them was kept.
        """
        stored = [self._privacy.apply(record) for record in records]
        self.append_lines([encode(record.to_dict()) for record in stored], now=now)
        return stored

    def lines_of(self, records: Iterable[PredictionRecord]) -> list[bytes]:
        """Return the rows of `records` as they are stored."""
        return [encode(self._privacy.apply(record).to_dict()) for record in records]

    def append_lines(
        self, lines: list[bytes], *, now: datetime, before: Callable[[], None] | None = None
    ) -> None:
        """Append encoded rows, all or none; the live file is sealed first if it is due.

        `before` is called under the lock, right before the rows are written.

        Raises:
            DataError: a row is longer than `logs.max_line_bytes`.
            StoreError: the log cannot be written; then none of them was kept.
        """
        if not lines:
            return
        self._check_length(lines)
        folder, live = self.path.parent, self.path.name == LIVE_FILE
        with errors_named(self.path), exclusive(folder) as lock:
            sealed = live and seal_if_due(folder, self._settings, now=now)
            if before:
                before()
            if live:
                self._write_and_extend_chain(lock, lines)
            else:
                self._write(lines)
        self._unsynced = self._settings.fsync == "batch"
        self._wrote = True
        if sealed:
            compress_sealed(folder, self._settings.compression)

    def _write_and_extend_chain(self, lock: int, lines: list[bytes]) -> None:
        try:
            before, after = self._write(lines)
        except BaseException:
            # Rows that were written and taken back may have been read in between.
            break_append_chain(lock)
            raise
        extend_append_chain(lock, before, after)

    def _write(self, lines: list[bytes]) -> tuple[os.stat_result, os.stat_result]:
        live, sync_now = self.path.name == LIVE_FILE, self._settings.fsync == "always"
        return write_at_end(self.path, lines, sync=sync_now, linked=live)

    def __enter__(self) -> LogWriter:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Force the appended rows onto the disk, if that is due once a command, and compress old files."""
        if self._unsynced:
            # Another program may have sealed or removed the file meanwhile: nothing is left to do.
            with errors_named(self.path), contextlib.suppress(FileNotFoundError):
                sync(self.path)
                sync_name(self.path)
        if self._wrote and self.path.name == LIVE_FILE:
            compress_left_over(self.path.parent, self._settings.compression)

    def _check_length(self, lines: list[bytes]) -> None:
        longest = max(map(len, lines))
        if longest > self._settings.max_line_bytes:
            raise DataError(
                f"a row takes {longest} bytes, more than the {self._settings.max_line_bytes} that are read",
                hint="raise logs.max_line_bytes, or leave that row out",
            )
