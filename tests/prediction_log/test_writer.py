"""The writer among others, on full disks, and killed: real processes, forked by one that pytest starts."""

from __future__ import annotations

import errno
import mmap
import os
import resource
import signal
import string
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest

from sentimon.config.settings import LogSettings
from sentimon.errors import StoreError
from sentimon.jsonl import BadLine
from sentimon.prediction_log import rotation
from sentimon.prediction_log.append_chain import FileState, read_append_chain
from sentimon.prediction_log.folder import sealed_files
from sentimon.prediction_log.reader import read_log
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.writer import LogWriter
from tests.support.faults import forked, in_new_process
from tests.support.full_disk import fill_the_disk
from tests.support.rows import START, record

LIVE = "predictions.jsonl"
MOST_CHARACTERS = 65_536
FILLER = "".join(Random(7).choices(string.printable + "è\u2028\x85\N{GRINNING FACE}", k=MOST_CHARACTERS))


def text_of(writer: int, number: int, size: int) -> str:
    """A text of that many characters, which says whose it is and shows by itself whether it is whole."""
    head = f"{writer}:{number}:{size}:"
    return head + FILLER[: size - len(head)]


def batch_of(writer: int, first: int, sizes: list[int]) -> list[PredictionRecord]:
    return [record(0, 0, text=text_of(writer, first + place, size)) for place, size in enumerate(sizes)]


def read(folder: Path) -> tuple[dict[int, list[int]], int]:
    """The numbers of each writer's rows, in the order of the files, and how many lines are bad."""
    numbers: dict[int, list[int]] = defaultdict(list)
    bad = 0
    for row in read_log(folder, zone=None):
        if isinstance(row, BadLine):
            bad += 1
            continue
        writer, number, size, _ = (row.text or "").split(":", 3)
        assert row.text == text_of(int(writer), int(number), int(size))
        numbers[int(writer)].append(int(number))
    return numbers, bad


# Eight writers and a reader

WRITERS, ROWS = 8, 5_000


def skewed_size(source: Random) -> int:
    """20 to 65,536 characters: half of them below 70, one in 90 as long as they get."""
    return min(MOST_CHARACTERS, int(20 * source.paretovariate(0.55)))


def write_in_company(folder: Path, writer: int, confirmed: memoryview) -> None:
    source, number = Random(writer), 0
    log = LogWriter(folder, LogSettings(rotate_megabytes=1))
    while number < ROWS:
        count = min(ROWS - number, source.choice((1, 1, 1, 1, 2, 50)))
        log.append(batch_of(writer, number, [skewed_size(source) for _ in range(count)]), now=START)
        number += count
        confirmed[writer] = number


def write_and_look_on(place: str) -> None:
    folder, looks = Path(place), 0
    confirmed = memoryview(mmap.mmap(-1, 8 * WRITERS)).cast("q")
    running = {forked(partial(write_in_company, folder, writer, confirmed)) for writer in range(WRITERS)}
    while running:
        for child, status in [os.waitpid(child, os.WNOHANG) for child in running]:
            assert status == 0
            running.discard(child)
        at_least = list(confirmed)
        numbers, bad = read(folder)
        looks += 1
        assert bad == 0
        for writer, least in enumerate(at_least):
            # Each writer's rows from the first on, each once, and no fewer than were confirmed.
            found = sorted(numbers[writer])
            assert found == list(range(len(found)))
            assert len(found) >= least
    assert looks > 1
    assert {writer: len(found) for writer, found in numbers.items()} == dict.fromkeys(range(WRITERS), ROWS)
    assert len(sealed_files(folder)) > 20
    assert any(path.suffix == ".zst" for path in sealed_files(folder))


def test_eight_writers_and_a_reader_see_each_row_once_and_whole(tmp_path: Path) -> None:
    in_new_process(write_and_look_on, str(tmp_path))


def test_a_row_that_is_half_written_while_the_others_are_read_is_not_met(tmp_path: Path) -> None:
    LogWriter(tmp_path, LogSettings()).append(batch_of(0, 0, [MOST_CHARACTERS, 30]), now=START)
    rows = read_log(tmp_path, zone=None)
    first = next(rows)
    with (tmp_path / LIVE).open("ab") as live:
        live.write(b'{"timestamp": "2026-')
    assert isinstance(first, PredictionRecord)
    assert [row.text if isinstance(row, PredictionRecord) else row for row in rows] == [text_of(0, 1, 30)]
    assert read(tmp_path) == ({0: [0, 1]}, 1)


# Killed at any point

ROUNDS, ROUNDS_A_FOLDER = 200, 10
LONGEST_SECONDS = 0.06
CALLS = ("open", "write", "pwrite", "ftruncate", "fsync", "rename", "replace", "unlink", "close")


def die_at(deadline: int, moment: str) -> None:
    """Have the process kill itself at its so many-th call of those that change files."""
    calls = count(1)

    def stand_in(real: Callable[..., Any], *arguments: Any, **rest: Any) -> Any:
        if next(calls) < deadline or (moment == "half" and real not in halvable):
            return real(*arguments, **rest)
        if moment == "half":
            descriptor, data, *others = arguments
            real(descriptor, data[: len(data) // 2], *others)
        elif moment == "after":
            real(*arguments, **rest)
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    halvable = (os.write, os.pwrite)
    for name in CALLS:
        setattr(os, name, partial(stand_in, getattr(os, name)))


def write_until_killed(folder: Path, tell: int, first: int, source: Random, *, by_itself: bool) -> None:
    say, number = os.write, first
    compression = source.choice(("zstd", "zstd", "gzip"))
    fsync = source.choice(("never", "never", "never", "batch", "always"))
    log = LogWriter(folder, LogSettings(rotate_megabytes=1, compression=compression, fsync=fsync))
    if by_itself:
        die_at(int(10 ** source.uniform(0, 2.8)), source.choice(("before", "half", "after")))
    while True:
        sizes = [skewed_size(source) for _ in range(source.choice((1, 1, 3, 20)))]
        say(tell, b"%d %d\n" % (number, len(sizes)))
        log.append(batch_of(0, number, sizes), now=START)
        say(tell, b"kept\n")
        number += len(sizes)


def run_until_killed(folder: Path, first: int, source: Random, *, by_itself: bool) -> tuple[range, range]:
    """The numbers of the rows that were confirmed, and of the batch that was not."""
    hear, tell = os.pipe()
    write = partial(write_until_killed, folder, tell, first, Random(first), by_itself=by_itself)
    child = forked(write)
    os.close(tell)
    if not by_itself:
        time.sleep(source.uniform(0, LONGEST_SECONDS))
        os.kill(child, signal.SIGKILL)
    with os.fdopen(hear, "rb") as told:
        lines = told.read().split(b"\n")[:-1]
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    begun = [range(int(line.split()[0]), sum(map(int, line.split()))) for line in lines if line != b"kept"]
    open_end = begun.pop() if lines and lines[-1] != b"kept" else range(0)
    return range(first, begun[-1].stop if begun else first), open_end


@dataclass
class Past:
    """What must be in a folder from now on."""

    rows: set[int] = field(default_factory=set)
    bad: int = 0
    chains: dict[str, bytes] = field(default_factory=dict)

    def check(self, folder: Path, confirmed: range, unconfirmed: range) -> None:
        rows, bad = read(folder)
        found = set(rows[0])
        assert len(found) == len(rows[0]), "a row was doubled"
        assert self.rows | set(confirmed) <= found, "a confirmed row was lost"
        extra = found - self.rows - set(confirmed)
        assert extra == set(unconfirmed[: len(extra)]), "rows out of nowhere"
        torn = bad - self.bad
        assert torn == 0 or (torn == 1 and len(extra) < len(unconfirmed)), "more than one line was torn"
        self.rows, self.bad = found, bad

    def check_custody(self, folder: Path) -> bool:
        """Whether the record held; then the chain has only grown."""
        custody, live = read_append_chain(folder), folder / LIVE
        if custody is None or not live.exists() or custody.state != FileState.of(live.stat()):
            return False
        content = live.read_bytes()
        assert content.startswith(self.chains.get(custody.chain, b""))
        self.chains[custody.chain] = content
        return True


def kill_again_and_again(place: str) -> None:
    rotation.MEGABYTE = 100_000
    source, held, torn = Random(20), 0, 0
    for group in range(ROUNDS // ROUNDS_A_FOLDER):
        folder, past = Path(place, str(group)), Past()
        folder.mkdir()
        for number in range(ROUNDS_A_FOLDER):
            first = (group * ROUNDS_A_FOLDER + number) * 100_000
            past.check(folder, *run_until_killed(folder, first, source, by_itself=number % 2 == 0))
            held += past.check_custody(folder)
        torn += past.bad
        rotation.compress_sealed(folder, "zstd")
        past.check(folder, range(0), range(0))
        assert not [path for path in folder.iterdir() if path.name.startswith((".pred", ".tmp"))]
        assert all(path.suffix != ".jsonl" for path in sealed_files(folder))
    # Not a test of nothing: lines were torn, and most records survived.
    assert torn > 5
    assert held > ROUNDS // 2


def test_a_writer_killed_at_any_of_200_points_keeps_what_it_confirmed_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    in_new_process(kill_again_and_again, str(tmp_path))


# No room, no permission, no disk


def fill_to_the_limit(place: str) -> None:
    rotation.MEGABYTE = 10_000_000
    folder, source, kept = Path(place), Random(3), 0
    log, limits = (
        LogWriter(folder, LogSettings(rotate_megabytes=1)),
        resource.getrlimit(resource.RLIMIT_FSIZE),
    )
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    refused = None
    while refused is None:
        try:
            log.append(batch_of(0, kept, [skewed_size(source) for _ in range(7)]), now=START)
            kept += 7
        except StoreError as error:
            refused = error
    assert f"{LIVE}: cannot be written: File too large" in refused.message
    assert "logs.rotate_megabytes" in str(refused.hint)
    assert "rows that were not confirmed were not kept" in str(refused.hint)
    assert read(folder) == ({0: list(range(kept))}, 0)
    assert (folder / LIVE).read_bytes().endswith(b"}\n")
    # Part of the last batch was written, and taken back: who looked on cannot rely on what he saw.
    assert read_append_chain(folder) is None
    log.append(batch_of(0, kept, [20]), now=START)
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    log.append(batch_of(0, kept + 1, [MOST_CHARACTERS]), now=START)
    assert read(folder) == ({0: list(range(kept + 2))}, 0)


def test_a_file_that_may_not_grow_further_holds_what_was_confirmed_and_no_more(tmp_path: Path) -> None:
    in_new_process(fill_to_the_limit, str(tmp_path))


def test_a_full_disk_is_named_and_what_helps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_the_disk(monkeypatch)
    with pytest.raises(StoreError, match=r"predictions\.jsonl: cannot be written: No space left") as caught:
        LogWriter(tmp_path, LogSettings(fsync="always")).append([record(0, 0)], now=START)
    assert "make room" in str(caught.value.hint)


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "logs").write_bytes(b"")
    with pytest.raises(StoreError, match=r"logs: is a file, not a folder") as caught:
        LogWriter(tmp_path / "logs", LogSettings()).append([record(0, 0)], now=START)
    assert caught.value.hint == "name a folder"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    LogWriter(folder, LogSettings()).append(batch_of(0, 0, [30]), now=START)
    (folder / LIVE).chmod(0o400)
    folder.chmod(0o500)
    with pytest.raises(
        StoreError, match=r"predictions\.jsonl: cannot be written: Permission denied"
    ) as caught:
        LogWriter(folder, LogSettings()).append(batch_of(0, 1, [30]), now=START)
    assert "permissions" in str(caught.value.hint)
    assert read(folder) == ({0: [0]}, 0)
    folder.chmod(0o700)


@pytest.mark.parametrize(
    ("stops", "raised"),
    [(OSError(errno.EIO, "Input/output error"), StoreError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_rows_that_did_not_reach_the_disk_are_refused_and_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stops: BaseException, raised: type[BaseException]
) -> None:
    def refuses(descriptor: int) -> None:
        raise stops

    log = LogWriter(tmp_path, LogSettings(fsync="always"))
    log.append(batch_of(0, 0, [30]), now=START)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuses)
        with pytest.raises(raised):
            log.append(batch_of(0, 1, [30, 40]), now=START)
    assert read(tmp_path) == ({0: [0]}, 0)
    assert read_append_chain(tmp_path) is None
    log.append(batch_of(0, 1, [30]), now=START)
    assert read(tmp_path) == ({0: [0, 1]}, 0)


def forced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The inodes forced onto the disk from now on, in order."""
    inodes: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: inodes.append(os.fstat(descriptor).st_ino))
    return inodes


def test_rows_are_forced_onto_the_disk_as_often_as_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inodes = forced(monkeypatch)
    seen = {}
    for fsync in ("never", "batch", "always"):
        folder = tmp_path / fsync
        with LogWriter(folder, LogSettings(fsync=fsync)) as log:
            log.append([record(0, 0)], now=START)
            log.append([record(0, 1)], now=START)
            within = len(inodes)
        live, name = (folder / LIVE).stat().st_ino, folder.stat().st_ino
        seen[fsync] = [{live: "rows", name: "name"}[inode] for inode in inodes], within
        inodes.clear()
    assert seen == {
        "never": ([], 0),
        "batch": (["rows", "name"], 0),
        "always": (["rows", "name", "rows"], 3),
    }


def test_a_file_that_another_program_sealed_meanwhile_is_no_error_at_the_end(tmp_path: Path) -> None:
    with LogWriter(tmp_path, LogSettings(fsync="batch")) as log:
        log.append(batch_of(0, 0, [30]), now=START)
        (tmp_path / LIVE).rename(tmp_path / "predictions-20260907T080000Z.jsonl")
    assert read(tmp_path) == ({0: [0]}, 0)


def test_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        LogWriter(tmp_path, LogSettings()).append(batch_of(0, 0, [30]), now=START)
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_file()} == {0o600}


def test_a_text_of_20_megabytes_comes_back_as_it_was(tmp_path: Path) -> None:
    text = (FILLER * 306)[:20_000_000]
    log = LogWriter(tmp_path, LogSettings(rotate_megabytes=1))
    for one in ("before", text, "behind"):
        log.append([record(0, 0, text=one)], now=START)
    assert len(sealed_files(tmp_path)) == 1
    rows = list(read_log(tmp_path, zone=None))
    assert [row.text for row in rows if isinstance(row, PredictionRecord)] == ["before", text, "behind"]
