"""What a command starts from: the settings in force, and the clock."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentimon.config import LoadedSettings, Settings, load_settings
from sentimon.config.layers import DEFAULT_ORIGIN
from sentimon.config.paths import cache_folder, expanded, on_objects, state_folder
from sentimon.errors import DataError, UsageError

if TYPE_CHECKING:
    from sentimon.logbook.opened import LogFile
    from sentimon.logbook.outputs import Kind, Output
    from sentimon.logbook.rollup.index import Index
    from sentimon.logbook.rollup.parts import Part
    from sentimon.logbook.rollup.refresh import Run
    from sentimon.logbook.rollup.units import Read, Unit
    from sentimon.logbook.windows import Calendar, Period
    from sentimon.logbook.writer import LogWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One run of a command."""

    loaded: LoadedSettings
    now: datetime

    @property
    def settings(self) -> Settings:
        """Return the settings in force."""
        return self.loaded.settings

    @property
    def place(self) -> Path:
        """Return where the rows are: a folder of this machine, or a place on object storage.

        Raises:
            UsageError: what reaches such storage is not installed.
        """
        from sentimon.logbook.objects import place_of

        return place_of(self.settings.logs.dir) if on_objects(self.settings.logs.dir) else self.folder

    @property
    def folder(self) -> Path:
        """Return the folder of what is kept about the log: the log's own where it is on this machine."""
        settings = self.settings.logs
        if not on_objects(settings.dir):
            return expanded(settings.dir)
        if settings.state_dir:
            return expanded(settings.state_dir)
        from sentimon.logbook.rollup.index import address_digest

        return state_folder(os.environ) / address_digest(settings.dir.rstrip("/"))

    @property
    def source(self) -> str:
        """Return where the rows are as text, also where the system's encoding is not UTF-8."""
        from sentimon.config.secrets import masked

        return masked(os.fsencode(str(self.place)).decode(errors="replace"))

    def baseline_path(self, named: Path | None) -> Path:
        """Return the file of the baseline: the one named, or the one in the log folder."""
        from sentimon.api.stores import BASELINE_FILE

        return self.folder / BASELINE_FILE if named is None else expanded(named)

    def output(
        self, named: Path, kind: Kind, *, inputs: Iterable[str | Path | None] = (), force: bool = True
    ) -> Output:
        """Return the file that the user named to be written, which is neither of the log nor an input.

        Raises:
            UsageError: it may not be written.
            StoreError: it is there already, and not to be replaced by `force`.
        """
        from sentimon.logbook.outputs import open_door

        read = self.inputs(*inputs)
        return open_door(expanded(named), kind, log=self.folder, inputs=read, force=force)

    def check_new_folder(
        self,
        named: str | Path,
        *,
        inputs: Iterable[str | Path | None] = (),
        ours: Callable[[str], bool] | None = None,
        parents: bool = False,
    ) -> Path:
        """Return the folder that the user named to be filled; in it there is nothing yet that is not `ours`.

        Raises:
            UsageError: it is that of a log, holds other things, or may not be made.
        """
        from sentimon.logbook.outputs import check_folder

        folder = expanded(named)
        check_folder(folder, log=self.folder, inputs=self.inputs(*inputs), ours=ours, parents=parents)
        return folder

    def inputs(self, *named: str | Path | None) -> tuple[Path, ...]:
        """Return the files that a command reads: those `named`, those of the settings and those they name."""
        settings = self.settings
        origins = sorted(set(self.loaded.origins.values()) - {DEFAULT_ORIGIN})
        given = (*named, *origins, settings.logs.hash_key_file, settings.notify.webhook_secret_file)
        found = []
        for one in given:
            # What is no file, such as a data set on the hub, is none of the files that are compared with it.
            with contextlib.suppress(UsageError):
                found += [expanded(one)] if one and str(one) != "-" else []
        return tuple(found)

    @property
    def names(self) -> tuple[str, str, str]:
        """Return what the classes are called in tables."""
        return self.settings.labels.names

    def writer(self) -> LogWriter:
        """Return the writer of the log.

        Raises:
            StoreError: the key of the hash cannot be read.
        """
        from sentimon.logbook.writer import LogWriter

        return LogWriter(self.folder, self.settings.logs)

    @property
    def naive_zone(self) -> tzinfo | None:
        """Return the zone of logged timestamps that name none; None is local time."""
        from sentimon.logbook.moments import time_zone

        return time_zone(self.settings.logs.naive_time_zone)

    @property
    def zone(self) -> tzinfo | None:
        """Return the zone of windows and dates; None is local time."""
        from sentimon.logbook.moments import time_zone

        return time_zone(self.settings.metrics.time_zone)

    @property
    def index(self) -> Index:
        """Return the index of the log, which every sum over it is asked of."""
        from sentimon.cli.engine import read_units
        from sentimon.cli.progress import watched

        def run(read: Read, units: Sequence[Unit]) -> Iterator[Iterable[Part]]:
            parts = read_units(self.settings.engine, read, units)
            return watched(parts, "parts of the log read", total=len(units))

        return self.index_read_by(run)

    def index_read_by(self, run: Run) -> Index:
        """Return the index of the log, whose parts that are new `run` reads."""
        from sentimon.logbook.rollup.index import Index

        # numpy counts here; the threads of its linear algebra would only cost their start.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        places = self._index_places() if self.settings.logs.index else ()
        return Index(
            folder=self.place,
            zone=self.naive_zone,
            now=self.now,
            run=run,
            places=places,
            longest=self.settings.logs.max_line_bytes,
        )

    @property
    def index_file(self) -> LogFile | None:
        """Return the file of the log's index; None where none is kept."""
        from sentimon.logbook.opened import LogFile

        for place in self._index_places() if self.settings.logs.index else ():
            # One call: another program may remove it at any time.
            with contextlib.suppress(OSError):
                return LogFile.of(place, place.stat())
        return None

    def forget_index(self) -> None:
        """Remove the index, wherever it is kept; the next question makes it anew.

        Raises:
            StoreError: it may not be removed.
        """
        from sentimon.logbook.rollup.store import remove_index

        for place in self._index_places():
            remove_index(place)

    def _index_places(self) -> tuple[Path, ...]:
        from sentimon.logbook.rollup.index import places_of

        return places_of(self.place, cache_folder(os.environ))

    def period(self, since: str | None, until: str | None) -> Period:
        """Return the period that `--since` and `--until` name.

        Raises:
            UsageError: one of them is no time, or the period ends before it begins.
        """
        from sentimon.logbook.moments import parse_bound
        from sentimon.logbook.windows import Period

        bounds = []
        for option, text in (("--since", since), ("--until", until)):
            try:
                bounds.append(text if text is None else parse_bound(text, now=self.now, zone=self.zone))
            except DataError as error:
                raise UsageError(f"{option}: {error.message}", hint=error.hint) from error
        begin, end = bounds
        if begin is not None and end is not None and begin >= end:
            raise UsageError(f"--since {since} is not before --until {until}", hint="exchange the two")
        return Period(since=begin, until=end)

    def calendar(self, every: str) -> Calendar:
        """Return the windows that `--every` names.

        Raises:
            UsageError: no such windows fit the calendar.
        """
        from sentimon.logbook.windows import Calendar

        try:
            return Calendar.of(every, self.zone)
        except DataError as error:
            raise UsageError(f"--every: {error.message}", hint=error.hint) from error


def start(config: Path | None, flags: Mapping[str, Any] | None = None, *, objects: bool = False) -> Session:
    """Return the session of a command; `flags` are the settings given as options, None where they are not.

    Raises:
        UsageError: the log is on object storage, and the command needs one on this machine (not `objects`).
    """
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    loaded = load_settings(config, flags=given)
    folder = loaded.settings.logs.dir
    if on_objects(folder) and not objects:
        from sentimon.config.secrets import masked

        raise UsageError(
            f"{masked(folder)}: this command works on a log of this machine",
            hint="name a folder; object storage is read by metrics, baseline, drift and retrain-check",
        )
    session = Session(loaded=loaded, now=clock())
    if on_objects(folder):
        # Where that fails, what is to be kept there says so.
        with contextlib.suppress(OSError, UsageError):
            session.folder.mkdir(parents=True, exist_ok=True)
    return session


def clock() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)
