"""The program on a real Ray cluster of several nodes, whose processes are killed while it reads the log."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import Ran, clean_environment
from tests.support.logs import write_log
from tests.support.nodes import Nodes, cluster
from tests.support.processes import has_ended, wait_until

pytest.importorskip("ray")

SETTINGS = """
[engine]
smallest_megabytes = 0
chunk_megabytes = 16
[logs]
index = false
"""
QUESTIONS = [
    ("metrics",),
    ("metrics", "--every", "1d", "--since", "2026-09-02T10:30:00Z"),
    ("baseline", "create", "--until", "2026-09-10", "--force"),
    ("drift", "--no-create"),
    ("retrain-check",),
]
QUICK = (QUESTIONS[1], QUESTIONS[4])


class Place:
    """A folder with a log, in which the program runs, here or on the cluster."""

    def __init__(self, folder: Path, nodes: Nodes | None) -> None:
        self.folder = folder
        self.environment = clean_environment(folder)
        (folder / "sentimon.toml").write_text(SETTINGS)
        if nodes:
            self.environment |= nodes.environment | {"SENTIMON_ENGINE__ADDRESS": nodes.address}

    def start(self, *arguments: str, engine: str = "ray", address: str = "") -> subprocess.Popen[bytes]:
        """Start the program."""
        other = {"SENTIMON_ENGINE__ADDRESS": address} if address else {}
        return subprocess.Popen(
            [sys.executable, "-m", "sentimon", *arguments, "--engine", engine],
            cwd=self.folder,
            env=self.environment | other,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def run(self, *arguments: str, engine: str = "ray", address: str = "") -> Ran:
        """Run the program to its end."""
        return finished(self.start(*arguments, engine=engine, address=address))


def finished(process: subprocess.Popen[bytes]) -> Ran:
    out, err = process.communicate(timeout=300)
    return Ran(code=process.returncode, out=out.decode(), err=err.decode())


@pytest.fixture(scope="module")
def place(nodes: Nodes, tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("ray")
    # The naive rows of a log are read in the zone of whoever asks, wherever they are read.
    # One file has two units: tasks share it.
    write_log(folder / "logs", copies=(1, 3, 1))
    return Place(folder, nodes)


@pytest.fixture(scope="module")
def here(place: Place) -> Ran:
    """What one machine answers to `metrics`."""
    return place.run("metrics", engine="local")


@pytest.mark.parametrize(
    "question",
    # All go through the same index: two show that, the others take minutes.
    [one if one in QUICK else pytest.param(one, marks=pytest.mark.slow) for one in QUESTIONS],
    ids=lambda question: " ".join(question),
)
def test_the_answer_is_that_of_one_machine(place: Place, question: tuple[str, ...]) -> None:
    here = place.run(*question, engine="local")
    (place.folder / "logs" / "monitor.json").unlink(missing_ok=True)
    there = place.run(*question)
    assert (there.code, there.out, there.err) == (here.code, here.out, here.err)
    assert here.code in (0, 3)
    assert here.out


@pytest.mark.parametrize(
    "way",
    # For a client Ray starts a process of its own, in a time that a busy machine may miss.
    [pytest.param("client", marks=pytest.mark.slow), "file"],
)
def test_a_client_and_a_file_that_holds_the_address(
    place: Place, here: Ran, nodes: Nodes, tmp_path: Path, way: str
) -> None:
    written = tmp_path / "address"
    written.write_text(f"{nodes.address}\n")
    address = nodes.client_address if way == "client" else str(written)
    there = place.run("metrics", address=address)
    assert (there.code, there.out, there.err) == (0, here.out, here.err)


def reading(place: Place, nodes: Nodes) -> subprocess.Popen[bytes]:
    """Ask for the metrics, and come back while tasks read the log."""
    asking = place.start("metrics")
    wait_until(lambda: bool(nodes.workers()) or asking.poll() is not None)
    assert asking.poll() is None
    return asking


def killed_while_it_reads(place: Place, nodes: Nodes, kill: str, seed: int) -> tuple[Ran, bool]:
    """Kill a worker or a node at some moment of the reading; return also whether it was at work then."""
    asking = reading(place, nodes)
    time.sleep(random.Random(seed).uniform(0, 0.6))
    at_work = nodes.workers()
    hit = bool(at_work)
    if kill == "node" and hit:
        nodes.kill(nodes.newest())
        nodes.add()
    elif hit:
        try:
            os.kill(at_work[0], signal.SIGKILL)
        except ProcessLookupError:
            hit = False
    return finished(asking), hit


def check_kills(place: Place, here: Ran, nodes: Nodes, kill: str, wanted: int) -> None:
    """Kill until so many were hit at work; what was missed does not count."""
    hits = 0
    for seed in range(10 * wanted):
        done, hit = killed_while_it_reads(place, nodes, kill, seed)
        assert (done.code, done.out) == (0, here.out), done.err
        hits += hit
        if hits == wanted:
            return
    raise AssertionError(f"{hits} of {wanted} were hit at work")


@pytest.mark.parametrize("kill", ["worker", "node"])
def test_a_killed_worker_or_node_costs_time_and_nothing_else(
    place: Place, here: Ran, nodes: Nodes, kill: str
) -> None:
    check_kills(place, here, nodes, kill, 1)


@pytest.mark.slow
@pytest.mark.parametrize("kill", ["worker", "node"])
def test_twenty_kills(place: Place, here: Ran, nodes: Nodes, kill: str) -> None:
    check_kills(place, here, nodes, kill, 20)


@pytest.mark.slow
def test_workers_whose_disk_is_full_read_as_others_do(tmp_path: Path) -> None:
    write_log(tmp_path / "logs", copies=2)
    # From this share of the disk on Ray takes it to be full, and puts nothing there.
    with cluster(2, RAY_local_fs_capacity_threshold="0.0001") as full:
        place = Place(tmp_path, full)
        here, there = place.run("metrics", engine="local"), place.run("metrics")
    assert (there.code, there.out, there.err) == (0, here.out, here.err)


@pytest.mark.parametrize("rounds", [1, pytest.param(20, marks=pytest.mark.slow)])
def test_a_killed_driver_leaves_nothing_behind(place: Place, here: Ran, nodes: Nodes, rounds: int) -> None:
    for seed in range(rounds):
        asking = reading(place, nodes)
        time.sleep(random.Random(seed).uniform(0, 0.3))
        asking.kill()
        asking.communicate()
        assert asking.returncode == -signal.SIGKILL
        # Ray ends the tasks of a driver that is gone.
        wait_until(lambda: not nodes.workers())
        assert place.run("metrics").out == here.out


def test_a_segment_that_vanishes_while_it_is_read(place: Place, here: Ran, nodes: Nodes) -> None:
    segment = place.folder / "logs" / "predictions-20260901T000000Z.jsonl.gz"
    content = segment.read_bytes()
    try:
        asking = reading(place, nodes)
        segment.unlink()
        done = finished(asking)
        without = place.run("metrics", engine="local")
    finally:
        segment.write_bytes(content)
    # Read before it went away, or not at all: never a part of it.
    assert done.code == 0, done.err
    assert done.out in (here.out, without.out)


def descendants(process: int) -> list[int]:
    found, known = [], subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    parents = [tuple(map(int, line.split())) for line in known.stdout.splitlines()]
    level = [process]
    while level:
        level = [child for child, parent in parents if parent in level]
        found += level
    return found


@pytest.mark.parametrize(
    "stop",
    # Ray itself takes a minute to notice that it has lost whom it worked for.
    [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.slow)],
)
def test_a_cluster_of_its_own_ends_with_the_program(tmp_path: Path, stop: signal.Signals) -> None:
    place = Place(tmp_path, None)
    write_log(tmp_path / "logs", copies=(1, 5, 5))
    asking = place.start("metrics")
    wait_until(lambda: asking.poll() is not None or has_task(descendants(asking.pid)))
    started = descendants(asking.pid)
    assert len(started) > 3
    asking.send_signal(stop)
    done = finished(asking)
    assert done.code == (130 if stop == signal.SIGINT else -signal.SIGKILL)
    assert done.out == ""
    wait_until(lambda: all(has_ended(process) for process in started))
    assert done.err == ""


def has_task(processes: list[int]) -> bool:
    names = [Path(f"/proc/{process}/cmdline") for process in processes]
    return any(name.exists() and name.read_bytes().startswith(b"ray::_read") for name in names)


def test_a_cluster_that_is_not_there_is_named_at_once(tmp_path: Path) -> None:
    place = Place(tmp_path, None)
    write_log(tmp_path / "logs", copies=1, rows=1000)
    place.environment["SENTIMON_ENGINE__ADDRESS"] = "127.0.0.1:1"
    done = place.run("metrics")
    assert done.code == 1
    assert "no Ray cluster at 127.0.0.1:1" in done.err
    assert "Traceback" not in done.err


@pytest.mark.slow
def test_another_token_is_said(place: Place, nodes: Nodes, tmp_path: Path) -> None:
    other = Place(tmp_path, nodes)
    write_log(tmp_path / "logs", copies=1)
    other.environment["RAY_AUTH_TOKEN"] = "0" * 64
    done = other.run("metrics")
    assert done.code == 1
    assert "RAY_AUTH_TOKEN" in done.err
    assert "Traceback" not in done.err
