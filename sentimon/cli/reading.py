"""What several commands read: the log summed up, the baseline, the last trigger that fired."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sentimon.cli.progress import watched
from sentimon.cli.session import BASELINE_FILE, Session, note
from sentimon.errors import StoreError

if TYPE_CHECKING:
    from datetime import datetime

    from sentimon.jsonl import BadLine
    from sentimon.logbook.record import PredictionRecord
    from sentimon.logbook.summary import Summary
    from sentimon.logbook.windows import Period
    from sentimon.monitoring.baseline import Baseline
    from sentimon.monitoring.retraining import LastTrigger


def read_rows(session: Session, period: Period) -> Iterator[PredictionRecord | BadLine]:
    """Yield the rows of the log in `period`, and every bad line."""
    from sentimon.logbook.reader import read_log

    return period.select(watched(read_log(session.folder, zone=session.naive_zone), "rows read"))


def read_summary(session: Session, period: Period) -> Summary:
    """Return the sum over the rows of the log in `period`."""
    from sentimon.logbook.summary import summarise

    return summarise(read_rows(session, period))


def note_trouble(session: Session, summary: Summary) -> None:
    """Say on stderr how many lines were bad, which were the first, and what had to be assumed."""
    from sentimon.logbook.moments import from_microseconds

    if summary.bad_count:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(summary.bad.items()))
        note(f"{summary.bad_count} bad lines left out ({kinds}); the first:")
        for line in summary.bad_lines:
            note(f"  {line}")
    naive = summary.properties.get("naive_timestamp", 0)
    if naive:
        zone = session.settings.logs.naive_time_zone
        note(f"{naive} timestamps name no time zone and were read as {zone} time (logs.naive_time_zone)")
    latest = session.now if summary.last is None else from_microseconds(summary.last)
    if latest > session.now:
        note(f"some rows are dated in the future, the latest {latest:%Y-%m-%d %H:%M} UTC")


def baseline_path(session: Session, named: Path | None) -> Path:
    """Return the file of the baseline."""
    return named if named is not None else session.folder / BASELINE_FILE


def read_baseline(path: Path) -> Baseline:
    """Return the baseline at `path`.

    Raises:
        StoreError: it is missing, unreadable, or no baseline.
    """
    from sentimon.logbook.files import read_file
    from sentimon.monitoring.baseline_json import decode_baseline

    content = read_file(path, hint="make one with `sentimon baseline create`")
    return decode_baseline(content, origin=str(path))


def save_baseline(path: Path, baseline: Baseline) -> None:
    """Write the baseline at `path`, in one step.

    Raises:
        StoreError: it cannot be written.
    """
    from sentimon.logbook.files import replace_file
    from sentimon.monitoring.baseline_json import encode_baseline

    replace_file(path, encode_baseline(baseline))


def newer(session: Session, period: Period, *seen: datetime | None) -> Period:
    """Return the part of `period` that is later than all of `seen`.

    What is dated in the future hides nothing that comes until then.
    """
    known = [min(moment, session.now) for moment in (period.after, *seen) if moment is not None]
    return replace(period, after=max(known, default=None))


def last_fired(session: Session, *, quiet: bool) -> LastTrigger | None:
    """Return the latest saved trigger that fired, if one ever did.

    Raises:
        StoreError: the history cannot be read.
    """
    from sentimon.errors import DataError
    from sentimon.logbook.history import TRIGGERS_FILE, read_entries
    from sentimon.monitoring.retraining import find_last_fired

    path = session.folder / TRIGGERS_FILE
    entries, bad = read_entries(path)
    if not quiet:
        for line in bad:
            note(f"bad line: {line}")
    try:
        return find_last_fired(entries, session.naive_zone)
    except DataError as error:
        hint = "mend or remove the last line in it that fired"
        raise StoreError(f"{path}: {error.message}", hint=hint) from error
