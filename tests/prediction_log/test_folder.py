"""Which files are part of a log, and what becomes of one that is named and cannot be read."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sentimon.errors import LogFileError, StoreError
from sentimon.jsonl import encode
from sentimon.prediction_log import folder as log_folder
from sentimon.prediction_log import reader
from sentimon.prediction_log.append_chain import ANY_DEVICE, FileState
from sentimon.prediction_log.folder import list_files, sealed_files
from sentimon.prediction_log.index import file_snapshot
from sentimon.prediction_log.index.file_snapshot import content_fingerprint, list_snapshots, open_same_file
from sentimon.prediction_log.index.log_index import LogIndex
from sentimon.prediction_log.reader import read_log
from sentimon.prediction_log.summary import Summary, summarise
from sentimon.prediction_log.windows import Period
from tests.support.rows import START, records

LIVE, SEALED = "predictions.jsonl", "predictions-20260901T000000Z.jsonl"


def written(path: Path, count: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(encode(one.to_dict()) + b"\n" for one in records(count, 0, 0)))
    return path


def index_of(folder: Path) -> LogIndex:
    return LogIndex(folder=folder, zone=UTC, now=START, run=map, paths=[folder / ".sentimon/rollup.sqlite"])


def summed(folder: Path) -> Summary:
    return index_of(folder).ask(lambda sums: sums.summary(Period()))


@pytest.mark.parametrize("digit", ["\u0661", "\uff11", "\u0967"])
def test_only_digits_of_ascii_make_the_name_of_a_segment(tmp_path: Path, digit: str) -> None:
    written(tmp_path / SEALED.replace("1", digit), 2)
    assert sealed_files(tmp_path) == []


def same_numbers(monkeypatch: pytest.MonkeyPatch, *, device: Callable[[os.stat_result], int]) -> None:
    """Each file has one and the same number, on a device that `device` names."""

    def of(status: os.stat_result) -> FileState:
        return FileState(
            device=device(status),
            inode=7,
            size=status.st_size,
            modified_ns=status.st_mtime_ns,
            changed_ns=status.st_ctime_ns,
        )

    monkeypatch.setattr(FileState, "of", of)


def test_a_segment_of_another_volume_with_the_number_of_the_live_file_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / LIVE, 3)
    (tmp_path / SEALED).symlink_to(written(tmp_path / "archive" / "sealed", 4))
    large = (tmp_path / SEALED).stat().st_size
    same_numbers(monkeypatch, device=lambda status: 1 + (status.st_size == large))
    assert [one.path.name for one in list_snapshots(tmp_path)] == [SEALED, LIVE]
    assert summed(tmp_path).count == 7
    # Of one device it is one file, that was live and is sealed by now.
    same_numbers(monkeypatch, device=lambda status: 1)
    assert [one.path.name for one in list_snapshots(tmp_path)] == [SEALED]


def test_on_any_device_a_file_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    path = written(tmp_path / LIVE, 300)
    state = replace(FileState.of(path.stat()), device=ANY_DEVICE)

    def mark() -> str:
        with open_same_file(path, state) as segment:
            return content_fingerprint(segment, state.size)

    before = mark()
    with path.open("ab") as file:
        file.write(b"more\n")
    assert mark() == before
    # Another log under that number begins otherwise, or ends otherwise at that place.
    for place in (50, state.size - 50):
        content = bytearray(path.read_bytes())
        content[place] ^= 1
        path.write_bytes(content)
        assert mark() != before
        content[place] ^= 1
        path.write_bytes(content)


def unreadable(kind: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if kind == "dangling":
        path.symlink_to(path.parent / "archive" / path.name)
        return
    written(path, 2)
    if kind == "directory":
        path.unlink()
        path.mkdir()
    elif kind == "pipe":
        path.unlink()
        os.mkfifo(path)
    elif kind == "device":
        path.unlink()
        path.symlink_to("/dev/null")
    else:
        code = {"refused": errno.EACCES, "broken": errno.EIO}[kind]
        real = os.open

        def refusing(name: Any, *arguments: Any, **options: Any) -> int:
            if Path(os.fsdecode(name)).name == path.name:
                raise OSError(code, os.strerror(code))
            return real(name, *arguments, **options)

        monkeypatch.setattr(os, "open", refusing)


KINDS = ["dangling", "directory", "pipe", "device", "refused", "broken"]


@pytest.mark.parametrize("name", [SEALED, f"{SEALED}.zst", LIVE])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_named_and_cannot_be_read_is_an_error_in_every_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str
) -> None:
    written(tmp_path / "predictions-20260801T000000Z.jsonl", 3)
    lost = tmp_path / name
    assert summed(tmp_path).count == 3
    unreadable(kind, lost, monkeypatch)
    for ask in (lambda: summed(tmp_path), lambda: list(read_log(tmp_path, zone=UTC))):
        with pytest.raises(LogFileError) as caught:
            ask()
        assert caught.value.path == lost
        assert str(lost) in caught.value.message
        assert caught.value.hint
    found, errors = index_of(tmp_path).ask_readable_files(lambda sums: sums.summary(Period()))
    assert found.count == 3
    assert [one.path for one in errors] == [lost]


def test_a_file_that_breaks_while_it_is_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / SEALED, 3)
    written(tmp_path / LIVE, 2)
    broken = (tmp_path / SEALED).stat().st_ino
    real = os.preadv

    def failing(descriptor: int, *arguments: Any) -> int:
        if os.fstat(descriptor).st_ino == broken:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(descriptor, *arguments)

    monkeypatch.setattr(os, "preadv", failing)
    found, errors = index_of(tmp_path).ask_readable_files(lambda sums: sums.summary(Period()))
    assert found.count == 2
    assert [one.path for one in errors] == [tmp_path / SEALED]


def test_what_is_known_of_a_file_is_kept_while_it_is_away(tmp_path: Path) -> None:
    archive = written(tmp_path / "archive" / SEALED, 3)
    written(tmp_path / "logs" / LIVE, 2)
    (tmp_path / "logs" / SEALED).symlink_to(archive)
    for path in (archive, tmp_path / "logs" / LIVE):
        os.utime(path, (0, 0))
    index = replace(index_of(tmp_path / "logs"), now=START.replace(year=2099))
    assert index.ask(lambda sums: sums.summary(Period())).count == 5
    archive.rename(tmp_path / "away")
    found, errors = index.ask_readable_files(lambda sums: sums.summary(Period()))
    assert (found.count, len(errors)) == (2, 1)
    assert "is a link to" in errors[0].message
    (tmp_path / "away").rename(archive)

    def nothing_is_read(read: object, units: list[object]) -> Iterator[Any]:
        assert not units
        return iter(())

    # It was renamed, so what it says of itself changed; its content is what was read.
    again = replace(index, run=nothing_is_read)
    assert again.ask(lambda sums: sums.summary(Period())).count == 5


def test_a_file_removed_between_listing_and_opening_is_no_part_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / LIVE, 2)
    gone = written(tmp_path / SEALED, 3)
    real = log_folder.sealed_files

    def removing(folder: Path) -> list[Path]:
        found = real(folder)
        gone.unlink(missing_ok=True)
        return found

    monkeypatch.setattr(log_folder, "sealed_files", removing)
    monkeypatch.setattr(reader, "sealed_files", removing)
    monkeypatch.setattr(file_snapshot, "sealed_files", removing)
    assert [one.path.name for one in list_files(tmp_path)] == [LIVE]
    written(tmp_path / SEALED, 3)
    assert summarise(read_log(tmp_path, zone=UTC)).count == 2
    written(tmp_path / SEALED, 3)
    assert summed(tmp_path).count == 2


def test_a_folder_that_cannot_be_listed_is_no_empty_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / SEALED, 3)

    def refusing(self: Path) -> Iterator[Path]:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "iterdir", refusing)
    for ask in (lambda: summed(tmp_path), lambda: list(read_log(tmp_path, zone=UTC))):
        with pytest.raises(StoreError, match="cannot be read: Permission denied"):
            ask()


def test_a_live_file_linked_to_what_others_own_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / LIVE).symlink_to(written(tmp_path / "mine", 3))
    assert summed(tmp_path / "logs").count == 3
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    for ask in (lambda: summed(tmp_path / "logs"), lambda: list(read_log(tmp_path / "logs", zone=UTC))):
        with pytest.raises(LogFileError, match="is a link to a file of another user"):
            ask()


@pytest.mark.parametrize("digits", ["２０２６０９０７", "٢٠٢٦٠٩٠٧", "२०२६०९०७"])
def test_only_ascii_digits_name_a_sealed_file(tmp_path: Path, digits: str) -> None:
    (tmp_path / "predictions-20260907T080000Z.jsonl").write_bytes(b"")
    (tmp_path / f"predictions-{digits}T080000Z.jsonl").write_bytes(b"not ours\n")
    assert [path.name for path in sealed_files(tmp_path)] == ["predictions-20260907T080000Z.jsonl"]
    assert summarise(read_log(tmp_path, zone=UTC)) == Summary()
