"""A file that was logged is known by its content, and logged once more only where somebody asks for it."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sentimon.errors import ReadOnlyError, StoreError
from sentimon.prediction_log.logged_inputs import logged_input
from tests.support.in_process import at_once

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def test_the_same_content_under_another_name_was_logged_already(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_bytes(b"text\nOttimo\n")
    (tmp_path / "c.csv").write_bytes(b"text\nPessimo\n")
    first = logged_input(tmp_path, tmp_path / "a.csv")
    first.check()
    first.claim(now=NOW)
    first.finish(7, now=NOW)
    with pytest.raises(
        StoreError, match=r"b\.csv: was logged already, 7 rows on 2026-11-30T12:00:00Z"
    ) as error:
        logged_input(tmp_path, tmp_path / "b.csv").check()
    assert "--again" in str(error.value.hint)
    logged_input(tmp_path, tmp_path / "c.csv").check()
    again = logged_input(tmp_path, tmp_path / "b.csv", again=True)
    again.check()
    again.claim(now=NOW)


def test_one_row_is_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"text\nOttimo\n")
    mark = logged_input(tmp_path, tmp_path / "a.csv")
    mark.finish(1, now=NOW)
    with pytest.raises(StoreError, match="was logged already, 1 row on"):
        mark.check()


@pytest.mark.parametrize("again", [False, True])
def test_a_log_folder_that_cannot_be_made_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    (tmp_path / "a.csv").write_bytes(b"text\nOttimo\n")
    (tmp_path / "there").mkdir()

    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    for log, fault in [
        ("newlogs", "newlogs: this folder cannot be made: Permission denied"),
        ("there", "there: nothing can be written into this folder: Permission denied"),
    ]:
        with pytest.raises(ReadOnlyError) as caught:
            logged_input(tmp_path / log, tmp_path / "a.csv", again=again).claim(now=NOW)
        assert caught.value.message == str(tmp_path / fault)
        assert "or name a folder that you may write to" in str(caught.value.hint)


def test_a_file_in_the_place_of_the_log_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"text\nOttimo\n")
    for log in ("a.csv", "a.csv/logs"):
        mark = logged_input(tmp_path / log, tmp_path / "a.csv")
        for step in (mark.check, lambda mark=mark: mark.claim(now=NOW)):
            with pytest.raises(StoreError, match=r"/a\.csv: is a file, not a folder"):
                step()


def test_a_run_that_was_stopped_goes_on_only_as_the_same_job(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"text\nOttimo\n")
    logged_input(tmp_path, tmp_path / "a.csv", job="one").claim(now=NOW)
    logged_input(tmp_path, tmp_path / "a.csv", job="one").check()
    for job in ("", "two"):
        with pytest.raises(StoreError, match="stopped half-way"):
            logged_input(tmp_path, tmp_path / "a.csv", job=job).check()


def test_no_text_is_kept_of_a_file_but_the_hash_of_all_of_it(tmp_path: Path) -> None:
    (tmp_path / "private.csv").write_bytes(b"text\nsecret words\n")
    mark = logged_input(tmp_path, tmp_path / "private.csv")
    mark.claim(now=NOW)
    kept = mark.path.name.encode() + mark.path.read_bytes()
    assert b"secret" not in kept
    assert b"private" not in kept
    assert mark.path.stat().st_mode & 0o777 == 0o600


def test_of_many_programs_that_log_one_file_at_once_one_does(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"text\nOttimo\n")

    def log(_: int) -> str:
        logged_input(tmp_path, tmp_path / "a.csv").claim(now=NOW)
        return "logged"

    found = at_once(8, log)
    assert found.count("logged") == 1
    assert sum("is being logged" in one for one in found) == 7


def test_a_spoilt_mark_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"text\nOttimo\n")
    mark = logged_input(tmp_path, tmp_path / "a.csv")
    mark.claim(now=NOW)
    mark.path.write_bytes(b"{")
    with pytest.raises(StoreError, match="mark of a logged file"):
        mark.check()
