"""The law of the index in bad times: killed programs, company, damage, no room, no permission.

Real processes, forked by one that pytest starts, for pytest's own has threads.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import random
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock
from zoneinfo import ZoneInfo

import pytest

from sentimon.config.settings import LogSettings
from sentimon.engine.processes import run_units
from sentimon.errors import StoreError
from sentimon.logbook import sealing
from sentimon.logbook.moments import to_microseconds
from sentimon.logbook.reader import read_log
from sentimon.logbook.record import PredictionRecord
from sentimon.logbook.rollup import refresh, store
from sentimon.logbook.rollup.index import Index, places_of
from sentimon.logbook.rollup.store import Store
from sentimon.logbook.rollup.sums import Sums
from sentimon.logbook.segments import LIVE_FILE, sealed_files
from sentimon.logbook.summary import Summary, summarise
from sentimon.logbook.windows import Calendar, Period, Window, summarise_windows
from sentimon.logbook.writer import LogWriter
from tests.conftest import clean_environment
from tests.engine.test_processes import children_of, has_ended, wait_until
from tests.logbook.faults import killed_at
from tests.logbook.rollup.test_law import (
    NOW,
    ROME,
    by_another_program,
    by_writer,
    cut_and_grown_back,
    edited,
    lines,
    questions,
    replaced_by_one_of_the_same_size,
    small_sizes,
    torn,
)
from tests.rows import START, record, row, rows, written

NOBODY = 65534
SUMS_OF_ALL = Period()
WITHIN = Period(since=START + timedelta(minutes=70), until=START + timedelta(minutes=2999))
BY_DAY = Calendar.of("6h", ROME)
Answers = tuple[Summary, Summary, tuple[list[Window], Summary], list[tuple[str, Summary]]]


def everything(sums: Sums) -> Answers:
    """What the commands ask for, in one question."""
    return (
        sums.summary(SUMS_OF_ALL),
        sums.summary(WITHIN),
        sums.windows(WITHIN, BY_DAY, now=NOW),
        [(file.path.name, summary) for file, summary in sums.by_file()],
    )


def nothing_is_read(function: object, units: Sequence[object]) -> list[Any]:
    """A way to read that may not be used."""
    assert not units, "what is known is read again"
    return []


def index_of(folder: Path, *, run: Any = map, zone: Any = UTC, places: Sequence[Path] | None = None) -> Index:
    place = folder / ".sentimon" / "rollup.sqlite"
    return Index(folder=folder, zone=zone, now=NOW, run=run, places=[place] if places is None else places)


def scanned(folder: Path) -> tuple[Summary, Summary, tuple[list[Window], Summary]]:
    """The answers of the files alone."""

    def read() -> Iterator[Any]:
        return read_log(folder, zone=UTC)

    inside = WITHIN.select(read())
    return (
        summarise(read()),
        summarise(WITHIN.select(read())),
        summarise_windows(inside, BY_DAY, now=NOW),
    )


def check(folder: Path, index: Index | None = None) -> None:
    """The index says what the files say, in all its answers."""
    found = (index or index_of(folder)).ask(everything)
    assert found[:3] == scanned(folder)
    total = Summary()
    for _, one in found[3]:
        total += one
    assert total == found[0]


def in_new_process(work: Callable[..., None], *arguments: Any, timeout: float = 300) -> None:
    """Call `work` in a process that may fork; what it asserts counts here."""
    call = f"from tests.logbook.rollup.test_faults import {work.__name__} as work; work(*{arguments!r})"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", call],
        capture_output=True,
        text=True,
        env=clean_environment(Path.home()),
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""


def forked(work: Callable[[], object]) -> int:
    """Start `work` in a child, and return the child's process id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def apart(work: Callable[[], object]) -> None:
    """Do `work` in another process, to its end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = forked(work)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def some_rows(first: int, count: int) -> list[PredictionRecord]:
    """Rows of all classes and confidences, some of them late, over two days."""
    return [
        record(
            number % 3,
            number * 7 % 3000 if number % 9 else number % 60,
            0.4 + number % 59 / 100,
            model="mn"[number % 2],
        )
        for number in range(first, first + count)
    ]


def log_in(folder: Path, count: int = 400, *, megabytes: int = 1) -> LogWriter:
    """A log of several sealed files and a live one, with bad lines and a torn one."""
    with mock.patch.object(sealing, "MEGABYTE", 12_000):
        writer = LogWriter(folder, LogSettings(rotate_megabytes=megabytes))
        for first in range(0, count, 20):
            writer.append(some_rows(first, 20), now=START)
    with (folder / LIVE_FILE).open("ab") as file:
        file.write(b"nonsense\n\xff\xfe\n" + lines(random.Random(count)) + b'{"timestamp": "2026')
    return writer


def at_rest(folder: Path) -> None:
    """Age the files, so that the index can trust what the file system says of them."""
    for path in [*sealed_files(folder), folder / LIVE_FILE]:
        os.utime(path, (0, 0))


# Killed at any point

ROUNDS, ROUNDS_A_FOLDER = 96, 12
KINDS = ("timer", "line", "step", "write")
CHANGES = (
    by_writer, by_writer, by_another_program, by_another_program, torn, edited, cut_and_grown_back,
    replaced_by_one_of_the_same_size,
)  # fmt: skip
MODULES = tuple(
    f"sentimon.logbook.rollup.{name}" for name in ("store", "refresh", "entries", "index", "sums", "units")
)


def small_cache(real: Callable[..., None]) -> Callable[..., None]:
    """Let SQLite write pages while a change is still going on, as it does with a large index."""

    def begin(self: Store, path: Path | None) -> None:
        real(self, path)
        self.connection.execute("PRAGMA cache_size = 2")

    return begin


def told(change: Callable[[Store], Any], state: memoryview) -> Callable[[Store], Any]:
    """Note in `state` that a change has begun, and that it is kept."""

    @contextlib.contextmanager
    def changing(self: Store) -> Iterator[None]:
        with change(self):
            state[0] = 1
            yield
            state[0] = 2
        state[0] = 3

    return changing


def early(chance: random.Random, most: int) -> int:
    """A number up to `most`, more often a low one."""
    return 1 + int(most * chance.random() ** 2)


def ask_to_be_killed(
    folder: Path, kind: str, chance: random.Random, state: memoryview, seconds: float
) -> None:
    """Ask, with a death somewhere ahead; without it, that takes so many seconds, about."""
    begin, change = Store.__init__, Store.changing
    if chance.randrange(2):
        begin = small_cache(begin)
    if kind == "step":
        # After so many steps of SQLite's own machine.
        left = [early(chance, 5000)]
        begin = counting_steps(begin, left)
    with mock.patch.object(Store, "__init__", begin), mock.patch.object(Store, "changing", told(change, state)):
        if kind == "timer":
            signal.setitimer(signal.ITIMER_REAL, max(1e-6, seconds * chance.random()))
        if kind == "write":
            # By SQLite's write beyond that byte of whatever file.
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            limit = int(chance.choice([300, 4500, 9000, chance.uniform(512, 40_000)]))
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        index_of(folder).ask(everything)


def counting_steps(real: Callable[..., None], left: list[int]) -> Callable[..., None]:
    def step() -> int:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0

    def begin(self: Store, path: Path | None) -> None:
        real(self, path)
        self.connection.set_progress_handler(step, 1)

    return begin


def kill_again_and_again(place: str) -> None:
    chance, state = random.Random(26), memoryview(mmap.mmap(-1, 1)).cast("B")
    killed, during, hot, seconds = Counter[str](), Counter[int](), 0, 0.01
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for group in range(ROUNDS // ROUNDS_A_FOLDER):
        folder = Path(place, str(group))
        folder.mkdir()
        with small_sizes(bulk=False):
            for number in range(ROUNDS_A_FOLDER):
                for step in chance.sample(CHANGES, 2):
                    step(folder, chance)
                LogWriter(folder, LogSettings()).append(some_rows(number, 30), now=START)
                kind, state[0] = KINDS[number % len(KINDS)], 0
                work = partial(ask_to_be_killed, folder, kind, random.Random(chance.random()), state, seconds)
                if kind == "line":
                    died = killed_at(early(chance, 20_000), work, *MODULES)
                else:
                    status = os.waitstatus_to_exitcode(os.waitpid(forked(work), 0)[1])
                    assert status in (0, -signal.SIGKILL, -signal.SIGALRM, -signal.SIGXFSZ)
                    died = status != 0
                killed[kind] += died
                during[state[0] if died else -1] += 1
                hot += (folder / ".sentimon" / "rollup.sqlite-journal").exists()
                begun = time.monotonic()
                check(folder)
                seconds = time.monotonic() - begun
                check(folder, index_of(folder, run=nothing_is_read))
    print(killed, during, hot, file=sys.stdout)
    # Not a test of nothing: all kinds of death, before a change, in it, as it is being kept, and after.
    assert all(killed[kind] >= ROUNDS // 12 for kind in KINDS), killed
    assert all(during[moment] >= 2 for moment in (0, 1, 2, 3)), during
    assert hot >= 5, hot


def test_killed_at_any_of_96_points_the_index_is_as_good_as_none(tmp_path: Path) -> None:
    in_new_process(kill_again_and_again, str(tmp_path))
