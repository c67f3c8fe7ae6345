"""What `sentimon doctor` looks at of the log: index, writing, rows, baseline, clock."""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sentimon.cli.output import counted
from sentimon.errors import SentimonError
from sentimon.files import is_there, open_own
from sentimon.prediction_log.windows import Period
from sentimon.reporting.setup_tables import Finding, failed, good, warning
from sentimon.reporting.verdict_sentences import explain_collecting
from sentimon.timestamps import from_microseconds
from sentimon.workflows.drift import count_collected, newer
from sentimon.workflows.next_baseline import wanted_at
from sentimon.workflows.workspace import Workspace

Looked = Callable[[str, Callable[[Workspace], Finding], Workspace], Finding]
"""Gives what a look finds under a name; an error that it raises is what was found."""

if TYPE_CHECKING:
    from sentimon.errors import SegmentError
    from sentimon.prediction_log.summary import Summary


def index(workspace: Workspace) -> Finding:
    """Find whether the index is sound in itself."""
    from sentimon.prediction_log.index.verification import damage_of

    if not workspace.settings.logs.index:
        return good("index", "none is kept (logs.index)")
    file = workspace.index_file
    if file is None:
        return good("index", "none yet; the next question makes it")
    try:
        damage = damage_of(file.path)
    except sqlite3.OperationalError:
        return good("index", f"{file.path} is being changed by another program")
    if damage is not None:
        mend = "the next question makes it anew, and no answer is wrong; if it comes again, check the disk"
        return warning("index", f"{file.path} is of no use: {damage}", mend)
    return good("index", f"{file.path}, {file.size} bytes, is sound")


def writing(workspace: Workspace) -> Finding:
    """Find whether rows can be appended, by the user who asks; nothing is left behind."""
    from sentimon.prediction_log.folder import LIVE_FILE
    from sentimon.prediction_log.locks import READ_ONLY, lock_file

    folder = workspace.folder
    live, place = folder / LIVE_FILE, folder
    try:
        if not folder.exists():
            return good("writing", f"{folder} is not there yet; `sentimon log` makes it")
        with tempfile.TemporaryFile(dir=folder):
            pass
        for place in (live, lock_file(folder)):
            if place.exists():
                os.close(open_own(place, os.O_RDWR | os.O_APPEND, linked=place == live))
        public = live.exists() and live.stat().st_mode & 0o077
    except OSError as error:
        mend = "check its owner and its permissions, and whether the disk is mounted read-only"
        if error.errno in READ_ONLY and _is_of_others(folder, error):
            says = f"{place}: {error.strerror}: checks work here, and nothing can be logged or saved"
            return warning("writing", says, mend)
        return failed("writing", f"{place}: {error.strerror}", mend)
    if public:
        return warning("writing", f"{live}: others may read what people wrote", f"chmod 600 {live}")
    return good("writing", f"{folder} can be written")


def _is_of_others(folder: Path, error: OSError) -> bool:
    """Return whether this is a place to look from: mounted read-only, or the log of another user."""
    return error.errno == errno.EROFS or folder.stat().st_uid != os.geteuid()


def reading(workspace: Workspace, looked: Looked) -> list[Finding]:
    """Find whether the log can be read, and what its rows say of baseline and clock.

    What of it can be read is looked at, whatever else cannot.
    """
    return [
        looked("log", _rows, workspace),
        looked("baseline", _baseline, workspace),
        looked("clock", _clock, workspace),
    ]


def _read(workspace: Workspace, period: Period) -> tuple[Summary, list[SegmentError]]:
    return workspace.readable_summary(period)


def _rows(workspace: Workspace) -> Finding:
    from sentimon.prediction_log.maintenance.rewriting import find_strays

    summary, lost = _read(workspace, Period())
    if lost:
        rest = f"{counted(summary.count, 'row')} in the others"
        return failed("log", f"{'; '.join(error.message for error in lost)}; {rest}", lost[0].hint)
    says = f"{counted(summary.count, 'row')} in {workspace.folder}"
    if summary.bad_count:
        first = str(summary.bad_lines[0])
        mend = "`sentimon logs repair` moves bad lines out of the log"
        return warning("log", f"{says}, {counted(summary.bad_count, 'bad line')}, the first: {first}", mend)
    strays = find_strays(workspace.folder)
    if strays:
        names = ", ".join(path.name for path in strays[:3])
        return warning("log", f"{says}; not part of the log: {names}", "move them to another folder")
    if not summary.count:
        return warning("log", says, "log some with `sentimon log`")
    return good("log", says)


def _baseline(workspace: Workspace) -> Finding:
    path = workspace.baseline_path(None)
    try:
        wanted = wanted_at(path)
        if wanted is not None:
            says = explain_collecting(count_collected(workspace, wanted))
            return warning("baseline", says, "log more rows; `sentimon drift` then makes it")
        if not is_there(path):
            mend = "`sentimon baseline create` makes one of a quiet period"
            return warning("baseline", f"{path}: there is none", mend)
        return _compared(workspace, path)
    except SentimonError as error:
        return failed("baseline", error.message, error.hint)
    except OSError as error:
        return failed("baseline", f"{path}: {error.strerror}", "check the path and its permissions")


def _compared(workspace: Workspace, path: Path) -> Finding:
    """Find whether the rows newer than the baseline are of its model.

    Raises:
        StoreError: it cannot be read.
        DataError: they are of another one.
    """
    from sentimon.monitoring.class_mix_drift import check_same_model
    from sentimon.workflows.state_files import read_baseline

    found = read_baseline(path)
    fresh = workspace.summary(newer(workspace, Period(), found.last))
    check_same_model(found, fresh)
    least, count = workspace.settings.drift.min_samples, found.summary.count
    says = f"{found.name!r}, {counted(count, 'row')}"
    again = "`sentimon baseline create --force` makes another"
    if count < least:
        return failed("baseline", f"{says}, fewer than the {least} of drift.min_samples", again)
    if found.last is not None and found.last > workspace.now:
        return warning("baseline", f"{says}, some of them dated in the future", f"{again} (--until)")
    return good("baseline", f"{says}; {counted(fresh.count, 'newer row')}, none of another model")


def _clock(workspace: Workspace) -> Finding:
    summary, _ = _read(workspace, Period())
    now = f"it is {workspace.now:%Y-%m-%d %H:%M} UTC, {workspace.now.astimezone():%H:%M %Z} here"
    ahead = _read(workspace, Period(since=workspace.now))[0].count
    if ahead and summary.last is not None:
        latest = from_microseconds(summary.last)
        says = f"{now}; {counted(ahead, 'row')} dated in the future, the latest {latest:%Y-%m-%d %H:%M} UTC"
        return warning("clock", says, "set the clock, of this machine or of the one that wrote them")
    naive = summary.properties.get("naive_timestamp", 0)
    if naive and workspace.settings.logs.naive_time_zone == "local":
        says = f"{now}; {counted(naive, 'timestamp')} without a zone read as local time"
        mend = "set logs.naive_time_zone, or another machine reads them otherwise"
        return warning("clock", says, mend)
    return good("clock", now)
