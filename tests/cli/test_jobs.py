"""Long scoring: part files, a log in steps, a look ahead; with the engine of this process."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from sentimon.cli.log import log
from tests.conftest import ROOT, Ran, clean_environment, runner
from tests.support.faults import force_nothing, in_new_process, killed_at
from tests.support.onnx_folders import write_folder

Run = Callable[..., Ran]
SAMPLE = ROOT / "sentimon" / "sample"
SMALL = {"SENTIMON_MODEL__BUFFER_SIZE": "2", "SENTIMON_ENGINE__CHUNK_TEXTS": "2"}
"""Parts of 32 texts."""
PATIENCE_SECONDS = 600


def write_texts(folder: Path, count: int) -> list[str]:
    texts = [f"Che bella giornata, la numero {number}!" for number in range(count)]
    lines = [json.dumps({"text": text, "shop": number}) for number, text in enumerate(texts)]
    lines.insert(count // 2, "broken")
    (folder / "in.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return texts


def parts_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("part-*.jsonl")))


def manifest_of(folder: Path) -> Any:
    return json.loads((folder / "manifest.json").read_bytes())


def logged_in(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "predictions.jsonl").read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The settings of a model that takes no time, where it does not matter what takes long."""
    folder = write_folder(tmp_path_factory.mktemp("model") / "quick", max_position_embeddings=64)
    return {"SENTIMON_MODEL__NAME": str(folder)}


LONG = 180
"""Texts enough that the model that ships is still at work once the first of them are written."""


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What `predict --json` prints of so many texts, when nobody stops it."""
    folder = tmp_path_factory.mktemp("printed")
    write_texts(folder, LONG)
    return runner(folder)("predict", "-i", "in.jsonl", "--json").out


def stopped_while(
    folder: Path, done: Callable[[], bool], *arguments: str, how: signal.Signals, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the program, send it a signal once something is done, and return how it ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sentimon", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environment(folder) | SMALL | environment,
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(how)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def test_part_files_hold_what_json_prints(run: Run, tmp_path: Path, quick: dict[str, str]) -> None:
    write_texts(tmp_path, 70)
    printed = run("predict", "-i", "in.jsonl", "--json", **quick)
    done = run("predict", "-i", "in.jsonl", "--output", "parts", "--json", **SMALL, **quick)
    assert done.code == printed.code == 1
    assert done.json == {
        "predictions": 70,
        "bad_lines": 1,
        "truncated": 0,
        "unreadable": 70,  # the quick model knows none of their words
        "parts": 3,
        "path": "parts",
    }
    assert "bad line: in.jsonl:36: not valid JSON" in done.err
    assert parts_of(tmp_path / "parts").decode() == printed.out
    again = run("predict", "-i", "in.jsonl", "--output", "parts", **SMALL, **quick)
    assert (again.code, again.out) == (1, "")
    assert "parts: was complete already" in again.err
    assert "70 predictions in 3 parts in parts; 1 bad line left out" in again.err


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_prediction_that_was_stopped_goes_on(
    run: Run, printed: str, tmp_path: Path, how: signal.Signals, code: int
) -> None:
    write_texts(tmp_path, LONG)
    command = ("predict", "-i", "in.jsonl", "--output", "parts")
    stopped = stopped_while(tmp_path, (tmp_path / "parts/part-00002.jsonl").exists, *command, how=how)
    assert stopped.returncode == code
    assert b"Traceback" not in stopped.stderr
    made = {one.name: one.stat().st_mtime_ns for one in (tmp_path / "parts").glob("part-*.jsonl")}
    whole = manifest_of(tmp_path / "parts")["parts"]
    known, predictions = [part["file"] for part in whole], sum(part["predictions"] for part in whole)
    done = run(*command, **SMALL)
    # One that is stopped late has the part with the bad line, too.
    assert 0 <= 32 * len(known) - predictions <= 1
    assert f"goes on after {predictions} predictions in {len(known)} parts" in done.err
    assert parts_of(tmp_path / "parts").decode() == printed
    for name in known:
        assert (tmp_path / "parts" / name).stat().st_mtime_ns == made[name]


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_log_that_was_stopped_goes_on(run: Run, tmp_path: Path, how: signal.Signals, code: int) -> None:
    texts = write_texts(tmp_path, LONG)
    command = ("log", "-i", "in.jsonl", "--resume")
    live = tmp_path / "logs/predictions.jsonl"
    stopped = stopped_while(
        tmp_path, lambda: live.exists() and live.read_bytes().count(b"\n") > 60, *command, how=how
    )
    assert stopped.returncode == code
    assert b"Traceback" not in stopped.stderr
    before = live.read_bytes()
    assert 0 < before.count(b"\n") < LONG
    done = run(*command, "--json", **SMALL)
    assert done.json == {"logged": LONG, "bad_lines": 1, "unreadable": 0, "path": "logs/predictions.jsonl"}
    assert done.code == 1
    assert "goes on after row" in done.err
    rows = logged_in(tmp_path / "logs")
    assert [row["text"] for row in rows] == texts
    assert [row["shop"] for row in rows] == list(range(LONG))
    assert live.read_bytes().startswith(before)
    after = live.read_bytes()
    again = run(*command, "--json", **SMALL)
    assert (again.code, again.json) == (1, done.json)
    assert f"{tmp_path}/in.jsonl: was logged already; give --again and leave --resume out" in again.err
    assert live.read_bytes() == after


def write_scored(path: Path, count: int) -> list[str]:
    """Write rows that it takes no model to log, and return their texts."""
    texts = [f"{path.stem} {number}" for number in range(count)]
    scores = {"negative": 0.1, "neutral": 0.2, "positive": 0.7}
    lines = [json.dumps({"text": text, "scores": scores}) + "\n" for text in texts]
    path.write_text("".join(lines), encoding="utf-8")
    return texts


def texts_in(folder: Path) -> list[str]:
    return [row["text"] for row in logged_in(folder)]


def test_what_was_logged_already_is_said_and_not_logged_again(run: Run, tmp_path: Path) -> None:
    first, second = write_scored(tmp_path / "a.jsonl", 2), write_scored(tmp_path / "b.jsonl", 1)
    for name in ("a.jsonl", "b.jsonl"):
        assert run("log", "-i", name, "--resume").code == 0
    again = run("log", "-i", "a.jsonl", "--resume")
    assert (again.code, again.out) == (0, "")
    assert again.err.endswith(
        f"{tmp_path}/a.jsonl: was logged already; give --again and leave --resume out to log it once more\n"
        "2 predictions logged before\n"
    )
    # On a cluster more texts are scored at once, which makes it no other job.
    cluster = run("log", "-i", "a.jsonl", "--engine", "ray", "--json")
    assert (cluster.code, cluster.json["logged"]) == (0, 2)
    (journal,) = re.findall(r"was logged already; remove (\S+), give --again", cluster.err)
    assert texts_in(tmp_path / "logs") == first + second
    assert run("log", "-i", "a.jsonl", "--again").code == 0
    (tmp_path / journal).unlink()
    assert run("log", "-i", "a.jsonl", "--resume", "--again").code == 0
    assert texts_in(tmp_path / "logs") == first + second + first + first


def test_a_file_that_has_changed_since_it_was_logged_is_logged(run: Run, tmp_path: Path) -> None:
    old = write_scored(tmp_path / "in.jsonl", 2)
    assert run("log", "-i", "in.jsonl", "--resume").code == 0
    new = write_scored(tmp_path / "in.jsonl", 3)
    done = run("log", "-i", "in.jsonl", "--resume")
    assert done.code == 0
    assert done.err.endswith("3 predictions logged to logs/predictions.jsonl\n")
    assert texts_in(tmp_path / "logs") == old + new


def test_killed_at_any_line_before_the_exit_code_each_row_is_logged_once(tmp_path: Path) -> None:
    in_new_process(kill_at_each_line, str(tmp_path))


def kill_at_each_line(folder: str) -> None:
    force_nothing()
    os.chdir(folder)
    os.environ["SENTIMON_MODEL__BUFFER_SIZE"] = "1"
    texts = write_scored(Path("in.jsonl"), 20)
    modules = (
        "sentimon.cli.log",
        "sentimon.workflows.scoring",
        "sentimon.prediction_log.resumable_job",
        "sentimon.prediction_log.resumable_log",
    )
    steps = already = 0

    def command(logs: str) -> str:
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.suppress(typer.Exit):
            log(source="in.jsonl", logs=logs, resume=True)
        return said.getvalue()

    # What it loads is loaded once, not by each that is killed.
    command("whole")
    for number in range(1, 1000):
        logs = str(number)
        if not killed_at(number, lambda logs=logs: command(logs), *modules):  # type: ignore[misc]
            break
        already += "was logged already" in command(logs)
        assert texts_in(Path(logs)) == texts
        steps += 1
    print(f"killed at {steps} points, {already} of them after the job was complete")
    assert steps > 100
    assert 5 < already < steps


def test_a_step_that_finds_no_room_is_done_once_there_is(
    run: Run, tmp_path: Path, quick: dict[str, str]
) -> None:
    texts = write_texts(tmp_path, 400)
    limited = "ulimit -f 32; exec " + " ".join(
        [sys.executable, "-m", "sentimon", "log", "-i", "in.jsonl", "--resume"]
    )
    done = subprocess.run(
        ["bash", "-c", limited],
        capture_output=True,
        cwd=tmp_path,
        env=clean_environment(tmp_path) | SMALL | quick,
        check=False,
    )
    assert done.returncode == 1
    assert b"cannot be written" in done.stderr
    assert run("log", "-i", "in.jsonl", "--resume", **SMALL, **quick).code == 1
    assert [row["text"] for row in logged_in(tmp_path / "logs")] == texts


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["predict", "bello", "--output", "parts"], "--output needs --input with a file"),
        (["log", "bello", "--resume"], "--resume needs --input with a file"),
        (["predict", "-i", "in.jsonl", "--log", "--output", "parts"], "exclude each other"),
        (["predict", "bello", "--engine", "spark"], "engine.name"),
    ],
)
def test_what_cannot_be_gone_on_with_is_refused(
    run: Run, tmp_path: Path, arguments: list[str], says: str
) -> None:
    write_texts(tmp_path, 2)
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert not (tmp_path / "parts").exists()


def test_another_input_under_the_same_name_is_not_taken_for_the_first(
    run: Run, tmp_path: Path, quick: dict[str, str]
) -> None:
    write_texts(tmp_path, 40)
    run("predict", "-i", "in.jsonl", "--output", "parts", **quick)
    write_texts(tmp_path, 41)
    done = run("predict", "-i", "in.jsonl", "--output", "parts", **quick)
    assert done.code == 1
    assert "was begun with bytes" in done.err
    assert "remove parts/manifest.json" in done.err


def test_what_cannot_be_read_again_is_logged_without_a_journal(run: Run, tmp_path: Path) -> None:
    done = run(
        "log", "-i", "/dev/stdin", "--format", "txt", "--engine", "ray", "--json", stdin="bello\nbrutto\n"
    )
    assert (done.code, done.json["logged"]) == (0, 2)
    assert not (tmp_path / "logs/.sentimon/jobs").exists()


def test_a_job_that_was_stopped_before_its_first_part_was_listed_goes_on(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("good\nbad\n", encoding="utf-8")
    done = run("predict", "-i", "t.txt", "--output", "out")
    part = (tmp_path / "out/part-00000.jsonl").read_bytes()
    (tmp_path / "out/manifest.json").unlink()
    again = run("predict", "-i", "t.txt", "--output", "out")
    assert (done.code, again.code) == (0, 0), again.err
    assert (tmp_path / "out/part-00000.jsonl").read_bytes() == part
    assert (tmp_path / "out/manifest.json").is_file()


def test_an_empty_file_has_no_parts_and_no_rows(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").touch()
    for command in (["predict", "--output", "parts"], ["log", "--resume"]):
        done = run(*command, "-i", "in.jsonl", "--json")
        assert done.code == 0
        assert done.json.get("predictions", done.json.get("logged")) == 0
    assert manifest_of(tmp_path / "parts")["complete"]


@pytest.mark.parametrize("command", ["predict", "log", "evaluate"])
def test_a_dry_run_counts_and_times_and_writes_nothing(
    run: Run, tmp_path: Path, quick: dict[str, str], command: str
) -> None:
    if command == "evaluate":
        arguments, texts = ["evaluate", "--data", SAMPLE / "after.jsonl"], 110
    else:
        write_texts(tmp_path, 100)
        arguments, texts = [command, "-i", "in.jsonl"], 100
    before = sorted(tmp_path.glob("[!.]*"))
    done = run(*arguments, "--dry-run", "--json", **quick)
    assert done.code == 0
    found = done.json
    assert list(found) == [
        "texts", "bad_lines", "chunks", "chunk_texts", "engine", "where", "workers", "texts_per_second",
        "seconds", "input",
    ]  # fmt: skip
    assert (found["texts"], found["chunks"], found["engine"], found["workers"]) == (texts, 1, "local", 1)
    assert found["bad_lines"] == (command != "evaluate")
    assert found["texts_per_second"] > 1
    shown = run(*arguments, "--dry-run", "--engine", "ray", SENTIMON_ENGINE__WORKERS="3", **quick)
    assert "this machine" in shown.out
    large = {"SENTIMON_ENGINE__SMALLEST_TEXTS": "50", "SENTIMON_ENGINE__CHUNK_TEXTS": "8", **quick}
    planned = run(*arguments, "--dry-run", "--engine", "ray", "--json", SENTIMON_ENGINE__WORKERS="3", **large)
    assert (planned.json["engine"], planned.json["workers"]) == ("ray", 3)
    assert planned.json["chunks"] == -(-texts // 8)
    assert sorted(tmp_path.glob("[!.]*")) == before


def test_rows_that_bring_their_scores_take_no_time(run: Run, tmp_path: Path) -> None:
    row = {"text": "bello", "scores": {"negative": 0.1, "neutral": 0.2, "positive": 0.7}}
    (tmp_path / "in.jsonl").write_text(json.dumps(row) + "\n")
    done = run("log", "-i", "in.jsonl", "--dry-run", "--json")
    assert (done.code, done.json["texts"], done.json["seconds"]) == (0, 0, 0)


def test_below_the_smallest_size_nothing_of_ray_is_loaded(run: Run, tmp_path: Path) -> None:
    # A Ray that cannot be imported.
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray/__init__.py").write_text("raise AssertionError('loaded')")
    path = os.pathsep.join((str(tmp_path), str(ROOT)))
    done = run("predict", "bello", "brutto", "--engine", "ray", "--json", PYTHONPATH=path)
    assert (done.code, len(done.lines)) == (0, 2)
