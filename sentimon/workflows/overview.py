"""Where one is with a log: what is there, its newest row, the last verdict, and the command to type next.

Cheap whatever the size of the log: what the index knows, and the ends of some files. Nothing is written,
and what is not known at once is said to be unknown.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sentimon.config.paths import expanded, on_objects
from sentimon.errors import SentimonError
from sentimon.files import is_there
from sentimon.jsonl import LineError, last_lines
from sentimon.reporting.overview_text import KnownBaseline, Overview, SavedVerdict
from sentimon.timestamps import from_microseconds
from sentimon.workflows.model_registry import last_switch
from sentimon.workflows.monitor_file import peek_monitor
from sentimon.workflows.next_baseline import wanted_at
from sentimon.workflows.saved_verdicts import (
    Ending,
    LatestLooks,
    latest_drift,
    latest_retraining,
    standing_verdict,
)
from sentimon.workflows.state_files import read_baseline, read_baseline_file
from sentimon.workflows.workspace import Workspace

if TYPE_CHECKING:
    from sentimon.monitoring.baseline import Baseline
    from sentimon.monitoring.baseline_collection import PendingBaseline
    from sentimon.prediction_log.index.file_snapshot import FileSnapshot
    from sentimon.prediction_log.index.known_rows import KnownRows
    from sentimon.prediction_log.record import PredictionRecord

_END_BYTES = 1 << 16
"""Bytes at the end of the log that are read."""


def look_around(workspace: Workspace) -> Overview:
    """Return where one is with the log of `workspace`; what cannot be read is among its problems."""
    problems: list[str] = []
    files: Sequence[FileSnapshot] | None = None
    away = on_objects(workspace.settings.logs.dir)
    with _told(problems):
        files = None if away else _files_of(workspace)
    rows = _Rows()
    with _told(problems):
        rows = _rows_of(workspace, files or ())
    # Beside a log that cannot be looked at nothing can.
    beside = _beside(workspace, rows.end, problems) if away or files is not None else _Beside()
    return Overview(
        source=workspace.source,
        now=workspace.now,
        on_objects=away,
        files=None if files is None else len(files),
        size=sum(one.state.size for one in files or ()),
        known=rows.known,
        few=rows.few,
        fewest=workspace.settings.drift.min_samples,
        newest=rows.newest,
        baseline=beside.baseline,
        collecting=beside.collecting,
        verdict=beside.verdict,
        later=beside.later,
        problems=tuple(dict.fromkeys(problems)),
    )


@contextlib.contextmanager
def _told(problems: list[str]) -> Iterator[None]:
    """Add what goes wrong to `problems`, so that the rest is shown all the same."""
    try:
        yield
    except SentimonError as error:
        problems.append(error.message)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """What is known of the rows."""

    known: KnownRows | None = None
    newest: datetime | None = None
    few: int | None = None
    end: Sequence[PredictionRecord] = ()
    """Those at the end of the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beside:
    """What is beside the log."""

    baseline: KnownBaseline | None = None
    collecting: bool = False
    verdict: SavedVerdict | None = None
    later: SavedVerdict | None = None


def _files_of(workspace: Workspace) -> Sequence[FileSnapshot]:
    """Return the files of the log; none where its folder is not there.

    Raises:
        StoreError: the folder cannot be read.
    """
    if not is_there(workspace.folder):
        return ()
    from sentimon.prediction_log.index.file_snapshot import list_snapshots

    return list_snapshots(workspace.folder)


def _rows_of(workspace: Workspace, files: Sequence[FileSnapshot]) -> _Rows:
    """Return what is known of the rows: of those counted, and of those at the end of the log.

    Raises:
        StoreError: the end of the log cannot be read.
    """
    known = _counted(workspace, files)
    end = _end_of(workspace, files[-1]) if files and not files[-1].compressed else []
    moments = [one.timestamp for one in end]
    if known is not None and known.last is not None:
        moments.append(from_microseconds(known.last))
    rows = None
    if known is not None and not known.uncounted_bytes:
        rows = known.rows
    elif len(files) == 1 and not files[0].compressed and files[0].state.size <= _END_BYTES:
        rows = len(end)
    few = rows if rows is not None and rows < workspace.settings.drift.min_samples else None
    return _Rows(known=known, newest=max(moments, default=None), few=few, end=end)


def _counted(workspace: Workspace, files: Sequence[FileSnapshot]) -> KnownRows | None:
    if not files or not workspace.settings.logs.index:
        return None
    from sentimon.prediction_log.index.known_rows import known_rows

    return known_rows(workspace.index_places(), files)


def _end_of(workspace: Workspace, file: FileSnapshot) -> list[PredictionRecord]:
    """Return the rows at the end of a file of the log.

    Raises:
        StoreError: it cannot be read.
    """
    from sentimon.prediction_log.record import parse_row

    rows = []
    for line in last_lines(file.path, most=_END_BYTES):
        with contextlib.suppress(LineError):
            rows.append(parse_row(line, zone=workspace.naive_zone))
    return rows


def _beside(workspace: Workspace, end: Sequence[PredictionRecord], problems: list[str]) -> _Beside:
    """Return what is beside the log; `end` are the rows at its end."""
    path = workspace.baseline_path(None)
    wanted: PendingBaseline | None = None
    baseline: Baseline | None = None
    looks = [LatestLooks(), LatestLooks()]
    with _told(problems):
        wanted = wanted_at(path)
    with _told(problems):
        baseline = read_baseline(path, workspace.classes) if is_there(path) else None
        if baseline is not None and wanted is None:
            _check_model(baseline, end)
    for place, read in enumerate((latest_retraining, latest_drift)):
        with _told(problems):
            looks[place] = read(workspace.folder, workspace.naive_zone)
    problems += [one.problem for one in looks if one.problem is not None]
    ending, closed = None, False
    with _told(problems):
        ending = _ending(workspace, baseline, wanted)
    with _told(problems):
        closed = baseline is not None and _has_closed(workspace.folder, path)
    retraining, drift = looks
    verdict, later = standing_verdict(retraining, drift, ending=ending, closed=closed)
    return _Beside(
        baseline=None if baseline is None else _named(baseline),
        collecting=wanted is not None,
        verdict=verdict,
        later=later,
    )


def _named(baseline: Baseline) -> KnownBaseline:
    return KnownBaseline(name=baseline.name, rows=baseline.summary.count, created=baseline.created)


def _check_model(baseline: Baseline, end: Sequence[PredictionRecord]) -> None:
    """Raise DataError where rows at the end of the log, newer than the baseline, are of another model.

    Raises:
        DataError: some are.
    """
    from sentimon.monitoring.class_mix_drift import check_same_model
    from sentimon.prediction_log.summary import Summary

    last = baseline.last
    models = {(one.model, one.revision): 1 for one in end if last is None or one.timestamp > last}
    check_same_model(baseline, Summary(models=models))


def _ending(workspace: Workspace, baseline: Baseline | None, wanted: PendingBaseline | None) -> Ending | None:
    """Return what ended the findings before it: another model that serves, or another baseline.

    Raises:
        StoreError: the history of the models cannot be read.
    """
    found = []
    if wanted is not None:
        found.append(Ending(at=wanted.since, words="another model serves since"))
    elif baseline is not None:
        found.append(Ending(at=baseline.created, words="a new baseline was made since"))
    switched = last_switch(expanded(workspace.settings.training.models))
    if switched is not None:
        found.append(Ending(at=switched, words="another model serves since"))
    return max(found, key=lambda one: one.at, default=None)


def _has_closed(folder: Path, path: Path) -> bool:
    """Return whether the monitor looked at the rows, and no incident is open.

    Raises:
        StoreError: what it remembers cannot be read.
    """
    state = peek_monitor(folder, read_baseline_file(path))
    return state.checks > 0 and state.incident is None
