"""What an index knows without reading the log: the rows it has counted, and how much it has not seen."""

from __future__ import annotations

from pathlib import Path

from sentimon.prediction_log.index.file_snapshot import list_snapshots
from sentimon.prediction_log.index.known_rows import known_rows
from sentimon.timestamps import to_microseconds
from tests.support.rows import logged, record, written


def test_rows_that_came_later_are_bytes_that_were_not_counted(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    folder, place = tmp_path / "logs", tmp_path / "logs/.sentimon/rollup.sqlite"
    live = written(folder, logged(3, 0, 0, model="m")) / "predictions.jsonl"
    assert known_rows([place], list_snapshots(folder)) is None
    assert run("metrics").code == 0
    found = known_rows([place], list_snapshots(folder))
    assert found is not None
    assert (found.rows, found.bad, found.uncounted_bytes, found.models) == (3, 0, 0, ("m",))
    assert found.last == max(to_microseconds(record(0, minute).timestamp) for minute in range(3))
    more = logged(0, 2, 0, minute=10).encode()
    with live.open("ab") as file:
        file.write(more)
    before = place.read_bytes()
    found = known_rows([place], list_snapshots(folder))
    assert found is not None
    assert (found.rows, found.uncounted_bytes) == (3, len(more))
    assert place.read_bytes() == before


def test_an_index_that_is_damaged_knows_nothing(tmp_path: Path) -> None:
    written(tmp_path, logged(3, 0, 0))
    place = written(tmp_path, "no database", "rollup.sqlite") / "rollup.sqlite"
    assert known_rows([tmp_path / "none", place], list_snapshots(tmp_path)) is None
