import errno
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from sentimon.config.settings import LogSettings
from sentimon.errors import StoreError
from sentimon.prediction_log import rotation, writer
from sentimon.prediction_log.append_chain import AppendChain, FileState, read_append_chain
from sentimon.prediction_log.durable_files import append_lines
from sentimon.prediction_log.locks import lock_file
from sentimon.prediction_log.writer import LogWriter
from tests.rows import START, record

LIVE = "predictions.jsonl"
TICK_SECONDS = 0.011
"""Longer than the clock of any file system takes to move on."""


def append(folder: Path, text: str = "a text", **settings: object) -> AppendChain | None:
    LogWriter(folder, LogSettings(**settings)).append([record(0, 0, text=text)], now=START)  # type: ignore[arg-type]
    return read_append_chain(folder)


def chain(folder: Path) -> str:
    found = read_append_chain(folder)
    assert found is not None
    return found.chain


def holds(folder: Path) -> bool:
    """Whether the record is that of the file as it is now."""
    found = read_append_chain(folder)
    return found is not None and found.state == FileState.of((folder / LIVE).stat())


def test_each_append_is_recorded_and_goes_on_with_the_chain(tmp_path: Path) -> None:
    first, second = append(tmp_path), append(tmp_path, text="")
    status = (tmp_path / LIVE).stat()
    assert first is not None
    assert second is not None
    assert (second.state.device, second.state.inode) == (status.st_dev, status.st_ino)
    assert second.state.size == status.st_size
    assert (second.state.modified_ns, second.state.changed_ns) == (status.st_mtime_ns, status.st_ctime_ns)
    assert first.chain == second.chain
    assert first.state.inode == second.state.inode
    assert first.state.size < second.state.size
    assert len(first.chain) == 16
    assert int(first.chain, 16) >= 0


def appended(live: Path) -> None:
    with live.open("ab") as file:
        file.write(b"{}\n")


def overwritten(live: Path) -> None:
    """The same size, and the old times put back."""
    status = live.stat()
    time.sleep(TICK_SECONDS)
    live.write_bytes(live.read_bytes().replace(b"text", b"TEXT"))
    os.utime(live, ns=(status.st_atime_ns, status.st_mtime_ns))


def replaced(live: Path) -> None:
    copy = live.with_name("copy")
    shutil.copy2(live, copy)
    copy.replace(live)


def cut(live: Path) -> None:
    os.truncate(live, live.stat().st_size // 2)


def removed(live: Path) -> None:
    live.unlink()


def locks_gone(live: Path) -> None:
    shutil.rmtree(live.parent / ".sentimon")


def record_lost(live: Path) -> None:
    lock_file(live.parent).write_bytes(b"")


def record_cut(live: Path) -> None:
    os.truncate(lock_file(live.parent), 40)


def record_without_its_newline(live: Path) -> None:
    lock_file(live.parent).write_bytes(lock_file(live.parent).read_bytes()[:-1])


def record_of_nonsense(live: Path) -> None:
    lock_file(live.parent).write_bytes(b"\xff\xfe[1, 2\n")


def record_of_another_shape(live: Path) -> None:
    lock_file(live.parent).write_bytes(b'{"chain": 7, "state": {"size": "large"}}\n')


def system_started_again(live: Path) -> None:
    lock = lock_file(live.parent)
    lock.write_text(json.dumps(json.loads(lock.read_bytes()) | {"boot": "another"}) + "\n", encoding="ascii")


FOREIGN: list[Callable[[Path], None]] = [
    appended, overwritten, replaced, cut, removed, locks_gone, record_lost, record_cut,
    record_without_its_newline, record_of_nonsense, record_of_another_shape, system_started_again,
]  # fmt: skip


@pytest.mark.parametrize("change", FOREIGN)
def test_what_anybody_else_did_ends_the_chain(tmp_path: Path, change: Callable[[Path], None]) -> None:
    append(tmp_path)
    before = chain(tmp_path)
    change(tmp_path / LIVE)
    assert not ((tmp_path / LIVE).exists() and holds(tmp_path))
    append(tmp_path)
    assert holds(tmp_path)
    assert chain(tmp_path) != before


def test_rubbish_behind_the_record_does_no_harm(tmp_path: Path) -> None:
    append(tmp_path)
    before, lock = chain(tmp_path), lock_file(tmp_path)
    with lock.open("ab") as file:
        file.write(b"rest of a longer one\n")
    append(tmp_path)
    assert chain(tmp_path) == before
    assert lock.read_bytes().count(b"\n") == 1


def test_nothing_is_known_of_a_log_that_nobody_wrote(tmp_path: Path) -> None:
    assert read_append_chain(tmp_path / "nowhere") is None
    append_lines(tmp_path / LIVE, [b"{}"])
    assert read_append_chain(tmp_path) is None


def test_a_program_killed_between_the_rows_and_the_record_ends_the_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(tmp_path)
    before = chain(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(writer, "extend_append_chain", lambda *_: None)
        append(tmp_path)
    assert not holds(tmp_path)
    append(tmp_path)
    assert holds(tmp_path)
    assert chain(tmp_path) != before


@pytest.mark.parametrize("call", ["pwrite", "ftruncate"])
def test_a_record_that_cannot_be_written_costs_the_chain_and_not_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    append(tmp_path)
    before = chain(tmp_path)
    with lock_file(tmp_path).open("ab") as file:
        file.write(b"longer, so that the record has to be cut")
    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        append(tmp_path)
    assert (tmp_path / LIVE).read_bytes().count(b"\n") == 2
    assert holds(tmp_path) == (call == "ftruncate")
    append(tmp_path)
    assert (chain(tmp_path) == before) == (call == "ftruncate")


def test_an_append_that_fails_ends_the_chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(tmp_path)
    real = os.write

    def half(descriptor: int, data: bytes) -> int:
        real(descriptor, data[: len(data) // 2])
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        with pytest.raises(StoreError, match="Input/output error"):
            append(tmp_path)
    assert (tmp_path / LIVE).read_bytes().count(b"\n") == 1
    assert read_append_chain(tmp_path) is None


def test_other_files_of_the_folder_have_no_part_in_it(tmp_path: Path) -> None:
    append(tmp_path)
    before = lock_file(tmp_path).read_bytes()
    append_lines(tmp_path / "metrics.jsonl", [b"{}"])
    LogWriter(tmp_path, LogSettings(), file="mine.jsonl").append([record(0, 0)], now=START)
    assert lock_file(tmp_path).read_bytes() == before


def test_a_file_behind_a_link_is_watched_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "elsewhere.jsonl").touch()
    (tmp_path / "logs" / LIVE).symlink_to(tmp_path / "elsewhere.jsonl")
    first, second = append(tmp_path / "logs"), append(tmp_path / "logs")
    assert second is not None
    assert second.state == FileState.of((tmp_path / "elsewhere.jsonl").stat())
    assert first is not None
    assert first.chain == second.chain


@pytest.mark.parametrize("seed", range(8))
def test_while_a_chain_goes_on_what_was_read_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """The law that a reader builds on, under appends of ours, rotation, and whatever others do."""
    monkeypatch.setattr(rotation, "MEGABYTE", 2_000)
    source, live, looks = Random(seed), tmp_path / LIVE, dict[str, bytes]()
    went_on = 0
    for _ in range(60):
        if source.random() < 0.8 or not live.exists():
            append(tmp_path, text="text" * source.randrange(40), rotate_megabytes=1, compression="none")
        else:
            source.choice(FOREIGN)(live)
        if live.exists() and holds(tmp_path):
            content = live.read_bytes()
            went_on += chain(tmp_path) in looks
            assert content.startswith(looks.get(chain(tmp_path), b""))
            looks[chain(tmp_path)] = content
    assert went_on > 10
    assert len(looks) > 5
