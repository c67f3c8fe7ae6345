import dataclasses
import gzip
import json
import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sentimon.errors import StoreError
from sentimon.jsonl import BadLine, encode
from sentimon.prediction_log import durable_files
from sentimon.prediction_log.index.log_index import index_paths
from sentimon.prediction_log.index.sqlite_store import remove_index
from sentimon.prediction_log.maintenance import erasure, erasure_criteria, quarantine, rewriting
from sentimon.prediction_log.maintenance.erasure import (
    Erasure,
    ErasureOrder,
    erase,
    find_erasure,
    unsearched_files,
)
from sentimon.prediction_log.maintenance.erasure_criteria import ErasureCriteria
from sentimon.prediction_log.maintenance.repair import find_bad_lines, repair_log
from sentimon.prediction_log.maintenance.rewriting import orphans
from sentimon.prediction_log.reader import read_log
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.rotation import compress_sealed
from sentimon.prediction_log.summary import Summary, summarise
from tests.support.damaged_logs import good, good_rows, start_writer
from tests.support.faults import failing, force_nothing, in_new_process, killed_at
from tests.support.packed_files import ENDINGS, SEALED, packed, unpacked
from tests.support.rows import START, written
from tests.support.strategies import records

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
CODE = [one.__name__ for one in (rewriting, erasure, erasure_criteria, quarantine, durable_files)]


def order(drop_rows: bool = False, **criteria: list[str]) -> ErasureOrder:
    return ErasureOrder(criteria=ErasureCriteria.of(**criteria), drop_rows=drop_rows, now=NOW, zone=UTC)


def run(folder: Path, order: ErasureOrder) -> Erasure:
    return erased(folder, find_erasure(folder, order), order)


def erased(folder: Path, found: Erasure, order: ErasureOrder) -> Erasure:
    place, _ = index_paths(folder, folder / "cache")
    return erase(folder, found, order, forget_index=lambda: remove_index(place))


def everything(folder: Path) -> bytes:
    """All that is in the folder, the compressed files unpacked."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return b"\n".join(
        unpacked(path) if path.suffix in (".gz", ".zst") else path.read_bytes() for path in files
    )


def of_statistics(summary: Summary) -> Summary:
    """A summary without what is about the texts themselves, and without where bad lines stand."""
    kept = ("truncated", "unreadable", "naive_timestamp")
    properties = {name: count for name, count in summary.properties.items() if name in kept}
    return replace(summary, properties=properties, bad_lines=())


def one_row(folder: Path) -> Any:
    (line,) = (folder / "predictions.jsonl").read_bytes().splitlines()
    return json.loads(line)


def test_an_erased_row_keeps_what_the_statistics_need_and_nothing_else(tmp_path: Path) -> None:
    ours = {"model": "m", "revision": "r", "truncated": True, "unreadable": True}
    full = ours | {"id": 7, "text_hash": "ab", "customer": "Mario"}
    before = one_row(written(tmp_path, good(0, **full)))
    done = run(tmp_path, order(ids=["7"]))
    assert done.counts == {
        "rows_erased": 1,
        "bad_lines_removed": 0,
        "quarantine_entries_removed": 0,
        "files_rewritten": 1,
    }
    kept = {name: before[name] for name in ("timestamp", "sentiment", "confidence", "scores")}
    assert one_row(tmp_path) == kept | {
        "text": None,
        **ours,
        "erased": "2026-11-24T10:00:00Z",
    }
    assert list(one_row(tmp_path)) == [
        "timestamp", "text", "sentiment", "confidence", "scores", *ours, "erased"
    ]  # fmt: skip


def test_what_stays_of_a_row_stays_digit_by_digit(tmp_path: Path) -> None:
    kept = (
        b'"timestamp": "2026-02-06T10:49:40.101704", "confidence": 0.90, "sentiment": "Positivo", '
        b'"scores": {"Positivo": 9.0e-1, "Neutro": 0.050, "Negativo":0.05}'
    )
    folder = written(tmp_path, b'{"text": "Mario", ' + kept + b', "note": "x"}\r\n' + good(1))
    (before, other) = good_rows(folder)
    run(folder, order(contains=["mario"]))
    assert (folder / "predictions.jsonl").read_bytes() == (
        b'{"timestamp":"2026-02-06T10:49:40.101704","text":null,"sentiment":"Positivo","confidence":0.90,'
        b'"scores":{"Positivo": 9.0e-1, "Neutro": 0.050, "Negativo":0.05},'
        b'"erased":"2026-11-24T10:00:00Z"}\r\n'
    ) + good(1)
    assert good_rows(folder) == [replace(before, text=None), other]
    assert before.naive


MATCHES: list[tuple[dict[str, list[str]], dict[str, Any], bool]] = [
    ({"ids": ["7"]}, {"id": 7}, True),
    ({"ids": ["7"]}, {"id": "7"}, True),
    ({"ids": ["7"]}, {"id": 77}, False),
    ({"ids": ["7"]}, {"id": "07"}, False),
    ({"ids": ["7"]}, {"order": 7}, False),
    ({"ids": ["è/1"]}, {"id": "è/1"}, True),
    ({"ids": ["7", "8"]}, {"id": 8}, True),
    ({"text_hashes": ["abc"]}, {"text_hash": "abc"}, True),
    ({"text_hashes": ["abc"]}, {"text_hash": "abcd"}, False),
    ({"text_hashes": ["abc"]}, {"id": "abc"}, False),
    ({"ids": ["abc"]}, {"text_hash": "abc"}, False),
    ({"contains": ["MARIO rossi"]}, {"text": "per Mario Rossi."}, True),
    ({"contains": ["mario rossi"]}, {"text": "mario  rossi"}, False),
    ({"contains": ["STRASSE 1"]}, {"text": "straße 1"}, True),
    ({"contains": ["nicolò"]}, {"text": "NICOLO\u0300 ha scritto"}, True),
    ({"contains": ["nicolo\u0300"]}, {"text": "Nicolò ha scritto"}, True),
    ({"contains": ["nicolo"]}, {"text": "Nicolò ha scritto"}, False),
    ({"contains": ['say "hi"\n']}, {"text": 'they SAY "hi"\n'}, True),
    ({"contains": ["\\u0041"]}, {"text": "A"}, False),
    ({"contains": ["😀"]}, {"text": "a😀b"}, True),
    ({"contains": ["mario"]}, {"customer": "Mario"}, True),
    ({"contains": ["mario"]}, {"customer": {"names": [{"first": "Mario"}]}}, True),
    ({"contains": ["mario"]}, {"mentions": {"@mario": 2}}, True),
    ({"contains": ["mario"]}, {"mario": 2}, False),
    ({"contains": ["12"]}, {"order": 12}, False),
    ({"contains": ["dad"]}, {"id": "3dad", "text_hash": "dad", "model": "dad", "revision": "dad"}, False),
    ({"contains": ["negative"]}, {"text": "good"}, False),
    ({"contains": ["2026-0"]}, {"erased": "2026-01-01T00:00:00Z"}, False),
    ({"contains": ["mario"]}, {"erased": "by Mario"}, True),
    ({"ids": ["7"], "contains": ["mario"]}, {"id": "7", "text": "anna"}, True),
]


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize(("criteria", "fields", "meant"), MATCHES)
def test_a_row_is_meant_or_not(
    tmp_path: Path, criteria: dict[str, list[str]], fields: dict[str, Any], meant: bool, ascii_only: bool
) -> None:
    row = json.loads(good(0)) | {"text": "x"} | fields
    written(tmp_path, json.dumps(row, ensure_ascii=ascii_only) + "\n")
    before = everything(tmp_path)
    done = run(tmp_path, order(**criteria))
    assert done.any == meant
    assert (everything(tmp_path) == before) == (not meant)
    assert not (meant and run(tmp_path, order(**criteria)).any)


@pytest.mark.parametrize(
    "hidden",
    [
        b'"text": "Mario", "text": "x"',
        b'"model": "Mario", "model": "x"',
        b'"n\\u006fte": {"a": "Mario", "a": 1}',
        b'"deep": ' + b"[" * 300 + b'"Mario"' + b"]" * 300,
        b'"t\\u0065xt": "M\\u0061rio"',
    ],
)
def test_what_a_later_field_or_an_escape_hides_is_found(tmp_path: Path, hidden: bytes) -> None:
    written(tmp_path, good(0).strip()[:-1] + b", " + hidden + b"}\n")
    assert len(good_rows(tmp_path)) == 1
    assert run(tmp_path, order(contains=["Mario"])).counts["rows_erased"] == 1
    assert b"rio" not in everything(tmp_path)
    assert len(good_rows(tmp_path)) == 1


def test_ids_that_a_later_field_hides_are_found(tmp_path: Path) -> None:
    written(tmp_path, good(0).strip()[:-1] + b', "id": "anna", "id": [], "id": 5}\n')
    assert run(tmp_path, order(ids=["anna"])).any


BAD_LINES: list[tuple[dict[str, list[str]], bytes, bool]] = [
    ({"contains": ["mario"]}, b'{"text": "MARIO torn', True),
    ({"contains": ["caffè"]}, b'{"text": "caff\\u00e8', True),
    ({"contains": ["😀"]}, b'{"text": "\\ud83d\\ude00', True),
    ({"contains": ['a"b']}, b'{"text": "a\\"b', True),
    ({"contains": ["a/b"]}, b'{"text": "a\\/b', True),
    ({"contains": ["nicolò"]}, b'{"text": "Nicol\xf2"}', True),
    ({"contains": ["nicolò"]}, "\ufeffNicolò".encode("utf-16-le"), True),
    ({"contains": ["mario"]}, b'\x00\x00\x00{"text": "Mario"', True),
    ({"contains": ["mario"]}, b'\xff{"text": "Mario"', True),
    ({"contains": ["mario"]}, b'{"text": "Mar\nio', False),
    ({"contains": ["anna"]}, b'{"text": "MARIO torn', False),
    ({"ids": ["7"]}, b'{"id": "7", "text": ', True),
    ({"ids": ["7"]}, b'{"id" : 7, "text": ', True),
    ({"ids": ["7"]}, b'{"id":7', True),
    ({"ids": ["7"]}, b'{"id": 77, "text": ', False),
    ({"ids": ["7"]}, b'{"id": "77", "text": ', False),
    ({"ids": ["7"]}, b'{"order": 7, "text": ', False),
    ({"ids": ["x.y"]}, b'{"id": "xzy', False),
    ({"text_hashes": ["abc"]}, b'{"text_hash": "abc"', True),
    ({"text_hashes": ["abc"]}, b'{"text_hash": "abcd"', False),
]


@pytest.mark.parametrize(("criteria", "line", "meant"), BAD_LINES)
def test_a_bad_line_that_is_meant_goes_as_a_whole_also_from_the_quarantine(
    tmp_path: Path, criteria: dict[str, list[str]], line: bytes, meant: bool
) -> None:
    content = good(0) + line + b"\n" + good(1)
    written(tmp_path, content)
    bad = sum(isinstance(one, BadLine) for one in read_log(tmp_path, zone=UTC))
    found = find_erasure(tmp_path, order(**criteria))
    done = run(tmp_path, order(**criteria))
    assert found.counts == done.counts
    assert done.counts["bad_lines_removed"] == (bad if meant else 0)
    assert (tmp_path / "predictions.jsonl").read_bytes() == (good(0) + good(1) if meant else content)
    written(tmp_path, content)
    repair_log(tmp_path, find_bad_lines(tmp_path, zone=UTC), now=START, zone=UTC)
    kept = (tmp_path / "quarantine.jsonl").read_bytes()
    assert run(tmp_path, order(**criteria)).counts["quarantine_entries_removed"] == (bad if meant else 0)
    assert (tmp_path / "quarantine.jsonl").exists() == (not meant)
    assert meant or (tmp_path / "quarantine.jsonl").read_bytes() == kept


def test_of_the_quarantine_only_what_is_meant_goes_even_if_it_is_no_entry(tmp_path: Path) -> None:
    written(tmp_path, b"anna\nmario one\n")
    repair_log(tmp_path, find_bad_lines(tmp_path, zone=UTC), now=START, zone=UTC)
    path = tmp_path / "quarantine.jsonl"
    anna = path.read_bytes().splitlines(keepends=True)[0]
    path.write_bytes(anna + b'{"content": "ma\n' + b'{"content": "mario torn\n')
    assert run(tmp_path, order(contains=["MARIO"])).quarantine_entries == 1
    assert path.read_bytes() == anna + b'{"content": "ma\n'
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("drop_rows", [False, True])
def test_rows_are_erased_or_dropped_in_every_kind_of_file_and_the_others_stay(
    tmp_path: Path, ending: str, drop_rows: bool
) -> None:
    content = good(0, text="anna") + good(1, text="Mario") + b"\n" + good(2, text="anna")
    path = written(tmp_path, packed(content, ending), SEALED + ending) / (SEALED + ending)
    clean = written(tmp_path, packed(good(3), ending), SEALED.replace("07T", "08T") + ending)
    os.utime(path, (START.timestamp(), START.timestamp()))
    before = {one: one.stat() for one in clean.iterdir()}
    run(tmp_path, order(contains=["mario"], drop_rows=drop_rows))
    kept = unpacked(path).split(b"\n")
    assert kept[0] + b"\n" == good(0, text="anna")
    assert (b'"erased"' in kept[1]) == (not drop_rows)
    assert kept[-3:] == [b"", good(2, text="anna").strip(), b""]
    assert path.stat().st_mtime == START.timestamp()
    assert [one for one, was in before.items() if one.stat() != was] == [path]
    assert len(good_rows(tmp_path)) == (3 if drop_rows else 4)


@settings(deadline=None)
@given(st.lists(records() | st.just(None), max_size=8), st.text(min_size=1, max_size=2), st.booleans())
def test_an_erasure_leaves_every_sum_as_it_was_and_nothing_of_what_was_looked_for(
    rows: list[PredictionRecord | None], wanted: str, naive: bool
) -> None:
    with tempfile.TemporaryDirectory() as name:
        lines = [b"nonsense" if one is None else encode(one.to_dict()) for one in rows]
        if naive:
            lines = [line.replace(b'Z","text"', b'","text"') for line in lines]
        folder = written(Path(name), b"\n".join(lines))
        before = summarise(read_log(folder, zone=UTC))
        texts = [(one.text or "").casefold() for one in rows if one]
        ids = [one.id for one in rows if one]
        meant = [wanted.casefold() in text or wanted == name for text, name in zip(texts, ids, strict=True)]
        asked = order(ids=[wanted], contains=[wanted])
        done = run(folder, asked)
        after = summarise(read_log(folder, zone=UTC))
        assert done.counts["rows_erased"] == sum(meant)
        assert replace(of_statistics(after), bad={}) == replace(of_statistics(before), bad={})
        assert before.bad_count - after.bad_count == done.counts["bad_lines_removed"]
        assert not find_erasure(folder, asked).any
        dropped = written(Path(name) / "other", b"\n".join(lines))
        run(dropped, order(ids=[wanted], contains=[wanted], drop_rows=True))
        left = [one for one, was_meant in zip(good_rows(folder), meant, strict=True) if not was_meant]
        assert good_rows(dropped) == left
        assert all(one.text is one.id is None for one in good_rows(folder) if one not in left)


def test_a_dry_run_changes_nothing_and_tells_the_same(tmp_path: Path) -> None:
    written(tmp_path, packed(good(0, text="Mario") + b"mario {\n", ".zst"), SEALED + ".zst")
    written(tmp_path, good(1, text="Mario"))
    before = {path: (path.stat(), path.read_bytes()) for path in tmp_path.iterdir()}
    found = find_erasure(tmp_path, order(contains=["mario"]))
    assert {path: (path.stat(), path.read_bytes()) for path in tmp_path.iterdir()} == before
    done = run(tmp_path, order(contains=["mario"]))
    assert done.files == found.files
    assert done.counts == found.counts
    assert [(one.path.name, one.rows, one.bad_lines) for one in done.files] == [
        (SEALED + ".zst", 1, 1),
        ("predictions.jsonl", 1, 0),
    ]


def test_nothing_meant_changes_nothing(tmp_path: Path) -> None:
    written(tmp_path, good(0) + b"nonsense\n")
    before = {path: path.stat() for path in tmp_path.rglob("*")}
    assert not run(tmp_path, order(ids=["7"])).any
    assert {path: path.stat() for path in tmp_path.rglob("*")} == before


def test_the_record_of_an_erasure_has_numbers_and_no_names(tmp_path: Path) -> None:
    written(tmp_path, good(0, text="Mario", id="order-9") + b"mario {\n" + good(1, text_hash="abcdef"))
    asked = order(ids=["order-9", "other"], contains=["Mario"], text_hashes=["abcdef"], drop_rows=True)
    run(tmp_path, asked)
    path = tmp_path / "erasures.jsonl"
    assert json.loads(path.read_bytes()) == {
        "timestamp": "2026-11-24T10:00:00Z",
        "criteria": {"id": 2, "text_hash": 1, "contains": 1},
        "drop_rows": True,
        "rows_erased": 2,
        "bad_lines_removed": 1,
        "quarantine_entries_removed": 0,
        "files_rewritten": 1,
        "complete": True,
    }
    assert path.stat().st_mode & 0o777 == 0o600
    for name in (b"Mario", b"mario", b"order-9", b"abcdef"):
        assert name not in everything(tmp_path)


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_with_a_damaged_file_nothing_is_changed_before_it_is_repaired(tmp_path: Path, ending: str) -> None:
    written(tmp_path, good(0, text="Mario"), SEALED)
    cut = packed(b"".join(good(n, text="Mario", note=os.urandom(900).hex()) for n in range(99)), ending)[:-40]
    name = SEALED.replace("07T", "08T") + ending
    written(tmp_path, cut, name)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(StoreError, match=name) as caught:
        run(tmp_path, order(contains=["mario"]))
    assert "sentimon logs repair" in str(caught.value.hint)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    repair_log(tmp_path, find_bad_lines(tmp_path, zone=UTC), now=START, zone=UTC)
    run(tmp_path, order(contains=["mario"]))
    assert unsearched_files(tmp_path) == [tmp_path / f"{name}.damaged"]
    (tmp_path / f"{name}.damaged").unlink()
    assert b"Mario" not in everything(tmp_path)


@pytest.mark.parametrize("counted", ["as it was", "erased already"])
@pytest.mark.parametrize("other", ["whole", "cut"])
def test_the_other_form_of_a_sealed_file_does_not_keep_the_text(
    tmp_path: Path, counted: str, other: str
) -> None:
    content = good(0, text="Mario") * 20
    written(tmp_path, content if counted == "as it was" else good(0, text="x"), SEALED)
    compressed = gzip.compress(content)
    written(tmp_path, compressed if other == "whole" else compressed[:-12], SEALED + ".gz")
    # Of another file, and without the text: it stays.
    written(tmp_path, good(1), SEALED.replace("07T", "08T"))
    written(tmp_path, gzip.compress(good(1)), SEALED.replace("07T", "08T") + ".gz")
    found = find_erasure(tmp_path, order(contains=["mario"]))
    done = run(tmp_path, order(contains=["mario"]))
    assert done.leftovers == found.leftovers == [tmp_path / (SEALED + ".gz")]
    assert b"Mario" not in everything(tmp_path)
    assert len(good_rows(tmp_path)) == (21 if counted == "as it was" else 2)
    assert (tmp_path / (SEALED.replace("07T", "08T") + ".gz")).exists()


def test_a_second_form_that_counts_by_now_is_erased_from_and_not_removed(tmp_path: Path) -> None:
    written(tmp_path, good(0, text="Mario") + good(1), SEALED)
    written(tmp_path, packed(good(0, text="Mario") + good(1), ".zst"), SEALED + ".zst")
    asked = order(contains=["mario"])
    found = find_erasure(tmp_path, asked)
    assert found.leftovers
    compress_sealed(tmp_path, "zstd")
    erased(tmp_path, found, asked)
    assert len(good_rows(tmp_path)) == 2
    assert b"Mario" not in everything(tmp_path)


def test_a_line_that_is_too_long_stays_byte_for_byte_and_is_said(tmp_path: Path) -> None:
    long = b'{"text": "Mario Rossi ' + b"x" * 6000 + b'"}\n'
    written(tmp_path, good(0, text="Mario Rossi") + long + good(1))
    wanted = dataclasses.replace(order(contains=["mario rossi"]), longest=5000)
    found = find_erasure(tmp_path, wanted)
    assert found.unsearched == [f"{tmp_path / 'predictions.jsonl'}:2"]
    done = erased(tmp_path, found, wanted)
    assert (done.counts["rows_erased"], done.unsearched) == (1, found.unsearched)
    content = (tmp_path / "predictions.jsonl").read_bytes()
    assert content.endswith(b"\n" + long + good(1))
    assert content.count(b"Mario") == 1
    repair_log(tmp_path, find_bad_lines(tmp_path, zone=UTC, longest=5000), now=NOW, zone=UTC, longest=5000)
    (kept,) = unsearched_files(tmp_path)
    assert kept.name == "quarantine-predictions-2.zst"


def test_nothing_is_erased_through_a_link(tmp_path: Path) -> None:
    logs = written(tmp_path / "logs", good(0, id="7"))
    written(tmp_path, good(1, id="7"), "elsewhere")
    (logs / SEALED).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="is a link, and what it leads to is not rewritten"):
        run(logs, order(ids=["7"]))
    assert (tmp_path / "elsewhere").read_bytes() == good(1, id="7")
    assert (logs / "predictions.jsonl").read_bytes() == good(0, id="7")


def test_half_written_files_of_killed_programs_go_and_so_does_the_index(tmp_path: Path) -> None:
    written(tmp_path, "Mario", ".predictions-20260907T080000Z.jsonl.zst.abc")
    run(tmp_path, order(contains=["mario"]))
    assert b"Mario" not in everything(tmp_path)
    assert not (tmp_path / "erasures.jsonl").exists()
    written(tmp_path, good(0, text="Mario"))
    for name in ("rollup.sqlite", "rollup.sqlite-wal"):
        written(tmp_path / ".sentimon", "Mario", name)
    run(tmp_path, order(ids=["none"]))
    assert (tmp_path / ".sentimon/rollup.sqlite").exists()
    run(tmp_path, order(contains=["mario"]))
    assert b"Mario" not in everything(tmp_path)


@pytest.mark.parametrize("drop_rows", [False, True])
def test_a_live_file_sealed_and_compressed_since_it_was_searched_is_erased_from(
    tmp_path: Path, drop_rows: bool
) -> None:
    written(tmp_path, good(0, text="Mario") + good(1))
    asked = order(contains=["mario"], drop_rows=drop_rows)
    found = find_erasure(tmp_path, asked)
    (tmp_path / "predictions.jsonl").rename(tmp_path / SEALED)
    compress_sealed(tmp_path, "zstd")
    written(tmp_path, good(2, text="Mario") + good(3))
    done = erased(tmp_path, found, asked)
    assert [one.path.name for one in done.files] == [SEALED + ".zst", "predictions.jsonl"]
    assert b"Mario" not in everything(tmp_path)
    assert len(good_rows(tmp_path)) == (2 if drop_rows else 4)


def log_of_mario(folder: Path) -> None:
    """Three files and a quarantine in which Mario is, and so is Anna."""
    shutil.rmtree(folder, ignore_errors=True)
    both = good(0, text="Mario") + good(1, text="Anna")
    written(folder, gzip.compress(both), SEALED + ".gz")
    written(folder, both, SEALED.replace("07T", "08T"))
    written(folder, gzip.compress(both), SEALED.replace("07T", "08T") + ".gz")
    written(folder, b"Anna {\nMario {\n")
    repair_log(folder, find_bad_lines(folder, zone=UTC), now=START, zone=UTC)
    written(folder, both + b"Mario {\n")


def kill_erasures(place: str, drop_rows: bool) -> None:
    force_nothing()
    folder, asked, step = Path(place), order(contains=["mario"], drop_rows=drop_rows), 1
    log_of_mario(folder)
    found, before = find_erasure(folder, asked), of_statistics(summarise(read_log(folder, zone=UTC)))
    while killed_at(step, lambda: erased(folder, found, asked), *CODE):
        for again in (False, True):
            if again:
                run(folder, asked)
            after = of_statistics(summarise(read_log(folder, zone=UTC)))
            assert drop_rows or replace(after, bad={}) == replace(before, bad={})
            assert [one.text for one in good_rows(folder)].count("Anna") == 3
            assert b"Anna {" in (folder / "quarantine.jsonl").read_bytes()
        assert b"Mario" not in everything(folder)
        assert not orphans(folder)
        log_of_mario(folder)
        step += 3
    assert step > 100


@pytest.mark.parametrize("drop_rows", [False, True])
def test_killed_at_any_line_of_its_code_an_erasure_spoils_nothing_and_can_be_run_again(
    tmp_path: Path, drop_rows: bool
) -> None:
    in_new_process(kill_erasures, str(tmp_path / "logs"), drop_rows)


@pytest.mark.parametrize("call", ["open", "fsync", "replace", "unlink", "chown"])
def test_whatever_the_system_refuses_an_erasure_records_what_it_did_and_can_be_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    folder, asked, number, halves = tmp_path / "logs", order(contains=["mario"]), 0, 0
    while True:
        log_of_mario(folder)
        found, number = find_erasure(folder, asked), number + 1
        with failing(monkeypatch, call, number) as calls:
            try:
                erased(folder, found, asked)
            except StoreError as error:
                failed = error.message
            else:
                failed = ""
        assert not failed or "No space left on device" in failed
        assert call == "unlink" or not orphans(folder)
        if failed and (folder / "erasures.jsonl").exists():
            record = json.loads((folder / "erasures.jsonl").read_bytes())
            halves += not record["complete"]
            # That a file which is there no more cannot be removed is an error that no system gives.
            assert call == "unlink" or record["rows_erased"] == everything(folder).count(b'"erased"')
        run(folder, asked)
        assert b"Mario" not in everything(folder)
        assert len(good_rows(folder)) == 6
        if calls[0] < number:
            break
    assert halves > 0


@pytest.mark.parametrize("compression", ["zstd", "none"])
def test_erasures_while_another_program_writes_seals_and_compresses_take_only_what_is_meant(
    tmp_path: Path, compression: str
) -> None:
    folder, erased = tmp_path / "logs", 0
    writer = start_writer(folder, compression)
    asked = order(ids=[f"id{number}" for number in range(0, 300, 3)])
    while writer.poll() is None:
        erased += run(folder, asked).counts["rows_erased"]
    assert writer.returncode == 0
    erased += run(folder, asked).counts["rows_erased"]
    rows = good_rows(folder)
    assert (len(rows), erased) == (300, 100)
    assert sorted(int(one.text.split(":")[0]) for one in rows if one.text) == [
        number for number in range(300) if number % 3
    ]
    records = [json.loads(line) for line in (folder / "erasures.jsonl").read_bytes().splitlines()]
    assert sum(one["rows_erased"] for one in records) == 100
