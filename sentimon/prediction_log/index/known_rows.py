"""What an index knows of its log as it stands: nothing of the log is read, and nothing is written."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from sentimon.prediction_log.folder import stem_of
from sentimon.prediction_log.index.file_snapshot import FileSnapshot
from sentimon.prediction_log.index.indexed_files import IndexEntry
from sentimon.prediction_log.index.sqlite_store import read_entries
from sentimon.prediction_log.summary import GrowingSummary


class KnownRows(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a log that its index has counted."""

    rows: int
    last: int | None
    """When the latest of them was predicted, in microseconds since 1970."""
    uncounted_bytes: int
    """Bytes of the log that the index has not seen yet."""
    bad: int
    """Lines that hold no row."""
    models: tuple[str, ...]
    """The models that predicted them, by name."""


def known_rows(paths: Iterable[Path], files: Sequence[FileSnapshot]) -> KnownRows | None:
    """Return what the first index at `paths` that can be read knows of these files; None where none can.

    None, too, where it knows none of them: they are then a copy, or other files of the same names.
    A file that only grew, or was renamed, is the file it was. What another program does to the index
    meanwhile is no error: it is then not known.
    """
    for path in paths:
        with contextlib.suppress(sqlite3.Error, msgspec.MsgspecError, UnicodeDecodeError, OSError):
            found = read_entries(path)
            if found is not None:
                return _matched(found, files)
    return None


def _matched(
    entries: Sequence[tuple[IndexEntry, GrowingSummary]], files: Sequence[FileSnapshot]
) -> KnownRows | None:
    rows, uncounted, bad = 0, 0, 0
    known = False
    last: list[int] = []
    models: set[str] = set()
    # Reversed: of entries that are alike the first counts.
    by_stem = {found[0].stem: found for found in reversed(entries)}
    by_file = {found[0].state.file: found for found in reversed(entries)}
    for one in files:
        # What was compressed has another inode than the file that it was.
        found = by_stem.get(stem_of(one.path)) if one.compressed else by_file.get(one.state.file)
        if found is None or not (one.compressed or found[0].progress.end <= one.state.size):
            uncounted += one.state.size
            continue
        entry, total = found
        known = True
        bad += sum(entry.progress.bad.kinds.values())
        rows += sum(tally.count for tally in total.classes)
        models |= {name for name, _ in total.models if name}
        last += [] if total.last is None else [total.last]
        uncounted += 0 if one.compressed else one.state.size - entry.progress.end
    if not known:
        return None
    return KnownRows(
        rows=rows,
        bad=bad,
        last=max(last, default=None),
        uncounted_bytes=uncounted,
        models=tuple(sorted(models)),
    )
