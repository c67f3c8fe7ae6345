import json
from datetime import UTC
from pathlib import Path

import pytest

from sentimon.config.settings import LogSettings
from sentimon.errors import StoreError
from sentimon.jsonl import BadLine
from sentimon.prediction_log.history import append_entry, read_entries
from sentimon.prediction_log.reader import read_log
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.writer import LogWriter
from tests.support.rows import START, record, records, row, written


def test_what_is_appended_is_read_back_in_order(tmp_path: Path) -> None:
    some = records(2, 1, 1)
    writer = LogWriter(tmp_path / "logs", LogSettings())
    assert writer.append(some, now=START) == some
    writer.append([record(2, 9)], now=START)
    assert list(read_log(tmp_path / "logs", zone=UTC)) == [*some, record(2, 9)]


def test_bad_lines_stop_nothing_and_are_named(tmp_path: Path) -> None:
    good = json.dumps(row(0) | {"sentiment": "negative", "confidence": 0.8})
    folder = written(tmp_path / "logs", f"{good}\n\nnonsense\n{good}\n" + '{"torn": ')
    found = list(read_log(folder, zone=UTC))
    assert [isinstance(one, PredictionRecord) for one in found] == [True, False, True, False]
    bad = [one for one in found if isinstance(one, BadLine)]
    assert [(one.path, one.line, one.kind) for one in bad] == [
        (str(folder / "predictions.jsonl"), 3, "json"),
        (str(folder / "predictions.jsonl"), 5, "json"),
    ]


def test_sealed_files_come_before_the_live_one_and_copies_are_none(tmp_path: Path) -> None:
    names = {
        "predictions.jsonl": 3,
        "predictions-20260908T000000Z.jsonl": 2,
        "predictions-20260907T000000Z.jsonl": 1,
        "predictions-backup.jsonl": 9,
    }
    for name, minute in names.items():
        full = row(0, minute) | {"sentiment": "negative", "confidence": 0.8}
        written(tmp_path, json.dumps(full), name)
    texts = [one.text for one in read_log(tmp_path, zone=UTC) if isinstance(one, PredictionRecord)]
    assert texts == ["text 1", "text 2", "text 3"]


def test_a_missing_folder_is_an_error_and_an_empty_one_is_an_empty_log(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such folder"):
        list(read_log(tmp_path / "nothing", zone=UTC))
    with pytest.raises(StoreError, match="is a file"):
        list(read_log(written(tmp_path, "", "file") / "file", zone=UTC))
    assert list(read_log(tmp_path, zone=UTC)) == []


def test_a_history_keeps_its_entries_and_names_its_bad_lines(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    assert read_entries(path) == ([], [])
    append_entry(path, {"a": 1})
    path.write_bytes(path.read_bytes() + b"broken\n")
    append_entry(path, {"a": None})
    entries, bad = read_entries(path)
    assert entries == [{"a": 1}, {"a": None}]
    assert [line.line for line in bad] == [2]
