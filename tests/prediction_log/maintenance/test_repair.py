import base64
import gzip
import json
import os
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentimon.compression import ZstdFile
from sentimon.errors import StoreError
from sentimon.jsonl import LONGEST, BadLine, encode
from sentimon.prediction_log import durable_files, log_file
from sentimon.prediction_log.durable_files import append_lines
from sentimon.prediction_log.folder import list_files, sealed_files
from sentimon.prediction_log.maintenance import quarantine, repair, rewriting
from sentimon.prediction_log.maintenance.quarantine import (
    LONG_LINES,
    QUARANTINE_FILE,
    Quarantine,
    quarantined_line,
)
from sentimon.prediction_log.maintenance.repair import RepairedFile, find_bad_lines, needs_repair, repair_log
from sentimon.prediction_log.maintenance.rewriting import orphans
from sentimon.prediction_log.reader import read_log
from sentimon.prediction_log.rotation import compress_sealed
from tests.support.damaged_logs import good, good_rows, start_writer
from tests.support.faults import failing, force_nothing, in_new_process, killed_at
from tests.support.packed_files import ENDINGS, SEALED, packed, unpacked
from tests.support.rows import START, written
from tests.support.strategies import records

CODE = [one.__name__ for one in (rewriting, repair, quarantine, durable_files)]
PHASES = 2
"""Tests that share the lines at which a repair is killed, so that they can run beside each other."""


BAD = {
    b"nonsense": "json",
    b'{"timestamp": "2026-09-07T08:00:00Z", "text": "torn': "json",
    b'{"text": "caf\xe9"}': "encoding",
    good(0, sentiment="Mario").strip(): "label",
    good(0, confidence=0.5).strip(): "disagreement",
    good(0, timestamp="yesterday").strip(): "field",
    good(0, scores={"negative": 0.8}, note="[red]\x1b[31m").strip(): "scores",
    good(1).strip() + good(2).strip(): "json",
    b"\x00" * 50: "json",
    b"\xef\xbb\xbf" + good(3).strip(): "json",
    b"[" * 5000: "field",
    good(0, note=7).strip().replace(b"7}", b"[" * 5000): "json",
    "null\u2028".encode(): "field",
}


def repair(folder: Path, longest: int = LONGEST) -> list[RepairedFile]:
    found = find_bad_lines(folder, zone=UTC, longest=longest)
    return repair_log(folder, found, now=START, zone=UTC, longest=longest)


def bad_lines(folder: Path) -> list[BadLine]:
    return [one for one in read_log(folder, zone=UTC) if isinstance(one, BadLine)]


def quarantined(folder: Path) -> list[bytes]:
    path = folder / QUARANTINE_FILE
    return [quarantined_line(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def three_files(folder: Path) -> dict[str, list[bytes]]:
    """A log with bad lines in a compressed file, a plain one and the live one; its bad lines."""
    shutil.rmtree(folder, ignore_errors=True)
    one, two, three = list(BAD)[:3]
    written(folder, gzip.compress(good(0) + one + b"\n" + good(1)), SEALED + ".gz")
    written(folder, two + b"\n\n" + good(2), SEALED.replace("07T", "08T"))
    written(folder, good(3) + three + b"\n" + good(4) + one)
    return {"bad": [one, two, three, one]}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{BAD[bad]}-{len(bad)}")
def test_each_kind_of_bad_line_is_moved_and_the_rest_stays_byte_for_byte(
    tmp_path: Path, ending: str, bad: bytes
) -> None:
    kept = good(1) + b"\n \r\n" + good(2).replace(b"\n", b"\r\n") + good(3).replace(b'":', b'" : ')
    content = good(1) + bad + b"\n" + kept.removeprefix(good(1)) + bad + b"\r\n"
    written(tmp_path, packed(content, ending), SEALED + ending)
    before = good_rows(tmp_path)
    (done,) = repair(tmp_path)
    assert (done.path, dict(done.bad), done.damaged) == (tmp_path / (SEALED + ending), {BAD[bad]: 2}, False)
    assert unpacked(done.path) == kept
    assert good_rows(tmp_path) == before
    assert quarantined(tmp_path) == [bad, bad + b"\r"]


def test_the_quarantine_says_what_stood_where_and_why_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    written(tmp_path, good(0) + b"\nnonsense\r\n" + b"caf\xe9\n")
    repair(tmp_path)
    path = tmp_path / "quarantine.jsonl"
    entries = [json.loads(line) for line in path.read_bytes().splitlines()]
    reasons = [entry.pop("reason") for entry in entries]
    common = {"timestamp": "2026-09-07T08:00:00Z", "file": "predictions.jsonl"}
    assert entries == [
        common | {"line": 3, "kind": "json", "content": "nonsense\r"},
        common | {"line": 4, "kind": "encoding", "content_base64": base64.b64encode(b"caf\xe9").decode()},
    ]
    assert "not valid JSON" in reasons[0]
    assert "not valid UTF-8" in reasons[1]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_torn_last_line_goes_only_if_it_is_bad(tmp_path: Path) -> None:
    written(tmp_path, good(0) + good(1).strip())
    assert repair(tmp_path) == []
    assert not (tmp_path / QUARANTINE_FILE).exists()
    written(tmp_path, good(0) + good(1)[:-9])
    repair(tmp_path)
    assert (tmp_path / "predictions.jsonl").read_bytes() == good(0)
    written(tmp_path, b"nonsense\n" + good(1).strip())
    repair(tmp_path)
    assert (tmp_path / "predictions.jsonl").read_bytes() == good(1).strip()


def test_files_without_bad_lines_are_not_touched_and_nothing_else_is_made(tmp_path: Path) -> None:
    for ending in ENDINGS:
        name = SEALED.replace("07T", f"{10 + len(ending)}T") + ending
        written(tmp_path, packed(b"\n" + good(0) + b"  \n", ending), name)
    written(tmp_path, b"")
    written(tmp_path, "no part of the log\n", "predictions-copy.jsonl")
    before = {path: path.stat() for path in tmp_path.iterdir()}
    assert repair(tmp_path) == []
    assert {path: path.stat() for path in tmp_path.iterdir()} == before


def test_where_a_file_stands_in_two_forms_the_one_that_counts_is_repaired(tmp_path: Path) -> None:
    written(tmp_path, good(0) + b"nonsense\n", SEALED)
    written(tmp_path, gzip.compress(good(0) + b"nonsense\n"), SEALED + ".gz")
    repair(tmp_path)
    assert good_rows(tmp_path)
    assert not bad_lines(tmp_path)
    written(tmp_path, b"nonsense\n", SEALED)
    written(tmp_path, gzip.compress(b"nonsense\n"), SEALED + ".gz")
    repair(tmp_path)
    assert not list(tmp_path.glob("predictions*"))


@pytest.mark.parametrize(
    ("ending", "damage"),
    [
        *((ending, damage) for ending in (".gz", ".zst") for damage in ("cut", "flipped", "nonsense")),
        # Nothing at all is a whole file of gzip, without rows.
        (".zst", "emptied"),
    ],
)
def test_of_a_damaged_file_the_rows_before_the_damage_stay_and_the_original_is_kept(
    tmp_path: Path, ending: str, damage: str
) -> None:
    source = random.Random(5)
    content = (
        b"".join(good(minute, note=source.randbytes(900).hex()) for minute in range(300)) + b"nonsense\n"
    )
    broken = bytearray(packed(content, ending))
    middle = len(broken) // 2
    broken[middle] ^= 0xFF
    given = {"cut": broken[:middle], "flipped": broken, "emptied": b"", "nonsense": b"nonsense"}[damage]
    path = written(tmp_path, bytes(given), SEALED + ending) / (SEALED + ending)
    os.utime(path, (START.timestamp(), START.timestamp()))
    before = good_rows(tmp_path)
    assert bool(before) == (damage in ("cut", "flipped"))
    (done,) = repair(tmp_path)
    assert done.damaged
    assert done.kept_as == tmp_path / f"{path.name}.damaged"
    assert done.kept_as.read_bytes() == bytes(given)
    assert good_rows(tmp_path) == before
    assert not bad_lines(tmp_path)
    assert path.exists() == bool(before)
    if before:
        assert path.stat().st_mtime == START.timestamp()
        assert repair(tmp_path) == []


def test_a_second_damaged_file_of_one_name_gets_a_number(tmp_path: Path) -> None:
    for content in (b"one", b"two", b"three"):
        written(tmp_path, content, SEALED + ".gz")
        repair(tmp_path)
    kept = {path.name: path.read_bytes() for path in tmp_path.glob("*.damaged*")}
    assert kept == {
        f"{SEALED}.gz.damaged": b"one",
        f"{SEALED}.gz.damaged.1": b"two",
        f"{SEALED}.gz.damaged.2": b"three",
    }
    assert list_files(tmp_path) == []


def test_a_line_of_twenty_megabytes_is_moved_whole(tmp_path: Path) -> None:
    large = b'{"text": "' + b"x" * 20_000_000
    written(tmp_path, good(0) + large + b"\n" + good(1))
    repair(tmp_path)
    assert quarantined(tmp_path) == [large]
    assert (tmp_path / "predictions.jsonl").read_bytes() == good(0) + good(1)


def long_line_files(folder: Path) -> list[Path]:
    return sorted(folder.glob(LONG_LINES))


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("newline", [b"\n", b""])
def test_a_line_that_is_too_long_is_moved_to_a_file_of_its_own(
    tmp_path: Path, ending: str, newline: bytes
) -> None:
    long = "perché ".encode() * 100_000
    name = SEALED + ending
    written(tmp_path, packed(good(0) + b"nonsense\n" + long + newline, ending), name)
    with mock.patch.object(log_file, "CHUNK", 10_000):
        (repaired,) = repair(tmp_path, longest=5000)
    assert repaired.bad == {"json": 1, "too_long": 1}
    assert unpacked(tmp_path / name) == good(0)
    (path,) = long_line_files(tmp_path)
    assert path.name == f"quarantine-{SEALED.removesuffix('.jsonl')}-3.zst"
    assert path.stat().st_mode & 0o777 == 0o600
    with ZstdFile(path) as file:
        assert file.read() == long
    entries = [json.loads(line) for line in (tmp_path / QUARANTINE_FILE).read_bytes().splitlines()]
    assert [(one["line"], one["kind"], one.get("content_file")) for one in entries] == [
        (2, "json", None),
        (3, "too_long", path.name),
    ]
    assert not orphans(tmp_path)
    assert find_bad_lines(tmp_path, zone=UTC, longest=5000)[SEALED.removesuffix(".jsonl")].bad == {}
    # A second one of that name has a number.
    written(tmp_path, packed(good(0) + b"nonsense\n" + long, ending), name)
    repair(tmp_path, longest=5000)
    assert [one.name for one in long_line_files(tmp_path)] == [path.name.replace(".zst", ".1.zst"), path.name]


def test_a_long_line_that_a_damage_cuts_stays_in_the_damaged_original(tmp_path: Path) -> None:
    chance = random.Random(3)
    content = packed(good(0) + chance.randbytes(300_000).hex().encode() + b"\n" + good(1), ".gz")
    name = SEALED + ".gz"
    written(tmp_path, content[: len(content) // 2], name)
    written(tmp_path, good(2) + b"x" * 6000 + b"\n")
    repair(tmp_path, longest=5000)
    assert unpacked(tmp_path / name) == good(0)
    assert (tmp_path / f"{name}.damaged").read_bytes() == content[: len(content) // 2]
    assert (tmp_path / "predictions.jsonl").read_bytes() == good(2)
    (path,) = long_line_files(tmp_path)
    assert path.name == "quarantine-predictions-2.zst"
    assert not orphans(tmp_path)


@pytest.mark.parametrize("name", ["predictions.jsonl", SEALED])
def test_a_linked_file_is_said_before_anything_is_changed(tmp_path: Path, name: str) -> None:
    logs = written(tmp_path / "logs", b"nonsense\n", SEALED.replace("07T", "06T"))
    written(tmp_path, b"root:x:0:0\n", "passwd")
    (logs / name).symlink_to(tmp_path / "passwd")
    with pytest.raises(StoreError, match=f"{name}: is a link"):
        repair(logs)
    assert (tmp_path / "passwd").read_bytes() == b"root:x:0:0\n"
    assert (logs / SEALED.replace("07T", "06T")).read_bytes() == b"nonsense\n"
    assert not (logs / QUARANTINE_FILE).exists()


def test_many_bad_lines_are_written_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentimon.prediction_log.maintenance.quarantine._MOST_WAITING_BYTES", 1000)
    written(tmp_path, b"".join(b"nonsense %d\n" % number for number in range(100)) + good(0))
    with failing(monkeypatch, "write", 0) as calls:
        repair(tmp_path)
    assert 5 < calls[0] < 50
    assert quarantined(tmp_path) == [b"nonsense %d" % number for number in range(100)]


def test_bad_lines_are_on_the_disk_before_their_file_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, b"nonsense\n" + good(0))
    order: list[str] = []
    fsync, exchange = os.fsync, os.replace

    def forced(descriptor: int) -> None:
        order.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    def replaced(source: Path, target: Path) -> None:
        order.append(f"replaced {Path(target).name}")
        exchange(source, target)

    monkeypatch.setattr(os, "fsync", forced)
    monkeypatch.setattr(os, "replace", replaced)
    repair(tmp_path)
    new = next(name for name in order if name.startswith(".predictions-rewrite."))
    folder = tmp_path.name
    # The content of both, then the name of the quarantine, and last that of the file.
    assert order == [new, "quarantine.jsonl", folder, "replaced predictions.jsonl", folder]


logs = st.lists(
    st.sampled_from([*BAD, b"", b" \r"]) | records().map(lambda one: encode(one.to_dict())), max_size=12
)


@settings(deadline=None)
@given(st.lists(st.tuples(logs, st.sampled_from(ENDINGS), st.booleans()), max_size=4))
def test_after_a_repair_the_log_has_the_same_good_rows_no_bad_lines_and_none_is_lost(
    files: list[tuple[list[bytes], str, bool]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, (content, ending, ended) in enumerate(files):
            live = number == len(files) - 1
            joined = b"\n".join(content) + (b"\n" if ended else b"")
            path = "predictions.jsonl" if live else f"predictions-2026090{number}T000000Z.jsonl{ending}"
            written(folder, packed(joined, "" if live else ending), path)
        before, bad = good_rows(folder), bad_lines(folder)
        done = repair(folder)
        assert good_rows(folder) == before
        assert bad_lines(folder) == []
        assert sum(one.bad_count for one in done) == len(bad) == len(quarantined(folder))
        entries = (
            [json.loads(line) for line in (folder / QUARANTINE_FILE).read_bytes().splitlines()] if bad else []
        )
        assert [(one["file"], one["line"], one["kind"], one["reason"]) for one in entries] == [
            (Path(one.path).name, one.line, one.kind, one.reason) for one in bad
        ]
        assert repair(folder) == []


def kill_repairs(place: str, phase: int) -> None:
    force_nothing()
    folder = Path(place)
    bad = Counter(three_files(folder)["bad"])
    rows, found, step = good_rows(folder), find_bad_lines(folder, zone=UTC), 1 + phase
    while killed_at(step, lambda: repair_log(folder, found, now=START, zone=UTC), *CODE):
        assert good_rows(folder) == rows
        left = Counter(quarantined(folder)) + Counter({None: len(bad_lines(folder))})
        assert left.total() >= bad.total()
        repair(folder)
        assert good_rows(folder) == rows
        assert bad_lines(folder) == []
        kept = Counter(line for line in quarantined(folder) if line in bad)
        assert all(bad[line] <= kept[line] <= 2 * bad[line] for line in bad)
        assert not orphans(folder)
        three_files(folder)
        step += PHASES
    assert step > 100
    assert Counter(quarantined(folder)) == bad


@pytest.mark.parametrize("phase", range(PHASES))
def test_killed_at_any_line_of_its_code_a_repair_loses_and_doubles_nothing(
    tmp_path: Path, phase: int
) -> None:
    in_new_process(kill_repairs, str(tmp_path / "logs"), phase)


def kill_repairs_of_a_damaged_file(place: str) -> None:
    force_nothing()
    folder, source, step = Path(place), random.Random(5), 1
    whole = packed(b"".join(good(minute, note=source.randbytes(900).hex()) for minute in range(30)), ".zst")
    cut = whole[: len(whole) // 2]

    def broken() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        written(folder, cut, SEALED + ".zst")

    broken()
    rows, found = good_rows(folder), find_bad_lines(folder, zone=UTC)
    while killed_at(step, lambda: repair_log(folder, found, now=START, zone=UTC), *CODE):
        assert good_rows(folder) == rows
        repair(folder)
        assert good_rows(folder) == rows
        assert bad_lines(folder) == []
        assert [path.read_bytes() for path in folder.glob("*.damaged*")] == [cut]
        broken()
        step += 1
    assert step > 100


def test_killed_at_any_line_the_repair_of_a_damaged_file_keeps_its_rows_and_one_copy(tmp_path: Path) -> None:
    in_new_process(kill_repairs_of_a_damaged_file, str(tmp_path / "logs"))


@contextmanager
def maybe_no_room(folder: Path) -> Iterator[None]:
    """Pass over the error that says that there is no room, and where."""
    try:
        yield
    except StoreError as error:
        if "No space left on device" not in error.message or str(folder) not in error.message:
            raise


@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace", "link", "chown"])
def test_whatever_the_system_refuses_a_repair_loses_nothing_and_says_what_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    folder, number = tmp_path / "logs", 0
    while True:
        bad = Counter(three_files(folder)["bad"])
        written(folder, gzip.compress(good(9))[:-1], SEALED.replace("07T", "09T") + ".gz")
        rows, number = good_rows(folder), number + 1
        found = find_bad_lines(folder, zone=UTC)
        with failing(monkeypatch, call, number) as calls, maybe_no_room(folder):
            repair_log(folder, found, now=START, zone=UTC)
        assert good_rows(folder) == rows
        assert not orphans(folder)
        repair(folder)
        assert good_rows(folder) == rows
        assert bad_lines(folder) == []
        assert all(bad[line] <= Counter(quarantined(folder))[line] for line in bad)
        assert len(list(folder.glob("*.damaged*"))) == 1
        if calls[0] < number:
            break
    assert number > 1


def test_a_live_file_sealed_and_compressed_since_it_was_looked_at_is_repaired(tmp_path: Path) -> None:
    written(tmp_path, good(0) + b"nonsense\n")
    found = find_bad_lines(tmp_path, zone=UTC)
    (tmp_path / "predictions.jsonl").rename(tmp_path / SEALED)
    compress_sealed(tmp_path, "zstd")
    written(tmp_path, good(1))
    (done,) = repair_log(tmp_path, found, now=START, zone=UTC)
    assert done.path == tmp_path / (SEALED + ".zst")
    assert len(good_rows(tmp_path)) == 2
    assert not bad_lines(tmp_path)


def test_a_file_removed_since_it_was_looked_at_stays_removed(tmp_path: Path) -> None:
    written(tmp_path, b"nonsense\n", SEALED)
    found = find_bad_lines(tmp_path, zone=UTC)
    assert [needs_repair(one) for one in found.values()] == [True]
    (tmp_path / SEALED).unlink()
    assert repair_log(tmp_path, found, now=START, zone=UTC) == []
    assert not list(tmp_path.glob("predictions*"))


def test_lines_of_the_quarantine_that_are_no_entries_stand_for_themselves() -> None:
    for line in (b"torn {", b'{"content_base64": "x"}', b'{"content": null}', b'{"content": 7}', b"caf\xe9"):
        assert quarantined_line(line) == line


@settings(deadline=None)
@given(st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"")))
def test_the_quarantine_gives_back_any_bytes(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        quarantine = Quarantine(Path(name), now=START)
        quarantine.add(BadLine(path="x", line=1, kind="json", reason="bad"), raw + b"\n")
        quarantine.flush()
        (entry,) = quarantine.path.read_bytes().splitlines()
        # Of an empty line, which is never bad, there would be nothing to give back.
        assert quarantined_line(entry) == (raw or entry)


@pytest.mark.parametrize("compression", ["zstd", "none"])
def test_repairs_while_another_program_writes_seals_and_compresses_lose_no_row(
    tmp_path: Path, compression: str
) -> None:
    folder, spoilt, repaired = tmp_path / "logs", 0, 0
    writer = start_writer(folder, compression)
    while writer.poll() is None:
        append_lines(folder / "predictions.jsonl", [b"nonsense %d" % spoilt])
        spoilt += 1
        repaired += sum(one.bad_count for one in repair(folder))
    assert writer.returncode == 0
    repaired += sum(one.bad_count for one in repair(folder))
    texts = [one.text for one in good_rows(folder)]
    assert len(texts) == 300
    assert set(texts) == {f"{number}:" + "x" * 400 for number in range(300)}
    assert quarantined(folder) == [b"nonsense %d" % number for number in range(spoilt)]
    assert repaired == spoilt
    assert len(sealed_files(folder)) > 5
