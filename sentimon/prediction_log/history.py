"""Histories beside the log: saved metrics, drift reports and retraining triggers, one JSON line each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sentimon.jsonl import BadLine, LineError, decode_line, decode_object, encode, file_lines
from sentimon.prediction_log.durable_files import append_lines

METRICS_FILE = "metrics.jsonl"
DRIFT_FILE = "drift_reports.jsonl"
TRIGGERS_FILE = "retraining_triggers.jsonl"


def append_entry(path: Path, entry: Mapping[str, Any]) -> None:
    """Append one entry to the history at `path`.

    Raises:
        StoreError: the file cannot be written.
    """
    append_lines(path, [encode(entry)])


def read_entries(path: Path) -> tuple[list[dict[str, Any]], list[BadLine]]:
    """Return (entries in the order they were saved, bad lines); both are empty if the file is missing.

    Raises:
        StoreError: the file cannot be read.
    """
    entries: list[dict[str, Any]] = []
    bad: list[BadLine] = []
    for _, one in numbered_entries(path):
        if isinstance(one, BadLine):
            bad.append(one)
        else:
            entries.append(one)
    return entries, bad


def numbered_entries(path: Path) -> Iterator[tuple[int, dict[str, Any] | BadLine]]:
    """Yield (line number from 1, the entry or bad line) of a history, in the order of the file.

    Raises:
        StoreError: the file cannot be read.
    """
    for number, line in file_lines(path):
        try:
            yield number, decode_line(line, decode_object)
        except LineError as error:
            yield number, error.at(str(path), number)
