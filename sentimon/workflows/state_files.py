"""The files beside the log that both faces read and write: the baseline, and the last trigger that fired."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from pathlib import Path

from sentimon.files import is_there, read_file, unreadable
from sentimon.jsonl import BadLine
from sentimon.labels import Classes
from sentimon.monitoring.baseline import Baseline, check_classes
from sentimon.monitoring.baseline_codec import decode_baseline, encode_baseline
from sentimon.monitoring.retraining_rules import LastTrigger, find_last_fired
from sentimon.prediction_log.durable_files import create_file, replace_file
from sentimon.prediction_log.history import numbered_entries

BASELINE_FILE = "baseline.json"
_NONE = "make one with `sentimon baseline create`"


def read_baseline(path: Path, classes: Classes | None = None) -> Baseline:
    """Return the baseline at `path`; it is of these `classes`, where they are given.

    Raises:
        StoreError: it is missing, unreadable, no baseline, or of other classes.
    """
    found = decode_baseline(read_baseline_file(path), origin=str(path))
    if classes is not None:
        check_classes(found, classes, str(path))
    return found


def read_baseline_file(path: Path) -> bytes:
    """Return the content of the baseline at `path`.

    Raises:
        StoreError: it is missing or unreadable.
    """
    coming = is_there(next_path(path))
    hint = "`sentimon drift` says how far the one is that is being collected" if coming else _NONE
    return read_file(path, hint=hint)


def next_path(path: Path) -> Path:
    """Return the file that says what the baseline at `path` will be made of, while its rows are collected."""
    return path.with_suffix(".next.json")


def save_baseline(path: Path, baseline: Baseline) -> None:
    """Write the baseline at `path`, in one step.

    Raises:
        StoreError: it cannot be written.
    """
    replace_file(path, encode_baseline(baseline))


def add_baseline(path: Path, baseline: Baseline) -> bool:
    """Write the baseline at `path` where nothing is, and return whether nothing was; one of many does.

    Raises:
        StoreError: it cannot be written.
    """
    return create_file(path, encode_baseline(baseline))


def read_last_fired(path: Path, *, zone: tzinfo | None) -> tuple[LastTrigger | None, list[BadLine]]:
    """Return (the latest trigger in the history at `path` that fired or may have, lines that hold none).

    Naive timestamps are read in `zone` (None: local time).

    Raises:
        StoreError: the history cannot be read.
    """
    entries = list(numbered_entries(path))
    if not entries:
        return None, []
    try:
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError as error:
        raise unreadable(path, error) from error
    bad = [one for _, one in entries if isinstance(one, BadLine)]
    return find_last_fired(entries, zone, path=str(path), written=written), bad
