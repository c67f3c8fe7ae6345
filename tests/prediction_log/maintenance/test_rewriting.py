import gzip
import io
import os
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentimon.config.settings import LogSettings
from sentimon.errors import StoreError
from sentimon.jsonl import LineError, numbered_lines
from sentimon.prediction_log import rotation
from sentimon.prediction_log.append_chain import read_append_chain
from sentimon.prediction_log.compression import OPTIONS, ZstdFile
from sentimon.prediction_log.locks import exclusive, only_compressor
from sentimon.prediction_log.log_file import LogFile, open_log_file
from sentimon.prediction_log.maintenance import rewriting
from sentimon.prediction_log.maintenance.retention import remove_files
from sentimon.prediction_log.maintenance.rewriting import (
    NumberedLine,
    edited_lines,
    only_rewriter,
    orphans,
    rewrite,
    rewrite_files,
)
from sentimon.prediction_log.reader import read_log
from sentimon.prediction_log.writer import LogWriter
from tests.prediction_log.faults import failing
from tests.rows import START, records, written

SEALED = "predictions-20260907T080000Z.jsonl"
ENDINGS = ("", ".gz", ".zst")
CONTENT = b"keep\n\ndrop\nkeep\r\nchange\r\ndrop"


def packed(content: bytes, ending: str) -> bytes:
    if ending == ".gz":
        return gzip.compress(content)
    if ending == ".zst":
        raw = io.BytesIO()
        with ZstdFile(raw, "w", options=OPTIONS) as file:
            file.write(content)
        return raw.getvalue()
    return content


def unpacked(path: Path) -> bytes:
    with open_log_file(path) as segment:
        return segment.stream.read()


def edit(line: NumberedLine) -> bytes | None:
    return {b"drop": None, b"change": b"changed"}.get(line.content, line.content)


def under(folder: Path) -> Callable[[], AbstractContextManager[int]]:
    return partial(exclusive, folder)


lines_of_bytes = st.lists(
    st.sampled_from([b"", b" ", b"\r", b"\xef\xbb\xbf", b"\xef\xbb\xbfa", b"\x00", b"\xc2\x85", b"a\x0bb"])
    | st.binary(max_size=6)
).map(b"\n".join)


@settings(deadline=None)
@given(lines_of_bytes)
def test_what_an_edit_sees_is_what_a_reader_sees_and_unedited_lines_stay_as_they_are(content: bytes) -> None:
    seen: list[tuple[int, bytes]] = []

    def look(line: NumberedLine) -> bytes:
        seen.append((line.number, line.content))
        return line.content

    with (
        tempfile.TemporaryDirectory() as folder,
        open_log_file(written(Path(folder), content) / "predictions.jsonl") as segment,
    ):
        pairs = list(edited_lines(segment, look))
    assert seen == list(numbered_lines(io.BytesIO(content)))
    assert b"".join(before for before, _ in pairs) == content
    assert b"".join(after for _, after in pairs) == content


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_rewritten_file_keeps_the_other_bytes_and_its_compression_time_and_mode(
    tmp_path: Path, ending: str
) -> None:
    path = written(tmp_path, packed(CONTENT, ending), SEALED + ending) / (SEALED + ending)
    path.chmod(0o640)
    os.utime(path, (START.timestamp(), START.timestamp()))
    assert rewrite(path, edit, under(tmp_path)) is not None
    assert unpacked(path) == b"keep\n\nkeep\r\nchanged\r\n"
    status = path.stat()
    assert (status.st_mtime, status.st_mode & 0o777) == (START.timestamp(), 0o640)
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == [path.name]


def test_a_private_file_stays_private(tmp_path: Path) -> None:
    path = written(tmp_path, CONTENT, SEALED) / SEALED
    path.chmod(0o600)
    before = os.umask(0)
    try:
        rewrite(path, edit, under(tmp_path))
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_whose_lines_all_stay_is_not_touched(tmp_path: Path, ending: str) -> None:
    path = written(tmp_path, packed(b"keep\nkeep\n", ending), SEALED + ending) / (SEALED + ending)
    before = path.stat()
    assert rewrite(path, edit, under(tmp_path)) is None
    after = path.stat()
    assert (after.st_ino, after.st_ctime_ns) == (before.st_ino, before.st_ctime_ns)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_sealed_file_that_would_be_empty_goes_with_its_other_forms_and_the_live_one_stays(
    tmp_path: Path, ending: str
) -> None:
    for other in ENDINGS:
        written(tmp_path, packed(b"drop\n", other), SEALED + other)
    written(tmp_path, b"drop\n")
    rewrite(tmp_path / (SEALED + ending), edit, under(tmp_path))
    assert not list(tmp_path.glob(SEALED + "*"))
    rewrite(tmp_path / "predictions.jsonl", edit, under(tmp_path))
    assert (tmp_path / "predictions.jsonl").read_bytes() == b""
    assert list(read_log(tmp_path, zone=None)) == []


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_damaged_file_is_left_as_it_is_unless_its_rows_are_to_be_saved(tmp_path: Path, ending: str) -> None:
    cut = packed(b"drop\n", ending)[:-5]
    path = written(tmp_path, cut, SEALED + ending) / (SEALED + ending)
    with pytest.raises(LineError):
        rewrite(path, edit, under(tmp_path))
    assert path.read_bytes() == cut
    assert not orphans(tmp_path)


def test_a_mark_that_comes_to_stand_first_is_still_part_of_its_line(tmp_path: Path) -> None:
    marked = b"\xef\xbb\xbf" + b"{}"
    path = written(tmp_path, b"drop\ndrop\n" + marked + b"\nkeep\n", SEALED) / SEALED
    before = [content for _, content in numbered_lines(io.BytesIO(path.read_bytes()))][2:]
    rewrite(path, edit, under(tmp_path))
    assert [content for _, content in numbered_lines(io.BytesIO(path.read_bytes()))] == before
    assert before[0] == marked


@pytest.mark.parametrize("name", ["predictions.jsonl", SEALED])
def test_a_link_is_said_and_neither_it_nor_what_it_leads_to_is_changed(tmp_path: Path, name: str) -> None:
    elsewhere = written(tmp_path / "elsewhere", CONTENT, "data")
    logs = tmp_path / "logs"
    logs.mkdir()
    link = logs / name
    link.symlink_to(elsewhere / "data")
    with pytest.raises(StoreError, match="is a link, and what it leads to is not rewritten") as caught:
        rewrite(link, edit, under(logs))
    assert str(link) in caught.value.message
    assert link.is_symlink()
    assert (elsewhere / "data").read_bytes() == CONTENT
    assert [one.name for one in logs.iterdir() if one.name != ".sentimon"] == [name]


def test_a_link_put_in_place_of_a_file_meanwhile_is_not_followed(tmp_path: Path) -> None:
    path = written(tmp_path / "logs", CONTENT) / "predictions.jsonl"
    other = written(tmp_path, CONTENT, "other") / "other"

    def meddle() -> None:
        path.unlink()
        path.symlink_to(other)

    with pytest.raises(StoreError, match="another program changed it meanwhile"):
        rewrite(path, edit, under(tmp_path / "logs"), ready=meddle)
    assert other.read_bytes() == CONTENT


@pytest.mark.parametrize("change", ["appended", "replaced", "touched"])
def test_a_file_that_another_program_changes_meanwhile_is_left_as_it_is(tmp_path: Path, change: str) -> None:
    path = written(tmp_path, CONTENT) / "predictions.jsonl"

    def meddle() -> None:
        if change == "appended":
            with path.open("ab") as file:
                file.write(b"\nkeep\n")
        elif change == "replaced":
            status = path.stat()
            other = written(tmp_path, CONTENT, "other") / "other"
            os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
            other.replace(path)
        else:
            os.utime(path, (START.timestamp(), START.timestamp()))

    with pytest.raises(StoreError, match="another program changed it"):
        rewrite(path, edit, under(tmp_path), ready=meddle)
    assert path.read_bytes().startswith(CONTENT)
    assert not orphans(tmp_path)


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_file_that_retention_removes_stays_removed(tmp_path: Path, when: str) -> None:
    path = written(tmp_path, CONTENT, SEALED) / SEALED
    file = LogFile.of(path, path.stat())
    if when == "before":
        remove_files(tmp_path, [file])
    assert rewrite(path, edit, under(tmp_path), ready=lambda: remove_files(tmp_path, [file])) is None
    assert not list(tmp_path.glob("*.jsonl"))
    assert not orphans(tmp_path)


@pytest.mark.parametrize("step", ["open", "fsync", "replace", "unlink", "chown", "utime"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_whatever_the_system_refuses_the_file_is_the_old_one_or_the_new_one_and_nothing_is_left_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, ending: str
) -> None:
    old, new, call = packed(CONTENT, ending), b"keep\n\nkeep\r\nchanged\r\n", 0
    path = tmp_path / (SEALED + ending)
    with only_rewriter(tmp_path):
        pass
    while True:
        written(tmp_path, old, path.name)
        call += 1
        with failing(monkeypatch, step, call) as calls:
            try:
                rewrite(path, edit, under(tmp_path))
                possible = [new]
            except StoreError:
                possible = [CONTENT, new]
        assert unpacked(path) in possible
        assert [one.name for one in tmp_path.iterdir() if one.is_file()] == [path.name]
        if calls[0] < call:
            break
    assert call > 1


def test_no_room_for_the_new_file_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, CONTENT, SEALED) / SEALED
    real = os.fdopen

    def full(descriptor: int, mode: str) -> object:
        if mode == "wb":
            os.dup2(os.open("/dev/full", os.O_WRONLY), descriptor)
        return real(descriptor, mode)

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(StoreError, match="No space left"):
        rewrite(path, edit, under(tmp_path))
    monkeypatch.undo()
    assert path.read_bytes() == CONTENT
    assert not orphans(tmp_path)


def test_a_large_file_is_rewritten_in_little_memory(tmp_path: Path) -> None:
    path = written(tmp_path, (b"x" * 200 + b"\n") * 100_000 + b"drop\n", SEALED) / SEALED
    tracemalloc.start()
    try:
        rewrite(path, edit, under(tmp_path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000
    assert path.stat().st_size == 201 * 100_000


def rewritten(folder: Path, untouched: list[str], *, sealing_at: str = "") -> list[str]:
    """The names of the files that were rewritten, in order; after the one named the live one is sealed."""
    names = []

    def one(path: Path, lock: Callable[[], AbstractContextManager[int]]) -> None:
        names.append(path.name)
        rewrite(path, edit, lock)
        if path.name == sealing_at:
            (folder / "predictions.jsonl").rename(folder / "predictions-20260909T080000Z.jsonl")
            written(folder, "drop\n")

    with only_rewriter(folder):
        rewrite_files(folder, untouched, one)
    return names


def test_files_are_rewritten_in_reading_order_without_those_that_need_it_not(tmp_path: Path) -> None:
    for name in (SEALED, "predictions-20260908T080000Z.jsonl", "predictions.jsonl"):
        written(tmp_path, "drop\n", name)
    assert rewritten(tmp_path, [SEALED.removesuffix(".jsonl")]) == [
        "predictions-20260908T080000Z.jsonl",
        "predictions.jsonl",
    ]
    stems = ["predictions", "predictions-20260907T080000Z", "predictions-20260908T080000Z"]
    assert rewritten(tmp_path, stems) == []


def test_a_live_file_that_is_sealed_meanwhile_is_rewritten_under_its_new_name(tmp_path: Path) -> None:
    written(tmp_path, "drop\n", SEALED)
    written(tmp_path, "keep\ndrop\n")
    assert rewritten(tmp_path, [], sealing_at=SEALED) == [
        SEALED,
        "predictions-20260909T080000Z.jsonl",
        "predictions.jsonl",
    ]
    assert (tmp_path / "predictions-20260909T080000Z.jsonl").read_bytes() == b"keep\n"
    assert (tmp_path / "predictions.jsonl").read_bytes() == b""


def test_the_live_file_is_rewritten_under_the_lock_as_a_whole(tmp_path: Path) -> None:
    written(tmp_path, "keep\ndrop\n")
    order: list[str] = []
    begun = threading.Event()

    def append() -> None:
        begun.wait()
        with exclusive(tmp_path):
            order.append("append")

    def one(path: Path, lock: Callable[[], AbstractContextManager[int]]) -> None:
        begun.set()
        time.sleep(0.2)
        rewrite(path, edit, lock)
        order.append("rewritten")

    writer = threading.Thread(target=append)
    writer.start()
    with only_rewriter(tmp_path):
        rewrite_files(tmp_path, [], one)
    writer.join()
    assert order == ["rewritten", "append"]


def test_a_rewritten_live_file_is_not_taken_for_one_that_only_grew(tmp_path: Path) -> None:
    LogWriter(tmp_path, LogSettings()).append(records(1, 0, 0), now=START)
    assert read_append_chain(tmp_path) is not None
    assert rewritten(tmp_path, []) == ["predictions.jsonl"]
    assert read_append_chain(tmp_path) is not None
    rewrite(tmp_path / "predictions.jsonl", lambda _: None, under(tmp_path))
    assert read_append_chain(tmp_path) is None


def test_who_rewrites_waits_for_a_compression_but_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewriting, "_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(rewriting, "_TRIES", 3)
    with only_compressor(tmp_path), pytest.raises(StoreError, match="is compressing") as caught:  # noqa: SIM117
        with only_rewriter(tmp_path):
            pytest.fail("two at once")
    assert "run it again" in str(caught.value.hint)
    monkeypatch.setattr(rewriting, "_TRIES", 1000)
    inside = threading.Event()

    def compress() -> None:
        with only_compressor(tmp_path):
            inside.set()
            time.sleep(0.1)

    other = threading.Thread(target=compress)
    other.start()
    inside.wait()
    with only_rewriter(tmp_path), only_compressor(tmp_path) as alone:
        assert not alone
    other.join()


def test_nothing_is_compressed_while_files_are_rewritten(tmp_path: Path) -> None:
    written(tmp_path, "keep\n", SEALED)
    with only_rewriter(tmp_path):
        rotation.compress_sealed(tmp_path, "zstd")
        assert (tmp_path / SEALED).exists()
    rotation.compress_sealed(tmp_path, "zstd")
    assert not (tmp_path / SEALED).exists()


def test_what_a_killed_rewriting_left_is_swept_up_by_the_next_and_by_the_compression(tmp_path: Path) -> None:
    for sweep in (
        lambda: only_rewriter(tmp_path),
        lambda: nullcontext(rotation.compress_sealed(tmp_path, "zstd")),
    ):
        path = written(tmp_path, CONTENT, SEALED) / SEALED

        def left_behind(of: Path = path) -> None:
            for orphan in orphans(of.parent):
                os.link(orphan, of.with_name("saved"))

        rewrite(path, edit, under(tmp_path), ready=left_behind)
        orphan = tmp_path / ".predictions-rewrite.abc"
        (tmp_path / "saved").rename(orphan)
        assert orphans(tmp_path) == [orphan]
        with sweep():
            assert not orphans(tmp_path)
