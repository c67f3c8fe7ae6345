"""A file logged in steps: wherever the program is killed, each row is in the log once."""

from __future__ import annotations

import json
import os
import signal
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sentimon.config.settings import LogSettings
from sentimon.errors import StoreError
from sentimon.ingest.input_row import InputRow
from sentimon.prediction_log import durable_files, resumable_job, resumable_log, writer
from sentimon.prediction_log.folder import LIVE_FILE
from sentimon.prediction_log.resumable_log import Journal, open_journal
from sentimon.prediction_log.rotation import compress_sealed
from sentimon.prediction_log.writer import LogWriter
from tests.support.faults import force_nothing, in_new_process, killed_at
from tests.support.rows import START, record

SETTINGS = LogSettings(fsync="always", compression="none")
ROWS, STEP = 12, 4
ASKED = {"input": "in.txt", "bytes": 120, "modified_ns": 1, "model": "m"}
MODULES = [one.__name__ for one in (resumable_job, resumable_log, writer, durable_files)]


def rows(count: int = ROWS, says: str = "text") -> list[InputRow]:
    return [InputRow(path="in.txt", line=n + 1, text=f"{says} {n}", fields={}) for n in range(count)]


def job(
    folder: Path,
    given: list[InputRow] | None = None,
    *,
    asked: dict[str, Any] = ASKED,
    settings: LogSettings = SETTINGS,
    steps: int = 100,
) -> Journal:
    """Log the rows in steps of four, or only so many steps, if they are not in; return the journal."""
    with open_journal(folder, "in.txt", asked, LogWriter(folder, settings), now=START) as journal:
        left = journal.steps_left(given or rows(), step_rows=STEP)
        for _ in range(0 if journal.complete else steps):
            step = next(left, None)
            if step is None:
                journal.finish()
                break
            journal.add(step, [made(row) for row in step.rows], bad_lines=0, now=START)
    return journal


def made(row: Any) -> Any:
    return record(2, row.line, text=row.text)


def logged(folder: Path) -> list[str]:
    """The texts in the log, in its order; each line is whole."""
    files = [*sorted(folder.glob("predictions-*.jsonl")), folder / LIVE_FILE]
    content = b"".join(path.read_bytes() for path in files if path.exists())
    assert content.endswith(b"\n") or not content
    return [json.loads(line)["text"] for line in content.split(b"\n") if line]


TEXTS = [row.text for row in rows()]


def test_a_job_that_is_not_stopped_leaves_its_rows_and_that_it_is_complete(tmp_path: Path) -> None:
    journal = job(tmp_path)
    assert (journal.done.rows, journal.done.logged, journal.complete) == (ROWS, ROWS, True)
    assert logged(tmp_path) == TEXTS
    left = journal.path.read_text()
    assert len(left) < 500
    assert TEXTS[-1] not in left


def test_a_job_that_is_complete_adds_nothing(tmp_path: Path) -> None:
    first = job(tmp_path)
    for _ in range(2):
        again = job(tmp_path)
        assert (again.path, again.done, again.complete) == (first.path, first.done, True)
    assert logged(tmp_path) == TEXTS
    assert [path.name for path in first.path.parent.glob("*.json")] == [first.path.name]


@pytest.mark.parametrize("changed", [{"bytes": 121}, {"modified_ns": 2}, {"bytes": 121, "model": "other"}])
def test_a_file_that_was_changed_after_it_was_logged_is_another_job(
    tmp_path: Path, changed: dict[str, Any]
) -> None:
    job(tmp_path)
    for _ in range(2):
        journal = job(tmp_path, rows(2, says="new"), asked=ASKED | changed)
    assert logged(tmp_path) == [*TEXTS, "new 0", "new 1"]
    assert (journal.done.rows, len(list(journal.path.parent.glob("*.json")))) == (2, 1)


def test_a_complete_job_is_not_done_again_in_another_way_unasked(tmp_path: Path) -> None:
    path = job(tmp_path).path
    with pytest.raises(StoreError, match="was begun with model 'm', not 'other'") as refused:
        job(tmp_path, asked=ASKED | {"model": "other"})
    assert refused.value.hint == f"run it as it was begun, or begin anew: remove {path}"
    path.unlink()
    job(tmp_path, asked=ASKED | {"model": "other"})
    assert logged(tmp_path) == TEXTS * 2


def test_what_only_an_older_version_asked_stops_no_job(tmp_path: Path) -> None:
    job(tmp_path, steps=1, asked=ASKED | {"chunk_texts": 512})
    job(tmp_path)
    assert logged(tmp_path) == TEXTS


def test_what_a_newer_version_asked_on_top_is_not_passed_over(tmp_path: Path) -> None:
    job(tmp_path, steps=1, asked=ASKED | {"of_tomorrow": True})
    with pytest.raises(StoreError, match="was begun with of_tomorrow True, not None"):
        job(tmp_path)
    assert logged(tmp_path) == TEXTS[:STEP]


def test_a_stopped_job_goes_on_where_it_was(tmp_path: Path) -> None:
    assert job(tmp_path, steps=2).done.rows == 2 * STEP
    LogWriter(tmp_path, SETTINGS).append([record(0, text="of another program")], now=START)
    job(tmp_path)
    assert logged(tmp_path) == [*TEXTS[: 2 * STEP], "of another program", *TEXTS[2 * STEP :]]


def nothing(_: Path, __: int) -> None: ...


def another_seals(folder: Path, _: int) -> None:
    """Seal what is there, and log a row."""
    if (folder / LIVE_FILE).exists():
        daily = replace(SETTINGS, rotate_daily=True)
        os.utime(folder / LIVE_FILE, (0, 0))
        LogWriter(folder, daily).append([record(0, text="other")], now=START)


def killed_again(folder: Path, number: int) -> None:
    """Kill the run that goes on, too, at one of its first lines, in which a step is recovered."""
    killed_at(number % 151 + 1, lambda: job(folder), *MODULES)


MEANWHILE: dict[str, Callable[[Path, int], None]] = {
    "nothing": nothing,
    "another seals": another_seals,
    "killed again": killed_again,
}


def kill_jobs(place: str, meanwhile: str, every: int) -> None:
    force_nothing()
    steps = complete = 0
    for number in range(1, 10_000, every):
        folder = Path(place, str(number))
        if not killed_at(number, lambda folder=folder: job(folder), *MODULES):  # type: ignore[misc]
            break
        complete += is_complete(folder)
        MEANWHILE[meanwhile](folder, number)
        assert job(folder).complete
        assert [text for text in logged(folder) if text != "other"] == TEXTS
        steps += 1
    assert steps > 400 / every
    assert complete


@pytest.mark.parametrize(("meanwhile", "every"), [("nothing", 1), ("another seals", 1), ("killed again", 5)])
def test_killed_at_any_line_each_row_is_logged_once(tmp_path: Path, meanwhile: str, every: int) -> None:
    in_new_process(kill_jobs, str(tmp_path), meanwhile, every)


def kill_jobs_in_the_place_of_another(place: str) -> None:
    force_nothing()
    old = rows(STEP, says="old")
    steps = 0
    for number in range(1, 10_000, 7):
        folder = Path(place, str(number))
        job(folder, old, asked=ASKED | {"modified_ns": 0})
        if not killed_at(number, lambda folder=folder: job(folder), *MODULES):  # type: ignore[misc]
            break
        job(folder)
        assert logged(folder) == [row.text for row in old] + TEXTS
        steps += 1
    assert steps > 50


def test_killed_while_it_takes_the_place_of_a_complete_job_each_row_is_logged_once(tmp_path: Path) -> None:
    in_new_process(kill_jobs_in_the_place_of_another, str(tmp_path))


def is_complete(folder: Path) -> bool:
    return any(json.loads(path.read_bytes())["complete"] for path in folder.glob(".sentimon/jobs/*.json"))


def torn_at(byte: int, work: Callable[[], object]) -> None:
    """Run `work` in a process that is killed when it has written so many bytes of its second step."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        real, calls = os.write, [0]

        def write(descriptor: int, data: bytes) -> int:
            if not data.lstrip(b"\n").startswith(b'{"timestamp"'):
                return real(descriptor, data)
            calls[0] += 1
            if calls[0] == 2:
                real(descriptor, data[:byte])
                os.kill(os.getpid(), signal.SIGKILL)
            return real(descriptor, data)

        os.write = write  # type: ignore[assignment]
        try:
            work()
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL


def row_bytes() -> int:
    return len(LogWriter(Path(), SETTINGS).lines_of([made(rows()[0])])[0]) + 1


@pytest.mark.parametrize("lines", [0, 1, 2])
@pytest.mark.parametrize("more", [0, 1, 30, -1])
@pytest.mark.parametrize("other", [False, True])
def test_a_step_that_was_half_written_is_finished(tmp_path: Path, lines: int, more: int, other: bool) -> None:
    torn_at(max(0, lines * row_bytes() + more), lambda: job(tmp_path))
    if other:
        LogWriter(tmp_path, SETTINGS).append([record(0, text="other")], now=START)
    job(tmp_path)
    content = (tmp_path / LIVE_FILE).read_bytes()
    found = [json.loads(line)["text"] for line in content.split(b"\n") if line.endswith(b"}")]
    assert sorted(found) == sorted(TEXTS + ["other"] * other)
    if not other:
        assert found == TEXTS
        assert content.count(b"\n") == ROWS


def test_where_nobody_can_tell_that_is_said_and_no_row_is_added(tmp_path: Path) -> None:
    torn_at(0, lambda: job(tmp_path))
    live = tmp_path / LIVE_FILE
    content = live.read_bytes()
    live.unlink()
    live.write_bytes(content.replace(b"text 0", b"erased"))
    with pytest.raises(StoreError, match="nobody can tell"):
        job(tmp_path)
    assert len(logged(tmp_path)) == STEP


def test_a_file_that_was_sealed_and_compressed_meanwhile_is_not_taken_for_another(tmp_path: Path) -> None:
    torn_at(10_000, lambda: job(tmp_path))
    os.utime(tmp_path / LIVE_FILE, (0, 0))
    zstd = replace(SETTINGS, rotate_daily=True, compression="zstd")
    LogWriter(tmp_path, zstd).append([record(0, text="other")], now=START)
    compress_sealed(tmp_path, "zstd")
    with pytest.raises(StoreError, match="nobody can tell"):
        job(tmp_path)
    assert logged(tmp_path) == ["other"]


@pytest.mark.parametrize(
    ("given", "asked", "says"),
    [
        (rows(says="another"), ASKED, "has changed since its first 4 rows"),
        (rows(2), ASKED, "has changed since its first 4 rows"),
        (rows(), {**ASKED, "model": "other"}, "was begun with model 'm', not 'other'"),
    ],
)
def test_another_job_is_not_taken_for_this_one(
    tmp_path: Path, given: list[InputRow], asked: dict[str, Any], says: str
) -> None:
    job(tmp_path, steps=1)
    with pytest.raises(StoreError, match=says):
        job(tmp_path, given, asked=asked)
    assert logged(tmp_path) == TEXTS[:STEP]


def test_two_runs_of_one_job_at_once_are_one_too_many(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path, SETTINGS)
    with (
        open_journal(tmp_path, "in.txt", ASKED, writer, now=START),
        pytest.raises(StoreError, match="is being logged by another program"),
        open_journal(tmp_path, "in.txt", ASKED, writer, now=START),
    ):
        pass


def test_a_broken_journal_is_named(tmp_path: Path) -> None:
    path = job(tmp_path, steps=1).path
    path.write_bytes(b"{}")
    with pytest.raises(StoreError, match="is no journal"):
        job(tmp_path)


def test_rows_are_read_only_as_they_are_asked_for(tmp_path: Path) -> None:
    drawn: list[int] = []

    def endless() -> Iterator[InputRow]:
        for number in range(10**9):
            drawn.append(number)
            yield InputRow(path="x", line=number, text="x", fields={})

    with open_journal(tmp_path, "x", ASKED, LogWriter(tmp_path, SETTINGS), now=START) as journal:
        left = journal.steps_left(endless(), step_rows=STEP)
        for _ in range(3):
            journal.add(next(left), [], bad_lines=STEP, now=START)
    assert len(drawn) == 3 * STEP
    assert journal.done.bad_lines == 3 * STEP
