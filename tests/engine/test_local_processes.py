"""Work shared out among processes: in order, to the end, and with nobody left behind."""

from __future__ import annotations

import contextlib
import errno
import json
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from sentimon.engine import local_processes as processes
from sentimon.engine.local_processes import run_units
from tests.conftest import clean_environment
from tests.support.processes import HOURS, children_of, has_ended, state_of, wait_until

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")

PATIENCE = 60.0


def where(unit: int) -> tuple[int, int]:
    return unit, os.getpid()


def open_files() -> set[int]:
    """The numbers of this process's open files, without the one that looks."""
    found = {int(path.name) for path in Path("/proc/self/fd").iterdir()}
    return {number for number in found if Path(f"/proc/self/fd/{number}").exists()}


@pytest.fixture(autouse=True)
def nobody_is_left_behind() -> Iterator[None]:
    before = children_of(os.getpid())
    yield
    assert children_of(os.getpid()) <= before


# What comes out


@pytest.mark.parametrize("workers", [1, 2, 3, 8, 40])
@pytest.mark.parametrize("units", [0, 1, 3, 4, 5, 29])
def test_results_come_in_the_order_of_the_units(units: int, workers: int) -> None:
    found = list(run_units(where, range(units), workers=workers))
    assert [unit for unit, _ in found] == list(range(units))
    at_work = {process for _, process in found}
    if workers == 1 or units < processes.FEWEST_UNITS:
        assert at_work <= {os.getpid()}
    else:
        assert len(at_work) == min(workers, units)
        assert os.getpid() not in at_work


def test_without_a_number_there_is_one_worker_per_core_that_this_process_may_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 9}, raising=False)
    assert len({process for _, process in run_units(where, range(30), workers=0)}) == 3


def test_a_result_may_be_larger_than_a_pipe() -> None:
    def large(unit: int) -> bytes:
        return bytes([unit]) * 3_000_000

    assert list(run_units(large, range(6), workers=2)) == [large(unit) for unit in range(6)]


def test_what_the_function_raises_comes_out_in_its_place() -> None:
    def divide(unit: int) -> float:
        return 1 / (5 - unit)

    results = run_units(divide, range(9), workers=3)
    assert [next(results) for _ in range(5)] == [1 / (5 - unit) for unit in range(5)]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert list(results) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_function_yields_is_made_as_it_is_asked_for_or_comes_as_a_list(workers: int) -> None:
    made: list[int] = []

    def count(unit: int) -> Iterator[int]:
        for number in range(unit):
            made.append(number)
            yield number

    results = list(run_units(count, range(4), workers=workers))
    assert made == []
    assert [list(result) for result in results] == [[], [0], [0, 1], [0, 1, 2]]
    assert all(isinstance(result, list) for result in results) == (workers == 2)


def test_what_cannot_be_sent_is_made_here() -> None:
    def closure(unit: int) -> Callable[[], int]:
        return lambda: unit

    assert [one() for one in run_units(closure, range(6), workers=2)] == list(range(6))


# Workers that die


@pytest.mark.parametrize("killer", [signal.SIGKILL, signal.SIGTERM, None])
@pytest.mark.parametrize("at", [0, 4, 5, 11])
def test_the_work_of_one_that_dies_is_done_here(at: int, killer: int | None) -> None:
    here = os.getpid()

    def fatal(unit: int) -> tuple[int, bool]:
        if unit == at and os.getpid() != here:
            if killer is None:
                os._exit(3)
            os.kill(os.getpid(), killer)
            time.sleep(HOURS)
        return unit, os.getpid() == here

    found = list(run_units(fatal, range(12), workers=3))
    assert [unit for unit, _ in found] == list(range(12))
    assert [unit for unit, at_home in found if at_home] == list(range(at, 12, 3))


def test_one_that_dies_in_the_middle_of_a_result_leaves_no_half_of_it() -> None:
    hear, tell = os.pipe()

    def large(unit: int) -> bytes:
        if unit == 3:
            os.write(tell, b"%d" % os.getpid())
        return bytes([unit]) * 1_000_000

    results = run_units(large, range(9), workers=2)
    found = [next(results) for _ in range(3)]
    worker = int(os.read(hear, 100))
    # It waits for somebody to read on.
    wait_until(lambda: (state_of(worker) or "")[0] == "S")
    os.kill(worker, signal.SIGKILL)
    assert [*found, *results] == [bytes([unit]) * 1_000_000 for unit in range(9)]
    assert int(os.read(hear, 100)) == os.getpid()
    os.close(hear)
    os.close(tell)


def test_all_of_them_may_die() -> None:
    here = os.getpid()

    def fatal(unit: int) -> int:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return unit

    assert list(run_units(fatal, range(12), workers=4)) == list(range(12))


@pytest.mark.parametrize("successful", [0, 1, 2])
def test_where_no_more_processes_may_be_started_the_work_is_done_here(
    successful: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.fork, [0]

    def refuses() -> int:
        calls[0] += 1
        if calls[0] > successful:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return real()

    monkeypatch.setattr(os, "fork", refuses)
    found = list(run_units(where, range(9), workers=3))
    assert [unit for unit, _ in found] == list(range(9))
    assert len({process for _, process in found} - {os.getpid()}) == successful


@pytest.mark.parametrize("free", range(10))
def test_where_no_or_few_more_files_may_be_opened_the_work_is_done_here(free: int) -> None:
    list(run_units(where, range(9), workers=3))
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = open_files()
    with contextlib.ExitStack() as stack:
        # Numbers are given out from the lowest free one: with no gaps exactly so many are left.
        for _ in range(max(opened) + 1 - len(opened)):
            stack.enter_context(Path(os.devnull).open(encoding="utf-8"))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(opened) + 1 + free, before[1]))
        found = list(run_units(where, range(9), workers=3))
    assert [unit for unit, _ in found] == list(range(9))
    # multiprocessing forgets the first of its two pipes where the second cannot be opened.
    left = open_files() - opened
    assert len(left) in ({0, 2} if free > 3 else {0})
    for number in left:
        os.close(number)


def test_a_worker_of_another_program_s_pool_does_the_work_itself() -> None:
    def nested(_: int) -> list[int]:
        return [unit for unit, _ in run_units(where, range(7), workers=2)]

    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=lambda: there.send(nested(0)), daemon=True)
    process.start()
    there.close()
    assert here.recv() == list(range(7))
    process.join()
    here.close()


# Nobody is left behind


def test_one_that_stops_asking_leaves_no_process_and_no_pipe() -> None:
    def slow(unit: int) -> int:
        if unit >= 4:
            time.sleep(HOURS)
        return unit

    opened = open_files()
    results = run_units(slow, range(12), workers=4)
    assert [next(results) for _ in range(4)] == [0, 1, 2, 3]
    assert len(children_of(os.getpid())) >= 4
    results.close()  # type: ignore[attr-defined]
    assert open_files() == opened


def test_an_error_of_the_one_who_asks_ends_them_too() -> None:
    def slow(unit: int) -> int:
        if unit:
            time.sleep(HOURS)
        return unit

    def ask() -> None:
        for _ in run_units(slow, range(12), workers=4):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask()


def test_those_that_finished_are_gone_with_the_last_result() -> None:
    results = run_units(where, range(8), workers=2)
    workers = {process for _, process in results}
    assert {state_of(process) for process in workers} == {None}


@contextlib.contextmanager
def in_new_process(work: Callable[..., None]) -> Iterator[subprocess.Popen[str]]:
    """Start `work` in a process that leads a group, all of which ends with the context."""
    call = f"from tests.engine.test_local_processes import {work.__name__} as work; work()"
    started = subprocess.Popen(
        [sys.executable, "-c", call],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(Path.home()),
        start_new_session=True,
    )
    with started:
        try:
            yield started
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)


def tell_and_work(unit: int) -> bytes:
    if unit < 3:
        return json.dumps(os.getpid()).encode()
    time.sleep(0.05)
    return bytes(200_000)


def ask_slowly() -> None:
    """Start workers with more work than anybody waits for, and say who they are."""
    results = run_units(tell_and_work, range(100_000), workers=3)
    print(*[int(next(results)) for _ in range(3)], flush=True)
    for _ in results:
        time.sleep(0.05)


@pytest.mark.parametrize("killer", [signal.SIGKILL, signal.SIGTERM])
def test_those_whose_parent_is_killed_end_by_themselves(killer: int) -> None:
    with in_new_process(ask_slowly) as parent:
        assert parent.stdout is not None
        workers = {int(one) for one in parent.stdout.readline().split()}
        assert len(workers) == 3
        parent.send_signal(killer)
        wait_until(lambda: all(has_ended(worker) for worker in workers))
        assert parent.communicate(timeout=PATIENCE) == ("", "")


def interrupt_in_each_child() -> None:
    """A child is interrupted as it begins, as by Ctrl-C, which reaches all processes of a terminal."""
    os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.SIGINT))
    print([unit for unit, _ in run_units(where, range(6), workers=3)])


def test_an_interrupt_is_the_business_of_the_parent_from_the_first_moment_on() -> None:
    with in_new_process(interrupt_in_each_child) as parent:
        assert parent.communicate(timeout=PATIENCE) == ("[0, 1, 2, 3, 4, 5]\n", "")
    assert parent.returncode == 0


def interrupted_units() -> Iterable[None]:
    results = run_units(tell_and_work, range(100_000), workers=3)
    print(*[int(next(results)) for _ in range(3)], flush=True)
    yield from (None for _ in results)


def wait_to_be_interrupted() -> None:
    try:
        for _ in interrupted_units():
            pass
    except KeyboardInterrupt:
        print("interrupted", children_of(os.getpid()), flush=True)


def test_ctrl_c_reaches_the_one_who_asked_and_nobody_says_a_word() -> None:
    with in_new_process(wait_to_be_interrupted) as parent:
        assert parent.stdout is not None
        workers = {int(one) for one in parent.stdout.readline().split()}
        # The whole group, as a terminal does it.
        os.killpg(parent.pid, signal.SIGINT)
        assert parent.communicate(timeout=PATIENCE)[1] == ""
        wait_until(lambda: all(has_ended(worker) for worker in workers))
    assert parent.returncode == 0


def test_the_parent_can_be_interrupted_afterwards_as_before() -> None:
    list(run_units(where, range(6), workers=2))
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
