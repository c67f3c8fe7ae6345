import errno
import multiprocessing
import os
import shutil
import stat
import threading
from pathlib import Path

import pytest

from sentimon.errors import StoreError
from sentimon.files import read_file
from sentimon.prediction_log.durable_files import append_lines, remove_file, replace_file, write_at_end
from sentimon.prediction_log.locks import exclusive, lock_file, shared
from tests.support.full_disk import fill_the_disk


def test_lines_are_appended_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "log.jsonl"
    append_lines(path, [b"one"])
    append_lines(path, [b"two", b"three"])
    append_lines(path, [])
    assert path.read_bytes() == b"one\ntwo\nthree\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_torn_last_line_does_not_swallow_the_next_row(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"torn": ')
    append_lines(path, [b"whole"])
    assert path.read_bytes() == b'{"torn": \nwhole\n'


def test_a_full_disk_is_an_error_that_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.jsonl"
    fill_the_disk(monkeypatch)
    with pytest.raises(StoreError, match="No space left") as caught:
        append_lines(path, [b"row"])
    assert "make room" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("stops", "raised"),
    [(OSError(28, "No space left on device"), StoreError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_a_write_that_stops_halfway_leaves_no_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stops: BaseException, raised: type[BaseException]
) -> None:
    path = tmp_path / "log.jsonl"
    append_lines(path, [b"kept"])
    real = os.write

    def fails_after_three_bytes(descriptor: int, data: bytes) -> int:
        monkeypatch.setattr(os, "write", refuses)
        return real(descriptor, data[:3])

    def refuses(descriptor: int, data: bytes) -> int:
        raise stops

    monkeypatch.setattr(os, "write", fails_after_three_bytes)
    with pytest.raises(raised):
        append_lines(path, [b"lost row"])
    assert path.read_bytes() == b"kept\n"


def test_a_file_is_replaced_in_one_step_and_leaves_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    replace_file(path, b"old")
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert [one.name for one in tmp_path.iterdir()] == ["baseline.json"]


def forced(
    monkeypatch: pytest.MonkeyPatch, *, refuses: Path | None = None, error: int = errno.EIO
) -> list[int]:
    """The inodes forced onto the disk from now on, in order; `refuses` is one that the disk says no to."""
    inodes: list[int] = []

    def fsync(descriptor: int) -> None:
        inode = os.fstat(descriptor).st_ino
        if refuses is not None and inode == refuses.stat().st_ino:
            raise OSError(error, os.strerror(error))
        inodes.append(inode)

    monkeypatch.setattr(os, "fsync", fsync)
    return inodes


def test_of_a_new_file_the_name_is_forced_onto_the_disk_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, inodes = tmp_path / "log.jsonl", forced(monkeypatch)
    write_at_end(path, [b"one"])
    assert inodes == []
    path.unlink()
    write_at_end(path, [b"one"], sync=True)
    assert inodes == [path.stat().st_ino, tmp_path.stat().st_ino]
    write_at_end(path, [b"two"], sync=True)
    assert inodes[2:] == [path.stat().st_ino]


def test_of_a_new_file_behind_a_link_that_folder_counts_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "log.jsonl").touch()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere" / "log.jsonl")
    inodes = forced(monkeypatch)
    write_at_end(tmp_path / "link", [b"one"], sync=True, linked=True)
    assert inodes[1:] == [(tmp_path / "elsewhere").stat().st_ino]


@pytest.mark.parametrize("what", ["file", "folder"])
def test_rows_that_the_disk_refused_are_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    path = tmp_path / "log.jsonl"
    before = b"kept\n" if what == "file" else b""
    if before:
        path.write_bytes(before)
    forced(monkeypatch, refuses=path if before else tmp_path)
    with pytest.raises(OSError, match="Input/output error"):
        write_at_end(path, [b"refused"], sync=True)
    assert path.read_bytes() == before
    inodes = forced(monkeypatch)
    write_at_end(path, [b"kept"], sync=True)
    assert path.read_bytes() == before + b"kept\n"
    assert (tmp_path.stat().st_ino in inodes) == (what == "folder")


@pytest.mark.parametrize("error", [errno.EINVAL, errno.EACCES])
def test_a_folder_that_cannot_be_forced_onto_the_disk_is_no_reason_to_refuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    forced(monkeypatch, refuses=tmp_path, error=error)
    write_at_end(tmp_path / "log.jsonl", [b"kept"], sync=True)
    assert (tmp_path / "log.jsonl").read_bytes() == b"kept\n"


def test_a_replaced_file_is_on_the_disk_and_so_is_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inodes = forced(monkeypatch)
    replace_file(tmp_path / "baseline.json", b"new")
    assert inodes == [(tmp_path / "baseline.json").stat().st_ino, tmp_path.stat().st_ino]


def test_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").mkdir()
    with pytest.raises(StoreError, match=r"log\.jsonl: cannot be written"):
        append_lines(tmp_path / "log.jsonl", [b"row"])
    with pytest.raises(StoreError, match=r"log\.jsonl: cannot be read"):
        read_file(tmp_path / "log.jsonl", hint="")


def test_a_missing_file_is_named_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such file") as caught:
        read_file(tmp_path / "nothing", hint="make it")
    assert caught.value.hint == "make it"
    remove_file(tmp_path / "nothing")


def _write(path: Path, writer: int) -> None:
    for number in range(200):
        append_lines(path, [f"{writer}:{number}:{'x' * (number * 37 % 5000)}".encode()])


def test_several_writers_lose_nothing_and_mix_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(path, writer)) for writer in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 4
    lines = path.read_bytes().split(b"\n")[:-1]
    expected = {
        f"{writer}:{number}:{'x' * (number * 37 % 5000)}".encode()
        for writer in range(4)
        for number in range(200)
    }
    assert len(lines) == 800
    assert set(lines) == expected


def entered(folder: Path, inside: threading.Event, leave: threading.Event) -> threading.Thread:
    """A thread that takes the lock, says so, and lets it go when told to."""

    def work() -> None:
        with exclusive(folder):
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_who_waited_for_a_lock_that_was_removed_waits_for_the_new_one(tmp_path: Path) -> None:
    inside, leave = [threading.Event() for _ in range(3)], [threading.Event() for _ in range(3)]
    threads = [entered(tmp_path, inside[0], leave[0])]
    assert inside[0].wait(10)
    threads.append(entered(tmp_path, inside[1], leave[1]))
    assert not inside[1].wait(0.1)
    shutil.rmtree(tmp_path / ".sentimon")
    threads.append(entered(tmp_path, inside[2], leave[2]))
    assert inside[2].wait(10)
    leave[0].set()
    assert not inside[1].wait(0.1)
    leave[2].set()
    assert inside[1].wait(10)
    leave[1].set()
    for thread in threads:
        thread.join()


def test_a_reader_waits_for_the_writer_who_has_the_lock_now(tmp_path: Path) -> None:
    read = threading.Event()

    def reader() -> None:
        with shared(tmp_path):
            read.set()

    with exclusive(tmp_path):
        waiting = threading.Thread(target=reader)
        waiting.start()
        assert not read.wait(0.1)
        lock_file(tmp_path).unlink()
        inside, leave = threading.Event(), threading.Event()
        writer = entered(tmp_path, inside, leave)
        assert inside.wait(10)
    assert not read.wait(0.1)
    leave.set()
    assert read.wait(10)
    waiting.join()
    writer.join()


def open_files() -> list[str]:
    return sorted(one.name for one in Path("/dev/fd").iterdir())


def test_nothing_that_was_opened_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append_lines(tmp_path / "log.jsonl", [b"row"])
    before = open_files()
    for _ in range(5):
        append_lines(tmp_path / "log.jsonl", [b"row"])
        replace_file(tmp_path / "baseline.json", b"content")
        with shared(tmp_path):
            pass
    forced(monkeypatch, refuses=tmp_path / "log.jsonl")
    for _ in range(5):
        with pytest.raises(OSError, match="Input/output error"):
            write_at_end(tmp_path / "log.jsonl", [b"row"], sync=True)
    assert open_files() == before
