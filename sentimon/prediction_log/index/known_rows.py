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
    for one in files:
        entry, total = next((found for found in entries if _is_of(found[0], one)), (None, None))
        if entry is None or total is None:
            uncounted += one.state.size
            continue
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


def _is_of(entry: IndexEntry, one: FileSnapshot) -> bool:
    """Return whether an entry is of that file, or of what it was before rows were added at its end."""
    if one.compressed:
        return entry.stem == stem_of(one.path)
    return entry.state.file == one.state.file and entry.progress.end <= one.state.size
