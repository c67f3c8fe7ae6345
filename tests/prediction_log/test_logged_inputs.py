"""A file that was logged is known by its content, and logged once more only where somebody asks for it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sentimon.errors import StoreError
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
