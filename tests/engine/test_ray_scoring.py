"""Scoring on a real cluster of several nodes: whatever is killed, the answers are those of one process."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

import sentimon
from sentimon.engine.ray_worker import Worker
from sentimon.errors import EngineError
from tests.conftest import ROOT, Ran, clean_environment
from tests.support.fakes import load
from tests.support.nodes import Nodes, cluster

pytest.importorskip("ray", reason="the extra `ray` is not installed")

Run = Callable[..., Ran]
SAMPLE = ROOT / "sentimon" / "sample"
TEXTS = 250
"""Eight parts: what is killed after the first one is killed in the midst of the work."""
MARK = "SCORED_FOR_TEST"
"""In the environment of all processes of one run."""


def lines_in(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").split("\n") if line]


SAMPLE_TEXTS = [json.loads(line)["text"] for line in lines_in(SAMPLE / "after.jsonl")]


def scored_alone(folder: Path, texts: list[str]) -> tuple[Path, bytes]:
    """Write an input of these texts, one of them broken; return also what one process makes of it."""
    lines = [json.dumps({"text": f"{text} {number}"}) for number, text in enumerate(texts)]
    lines[175 % len(lines)] = "broken"
    (folder / "in.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = start(folder, "predict", "-i", "in.jsonl", "--json")
    out, _ = done.communicate(timeout=300)
    assert done.returncode == 1
    assert out.count(b"\n") == len(texts) - 1
    return folder, out


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """An input long enough to kill somebody, and what one process makes of it."""
    texts = [SAMPLE_TEXTS[number % len(SAMPLE_TEXTS)] for number in range(TEXTS)]
    return scored_alone(tmp_path_factory.mktemp("input"), texts)


@pytest.fixture(scope="module")
def brief(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """An input of four parts for what nobody kills, and what one process makes of it."""
    texts = [" ".join(text.split()[:4]) for text in SAMPLE_TEXTS[:100]]
    return scored_alone(tmp_path_factory.mktemp("brief"), texts)


def start(
    folder: Path, *arguments: str, nodes: Nodes | None = None, mark: str = ""
) -> subprocess.Popen[bytes]:
    settings = {
        "SENTIMON_ENGINE__ADDRESS": nodes.address if nodes else "",
        "SENTIMON_ENGINE__SMALLEST_TEXTS": "0",
        "SENTIMON_ENGINE__CHUNK_TEXTS": "2",
        "SENTIMON_ENGINE__WORKERS": "2",
        MARK: mark,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "sentimon", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environment(folder) | settings | (nodes.environment if nodes else {}),
    )


def ended(process: subprocess.Popen[bytes]) -> Ran:
    out, err = process.communicate(timeout=300)
    return Ran(code=process.returncode, out=out.decode(), err=err.decode())


def predict(output: str, *more: str) -> tuple[str, ...]:
    return ("predict", "-i", "in.jsonl", "--engine", "ray", "--output", output, *more)


def parts_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("part-*.jsonl")))


def is_clean(done: Ran) -> bool:
    """Whether nothing but our own words is on stderr."""
    bad = ("bad line: in.jsonl:76: ", "bad line: in.jsonl:176: ")
    ours = (*bad, "predictions in ", "logged", "goes on", "waiting for a worker")
    return all(any(one in line for one in ours) for line in done.err.strip().split("\n"))


def processes(wanted: bytes, mark: str) -> list[int]:
    """The processes whose command begins so, and that come from one with that mark."""
    found = []
    for folder in Path("/proc").iterdir():
        # One that ends meanwhile is none.
        with contextlib.suppress(OSError):
            if folder.name.isdigit() and (folder / "cmdline").read_bytes().startswith(wanted):
                alive = b"State:\tZ" not in (folder / "status").read_bytes()
                marked = f"{MARK}={mark}\0".encode() in (folder / "environ").read_bytes()
                if alive and marked:
                    found.append(int(folder.name))
    return found


def wait_for(true: Callable[[], Any], process: subprocess.Popen[bytes] | None = None) -> None:
    for _ in range(12_000):
        if true() or (process is not None and process.poll() is not None):
            return
        time.sleep(0.01)
    raise AssertionError("it never came")


def kill_one(nodes: Nodes, place: int) -> None:
    """Kill one of the processes that score."""
    wait_for(lambda: len(nodes.workers()) > place)
    os.kill(nodes.workers()[place], signal.SIGKILL)


def parts_made(folder: Path) -> int:
    return len(list(folder.glob("part-*.jsonl")))


def test_a_cluster_scores_as_one_process_does(nodes: Nodes, brief: tuple[Path, bytes]) -> None:
    folder, expected = brief
    done = ended(start(folder, "predict", "-i", "in.jsonl", "--engine", "ray", "--json", nodes=nodes))
    assert (done.code, done.out.encode()) == (1, expected)
    assert is_clean(done)
    unordered = ended(start(folder, *predict("unordered", "--unordered"), nodes=nodes))
    assert (unordered.code, parts_of(folder / "unordered")) == (1, expected)
    logged = ended(start(folder, "log", "-i", "in.jsonl", "--engine", "ray", "--json", nodes=nodes))
    assert (logged.code, logged.json["logged"], logged.json["bad_lines"]) == (1, 99, 1)
    rows = [json.loads(line) for line in lines_in(folder / "logs/predictions.jsonl")]
    printed = [json.loads(line) for line in expected.decode().split("\n") if line]
    keys = ("text", "sentiment", "confidence", "scores", "model", "truncated")
    assert [[row[key] for key in keys] for row in rows] == [[row[key] for key in keys] for row in printed]


def test_an_evaluation_says_the_same_on_a_cluster(nodes: Nodes, tmp_path: Path) -> None:
    some = lines_in(SAMPLE / "after.jsonl")[:40]
    (tmp_path / "data.jsonl").write_text("\n".join(some) + "\n", encoding="utf-8")
    command = ("evaluate", "--data", "data.jsonl", "--json")
    here, there = (
        ended(start(tmp_path, *command)),
        ended(start(tmp_path, *command, "--engine", "ray", nodes=nodes)),
    )
    assert (there.code, there.out, there.err) == (0, here.out, "")


def test_a_dry_run_asks_the_cluster_for_its_workers(nodes: Nodes, brief: tuple[Path, bytes]) -> None:
    command = ("predict", "-i", "in.jsonl", "--engine", "ray", "--dry-run", "--json")
    done = ended(start(brief[0], *command, nodes=nodes))
    assert (done.json["workers"], done.json["where"]) == (2, f"the cluster at {nodes.address}")


@pytest.mark.parametrize("seed", [1])
def test_a_killed_worker_costs_time_and_no_text(nodes: Nodes, alone: tuple[Path, bytes], seed: int) -> None:
    kill_workers(nodes, alone, seed)


def kill_workers(nodes: Nodes, alone: tuple[Path, bytes], seed: int) -> None:
    """Kill two workers at random moments while they score."""
    folder, expected = alone
    process = start(folder, *predict(f"worker-{seed}"), nodes=nodes)
    chance = Random(seed)
    wait_for(lambda: parts_made(folder / f"worker-{seed}"), process)
    for place in (0, 1):
        time.sleep(chance.random() / 4)
        kill_one(nodes, place)
    done = ended(process)
    assert (done.code, parts_of(folder / f"worker-{seed}")) == (1, expected)
    assert (done.out, is_clean(done)) == ("", True)


@pytest.mark.parametrize("seed", [1])
def test_a_killed_node_costs_time_and_no_text(nodes: Nodes, alone: tuple[Path, bytes], seed: int) -> None:
    kill_node(nodes, alone, seed)


def kill_node(nodes: Nodes, alone: tuple[Path, bytes], seed: int) -> None:
    """Kill a node at a random moment of the work, and put another in its place."""
    folder, expected = alone
    process = start(folder, *predict(f"node-{seed}"), nodes=nodes)
    wait_for(lambda: parts_made(folder / f"node-{seed}"), process)
    time.sleep(Random(seed).random() / 2)
    nodes.kill(nodes.newest())
    nodes.add()
    done = ended(process)
    assert (done.code, parts_of(folder / f"node-{seed}")) == (1, expected)
    assert (done.out, is_clean(done)) == ("", True)


@pytest.mark.parametrize("seed", [1])
def test_what_a_killed_driver_has_done_is_not_done_again(
    nodes: Nodes, alone: tuple[Path, bytes], seed: int
) -> None:
    kill_driver(nodes, alone, seed)


def kill_driver(nodes: Nodes, alone: tuple[Path, bytes], seed: int) -> None:
    """Kill a prediction and a log at a random moment, and run both again."""
    folder, expected = alone
    output, logs = folder / f"driver-{seed}", folder / f"logs-{seed}"
    process = start(folder, *predict(output.name), nodes=nodes)
    wait_for(lambda: parts_made(output), process)
    time.sleep(Random(seed).random() / 2)
    process.kill()
    ended(process)
    before = {path.name: path.stat().st_mtime_ns for path in output.glob("part-*.jsonl")}
    known = [part["file"] for part in json.loads((output / "manifest.json").read_bytes())["parts"]]
    done = ended(start(folder, *predict(output.name), nodes=nodes))
    assert (done.code, parts_of(output), is_clean(done)) == (1, expected, True)
    assert all((output / name).stat().st_mtime_ns == before[name] for name in known)
    log = ("log", "-i", "in.jsonl", "--engine", "ray", "--logs", logs.name, "--json")
    process = start(folder, *log, nodes=nodes)
    live = logs / "predictions.jsonl"
    wait_for(lambda: live.exists() and live.stat().st_size, process)
    time.sleep(Random(-seed).random() / 2)
    process.kill()
    ended(process)
    done = ended(start(folder, *log, nodes=nodes))
    assert done.code == 1
    texts = [json.loads(line)["text"] for line in lines_in(live)]
    wanted = [json.loads(line)["text"] for line in expected.decode().split("\n") if line]
    assert texts == wanted
    assert done.json["logged"] == len(wanted)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [kill_workers, kill_node, kill_driver])
def test_twenty_kills_of_each_kind(
    nodes: Nodes, alone: tuple[Path, bytes], fault: Callable[[Nodes, tuple[Path, bytes], int], None]
) -> None:
    for seed in range(100, 120):
        fault(nodes, alone, seed)
        print(f"{fault.__name__}: {seed - 99} of 20")


def fake(nodes: Nodes, folder: Path, how: str, *deadly: int) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.fakes", nodes.address, how, *map(str, deadly)],
        capture_output=True,
        cwd=ROOT,
        env=clean_environment(folder) | nodes.environment,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout.strip()


def test_a_deadly_text_is_left_out_and_all_others_are_scored(nodes: Nodes, tmp_path: Path) -> None:
    found = ast.literal_eval(fake(nodes, tmp_path, "ok", 345, 346))
    reasons = found[345], found[346]
    assert [one for one in found if isinstance(one, int)] == [
        1 + number % 7 for number in range(1000) if number not in (345, 346)
    ]
    for reason in reasons:
        assert reason.startswith("ended its worker 2 times: The actor died")


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("missing", f"ModelError: on {socket.gethostname()}: /models/x: no such model"),
        ("killed", "EngineError: workers end before they are ready"),
        ("differs", "ModelError: the machines of the cluster have different versions of fake"),
    ],
)
def test_a_model_that_cannot_be_used_is_named_with_its_machine(
    nodes: Nodes, tmp_path: Path, how: str, says: str
) -> None:
    assert fake(nodes, tmp_path, how).startswith(says)


def test_a_worker_of_another_version_scores_nothing() -> None:
    told = Worker().load(lambda: load("ok"), 1, "0.0")
    assert isinstance(told, EngineError)
    assert told.message == f"{socket.gethostname()} has sentimon {sentimon.__version__}, this machine 0.0"


@pytest.mark.slow
def test_workers_whose_disk_is_full_score_as_others_do(tmp_path: Path) -> None:
    # Long texts: they pass through the workers' store, which may take nothing more onto the disk.
    lines = [json.dumps({"text": "bello " * 20_000 + str(number)}) for number in range(40)]
    (tmp_path / "in.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = ("predict", "-i", "in.jsonl", "--json")
    here = ended(start(tmp_path, *command))
    with cluster(2, RAY_local_fs_capacity_threshold="0.0001") as nodes:
        there = ended(start(tmp_path, *command, "--engine", "ray", nodes=nodes))
    assert (there.code, there.out, there.err) == (0, here.out, here.err)


# What a killed program leaves of its cluster ends by itself, once a minute has passed.
@pytest.mark.parametrize(
    "signals",
    [(signal.SIGINT, signal.SIGTERM), pytest.param((signal.SIGKILL,), marks=pytest.mark.slow)],
    ids=lambda signals: " ".join(one.name for one in signals),
)
def test_a_cluster_of_its_own_ends_with_the_program(
    alone: tuple[Path, bytes], signals: tuple[signal.Signals, ...]
) -> None:
    folder, expected = alone
    name = "own-" + "-".join(one.name for one in signals)
    mark, output = f"{name}-{os.getpid()}", folder / name
    for how in signals:
        before = parts_made(output)
        process = start(folder, *predict(name), mark=mark)
        wait_for(lambda before=before: parts_made(output) > before, process)  # type: ignore[misc]
        assert processes(b"ray::Worker", mark)
        process.send_signal(how)
        done = ended(process)
        assert done.code == {signal.SIGINT: 130, signal.SIGTERM: 143}.get(how, -9)
        assert "Traceback" not in done.err
        wait_for(lambda: not processes(b"", mark))
    again = ended(start(folder, *predict(name), mark=mark))
    assert (again.code, parts_of(output)) == (1, expected)
    wait_for(lambda: not processes(b"", mark))
