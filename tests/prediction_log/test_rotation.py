import gzip
import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from sentimon.config.settings import LogSettings
from sentimon.jsonl import BadLine
from sentimon.prediction_log import rotation
from sentimon.prediction_log.folder import list_files, sealed_files
from sentimon.prediction_log.maintenance.retention import remove_files
from sentimon.prediction_log.reader import read_log
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import summarise
from sentimon.prediction_log.writer import LogWriter
from tests.conftest import clean_environment
from tests.rows import START, record, records

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def small_megabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "MEGABYTE", 1000)


def texts(folder: Path) -> list[str | None]:
    return [row.text for row in read_log(folder, zone=None) if isinstance(row, PredictionRecord)]


def names(folder: Path) -> list[str]:
    return [one.path.name for one in list_files(folder)]


def settings(compression: str, **rest: Any) -> LogSettings:
    return LogSettings(rotate_megabytes=1, compression=compression, **rest)


def fill(folder: Path, batches: int, first: int = 0, compression: str = "zstd", **rest: Any) -> None:
    writer = LogWriter(folder, settings(compression, **rest))
    for batch in range(first, first + batches):
        writer.append(records(5, 0, 0, minute=5 * batch), now=START)


@pytest.mark.parametrize(("compression", "ending"), [("zstd", ".zst"), ("gzip", ".gz"), ("none", "")])
def test_a_large_file_is_sealed_compressed_and_read_as_before(
    tmp_path: Path, compression: str, ending: str
) -> None:
    fill(tmp_path, 7, compression=compression)
    sealed = [path.name for path in sealed_files(tmp_path)]
    assert len(sealed) == 3
    assert sealed[0] == f"predictions-20260907T080000Z.jsonl{ending}"
    assert names(tmp_path)[-1] == "predictions.jsonl"
    assert texts(tmp_path) == [f"text {number}" for number in range(35)]
    assert all(one.path.stat().st_mode & 0o777 == 0o600 for one in list_files(tmp_path))
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".pred")]


def test_nothing_is_sealed_unless_asked_for(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path, LogSettings(rotate_megabytes=0))
    for _ in range(50):
        writer.append(records(5, 0, 0), now=START)
    assert names(tmp_path) == ["predictions.jsonl"]


def test_a_new_day_seals_the_old_one_and_a_clock_that_goes_back_does_not(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path, LogSettings(rotate_daily=True, compression="none"))
    writer.append([record(0, 0)], now=START)
    os.utime(tmp_path / "predictions.jsonl", (START.timestamp(), START.timestamp()))
    writer.append([record(0, 1)], now=START - DAY)
    os.utime(tmp_path / "predictions.jsonl", (START.timestamp(), START.timestamp()))
    assert len(names(tmp_path)) == 1
    writer.append([record(0, 2)], now=START + DAY)
    assert names(tmp_path) == ["predictions-20260907T080000Z.jsonl", "predictions.jsonl"]
    assert texts(tmp_path) == ["text 0", "text 1", "text 2"]


def test_files_of_the_same_second_keep_their_order(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path, LogSettings(rotate_megabytes=1, compression="none"))
    for batch in range(12):
        writer.append([record(0, 0, text=f"{batch}:{number}") for number in range(8)], now=START)
    assert len(sealed_files(tmp_path)) == 11
    assert texts(tmp_path) == [f"{batch}:{number}" for batch in range(12) for number in range(8)]


def test_a_file_that_stands_both_plain_and_compressed_is_read_once(tmp_path: Path) -> None:
    fill(tmp_path, 3, compression="none")
    plain = sealed_files(tmp_path)[0]
    (tmp_path / (plain.name + ".gz")).write_bytes(gzip.compress(plain.read_bytes()))
    assert texts(tmp_path) == [f"text {number}" for number in range(15)]


def test_what_is_removed_is_removed_plain_and_compressed(tmp_path: Path) -> None:
    fill(tmp_path, 3, compression="none")
    first = list_files(tmp_path)[0]
    (tmp_path / (first.path.name + ".gz")).write_bytes(gzip.compress(first.path.read_bytes()))
    remove_files(tmp_path, [first])
    assert texts(tmp_path) == [f"text {number}" for number in range(10, 15)]


def test_a_file_removed_while_it_is_compressed_does_not_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, 3, compression="none")
    first, real = list_files(tmp_path)[0], rotation.shutil.copystat

    def removed_meanwhile(source: Path, target: Path) -> None:
        real(source, target)
        remove_files(tmp_path, [first])

    monkeypatch.setattr(rotation.shutil, "copystat", removed_meanwhile)
    rotation.compress_sealed(tmp_path, "zstd")
    assert names(tmp_path) == ["predictions.jsonl"]
    assert not list(tmp_path.glob(".predictions-*"))


def test_a_file_replaced_while_it_is_compressed_stays_as_it_is_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, 3, compression="none")
    first, real = list_files(tmp_path)[0].path, rotation.shutil.copystat

    def replaced_meanwhile(source: Path, target: Path) -> None:
        real(source, target)
        # As one does who erases a row: it must not come back.
        content = first.read_bytes().split(b"\n", 1)[1]
        first.with_name("rewritten").write_bytes(content)
        first.with_name("rewritten").replace(first)

    monkeypatch.setattr(rotation.shutil, "copystat", replaced_meanwhile)
    rotation.compress_sealed(tmp_path, "zstd")
    assert texts(tmp_path) == [f"text {number}" for number in range(1, 15)]
    monkeypatch.undo()
    rotation.compress_sealed(tmp_path, "zstd")
    assert texts(tmp_path) == [f"text {number}" for number in range(1, 15)]
    assert sealed_files(tmp_path)[0].name.endswith(".zst")


@pytest.mark.parametrize(("fsync", "forced"), [("never", False), ("batch", True), ("always", True)])
def test_what_is_sealed_is_on_the_disk_before_and_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fsync: str, forced: bool
) -> None:
    fill(tmp_path, 2, compression="none")
    calls: list[tuple[int, bool]] = []
    sealed, live = (tmp_path / "predictions-20260907T080000Z.jsonl"), (tmp_path / "predictions.jsonl").stat()
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: calls.append((os.fstat(descriptor).st_ino, sealed.exists()))
    )
    fill(tmp_path, 1, compression="none", fsync=fsync)
    assert sealed.exists()
    assert calls[:2] == ([(live.st_ino, False), (tmp_path.stat().st_ino, True)] if forced else [])


def test_a_compressed_file_is_on_the_disk_under_its_name_before_the_plain_one_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, 3, compression="none")
    plain = sealed_files(tmp_path)[0]
    packed, folder, calls = Path(f"{plain}.zst"), tmp_path.stat().st_ino, list[tuple[bool, bool]]()

    def fsync(descriptor: int) -> None:
        if os.fstat(descriptor).st_ino == folder:
            calls.append((packed.exists(), plain.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    rotation.compress_sealed(tmp_path, "zstd")
    assert calls == [(True, True)]
    assert (packed.exists(), plain.exists()) == (True, False)


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_a_clock_that_goes_back_loses_nothing_and_doubles_nothing(tmp_path: Path, compression: str) -> None:
    writer, source, expected = LogWriter(tmp_path, settings(compression)), random.Random(1), set[str]()
    for batch in range(40):
        # Forth by seconds, then back behind where it began: names that collide, and that sort backwards.
        now = START + timedelta(seconds=batch % 5 - batch // 5)
        some = [f"{batch}:{number}" for number in range(source.randrange(3, 9))]
        writer.append([record(0, 0, text=text, timestamp=now) for text in some], now=now)
        expected |= set(some)
        assert sorted(map(str, texts(tmp_path))) == sorted(expected)
    stems = [path.name for path in sealed_files(tmp_path)]
    assert len(stems) > 10
    assert any(name.split(".")[0].endswith("_0001") for name in stems)


@pytest.mark.parametrize("year", [1, 476, 9999])
def test_a_file_whose_first_row_is_of_any_year_is_part_of_the_log(tmp_path: Path, year: int) -> None:
    writer = LogWriter(tmp_path, settings("none"))
    moment = START.replace(year=year)
    for number in range(12):
        writer.append([record(0, 0, text=str(number), timestamp=moment)], now=START)
    assert texts(tmp_path) == [str(number) for number in range(12)]
    assert sealed_files(tmp_path)[0].name == f"predictions-{year:04d}0907T080000Z.jsonl"


def test_a_folder_behind_a_link_is_the_same_log(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "logs", target_is_directory=True)
    for batch in range(0, 8, 2):
        fill(tmp_path / "link", 1, first=batch)
        fill(tmp_path / "logs", 1, first=batch + 1)
    for folder in ("logs", "link"):
        assert texts(tmp_path / folder) == [f"text {number}" for number in range(40)]
    assert len(sealed_files(tmp_path / "link")) == 3
    assert (tmp_path / "link").is_symlink()


def test_a_live_file_behind_a_link_is_never_sealed(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    live = tmp_path / "logs" / "predictions.jsonl"
    (tmp_path / "elsewhere.jsonl").touch()
    live.symlink_to(tmp_path / "elsewhere.jsonl")
    fill(tmp_path / "logs", 7)
    assert live.is_symlink()
    assert not sealed_files(tmp_path / "logs")
    assert (tmp_path / "elsewhere.jsonl").read_bytes().count(b"\n") == 35
    assert texts(tmp_path / "logs") == [f"text {number}" for number in range(35)]


def test_compression_keeps_the_time_of_the_last_row_and_sweeps_up_after_a_killed_one(tmp_path: Path) -> None:
    fill(tmp_path, 3, compression="none")
    orphan = tmp_path / ".predictions-20260907T080000Z.jsonl.zst.abc"
    orphan.write_bytes(b"half")
    os.utime(sealed_files(tmp_path)[0], (START.timestamp(), START.timestamp()))
    rotation.compress_sealed(tmp_path, "zstd")
    assert list_files(tmp_path)[0].written == START
    assert not orphan.exists()


@pytest.mark.parametrize("compression", ["zstd", "gzip"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied"])
def test_of_a_damaged_file_the_rest_is_one_bad_line_and_the_others_are_read(
    tmp_path: Path, compression: str, damage: str
) -> None:
    fill(tmp_path, 3, compression=compression)
    path = sealed_files(tmp_path)[0]
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 0xFF
    path.write_bytes(
        content[: len(content) // 2] if damage == "cut" else b"nonsense" if damage == "emptied" else content
    )
    found = summarise(read_log(tmp_path, zone=None))
    assert found.bad_count >= 1
    assert {line.path for line in found.bad_lines} == {str(path)}
    assert texts(tmp_path)[-5:] == [f"text {number}" for number in range(10, 15)]


def test_no_room_to_compress_leaves_the_rows_plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(rotation.shutil, "copyfileobj", full)
    fill(tmp_path, 3)
    assert texts(tmp_path) == [f"text {number}" for number in range(15)]
    assert sealed_files(tmp_path)[0].name.endswith(".jsonl")
    monkeypatch.undo()
    rotation.compress_sealed(tmp_path, "zstd")
    assert sealed_files(tmp_path)[0].name.endswith(".zst")
    assert texts(tmp_path) == [f"text {number}" for number in range(15)]


def test_what_was_left_plain_is_compressed_by_the_next_command_that_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(rotation.shutil, "copyfileobj", full)
    fill(tmp_path, 3)
    monkeypatch.undo()
    # Nothing half-written stays, and while there is no room nobody tries in vain.
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".pred")] == []
    compressions = []
    real = rotation._compress
    monkeypatch.setattr(rotation, "_compress", lambda *paths: (compressions.append(paths), real(*paths)))
    free = SimpleNamespace(free=10)
    with mock.patch.object(rotation.shutil, "disk_usage", return_value=free):
        with LogWriter(tmp_path, LogSettings(rotate_megabytes=0)) as writer:
            writer.append(records(1, 0, 0), now=START)
        assert not compressions
    with LogWriter(tmp_path, LogSettings(rotate_megabytes=0)) as writer:
        writer.append(records(1, 0, 0), now=START)
        assert not compressions
    assert len(compressions) == len(sealed_files(tmp_path)) > 0
    assert {path.suffix for path in sealed_files(tmp_path)} == {".zst"}


def test_a_file_that_cannot_be_compressed_keeps_none_of_the_others_plain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, 5, compression="none")
    first, *others = sealed_files(tmp_path)
    real = rotation.open_regular

    def refusing(path: Path) -> Any:
        if path == first:
            raise OSError(5, "Input/output error")
        return real(path)

    monkeypatch.setattr(rotation, "open_regular", refusing)
    rotation.compress_sealed(tmp_path, "zstd")
    assert others
    assert [path.suffix for path in sealed_files(tmp_path)] == [".jsonl", *(".zst" for _ in others)]
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".pred")] == []


def test_a_sealed_file_behind_a_link_stays_as_it_is(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    fill(logs, 3, compression="none")
    (first,) = sealed_files(logs)
    first.rename(tmp_path / "archive")
    first.symlink_to(tmp_path / "archive")
    rotation.compress_sealed(logs, "zstd")
    assert sealed_files(logs) == [first]
    assert first.is_symlink()
    assert texts(logs) == [f"text {number}" for number in range(15)]


def test_a_file_compressed_between_listing_and_opening_is_read_once(tmp_path: Path) -> None:
    fill(tmp_path, 5, compression="none")
    rows = read_log(tmp_path, zone=None)
    first = next(rows)
    # The first of two sealed files is open, the second only listed.
    rotation.compress_sealed(tmp_path, "zstd")
    assert isinstance(first, PredictionRecord)
    rest = [row.text for row in rows if isinstance(row, PredictionRecord)]
    assert [first.text, *rest] == [f"text {number}" for number in range(25)]


def test_a_live_file_sealed_while_the_others_are_read_is_read_once(tmp_path: Path) -> None:
    fill(tmp_path, 3, compression="none")
    rows = read_log(tmp_path, zone=None)
    first = next(rows)
    assert isinstance(first, PredictionRecord)
    fill(tmp_path, 6, first=3, compression="zstd")
    found = [first.text, *(row.text for row in rows if isinstance(row, PredictionRecord))]
    # The live file may have grown before it was sealed; what was there is there once, in order.
    assert found == [f"text {number}" for number in range(len(found))]
    assert len(found) >= 15


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from sentimon.config.settings import LogSettings
from sentimon.prediction_log import rotation
from sentimon.prediction_log.writer import LogWriter
from tests.rows import record
rotation.MEGABYTE = 20_000
folder, name, first = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
writer = LogWriter(folder, LogSettings(rotate_megabytes=1, compression=sys.argv[4]))
for number in range(first, first + int(sys.argv[5])):
    text = f"{name}:{number}:" + "x" * (number * 37 % 3000)
    writer.append([record(0, 0, text=text)], now=datetime.now(UTC))
    print(number, flush=True)
"""


def start_writer(
    folder: Path, name: str, first: int = 0, rows: int = 300, compression: str = "zstd"
) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", WRITER, str(folder), name, str(first), compression, str(rows)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=clean_environment(folder))


def test_several_writers_with_sealing_lose_and_double_nothing_while_a_reader_looks_on(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    writers = [start_writer(tmp_path / "logs", name) for name in "abc"]
    looks = []
    while any(writer.poll() is None for writer in writers):
        looks.append(texts(tmp_path / "logs"))
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    assert all(len(rows) == len(set(rows)) for rows in looks)
    assert [len(rows) for rows in looks] == sorted(len(rows) for rows in looks)
    expected = {f"{name}:{number}:" + "x" * (number * 37 % 3000) for name in "abc" for number in range(300)}
    rows = texts(tmp_path / "logs")
    assert len(rows) == 900
    assert set(rows) == expected
    assert len(sealed_files(tmp_path / "logs")) > 10


def test_a_killed_writer_loses_nothing_that_it_had_confirmed(tmp_path: Path) -> None:
    folder, source, confirmed, first = tmp_path / "logs", random.Random(5), set(), 0
    folder.mkdir()
    for _ in range(12):
        writer = start_writer(folder, "k", first, rows=10_000)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(source.random() * 0.15)
        writer.send_signal(signal.SIGKILL)
        said = [first, *(int(line) for line in writer.communicate()[0].split("\n")[:-1] if line.isdigit())]
        confirmed |= set(said)
        first = max(said) + 1_000
    found = list(read_log(folder, zone=None))
    numbers = [int((row.text or "").split(":")[1]) for row in found if isinstance(row, PredictionRecord)]
    assert len(numbers) == len(set(numbers))
    assert confirmed <= set(numbers)
    assert len([row for row in found if isinstance(row, BadLine)]) <= 12
