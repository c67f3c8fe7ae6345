import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from sentimon.errors import StoreError
from sentimon.logbook.files import append_lines, read_file, remove_file, replace_file


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


def test_a_full_disk_is_an_error_that_says_so(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.symlink_to("/dev/full")
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
