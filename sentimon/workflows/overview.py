"""Where one is with a log: what is there, its newest row, the last verdict, and the command to type next.

Cheap whatever the size of the log: what the index knows, and the ends of some files. Nothing is written,
and what is not known at once is said to be unknown.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentimon.config.paths import on_objects
from sentimon.errors import DataError, SentimonError
from sentimon.files import is_there
from sentimon.jsonl import LineError, decode_line, decode_object, last_lines
from sentimon.prediction_log.history import DRIFT_FILE, TRIGGERS_FILE
from sentimon.reporting.overview_text import KnownBaseline, LastVerdict, Overview
from sentimon.timestamps import from_microseconds, parse_moment
from sentimon.workflows.state_files import next_path, read_baseline
from sentimon.workflows.workspace import Workspace

if TYPE_CHECKING:
    from sentimon.prediction_log.index.file_snapshot import FileSnapshot
    from sentimon.prediction_log.index.known_rows import KnownRows


def look_around(workspace: Workspace) -> Overview:
    """Return where one is with the log of `workspace`; what cannot be read is among its problems."""
    problems: list[str] = []
    known, newest, verdict = None, None, None
    files: Sequence[FileSnapshot] = ()
    baseline, collecting = None, False
    with _told(problems):
        files = _files_of(workspace)
    with _told(problems):
        known = _counted(workspace, files)
        newest = _newest(workspace, files, known)
    with _told(problems):
        path = workspace.baseline_path(None)
        collecting = is_there(next_path(path))
        baseline = _baseline(workspace, path) if is_there(path) else None
    with _told(problems):
        verdict = _last_verdict(workspace)
    return Overview(
        source=workspace.source,
        now=workspace.now,
        on_objects=on_objects(workspace.settings.logs.dir),
        files=len(files),
        size=sum(one.state.size for one in files),
        known=known,
        newest=newest,
        baseline=baseline,
        collecting=collecting,
        verdict=verdict,
        problems=tuple(problems),
    )


@contextlib.contextmanager
def _told(problems: list[str]) -> Iterator[None]:
    """Add what goes wrong to `problems`, so that the rest is shown all the same."""
    try:
        yield
    except SentimonError as error:
        problems.append(error.message)


def _files_of(workspace: Workspace) -> Sequence[FileSnapshot]:
    """Return the files of the log; none where its folder is not there, or on object storage.

    Raises:
        StoreError: the folder cannot be read.
    """
    if on_objects(workspace.settings.logs.dir) or not is_there(workspace.folder):
        return ()
    from sentimon.prediction_log.index.file_snapshot import list_snapshots

    return list_snapshots(workspace.folder)


def _counted(workspace: Workspace, files: Sequence[FileSnapshot]) -> KnownRows | None:
    if not files or not workspace.settings.logs.index:
        return None
    from sentimon.prediction_log.index.known_rows import known_rows

    return known_rows(workspace.index_places(), files)


def _newest(workspace: Workspace, files: Sequence[FileSnapshot], known: KnownRows | None) -> datetime | None:
    """Return when the latest row was predicted: of those counted, and of those at the end of the log.

    Raises:
        StoreError: the end of the log cannot be read.
    """
    found = [] if known is None or known.last is None else [from_microseconds(known.last)]
    if files and not files[-1].compressed:
        from sentimon.prediction_log.record import parse_row

        for line in last_lines(files[-1].path):
            with contextlib.suppress(LineError):
                found.append(parse_row(line, zone=workspace.naive_zone).timestamp)
    return max(found, default=None)


def _baseline(workspace: Workspace, path: Path) -> KnownBaseline:
    """Return the baseline at `path`.

    Raises:
        StoreError: it cannot be read.
    """
    found = read_baseline(path, workspace.classes)
    return KnownBaseline(name=found.name, rows=found.summary.count, created=found.created)


def _last_verdict(workspace: Workspace) -> LastVerdict | None:
    """Return the latest of the saved verdicts; a line that says none is passed over.

    Raises:
        StoreError: a history cannot be read.
    """
    found = []
    for name, read in ((DRIFT_FILE, _drift_verdict), (TRIGGERS_FILE, _retraining_verdict)):
        for line in last_lines(workspace.folder / name)[-1:]:
            with contextlib.suppress(LineError, DataError):
                entry = decode_line(line, decode_object)
                at, _ = parse_moment(str(entry.get("timestamp")), workspace.naive_zone)
                found.append(read(entry, at))
    return max(found, key=lambda one: one.at, default=None)


def _drift_verdict(entry: Mapping[str, Any], at: datetime) -> LastVerdict:
    drifted = entry.get("drift_detected") is True
    verdict = entry.get("verdict") or ("drift" if drifted else "stable")
    return LastVerdict(command="drift", verdict=str(verdict), finding=drifted, at=at)


def _retraining_verdict(entry: Mapping[str, Any], at: datetime) -> LastVerdict:
    fired = entry.get("triggered") is True
    undecided = entry.get("decided") is False
    verdict = "retraining recommended" if fired else "no verdict" if undecided else "no retraining needed"
    return LastVerdict(command="retrain-check", verdict=verdict, finding=fired, at=at)
