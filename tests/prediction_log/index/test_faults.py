"""The law of the index in bad times: killed programs, company, damage, no room, no permission.

Real processes, forked by one that pytest starts, for pytest's own has threads.
"""

from __future__ import annotations

import contextlib
import gzip
import json
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
from datetime import UTC, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock
from zlib import crc32
from zoneinfo import ZoneInfo

import msgspec
import pytest

from sentimon.config.settings import LogSettings
from sentimon.engine.local_processes import run_units
from sentimon.errors import StoreError
from sentimon.prediction_log import rotation
from sentimon.prediction_log.append_chain import FileState
from sentimon.prediction_log.folder import LIVE_FILE, list_files, sealed_files
from sentimon.prediction_log.index import indexed_files, log_index, period_sums, refresh, scan, sqlite_store
from sentimon.prediction_log.index.log_index import LogIndex, index_paths
from sentimon.prediction_log.index.period_sums import PeriodSums
from sentimon.prediction_log.index.sqlite_store import IndexStore, remove_index
from sentimon.prediction_log.index.verification import index_damage
from sentimon.prediction_log.reader import read_log
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.slice_fields import SliceField
from sentimon.prediction_log.slices import GrowingSlices, Slices
from sentimon.prediction_log.summary import Summary, summarise
from sentimon.prediction_log.windows import Calendar, Period, Window, summarise_windows
from sentimon.prediction_log.writer import LogWriter
from sentimon.scoring.scores import SCALE
from tests.conftest import clean_environment
from tests.support.faults import forked, in_new_process, killed_at
from tests.support.log_histories import (
    NOW,
    ROME,
    by_another_program,
    by_writer,
    cut_and_grown_back,
    edited,
    lines,
    replaced_by_one_of_the_same_size,
    small_sizes,
    torn,
)
from tests.support.processes import HOURS, children_of, has_ended, wait_until
from tests.support.rows import START, record, records, written
from tests.support.rows import lines as lines_of

NOBODY = 65534
WITHIN = Period(since=START + timedelta(minutes=70), until=START + timedelta(minutes=2999))
BY_DAY = Calendar.of("6h", ROME)
BY_HOUR = Calendar.of("1h", UTC)
Windows = tuple[list[Window], Summary]
Answers = tuple[Summary, Summary, Windows, Windows, list[tuple[str, Summary]]]


LENGTH = SliceField("@length")


def everything(sums: PeriodSums) -> Answers:
    """What the commands ask for, in one question."""
    return (
        sums.summary(Period()),
        sums.summary(WITHIN),
        sums.windows(WITHIN, BY_DAY, now=NOW),
        sums.windows(Period(), BY_HOUR, now=NOW),
        [(file.path.name, summary) for file, summary in sums.by_file()],
        sums.slices(Period(), LENGTH),
    )


def nothing_is_read(function: object, units: Sequence[object]) -> list[Any]:
    """A way to read that may not be used."""
    assert not units, "what is known is read again"
    return []


def index_of(
    folder: Path, *, run: Any = map, zone: Any = UTC, paths: Sequence[Path] | None = None
) -> LogIndex:
    place = folder / ".sentimon" / "rollup.sqlite"
    return LogIndex(
        folder=folder,
        zone=zone,
        now=NOW,
        run=run,
        paths=[place] if paths is None else paths,
        fields=(LENGTH.name,),
    )


def scanned(folder: Path) -> tuple[Summary, Summary, Windows, Windows]:
    """The answers of the files alone."""
    return truth(folder)[0]


def truth(folder: Path) -> tuple[tuple[Summary, Summary, Windows, Windows], Slices]:
    """The answers of the files alone, and their slices; the same files are read once."""
    content = crc32(str(folder).encode(errors="surrogateescape"))
    for file in list_files(folder):
        content = crc32(file.path.name.encode() + b"\0" + file.path.read_bytes(), content)
    if content not in _TRUTHS:
        _TRUTHS.clear()
        _TRUTHS[content] = read_alone(folder)
    return _TRUTHS[content]


_TRUTHS: dict[int, tuple[tuple[Summary, Summary, Windows, Windows], Slices]] = {}


def read_alone(folder: Path) -> tuple[tuple[Summary, Summary, Windows, Windows], Slices]:
    read = list(read_log(folder, zone=UTC))
    windows = summarise_windows(read, BY_HOUR, now=NOW)
    inside = summarise_windows(WITHIN.select(read), BY_DAY, now=NOW)
    slices = GrowingSlices()
    for row in read:
        if isinstance(row, PredictionRecord):
            confidence = None if row.confidence is None else round(row.confidence * SCALE)
            slices.add(LENGTH.value(row, {}), row.sentiment, confidence)
    return (windows[1], inside[1], inside, windows), slices.slices()


def check(folder: Path, index: LogIndex | None = None) -> None:
    """The index says what the files say, in all its answers."""
    found = (index or index_of(folder)).ask(everything)
    answers, slices = truth(folder)
    assert found[:4] == answers
    assert found[5] == slices
    total = Summary()
    for _, one in found[4]:
        total += one
    assert total == found[0]


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


def rows(negative: int, neutral: int, positive: int) -> str:
    """So many rows of each class, as our program writes them."""
    return lines_of(one.to_dict() for one in records(negative, neutral, positive))


def log_in(folder: Path, count: int = 400, *, megabytes: int = 1) -> LogWriter:
    """A log of several sealed files and a live one, with bad lines and a torn one."""
    with mock.patch.object(rotation, "MEGABYTE", 12_000):
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
KINDS = ("timer", "line", "step", "write", "timer", "commit")
CHANGES = (
    by_writer, by_writer, by_another_program, by_another_program, torn, edited, cut_and_grown_back,
    replaced_by_one_of_the_same_size,
)  # fmt: skip
MODULES = tuple(one.__name__ for one in (sqlite_store, refresh, indexed_files, log_index, period_sums, scan))


def small_cache(real: Callable[..., None]) -> Callable[..., None]:
    """Let SQLite write pages while a change is still going on, as it does with a large index."""

    def begin(self: IndexStore, path: Path | None) -> None:
        real(self, path)
        self.connection.execute("PRAGMA cache_size = 2")

    return begin


def told(
    change: Callable[[IndexStore], Any], state: memoryview, seconds: float
) -> Callable[[IndexStore], Any]:
    """Note in `state` that a change has begun, that it is being kept, and that it is.

    Let the process die so many seconds after it begins to be kept; 0: not for this.
    """

    @contextlib.contextmanager
    def changing(self: IndexStore) -> Iterator[None]:
        with change(self):
            state[0] = 1
            yield
            state[0] = 2
            if seconds:
                signal.setitimer(signal.ITIMER_REAL, seconds)
        state[0] = 3

    return changing


def early(chance: random.Random, most: int) -> int:
    """A number up to `most`, more often a low one."""
    return 1 + int(most * chance.random() ** 2)


def ask_to_be_killed(
    folder: Path, kind: str, chance: random.Random, state: memoryview, seconds: float
) -> None:
    """Ask, with a death somewhere ahead; without it, that takes so many seconds, about."""
    begin, change = IndexStore.__init__, IndexStore.changing
    if chance.randrange(2):
        begin = small_cache(begin)
    if kind == "step":
        # After so many steps of SQLite's own machine.
        left = [early(chance, 5000)]
        begin = counting_steps(begin, left)
    change = told(change, state, 10 ** chance.uniform(-5.3, -2.7) if kind == "commit" else 0)
    with mock.patch.object(IndexStore, "__init__", begin), mock.patch.object(IndexStore, "changing", change):
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

    def begin(self: IndexStore, path: Path | None) -> None:
        real(self, path)
        self.connection.set_progress_handler(step, 1)

    return begin


def kill_again_and_again(place: str, seed: int = 26) -> None:
    chance, state = random.Random(seed), memoryview(mmap.mmap(-1, 1)).cast("B")
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
    # Not a test of nothing: all kinds of death, before a change, in it, as it is being kept, and after.
    assert all(killed[kind] >= ROUNDS // 16 for kind in KINDS), killed
    assert min(during[0], during[1], during[2] + during[3]) >= 5, during
    assert hot >= 5, hot


def test_killed_at_any_of_96_points_the_index_is_as_good_as_none(tmp_path: Path) -> None:
    in_new_process(kill_again_and_again, str(tmp_path))


# Programs that read for it, killed


def read_in_company(run: Any, function: Any, units: Sequence[Any]) -> Iterator[Any]:
    """Read in three processes, each unit slowly enough to be disturbed."""

    def slowly(unit: Any) -> Any:
        time.sleep(0.003)
        return function(unit)

    return run(run_units(slowly, units, workers=3))  # type: ignore[no-any-return]


def read_while_they_die(place: str) -> None:
    chance, folder, killed = random.Random(5), Path(place), 0

    def dying(results: Iterator[Any]) -> Iterator[Any]:
        nonlocal killed
        for parts in results:
            for worker in children_of(os.getpid()):
                if chance.random() < 0.15:
                    killed += 1
                    os.kill(worker, chance.choice([signal.SIGKILL, signal.SIGTERM]))
            yield parts

    with small_sizes(bulk=False):
        for number in range(8):
            LogWriter(folder, LogSettings()).append(some_rows(number, 60), now=START)
            by_another_program(folder, chance)
            check(folder, index_of(folder, run=partial(read_in_company, dying)))
            assert not children_of(os.getpid())
            check(folder, index_of(folder, run=nothing_is_read))
    assert killed > 10


def test_what_the_dead_did_not_read_is_read_by_the_one_who_asked(tmp_path: Path) -> None:
    in_new_process(read_while_they_die, str(tmp_path))


def die_while_they_read(place: str) -> None:
    folder = Path(place)
    with small_sizes(bulk=False):
        log_in(folder, 200)
        for number in range(6):
            hear, tell = os.pipe()

            def telling(results: Iterator[Any], tell: int = tell, number: int = number) -> Iterator[Any]:
                for place, parts in enumerate(results):
                    yield parts
                    if place == number:
                        os.write(tell, b" ".join(b"%d" % child for child in children_of(os.getpid())))
                        # Until it is killed.
                        time.sleep(HOURS)

            index = index_of(folder, run=partial(read_in_company, telling))
            asking = forked(partial(index.ask, everything))
            os.close(tell)
            workers = {int(one) for one in os.read(hear, 1000).split()}
            assert len(workers) == 3
            os.kill(asking, signal.SIGKILL)
            assert os.waitstatus_to_exitcode(os.waitpid(asking, 0)[1]) == -signal.SIGKILL
            wait_until(lambda workers=workers: all(has_ended(worker) for worker in workers))
            os.close(hear)
        # Nothing was kept of what they read, and nothing is wrong.
        check(folder)


def test_those_who_read_end_with_the_one_who_asked(tmp_path: Path) -> None:
    in_new_process(die_while_they_read, str(tmp_path))


def program(*arguments: object, **environment: str) -> subprocess.Popen[bytes]:
    """The real program, with its answers in pipes and its processes in a group of their own."""
    return subprocess.Popen(
        [sys.executable, "-m", "sentimon", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environment(Path.home()) | environment,
        start_new_session=True,
    )


def test_ctrl_c_while_a_long_log_is_read(tmp_path: Path) -> None:
    folder = written(tmp_path / "logs", rows(3, 4, 5))
    assert program("metrics", "--logs", folder).communicate()[1] == b""
    live = folder / LIVE_FILE
    short = live.read_bytes()
    # Rows that take their time, as their timestamps name no zone.
    block = "".join(f"{one}\n" for one in rows(5, 5, 5).replace("Z", "").splitlines()).encode() * 100
    with live.open("ab") as file:
        for _ in range(5 * 17_000_000 // len(block)):
            file.write(block)
    long = live.stat().st_size
    with program("metrics", "--logs", folder, SENTIMON_ENGINE__WORKERS="2") as asking:
        wait_until(lambda: len(children_of(asking.pid)) == 2)
        workers = children_of(asking.pid)
        # As a terminal does it: all of them at once.
        os.killpg(asking.pid, signal.SIGINT)
        assert asking.communicate() == (b"", b"")
        assert asking.returncode == 130
    wait_until(lambda: all(has_ended(worker) for worker in workers))
    with contextlib.closing(sqlite3.connect(folder / ".sentimon" / "rollup.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    os.truncate(live, len(short) + len(block) // 100)
    assert live.stat().st_size < long
    answers = []
    for index in ("true", "false"):
        with program("logs", "status", "--logs", folder, "--json", SENTIMON_LOGS__INDEX=index) as asking:
            answers.append(asking.communicate())
    # Where the index is kept is all that differs.
    with_it, without_it = (json.loads(out) | {"index": None} for out, _ in answers)
    assert with_it == without_it
    assert with_it["files"][0]["rows"] == 27
    assert [err for _, err in answers] == [b"", b""]


# In company

READERS, BATCHES, BATCH = 4, 80, 12


def questions_of(reader: int) -> tuple[Period, Calendar]:
    """Each reader has its own."""
    since = (None, START + timedelta(minutes=61), None, START + timedelta(hours=3))[reader]
    until = (None, None, START + timedelta(minutes=2900), START + timedelta(hours=40, minutes=1))[reader]
    zone = (UTC, ROME)[reader % 2]
    return Period(since=since, until=until), Calendar.of(("1d", "15m", "6h", "1h")[reader], zone)


def ask_in_company(folder: Path, reader: int, old: list[Any], log: list[Any], counts: memoryview) -> None:
    parent = os.getppid()
    period, calendar = questions_of(reader)
    rows_before = sum(isinstance(one, PredictionRecord) for one in old)
    run = partial(run_units, workers=2) if reader % 2 else map

    def question(sums: PeriodSums) -> tuple[Summary, Summary, tuple[list[Window], Summary], int]:
        files = sums.by_file()
        return (
            sums.summary(Period()),
            sums.summary(period),
            sums.windows(period, calendar, now=NOW),
            sum(one.count for _, one in files),
        )

    last = False
    while not last:
        assert os.getppid() == parent
        last, least = bool(counts[2]), counts[1]
        whole, part, windows, by_file = index_of(folder, run=run).ask(question)
        number = whole.count - rows_before
        assert least <= number <= counts[0]
        assert number % BATCH == 0, "half of a batch"
        prefix = old + log[:number]
        assert by_file == whole.count
        assert whole == summarise(prefix)
        assert part == summarise(period.select(prefix))
        assert windows == summarise_windows(period.select(prefix), calendar, now=NOW)
        counts[3 + reader] += 1


def remove_now_and_then(place: Path, counts: memoryview) -> None:
    chance, parent = random.Random(3), os.getppid()
    while not counts[2] and os.getppid() == parent:
        time.sleep(chance.uniform(0, 0.08))
        with contextlib.suppress(FileNotFoundError):
            place.unlink()
            counts[3 + READERS] += 1
            if chance.randrange(2):
                place.with_name(place.name + "-journal").unlink()


def all_at_once(place: str) -> None:
    folder, log = Path(place, "logs"), some_rows(0, BATCHES * BATCH)
    LogWriter(Path(place, "alone"), LogSettings()).append(log, now=START)
    # As they are read: rounded.
    read = list(read_log(Path(place, "alone"), zone=UTC))
    packed = gzip.compress((rows(5, 6, 7) + "nonsense\n").encode())
    written(folder, packed, "predictions-20200101T000000Z.jsonl.gz")
    old = list(read_log(folder, zone=UTC))
    counts = memoryview(mmap.mmap(-1, 8 * (4 + READERS))).cast("q")
    with mock.patch.object(rotation, "MEGABYTE", 20_000):
        others = {
            forked(partial(ask_in_company, folder, reader, old, read, counts)) for reader in range(READERS)
        }
        others.add(forked(partial(remove_now_and_then, folder / ".sentimon" / "rollup.sqlite", counts)))
        writer = LogWriter(folder, LogSettings(rotate_megabytes=1))
        for first in range(0, len(log), BATCH):
            counts[0] = first + BATCH
            writer.append(log[first : first + BATCH], now=START)
            counts[1] = first + BATCH
            # Not so fast that the readers see nothing of it.
            while sum(counts[3 : 3 + READERS]) < first // BATCH and not any_ended(others):
                time.sleep(0.001)
        counts[2] = 1
    assert {os.waitstatus_to_exitcode(os.waitpid(one, 0)[1]) for one in others} == {0}
    assert min(counts[3 : 3 + READERS]) > 3, list(counts)
    assert counts[3 + READERS] > 3, list(counts)
    assert len([one for one in sealed_files(folder) if one.suffix == ".zst"]) > 4
    check(folder)


def any_ended(processes: Iterable[int]) -> bool:
    return any(has_ended(one) for one in processes)


def test_four_readers_a_writer_and_one_who_removes_the_index(tmp_path: Path) -> None:
    in_new_process(all_at_once, str(tmp_path))


def test_an_answer_is_of_one_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_store, "PATIENCE_SECONDS", 0.05)
    writer = log_in(tmp_path)

    def meanwhile(change: Callable[[], object]) -> None:
        change()
        index_of(tmp_path).ask(everything)

    def seal() -> None:
        (tmp_path / LIVE_FILE).rename(tmp_path / "predictions-20990101T000000Z.jsonl")

    def remove() -> None:
        sealed_files(tmp_path)[0].unlink()

    for change in (lambda: writer.append(some_rows(0, 50), now=START), seal, remove):
        before = scanned(tmp_path)

        def question(sums: PeriodSums, change: Any = change) -> tuple[Summary, Summary]:
            one = sums.summary(Period())
            apart(partial(meanwhile, change))
            return one, sums.summary(Period())

        assert index_of(tmp_path).ask(question) == (before[0], before[0])
        check(tmp_path)


def test_a_change_by_another_program_between_ours_and_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, changes = IndexStore.hold_snapshot, [1, 0]
    log_in(tmp_path)

    def late(self: IndexStore) -> None:
        if self.connection.total_changes and changes.pop(0):
            with (tmp_path / LIVE_FILE).open("ab") as file:
                file.write(b"\nbad\n" + rows(3, 2, 1).encode())
            apart(partial(index_of(tmp_path).ask, everything))
        real(self)

    monkeypatch.setattr(IndexStore, "hold_snapshot", late)
    check(tmp_path)
    assert changes == [0], "nobody came in between"


def test_an_index_removed_while_it_is_used_is_made_anew_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(tmp_path / "logs")
    place, cache = index_paths(tmp_path / "logs", tmp_path / "cache")
    real, removed = refresh.list_snapshots, []

    def removing(folder: Path, **options: Any) -> Any:
        if not removed:
            removed.append(place.unlink())
        return real(folder, **options)

    monkeypatch.setattr(refresh, "list_snapshots", removing)
    check(tmp_path / "logs", index_of(tmp_path / "logs", paths=[place, cache]))
    assert place.exists()
    assert not cache.exists()


def hold(place: Path, kind: str) -> sqlite3.Connection:
    """Another program at work on the index."""
    connection = sqlite3.connect(place.absolute(), isolation_level=None)
    connection.execute(f"BEGIN {kind}")
    if kind == "EXCLUSIVE":
        connection.execute("PRAGMA user_version = 2")
    return connection


def ask_while_it_is_held(place: str, kind: str) -> None:
    folder = Path(place)
    sqlite_store.PATIENCE_SECONDS = 0.01
    log_in(folder)
    at_rest(folder)
    check(folder)
    begins: list[int] = []

    def run(function: Any, units: Sequence[Any]) -> Any:
        begins.extend(unit.begin for unit in units)
        return map(function, units)

    with contextlib.closing(hold(folder / ".sentimon" / "rollup.sqlite", kind)):
        if kind == "IMMEDIATE":
            check(folder, index_of(folder, run=nothing_is_read))
        by_another_program(folder, random.Random(2))
        check(folder, index_of(folder, run=run))
    # What the other program has kept so far is used, where it can be read.
    assert all(begins) == (kind == "IMMEDIATE")
    check(folder)


@pytest.mark.parametrize("kind", ["IMMEDIATE", "EXCLUSIVE"])
def test_another_program_that_is_long_at_it_or_stopped_is_not_waited_for(tmp_path: Path, kind: str) -> None:
    in_new_process(ask_while_it_is_held, str(tmp_path), kind, timeout=60)


def test_a_second_index_in_one_program_takes_no_lock_away(tmp_path: Path) -> None:
    log_in(tmp_path)
    check(tmp_path)
    place = tmp_path / ".sentimon" / "rollup.sqlite"

    def is_locked() -> None:
        other = sqlite3.connect(place, timeout=0, isolation_level=None)
        with contextlib.closing(other), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")

    with contextlib.closing(IndexStore(place)) as one, one.changing():
        IndexStore(place).close()
        apart(is_locked)


# Places


def as_nobody(work: Callable[[], object]) -> None:
    """Do `work` in a process that may not write where it is told not to, as root always may."""

    def dropped() -> None:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        work()

    apart(dropped)


@contextlib.contextmanager
def only_read(*folders: Path) -> Iterator[None]:
    """Nothing may be written in those folders, and all files be read."""
    for folder in folders:
        for path in folder.iterdir():
            mode = path.stat().st_mode
            if mode & 0o444 != 0o444:
                path.chmod(mode | 0o444)
        folder.chmod(0o555)
    yield
    for folder in folders:
        folder.chmod(0o755)


def ask_where_nothing_may_be_written(place: str) -> None:
    logs, cache, full = (Path(place, name) for name in ("logs", "cache", "full"))
    log_in(logs)
    at_rest(logs)
    for folder in (cache, full):
        folder.mkdir()
    cache.chmod(0o777)
    beside, cached = index_paths(logs, cache / "sentimon")
    nowhere = index_paths(logs, full / "sentimon")[1]

    def ask(expected: object, run: Any, *ways: Sequence[Path]) -> None:
        for places in ways:
            assert index_of(logs, paths=places, run=run).ask(everything)[:4] == expected

    with only_read(logs, beside.parent, full):
        expected = scanned(logs)
        as_nobody(partial(ask, expected, map, [beside, nowhere], [beside], [], [beside, cached]))
        assert (beside.exists(), list(full.iterdir())) == (False, [])
        assert stat.S_IMODE(cached.stat().st_mode) == 0o600
        as_nobody(partial(ask, expected, nothing_is_read, [beside, cached]))
    # An index of another user's is read, where he lets us, for as long as it says everything.
    cached.unlink()
    check(logs)
    with only_read(logs, beside.parent, full):
        as_nobody(partial(ask, expected, nothing_is_read, [beside, cached], [beside]))
        assert not cached.exists()
    with (logs / LIVE_FILE).open("ab") as file:
        file.write(b"\n" + rows(1, 1, 1).encode())
    at_rest(logs)
    with only_read(logs, beside.parent, full):
        expected = scanned(logs)
        as_nobody(partial(ask, expected, map, [beside, cached], [beside, nowhere], [beside]))
        as_nobody(partial(ask, expected, nothing_is_read, [beside, cached]))


def test_a_log_that_may_only_be_read_has_its_index_in_the_cache_or_none() -> None:
    # Not below the folder that pytest keeps to itself.
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        in_new_process(ask_where_nothing_may_be_written, place)


def test_a_file_in_the_way_of_the_folder(tmp_path: Path) -> None:
    written(tmp_path / "logs", rows(3, 2, 1) + "bad\n")
    (tmp_path / "logs" / ".sentimon").write_bytes(b"")
    at_rest(tmp_path / "logs")
    places = index_paths(tmp_path / "logs", tmp_path / "cache")
    for run in (map, nothing_is_read):
        check(tmp_path / "logs", index_of(tmp_path / "logs", paths=places, run=run))
    assert (tmp_path / "logs" / ".sentimon").read_bytes() == b""
    (tmp_path / "in-the-way").write_bytes(b"")
    places = index_paths(tmp_path / "logs", tmp_path / "in-the-way")
    check(tmp_path / "logs", index_of(tmp_path / "logs", paths=places))


def test_links_to_the_folder_and_to_the_live_file(tmp_path: Path) -> None:
    log_in(tmp_path / "real")
    (tmp_path / "real" / LIVE_FILE).rename(tmp_path / "elsewhere.jsonl")
    (tmp_path / "real" / LIVE_FILE).symlink_to(tmp_path / "elsewhere.jsonl")
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    at_rest(tmp_path / "real")
    assert index_paths(tmp_path / "link", tmp_path)[1] == index_paths(tmp_path / "real", tmp_path)[1]
    for run in (map, nothing_is_read):
        check(tmp_path / "link", index_of(tmp_path / "link", run=run))
    with (tmp_path / "elsewhere.jsonl").open("ab") as file:
        file.write(b"\n" + rows(1, 2, 3).encode())
    check(tmp_path / "link")
    # Another file under the same name.
    (tmp_path / "other.jsonl").write_text(rows(7, 0, 0))
    (tmp_path / "real" / LIVE_FILE).unlink()
    (tmp_path / "real" / LIVE_FILE).symlink_to(tmp_path / "other.jsonl")
    check(tmp_path / "link")
    # Away, its rows are not just no rows.
    (tmp_path / "other.jsonl").unlink()
    with pytest.raises(StoreError, match="which is not there"):
        index_of(tmp_path / "link").ask(everything)


def test_a_link_to_itself_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    places = index_paths(tmp_path / "loop", tmp_path)
    with pytest.raises(StoreError, match="no such folder"):
        index_of(tmp_path / "loop", paths=places).ask(everything)


NAMES = (
    b"with space", b"quo'te", b'quo"te', b"per%41cent", b"%", b"question?mode=ro", b"ha#sh",
    b"non\xff\xfeutf8", b"file:x?mode=memory", b":memory:", b"-dash", b"new\nline", b"back\\slash",
    b"a;b&c=d", "perché 😀".encode(),
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=repr)
@pytest.mark.parametrize("relative", [True, False])
def test_a_folder_may_have_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: bytes, relative: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sqlite_store, "PATIENCE_SECONDS", 0.01)
    folder = Path(os.fsdecode(name)) if relative else tmp_path / os.fsdecode(name)
    log_in(folder, 60)
    at_rest(folder)
    for run in (map, nothing_is_read):
        check(folder, index_of(folder, run=run))
    # Also where it is copied, for which it is named as a URI.
    with contextlib.closing(hold(folder / ".sentimon" / "rollup.sqlite", "IMMEDIATE")):
        os.utime(folder / LIVE_FILE, (1, 1))
        check(folder, index_of(folder, run=nothing_is_read))
    assert [os.fsencode(path.name) for path in tmp_path.iterdir()] == [name]
    assert (folder / ".sentimon" / "rollup.sqlite").exists()


def test_a_path_too_long_for_sqlite_is_kept_in_the_cache(tmp_path: Path) -> None:
    folder = tmp_path / ("a" * 250) / ("b" * 250)
    log_in(folder, 60)
    at_rest(folder)
    places = index_paths(folder, tmp_path / "cache")
    for run in (map, nothing_is_read):
        check(folder, index_of(folder, run=run, paths=places))


def test_nobody_else_may_read_the_index(tmp_path: Path) -> None:
    def look(function: Any, units: Sequence[Any]) -> Iterator[Any]:
        yield from map(function, units)
        seen.update({path: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("rollup*")})

    seen: dict[Path, int] = {}
    before = os.umask(0)
    try:
        log_in(tmp_path / "logs")
        with mock.patch.object(IndexStore, "__init__", small_cache(IndexStore.__init__)):
            for place in index_paths(tmp_path / "logs", tmp_path / "cache"):
                check(tmp_path / "logs", index_of(tmp_path / "logs", paths=[place], run=look))
    finally:
        os.umask(before)
    assert {path.name for path in seen} == {"rollup.sqlite", "rollup.sqlite-journal"}
    assert set(seen.values()) == {0o600}


# Damage


def damaged(place: Path, content: bytes) -> None:
    place.unlink(missing_ok=True)
    place.write_bytes(content)


FLIPS = 100


def test_a_byte_that_flips_anywhere_is_noticed_or_without_effect(tmp_path: Path) -> None:
    log_in(tmp_path)
    at_rest(tmp_path)
    chance, place = random.Random(9), tmp_path / ".sentimon" / "rollup.sqlite"
    expected = index_of(tmp_path).ask(everything)
    assert expected[:4] == scanned(tmp_path)
    good, noticed = place.read_bytes(), 0
    for _ in range(FLIPS):
        content = bytearray(good)
        change = chance.choice([1 << chance.randrange(8), chance.randrange(1, 256)])
        content[chance.randrange(len(good))] ^= change
        damaged(place, bytes(content))
        assert index_of(tmp_path).ask(everything) == expected
        noticed += place.read_bytes() != content
    assert noticed > FLIPS // 5


def cells_of(place: Path) -> int:
    with contextlib.closing(sqlite3.connect(place)) as connection:
        return int(connection.execute("SELECT count(*) FROM cell").fetchone()[0])


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entry SET total = (SELECT total FROM entry ORDER BY number DESC) WHERE number = 1",
        "UPDATE entry SET content = (SELECT content FROM entry ORDER BY number DESC) WHERE number = 1",
        "UPDATE entry SET total = NULL WHERE number = 1",
        "UPDATE entry SET content = 7 WHERE number = 1",
        "DELETE FROM entry WHERE number = (SELECT max(number) FROM entry)",
        "DELETE FROM entry",
        "DELETE FROM cell WHERE hour = (SELECT min(hour) FROM cell)",
        "DELETE FROM cell WHERE entry = 2",
        "DELETE FROM cell",
        "UPDATE cell SET content = (SELECT content FROM cell ORDER BY hour DESC, entry) WHERE entry = 1",
        "UPDATE cell SET hour = hour + 1000 WHERE entry = 2",
        "UPDATE cell SET hour = hour + 1000 WHERE entry = 2 AND width = 1",
        "DELETE FROM cell WHERE entry = 2 AND width > 1",
        "DELETE FROM cell WHERE entry = 2 AND width = 1",
        "UPDATE cell SET content = 'text' WHERE entry = 2",
        "UPDATE cell SET content = x'' WHERE entry = 2",
        "INSERT INTO cell SELECT entry, width, hour + 96000, content FROM cell WHERE entry = 2",
        "DELETE FROM slices",
        "DELETE FROM slices WHERE hour = (SELECT min(hour) FROM slices)",
        "UPDATE slices SET content = (SELECT content FROM slices ORDER BY hour DESC, entry) WHERE entry = 1",
        "UPDATE slices SET hour = hour + 1000 WHERE entry = 2",
        "UPDATE slices SET field = '@script'",
        "UPDATE slices SET content = 7",
        "DROP TABLE slices",
        "DROP TABLE cell",
        "DROP TABLE entry",
        "ALTER TABLE entry RENAME COLUMN total TO other",
        "PRAGMA user_version = 99",
        "PRAGMA user_version = 0",
    ],
)
def test_rows_that_are_gone_or_of_another_place_are_noticed(tmp_path: Path, change: str) -> None:
    log_in(tmp_path, 160)
    at_rest(tmp_path)
    place = tmp_path / ".sentimon" / "rollup.sqlite"
    check(tmp_path)
    cells = cells_of(place)
    with contextlib.closing(sqlite3.connect(place)) as connection:
        connection.execute(change)
        connection.commit()
    check(tmp_path)
    check(tmp_path, index_of(tmp_path, run=nothing_is_read))
    assert cells_of(place) == cells


def test_an_old_state_of_some_rows_is_noticed(tmp_path: Path) -> None:
    """As a power cut may leave it: each row was good once."""
    writer, place = log_in(tmp_path), tmp_path / ".sentimon" / "rollup.sqlite"
    check(tmp_path)
    before = tmp_path / "before"
    shutil.copyfile(place, before)
    writer.append(some_rows(0, 200), now=START)
    at_rest(tmp_path)
    check(tmp_path)
    after = place.read_bytes()
    for table in ("cell", "entry", "slices"):
        damaged(place, after)
        with contextlib.closing(sqlite3.connect(place)) as connection:
            connection.execute("ATTACH ? AS old", [str(before)])
            connection.execute(f"INSERT OR REPLACE INTO {table} SELECT * FROM old.{table}")
            connection.commit()
        check(tmp_path)


def test_an_index_of_a_later_program_makes_room_for_ours(tmp_path: Path) -> None:
    log_in(tmp_path)
    at_rest(tmp_path)
    place = tmp_path / ".sentimon" / "rollup.sqlite"
    place.parent.mkdir(exist_ok=True)
    with contextlib.closing(sqlite3.connect(place)) as connection:
        connection.executescript(
            "CREATE TABLE entry (a); INSERT INTO entry VALUES (1); CREATE VIEW cell AS SELECT 1 AS hour;"
            "CREATE TABLE more (b); PRAGMA user_version = 99"
        )
    check(tmp_path)
    check(tmp_path, index_of(tmp_path, run=nothing_is_read))
    # Also one whose tables are called the same, and mean something else.
    with contextlib.closing(IndexStore(place)) as later:
        with later.changing():
            entry = later.entries()[0]
            total = later.total(entry.number)
            total.add_model(("of another meaning", None), 1)
            later.put_entry(entry, total)
        later.connection.execute("PRAGMA user_version = 99")
    check(tmp_path)


def test_a_file_that_is_no_index_or_a_part_of_one(tmp_path: Path) -> None:
    log_in(tmp_path)
    at_rest(tmp_path)
    chance, place = random.Random(4), tmp_path / ".sentimon" / "rollup.sqlite"
    check(tmp_path)
    good = place.read_bytes()
    cuts = [1, 16, 100, 4095, 4096, 4097, 8192, len(good) - 4096, len(good) - 1]
    for content in (
        b"", b"no index at all", chance.randbytes(10_000), good[:100] + chance.randbytes(len(good)),
        good + chance.randbytes(5000), good[4096:], good.replace(b"TABLE cell", b"T\xffBLE c\xfell"),
        *(good[:cut] for cut in cuts),
        *(good[:cut] + bytes(len(good) - cut) for cut in cuts),
        *(good[:at] + good[4096:8192] + good[at + 4096 :] for at in range(0, len(good), 8192)),
    ):  # fmt: skip
        damaged(place, content)
        check(tmp_path)
        check(tmp_path, index_of(tmp_path, run=nothing_is_read))


def test_a_copy_of_the_index_under_a_change_that_was_never_finished(tmp_path: Path) -> None:
    in_new_process(break_the_journal, str(tmp_path))


def break_the_journal(place: str, seed: int = 8) -> None:
    """Half of a change is in the file, and what would take it back is lost or damaged."""
    chance, folder, halves = random.Random(seed), Path(place), 0
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    index = folder / ".sentimon" / "rollup.sqlite"
    journal = index.with_name(index.name + "-journal")
    writer = log_in(folder, 200)
    check(folder)
    for number in range(24):
        writer.append(some_rows(number, 100), now=START)
        before = index.read_bytes()

        def die(before: bytes = before) -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            limit = chance.randrange(4096, len(before) + 4096)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            if chance.randrange(2):
                with mock.patch.object(IndexStore, "__init__", small_cache(IndexStore.__init__)):
                    index_of(folder).ask(everything)
            index_of(folder).ask(everything)

        chance.random()  # The child has drawn from a copy.
        os.waitpid(forked(die), 0)
        halves += index.read_bytes() != before
        if journal.exists():
            content = bytearray(journal.read_bytes())
            match number % 3:
                case 0:
                    journal.unlink()
                case 1:
                    journal.write_bytes(content[: chance.randrange(len(content) + 1)])
                case 2:
                    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
                    journal.write_bytes(content)
        check(folder)
        check(folder, index_of(folder, run=nothing_is_read))
    assert halves > 5


def test_an_index_that_cannot_be_used_is_closed_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(tmp_path)
    place, real, opened = tmp_path / ".sentimon" / "rollup.sqlite", sqlite3.connect, []

    def connect(*given: Any, **named: Any) -> sqlite3.Connection:
        for one in opened:
            with pytest.raises(sqlite3.ProgrammingError, match="closed"):
                one.execute("SELECT 1")
        opened.append(real(*given, **named))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", connect)
    damaged(place, b"no index at all")
    check(tmp_path)
    assert len(opened) == 2


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"
FOREIGN = {
    "a view without an end": [
        "DROP TABLE entry",
        f"CREATE VIEW entry AS {ENDLESS} i AS number, x'00' AS content, x'00' AS total FROM n",
    ],
    "an endless sum": [
        "DROP TABLE entry",
        f"CREATE VIEW entry AS {ENDLESS} sum(i) AS number, x'00' AS content, x'00' AS total FROM n",
    ],
    "another view": [f"CREATE VIEW other AS {ENDLESS} i FROM n"],
    "a trigger": ["CREATE TRIGGER t AFTER INSERT ON cell BEGIN DELETE FROM entry; END"],
    "an index": ["CREATE INDEX i ON entry (content)"],
    "another column": ["ALTER TABLE entry ADD COLUMN more GENERATED ALWAYS AS (hex(content))"],
    "many tables": [f"CREATE TABLE t{number} (a)" for number in range(300)],
}


@pytest.mark.parametrize("what", FOREIGN)
@pytest.mark.parametrize("version", ["ours", "another"])
def test_an_index_with_anything_that_is_not_ours_is_made_anew(
    tmp_path: Path, what: str, version: str
) -> None:
    log_in(tmp_path)
    at_rest(tmp_path)
    check(tmp_path)
    place = tmp_path / ".sentimon" / "rollup.sqlite"
    with contextlib.closing(sqlite3.connect(place, isolation_level=None)) as other:
        for statement in FOREIGN[what]:
            other.execute(statement)
        if version == "another":
            other.execute("PRAGMA user_version = 1")
    if version == "ours":
        assert index_damage(place) == "the index is damaged"
    check(tmp_path)
    check(tmp_path, index_of(tmp_path, run=nothing_is_read))
    with contextlib.closing(sqlite3.connect(place)) as index:
        sqlite_store.check_schema(index)


def test_a_statement_that_does_not_end_is_ended(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "index")) as index:
        patience = sqlite_store.limit_statements(index, tmp_path / "index")
        for _ in range(2):
            patience.begin()
            with pytest.raises(sqlite3.OperationalError, match="interrupted"):
                index.execute(f"{ENDLESS} sum(i) FROM n").fetchall()


def test_an_index_behind_a_link_is_not_written_to(tmp_path: Path) -> None:
    log_in(tmp_path / "logs")
    at_rest(tmp_path / "logs")
    place, cache = index_paths(tmp_path / "logs", tmp_path / "cache")
    (tmp_path / "other.sqlite").write_bytes(b"of somebody else")
    place.symlink_to(tmp_path / "other.sqlite")
    check(tmp_path / "logs", index_of(tmp_path / "logs", paths=[place, cache]))
    assert (tmp_path / "other.sqlite").read_bytes() == b"of somebody else"
    assert place.is_symlink()
    assert cache.exists()


def test_an_index_in_a_folder_behind_a_link_is_neither_made_nor_removed(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    log_in(logs)
    at_rest(logs)
    place, cache = index_paths(logs, tmp_path / "cache")
    shutil.rmtree(place.parent)
    (tmp_path / "other").mkdir()
    place.parent.symlink_to(tmp_path / "other")
    check(logs, index_of(logs, paths=[place, cache]))
    assert cache.exists()
    assert list((tmp_path / "other").iterdir()) == []
    (tmp_path / "other" / place.name).write_bytes(b"of somebody else")
    check(logs, index_of(logs, paths=[place, cache]))
    with pytest.raises(StoreError, match="is a link"):
        remove_index(place)
    assert (tmp_path / "other" / place.name).read_bytes() == b"of somebody else"


@pytest.mark.parametrize("kind", ["a pipe", "a link", "a folder"])
def test_an_index_that_is_no_file_is_named_at_once(tmp_path: Path, kind: str) -> None:
    # SQLite alone would wait for ever for somebody to write into the pipe.
    place = tmp_path / "rollup.sqlite"
    make = {"a pipe": os.mkfifo, "a link": lambda path: path.symlink_to("x"), "a folder": os.mkdir}[kind]
    make(place)
    assert index_damage(place) == ("is a link" if kind == "a link" else "is no regular file")


@pytest.mark.parametrize(
    "what", ["folder", "full folder", "pipe", "dangling link", "device", "link to a folder"]
)
def test_something_else_in_place_of_the_index(tmp_path: Path, what: str) -> None:
    logs = tmp_path / "logs"
    log_in(logs)
    at_rest(logs)
    place, cache = index_paths(logs, tmp_path / "cache")
    match what:
        case "folder":
            place.mkdir()
        case "full folder":
            place.mkdir()
            (place / "file").write_bytes(b"")
        case "pipe":
            os.mkfifo(place)
        case "dangling link":
            place.symlink_to(tmp_path / "not" / "there")
        case "device":
            place.symlink_to("/dev/full")
        case _:
            place.symlink_to(tmp_path)
    for run in (map, nothing_is_read):
        check(logs, index_of(logs, run=run, paths=[place, cache]))
    check(logs, index_of(logs, paths=[place]))


# No room


def ask_without_room(place: str) -> None:
    folder = Path(place)
    writer = log_in(folder)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def ask(limit: int, begin: Any) -> None:
        expected = scanned(folder)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        with mock.patch.object(IndexStore, "__init__", begin):
            assert index_of(folder).ask(everything)[:4] == expected

    index = folder / ".sentimon" / "rollup.sqlite"
    for number, limit in enumerate([0, 1, 100, 4096, 6000, 8192, 20_000, 30_000, 60_000, 90_000]):
        before = index.stat().st_ino if index.exists() else None
        for begin in (IndexStore.__init__, small_cache(IndexStore.__init__)):
            if limit > 50_000 or begin is IndexStore.__init__:
                apart(partial(ask, limit, begin))
        # One that is there is no worse for it.
        assert before in (None, index.stat().st_ino)
        check(folder)
        check(folder, index_of(folder, run=nothing_is_read))
        writer.append(some_rows(number, 50), now=START)
        if number % 3 == 2:
            index.unlink()

    def ask_without_any() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        with mock.patch.object(IndexStore, "__init__", small_cache(IndexStore.__init__)):
            with pytest.raises(StoreError, match="no room for what is read of the log") as caught:
                index_of(folder).ask(everything)
            assert "make room on the disk for temporary files" in str(caught.value.hint)

    apart(ask_without_any)
    check(folder)


def test_without_room_for_the_index_the_answer_is_the_same(tmp_path: Path) -> None:
    in_new_process(ask_without_room, str(tmp_path))


# What the file system does not tell


def test_a_change_within_the_same_tick_of_the_clock_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tick = FileState.of, int(NOW.timestamp()) * 1_000_000_000

    def coarse(status: os.stat_result) -> FileState:
        return msgspec.structs.replace(real(status), modified_ns=tick, changed_ns=tick)

    monkeypatch.setattr(FileState, "of", coarse)
    log_in(tmp_path)
    for old, new in ((b'"negative"', b'"positive"'), (b"T08", b"T09"), (b"nonsense", b"nonsence")):
        check(tmp_path)
        for path in (tmp_path / LIVE_FILE, sealed_files(tmp_path)[-1]):
            content = path.read_bytes()
            with path.open("r+b") as file:
                file.write(content.replace(old, new))
        check(tmp_path)


# Other zones

TIMES = (
    "2026-03-29T02:30:00", "2026-10-25T02:30:00", "2026-07-01T12:00:00", "1980-04-06T01:30:00",
    "1977-04-03T02:30:00", "1944-01-01T00:00:00", "1880-06-01T00:00:00", "2300-07-01T00:00:00",
    "0001-01-01T00:30:00", "9999-12-31T23:30:00",
)  # fmt: skip
ZONES = (
    "UTC", "Europe/Rome", "Europe/Berlin", "Europe/Budapest", "Europe/Brussels", "Europe/Warsaw",
    "America/Los_Angeles", "Africa/Abidjan", "Atlantic/Reykjavik",
)  # fmt: skip


@pytest.mark.parametrize("moment", TIMES)
def test_naive_timestamps_are_read_in_the_zone_that_is_asked_for(tmp_path: Path, moment: str) -> None:
    line = rows(0, 0, 1).replace("2026-09-07T08:00:00Z", moment)
    assert moment in line
    written(tmp_path, line + rows(1, 0, 0))
    at_rest(tmp_path)
    for name in (*ZONES, "UTC"):
        zone = UTC if name == "UTC" else ZoneInfo(name)
        found = index_of(tmp_path, zone=zone).ask(lambda sums: sums.summary(Period()))
        assert found == summarise(read_log(tmp_path, zone=zone)), name
