"""The rows that came last, whatever their files are."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sentimon.prediction_log.index.log_index import LogIndex
from sentimon.prediction_log.index.logged_rows import TAIL_BYTES, LatestRowsCache, latest_rows
from tests.rows import lines, record, records, written


def rows(count: int, *, minute: int = 0) -> str:
    return lines(one.to_dict() for one in records(0, 0, count, minute=minute))


def latest(folder: Path, count: int) -> list[str | None]:
    index = LogIndex(folder=folder, zone=UTC, now=datetime(2026, 10, 1, tzinfo=UTC), run=map)
    return [record.text for record in index.ask(lambda sums: latest_rows(sums, count, {}))]


def test_they_come_in_the_order_of_the_log(tmp_path: Path) -> None:
    written(tmp_path, rows(20))
    assert latest(tmp_path, 3) == ["text 17", "text 18", "text 19"]
    assert len(latest(tmp_path, 100)) == 20


def test_the_files_before_are_asked_where_the_live_one_has_too_few(tmp_path: Path) -> None:
    written(tmp_path, rows(3, minute=10))
    packed = gzip.compress(rows(5).encode())
    (tmp_path / "predictions-20260907T080000Z.jsonl.gz").write_bytes(packed)
    assert latest(tmp_path, 4) == ["text 4", "text 10", "text 11", "text 12"]


@pytest.mark.parametrize("packed", [False, True])
def test_only_the_end_of_a_long_file_is_looked_at(tmp_path: Path, packed: bool) -> None:
    content = rows(2000).encode()
    assert len(content) > 2 * TAIL_BYTES
    if packed:
        written(tmp_path, gzip.compress(content), "predictions-20260907T080000Z.jsonl.gz")
    else:
        written(tmp_path, content)
    found = latest(tmp_path, 2000)
    assert 0 < len(found) < 1000
    assert found[-1] == "text 1999"
    assert found == [f"text {number}" for number in range(2000 - len(found), 2000)]


def test_bad_and_torn_lines_are_passed_over(tmp_path: Path) -> None:
    written(tmp_path, rows(2) + "{broken\n" + rows(1, minute=5) + '{"timestamp": "20')
    assert latest(tmp_path, 9) == ["text 0", "text 1", "text 5"]


def test_a_damaged_file_gives_what_is_before_the_damage(tmp_path: Path) -> None:
    packed = gzip.compress(rows(50).encode())
    written(tmp_path, packed[: len(packed) * 2 // 3], "predictions-20260907T080000Z.jsonl.gz")
    found = latest(tmp_path, 5)
    assert found
    assert all(text is not None and text.startswith("text ") for text in found)


def test_a_line_longer_than_what_is_looked_at_is_not_found(tmp_path: Path) -> None:
    written(tmp_path, lines(record(0, 1, text=text).to_dict() for text in ("short", "x" * (TAIL_BYTES + 10))))
    assert latest(tmp_path, 5) == []


def test_nothing_is_found_in_an_empty_folder(tmp_path: Path) -> None:
    assert latest(tmp_path, 5) == []


def test_the_end_of_a_compressed_file_is_reached_once(tmp_path: Path) -> None:
    packed = tmp_path / "predictions-20260907T080000Z.jsonl.gz"
    packed.write_bytes(gzip.compress(rows(5).encode()))
    index = LogIndex(folder=tmp_path, zone=UTC, now=datetime(2026, 10, 1, tzinfo=UTC), run=map)
    memory: LatestRowsCache = {}
    first = index.ask(lambda sums: latest_rows(sums, 3, memory))
    (remembered,) = memory.values()
    remembered.reverse()
    assert index.ask(lambda sums: latest_rows(sums, 3, memory)) == remembered[-3:]
    assert first == remembered[:3][::-1]
