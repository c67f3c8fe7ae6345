"""One log with its settings and the time of the question: what every workflow starts from.

A reader asks `workspace.summary(period)`, `.windows(period, calendar)` or `.rows(period, stack)`; the index,
its locks and its retries stay in here. Several questions about one moment of the log are put with `ask`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from sentimon.config import LoadedSettings, Settings
from sentimon.config.layers import DEFAULT_ORIGIN
from sentimon.config.paths import cache_folder, expanded, on_objects, state_folder
from sentimon.errors import DataError, StoreError, UsageError
from sentimon.workflows.progress import Progress, unheard, unwatched

if TYPE_CHECKING:
    from sentimon.errors import LogFileError
    from sentimon.ingest.input_columns import InputContext, Need
    from sentimon.labels import Classes
    from sentimon.prediction_log.index.log_index import LogIndex
    from sentimon.prediction_log.index.logged_rows import LatestRowsCache, PeriodRows
    from sentimon.prediction_log.index.packed_sums import PartialSum
    from sentimon.prediction_log.index.period_sums import PeriodSums
    from sentimon.prediction_log.index.refresh import UnitRunner
    from sentimon.prediction_log.index.scan import ScanUnit, UnitReader
    from sentimon.prediction_log.log_file import LogFile
    from sentimon.prediction_log.output_files import OutputFile, OutputKind
    from sentimon.prediction_log.record import PredictionRecord
    from sentimon.prediction_log.slice_fields import SliceCondition, SliceField
    from sentimon.prediction_log.slices import Slices
    from sentimon.prediction_log.summary import GrowingSummary, Summary
    from sentimon.prediction_log.windows import Calendar, Period, Window
    from sentimon.prediction_log.writer import LogWriter
    from sentimon.workflows.given_rows import RowsAtHand

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A log, the settings in force, and the moment of the question."""

    loaded: LoadedSettings
    now: datetime
    progress: Progress = unwatched
    """Shows how far long work is."""
    say: Callable[[str], None] = unheard
    """Takes notes for people."""
    moment: PeriodSums | None = None
    """The log as it is while a question of `ask` is answered."""
    given: RowsAtHand | None = None
    """Rows that answer in place of those of the log."""
    where: tuple[SliceCondition, ...] = ()
    """The rows of the log that there are: those for which all conditions hold."""

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
        from sentimon.prediction_log.object_storage import path_at

        return path_at(self.settings.logs.dir) if on_objects(self.settings.logs.dir) else self.folder

    @property
    def folder(self) -> Path:
        """Return the folder of what is kept about the log: the log's own where it is on this machine."""
        settings = self.settings.logs
        if not on_objects(settings.dir):
            return expanded(settings.dir)
        if settings.state_dir:
            return expanded(settings.state_dir)
        from sentimon.prediction_log.index.log_index import address_digest

        return state_folder(os.environ) / address_digest(settings.dir.rstrip("/"))

    @property
    def source(self) -> str:
        """Return where the rows are as text, also where the system's encoding is not UTF-8."""
        from sentimon.config.secrets import masked

        return masked(os.fsencode(str(self.place)).decode(errors="replace"))

    @property
    def described(self) -> str:
        """Return where the rows are, and of which slice they are."""
        conditions = " and ".join(map(str, self.where))
        return f"{self.source}, only {conditions}" if conditions else self.source

    def baseline_path(self, named: Path | None) -> Path:
        """Return the file of the baseline: the one named, or the one in the log folder."""
        from sentimon.workflows.state_files import BASELINE_FILE

        return self.folder / BASELINE_FILE if named is None else expanded(named)

    def output(
        self, named: Path, kind: OutputKind, *, inputs: Iterable[str | Path | None] = (), force: bool = True
    ) -> OutputFile:
        """Return the file that the user named to be written, which is neither of the log nor an input.

        Raises:
            UsageError: it may not be written.
            StoreError: it is there already, and not to be replaced by `force`.
        """
        from sentimon.prediction_log.output_files import checked_output

        read = self.inputs(*inputs)
        return checked_output(expanded(named), kind, log=self.folder, inputs=read, force=force)

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
        from sentimon.prediction_log.output_files import check_output_folder

        folder = expanded(named)
        check_output_folder(folder, log=self.folder, inputs=self.inputs(*inputs), ours=ours, parents=parents)
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
        """Return what the classes are called in tables; "" for one that there is not."""
        return self.settings.labels.names

    @property
    def classes(self) -> Classes:
        """Return the classes that there are."""
        return self.settings.labels.present

    @property
    def labels(self) -> tuple[str, str, str]:
        """Return what the classes are called in JSON; "" for one that there is not."""
        from sentimon.labels import names_of

        return names_of(self.classes)

    def writer(self) -> LogWriter:
        """Return the writer of the log.

        Raises:
            StoreError: the key of the hash cannot be read.
        """
        from sentimon.prediction_log.writer import LogWriter

        return LogWriter(self.folder, self.settings.logs)

    @property
    def naive_zone(self) -> tzinfo | None:
        """Return the zone of logged timestamps that name none; None is local time."""
        from sentimon.timestamps import time_zone

        return time_zone(self.settings.logs.naive_time_zone)

    def input_context(self, need: Need) -> InputContext:
        """Return how a file is to be read that holds what is needed."""
        from sentimon.ingest.input_columns import InputContext

        return InputContext(
            settings=self.settings.input,
            need=need,
            zone=self.naive_zone,
            label_map=self.settings.model.label_map,
            longest=self.settings.logs.max_line_bytes,
            classes=self.classes,
        )

    @property
    def zone(self) -> tzinfo | None:
        """Return the zone of windows and dates; None is local time."""
        from sentimon.timestamps import time_zone

        return time_zone(self.settings.metrics.time_zone)

    def ask(self, question: Callable[[Workspace], T]) -> T:
        """Return what `question` computes from this log as it is at one consistent moment.

        If a file of the log is renamed or rewritten meanwhile, the question is put again: it must only read.

        Raises:
            StoreError: there is no such log, or a file of it cannot be read.
        """
        if self.moment is not None or self.given is not None:
            return question(self)
        return self.index.ask(lambda sums: question(replace(self, moment=sums)))

    def summary(self, period: Period) -> Summary:
        """Return the sum over the rows in `period`, and over all bad lines."""
        found = self._of_log(lambda log: log.summary(period))
        self._check_rows(found.counts)
        return found

    def windows(self, period: Period, calendar: Calendar) -> tuple[list[Window], Summary]:
        """Return (the windows of the rows in `period`, the sum over them and all bad lines)."""
        windows, found = self._of_log(lambda log: log.windows(period, calendar, now=self.now))
        self._check_rows(found.counts)
        return windows, found

    def hours(self, period: Period) -> Iterator[tuple[int, GrowingSummary]]:
        """Yield the rows in `period` by hour since 1970, UTC; one may come in several pieces.

        It is asked within `ask`.
        """
        for hour, found in self._of_log(lambda log: log.hours(period)):
            self._check_rows([tally.count for tally in found.classes])
            yield hour, found

    @property
    def fields(self) -> tuple[SliceField, ...]:
        """Return the fields of the settings that divide the rows into slices.

        Raises:
            UsageError: what tells one of them is not installed.
        """
        names = self.settings.segments.fields
        if not names:
            return ()
        from sentimon.prediction_log.slice_fields import check_fields

        return check_fields(names, origin="segments.fields")

    def divided_by(self, *fields: SliceField) -> Workspace:
        """Return the same log whose rows can also be divided by some `fields`."""
        names = tuple(dict.fromkeys((*self.settings.segments.fields, *(field.name for field in fields))))
        segments = msgspec.structs.replace(self.settings.segments, fields=names)
        settings = msgspec.structs.replace(self.settings, segments=segments)
        return replace(self, loaded=replace(self.loaded, settings=settings))

    def narrowed(self, where: Iterable[SliceCondition]) -> Workspace:
        """Return the log of those rows alone for which all conditions hold, too.

        What is remembered is of the whole log: no monitor judges them, and no baseline is made of them.
        """
        settings = self.settings
        settings = msgspec.structs.replace(
            settings,
            drift=msgspec.structs.replace(settings.drift, rule="threshold", create_baseline=False),
            retraining=msgspec.structs.replace(settings.retraining, drift_rule="threshold"),
        )
        return replace(self, where=(*self.where, *where), loaded=replace(self.loaded, settings=settings))

    @property
    def whole(self) -> Workspace:
        """Return the log with all its rows."""
        return replace(self, where=(), moment=None) if self.where else self

    def slices(self, period: Period, field: SliceField) -> Slices:
        """Return the sums over the rows in `period` by the values of a field."""
        return self._by(field, lambda log: log.slices(period, field))

    def slice_hours(self, period: Period, field: SliceField) -> dict[int, Slices]:
        """Return the sums over the rows in `period` by hour since 1970, UTC, and by the values of a field."""
        return self._by(field, lambda log: log.slice_hours(period, field))

    def slice_windows(self, period: Period, field: SliceField, calendar: Calendar) -> dict[datetime, Slices]:
        """Return the sums over the rows in `period` by start of the window, and by the values of a field."""
        return self._by(field, lambda log: log.slice_windows(period, field, calendar))

    def _by(self, field: SliceField, question: Callable[[PeriodSums | RowsAtHand], T]) -> T:
        at_hand = self.given or self.moment
        if at_hand is not None and at_hand.knows(field):
            return question(at_hand)
        return self.divided_by(field).index.ask(question)

    def _check_rows(self, counts: Sequence[int]) -> None:
        """Raise StoreError where rows are of a class that is not there, and would be left out of answers."""
        from sentimon.labels import TWO, TWO_CLASSES

        rows = counts[1] if self.classes == TWO else 0
        if rows:
            raise StoreError(
                f"{self.source}: {rows} rows are neutral, a class that is not there with {TWO_CLASSES}",
                hint='set [labels] classes = "three", or choose a period without them (--since)',
            )

    def checked(self, records: Iterable[PredictionRecord]) -> Iterator[PredictionRecord]:
        """Yield rows of the log; StoreError where one is of a class that is not there."""
        for one in records:
            self._check_rows([int(place == one.sentiment) for place in range(3)])
            yield one

    def trouble(self) -> Summary:
        """Return the sum over all bad lines."""
        return self._of_log(lambda log: log.trouble())

    def rows(self, period: Period, stack: ExitStack, *, one_in: int = 1) -> Iterable[PredictionRecord]:
        """Return the rows in `period`, in log order; the live file stays open until `stack` is closed.

        Of about `one_in` rows one is drawn, always the same ones; the others are not decoded.
        """
        if self.given is not None:
            return islice(self.given.rows(period), None, None, one_in)
        return msgspec.structs.replace(self.logged_rows(period, stack), one_in=one_in)

    def logged_rows(self, period: Period, stack: ExitStack) -> PeriodRows:
        """Return the rows of the log in `period`, which also know its bad lines, as `rows` does."""
        from sentimon.prediction_log.index.logged_rows import open_period_rows

        if self.moment is not None:
            return open_period_rows(self.moment, period, stack)
        return self.index.ask(lambda sums: open_period_rows(sums, period, stack))

    def latest_rows(self, count: int, memory: LatestRowsCache) -> list[PredictionRecord]:
        """Return the last rows of the log, the newest last; `memory` saves reading them twice."""
        from sentimon.prediction_log.index.logged_rows import latest_rows

        if self.moment is not None:
            return latest_rows(self.moment, count, memory)
        return self.index.ask(lambda sums: latest_rows(sums, count, memory))

    def readable_files(self) -> tuple[list[tuple[LogFile, Summary]], list[LogFileError]]:
        """Return (each file of the log with the sum over its rows and bad lines, the unreadable ones)."""
        return self.index.ask_readable_files(lambda sums: sums.by_file())

    def readable_summary(self, period: Period) -> tuple[Summary, list[LogFileError]]:
        """Return (what `summary` returns of the files that can be read, the others)."""
        return self.index.ask_readable_files(lambda sums: sums.summary(period))

    def _of_log(self, question: Callable[[PeriodSums | RowsAtHand], T]) -> T:
        at_hand = self.given or self.moment
        return self.index.ask(question) if at_hand is None else question(at_hand)

    def quiet(self, now: datetime) -> Workspace:
        """Return the same at another time; it shows no progress, and reads on this machine."""
        engine = msgspec.structs.replace(self.settings.engine, name="local")
        settings = msgspec.structs.replace(self.settings, engine=engine)
        return replace(self, now=now, progress=unwatched, loaded=replace(self.loaded, settings=settings))

    @property
    def index(self) -> LogIndex:
        """Return the index of the log, which every sum over it is asked of."""
        from sentimon.workflows.unit_reading import read_units

        def run(read: UnitReader, units: Sequence[ScanUnit]) -> Iterator[Iterable[PartialSum]]:
            parts = read_units(self.settings.engine, read, units, say=self.say)
            return self.progress(parts, "parts of the log read", total=len(units))

        return self.index_read_by(run)

    def index_read_by(self, run: UnitRunner) -> LogIndex:
        """Return the index of the log, whose parts that are new `run` reads."""
        from sentimon.prediction_log.index.log_index import LogIndex

        # numpy counts here; the threads of its linear algebra would only cost their start.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        # What is summed of some rows is of no use to another question.
        places = self.index_places() if self.settings.logs.index and not self.where else ()
        return LogIndex(
            folder=self.place,
            zone=self.naive_zone,
            now=self.now,
            run=run,
            paths=places,
            longest=self.settings.logs.max_line_bytes,
            fields=tuple(field.name for field in self.fields),
            where=self.where,
        )

    @property
    def index_file(self) -> LogFile | None:
        """Return the file of the log's index; None where none is kept."""
        from sentimon.prediction_log.log_file import LogFile

        for place in self.index_places() if self.settings.logs.index else ():
            # One call: another program may remove it at any time.
            with contextlib.suppress(OSError):
                return LogFile.of(place, place.stat())
        return None

    def index_places(self) -> tuple[Path, ...]:
        """Return where the index of the log may be kept, the best place first."""
        from sentimon.prediction_log.index.log_index import index_paths

        return index_paths(self.place, cache_folder(os.environ))

    def period(self, since: str | None, until: str | None) -> Period:
        """Return the period that `--since` and `--until` name.

        Raises:
            UsageError: one of them is no time, or the period ends before it begins.
        """
        from sentimon.prediction_log.windows import Period
        from sentimon.timestamps import parse_bound

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
        from sentimon.prediction_log.windows import Calendar

        try:
            return Calendar.of(every, self.zone)
        except DataError as error:
            raise UsageError(f"--every: {error.message}", hint=error.hint) from error
