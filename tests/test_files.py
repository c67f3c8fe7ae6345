"""How files of ours are opened, and what is never followed or waited for."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from sentimon.config import load_settings
from sentimon.config.settings import LogSettings
from sentimon.errors import ConfigError, StoreError
from sentimon.files import is_there, open_own, read_file, read_if_there
from sentimon.jsonl import LineError, file_lines, numbered_lines
from sentimon.prediction_log.durable_files import (
    append_lines,
    create_file,
    remove_file,
    replace_file,
    write_at_end,
)
from sentimon.prediction_log.locks import exclusive, shared
from sentimon.prediction_log.writer import LogWriter
from tests.support.rows import START, record


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def folder(path: Path) -> None:
    path.mkdir()


def bound_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


STRANGE = (pipe, device, folder, bound_socket)


@pytest.mark.parametrize("make", STRANGE)
def test_what_is_no_file_is_refused_at_once_and_named(
    tmp_path: Path, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make(Path("x.jsonl"))
    path = tmp_path / "x.jsonl"
    for read in (lambda: read_file(path, hint="make it"), lambda: list(file_lines(path))):
        with pytest.raises(StoreError, match=r"x\.jsonl: cannot be read: ") as caught:
            read()
        assert caught.value.hint
    with pytest.raises(StoreError, match=r"x\.jsonl: cannot be written: "):
        append_lines(path, [b"row"])
    with pytest.raises(ConfigError, match=r"x\.jsonl: "):
        load_settings(path, environment={})


def test_settings_in_the_current_folder_that_are_a_pipe_are_not_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "sentimon.toml")
    with pytest.raises(ConfigError, match=r"sentimon\.toml: is a pipe, not a file"):
        load_settings(environment={"HOME": str(tmp_path)}, directory=tmp_path)


def test_a_file_may_be_read_through_a_link_but_a_link_to_nothing_is_not_no_file(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "file")
    assert is_there(link)
    for read in (lambda: read_if_there(link), lambda: list(file_lines(link))):
        with pytest.raises(StoreError, match="link: cannot be read: is a link to nothing"):
            read()
    (tmp_path / "file").write_bytes(b"content\n")
    assert read_if_there(link) == b"content\n"
    assert list(file_lines(link)) == [(1, b"content")]
    assert read_if_there(tmp_path / "nothing") is None
    assert not is_there(tmp_path / "nothing")


def test_a_file_that_is_too_long_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "long").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(StoreError, match="long: cannot be read: is too long: 1099511627776 bytes"):
        read_file(tmp_path / "long", hint="")
    with pytest.raises(StoreError, match="is too long"):
        list(file_lines(tmp_path / "long"))


def test_a_line_without_end_is_one_bad_line_and_the_next_one_is_read() -> None:
    content = b"a" * 30 + b"\nnext\n" + b"b" * 8 + b"\n" + b"c" * 7 + b"\nlast"
    found = [
        (number, line.kind if isinstance(line, LineError) else line)
        for number, line in numbered_lines(BytesIO(content), longest=8)
    ]
    assert found == [(1, "too_long"), (2, b"next"), (3, b"b" * 8), (4, b"c" * 7), (5, b"last")]


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "labels.jsonl"
    target.write_bytes(b"secret\n")
    link.symlink_to(target)
    with pytest.raises(StoreError, match=r"labels\.jsonl: cannot be written: is a link"):
        append_lines(link, [b"row"])
    replace_file(link, b"new")
    assert (link.is_symlink(), link.read_bytes(), target.read_bytes()) == (False, b"new", b"secret\n")


def test_a_linked_live_file_is_appended_to_where_it_is_our_own(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    live, target = tmp_path / "logs" / "predictions.jsonl", tmp_path / "elsewhere.jsonl"
    live.symlink_to(target)
    with pytest.raises(StoreError, match="is a link to nothing"):
        LogWriter(tmp_path / "logs", LogSettings()).append([record(0)], now=START)
    assert not target.exists()
    target.touch()
    LogWriter(tmp_path / "logs", LogSettings()).append([record(0)], now=START)
    assert target.read_bytes().count(b"\n") == 1


def test_a_linked_live_file_of_another_user_is_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "target").touch()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(OSError, match="is a link to a file of another user"):
        write_at_end(tmp_path / "link", [b"row"], linked=True)
    assert (tmp_path / "target").read_bytes() == b""


@pytest.mark.parametrize("make", [*STRANGE, lambda path: path.symlink_to(path.with_name("target"))])
def test_a_lock_that_is_no_file_is_named_and_holds_up_no_reader(
    tmp_path: Path, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".sentimon").mkdir()
    (tmp_path / ".sentimon" / "target").write_bytes(b"secret")
    monkeypatch.chdir(tmp_path / ".sentimon")
    make(Path("lock"))
    with pytest.raises(OSError, match=r"lock|directory"), exclusive(tmp_path):
        pass
    with shared(tmp_path):
        pass
    assert (tmp_path / ".sentimon" / "target").read_bytes() == b"secret"


def test_locks_are_not_made_in_a_folder_that_a_link_chose(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / ".sentimon").symlink_to(tmp_path / "other")
    with pytest.raises(StoreError, match=r"its folder \.sentimon is a link"):
        append_lines(tmp_path / "logs" / "labels.jsonl", [b"row"])
    assert list((tmp_path / "other").iterdir()) == []


def test_nothing_of_our_state_is_written_where_a_link_in_its_folder_leads(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "logs" / ".sentimon").mkdir(parents=True)
    (tmp_path / "logs" / ".sentimon" / "jobs").symlink_to(tmp_path / "other")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / ".sentimon").symlink_to(tmp_path / "other")
    for path in (tmp_path / "logs/.sentimon/jobs/job.json", tmp_path / "linked/.sentimon/said.json"):
        for write in (replace_file, create_file):
            with pytest.raises(StoreError, match="is a link") as caught:
                write(path, b"{}")
            assert str(path) in caught.value.message
        with pytest.raises(StoreError, match="is a link"):
            remove_file(path)
    assert list((tmp_path / "other").iterdir()) == []


def test_a_refused_file_leaves_no_descriptor_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    before = open_descriptors()
    for _ in range(3):
        with pytest.raises(OSError, match="pipe") as caught:
            open_own(tmp_path / "pipe", os.O_RDWR)
        assert caught.value.errno in (errno.EINVAL, errno.ENXIO)
    assert open_descriptors() == before


def open_descriptors() -> int:
    """How many there are of this process; 0 where the system does not say."""
    place = Path("/proc/self/fd")
    return len(list(place.iterdir())) if place.is_dir() else 0
