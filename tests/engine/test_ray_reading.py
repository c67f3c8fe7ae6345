"""The log read by tasks: order, the tree, and what becomes of tasks that fail; Ray itself is played here."""

from __future__ import annotations

import gzip
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sentimon.config.settings import EngineSettings
from sentimon.engine import ray_reading as reading
from sentimon.engine.ray_cluster import Cluster
from sentimon.engine.ray_reading import read_on
from sentimon.errors import EngineError, StoreError
from sentimon.prediction_log.append_chain import FileState
from sentimon.prediction_log.index.cells import WIDTHS
from sentimon.prediction_log.index.file_snapshot import LogChangedError
from sentimon.prediction_log.index.log_index import LogIndex
from sentimon.prediction_log.index.packed_sums import PartialSum
from sentimon.prediction_log.index.period_sums import PeriodSums
from sentimon.prediction_log.index.scan import ScanUnit, read_unit
from sentimon.prediction_log.slice_fields import parse_conditions
from sentimon.prediction_log.summary import Summary
from sentimon.prediction_log.windows import Period
from tests.support.logs import block


class RayError(Exception):
    """What Ray raises where a worker is lost."""


@dataclass
class Reference:
    """What a task will have made."""

    result: Callable[[], Any]


class PlayedRay:
    """Tasks that run when they are asked for, each in the order that it is asked for."""

    def __init__(self, lose: Callable[[tuple[Any, ...]], bool] = lambda arguments: False) -> None:
        self.exceptions = SimpleNamespace(RayError=RayError)
        self.lose = lose
        self.submitted = 0
        self.most_waiting = 0
        self.cancelled = 0
        self._waiting = 0

    def remote(self, **options: float) -> Callable[[Callable[..., Any]], Any]:
        return lambda function: SimpleNamespace(remote=lambda *arguments: self._submit(function, arguments))

    def _submit(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Reference:
        self.submitted += 1
        if function is reading._read:
            self._waiting += 1
            self.most_waiting = max(self.most_waiting, self._waiting)

        def result() -> Any:
            values = [one.result() if isinstance(one, Reference) else one for one in arguments]
            if function is reading._read:
                self._waiting -= 1
                if self.lose(arguments):
                    raise RayError("the worker died")
            # As between processes.
            return pickle.loads(pickle.dumps(function(*values)))

        return Reference(result)

    def get(self, reference: Reference) -> Any:
        return reference.result()

    def cancel(self, reference: object, *, force: bool) -> None:
        assert force
        self.cancelled += 1


def units_of(path: Path) -> list[ScanUnit]:
    """A log as many small units: a reading task takes two of them."""
    found: list[ScanUnit] = []

    def look(read: object, units: list[ScanUnit]) -> list[list[PartialSum]]:
        found.extend(units)
        return [read_unit(unit) for unit in units]

    LogIndex(folder=path, zone=UTC, now=datetime.now(UTC), run=look).ask(lambda sums: None)
    return found


FIELDS = ("@length", "@model")


def summary_by(folder: Path, run: Any, where: Sequence[str] = ()) -> Summary:
    return LogIndex(
        folder=folder,
        zone=UTC,
        now=datetime.now(UTC),
        run=run,
        where=parse_conditions(where, origin="--where"),
    ).ask(lambda sums: sums.summary(Period()))


def cells_by(folder: Path, run: Any) -> list[object]:
    """All that the index keeps of a log once what `run` read is in it."""

    def all_of(sums: PeriodSums) -> list[object]:
        store, numbers = sums.store, [known.entry.number for known in sums.files]
        cells = [
            (width, one.hour, one.sums.summary(), store.packed_slices(number, FIELDS, one))
            for number in numbers
            for width in WIDTHS
            for one in store.cells(number, width)
        ]
        readings = [(known.entry.progress, store.total(known.entry.number).summary()) for known in sums.files]
        return [cells, readings, [(hour, some.summary()) for hour, some in sums.hours(Period())]]

    return LogIndex(folder=folder, zone=UTC, now=datetime.now(UTC), run=run, fields=FIELDS).ask(all_of)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("sentimon.prediction_log.index.scan.UNIT_BYTES", 4_000)
    monkeypatch.setattr("sentimon.prediction_log.index.indexed_files.UNIT_BYTES", 4_000)
    monkeypatch.setattr(reading, "UNIT_BYTES", 8 << 20)
    monkeypatch.setattr(reading, "FAN_IN", 3)
    monkeypatch.setattr(reading, "BRANCH", 9)
    content = block(1500, first=datetime(2026, 9, 1, tzinfo=UTC))
    (tmp_path / "predictions-20260901T000000Z.jsonl.gz").write_bytes(gzip.compress(content))
    (tmp_path / "predictions-20260902T000000Z.jsonl").write_bytes(content[:200_000].rpartition(b"\n")[0])
    (tmp_path / "predictions.jsonl").write_bytes(content)
    return tmp_path


def cluster_of(ray: PlayedRay, workers: int = 2) -> Cluster:
    return Cluster(ray=ray, workers=workers, settings=EngineSettings(chunk_megabytes=16))


def test_the_sums_are_those_of_reading_here(folder: Path) -> None:
    units = units_of(folder)
    assert len(units) > 100
    ray, said = PlayedRay(), list[str]()
    found = summary_by(folder, lambda read, units: read_on(cluster_of(ray), read, units, say=said.append))
    assert found == summary_by(folder, lambda read, units: [read(unit) for unit in units])
    assert found.bad_count > 20
    assert said == []
    # Two units a task, and the merges of the tree above them.
    assert len(units) / 2 < ray.submitted < len(units)


def test_the_rows_of_a_slice_are_those_of_reading_here(folder: Path) -> None:
    def on_cluster(read: Any, units: Any) -> Any:
        return read_on(cluster_of(PlayedRay()), read, units, say=print)

    lengths = {"@length=0-19", "@length=20-49", "@length=50-99"}
    found = [summary_by(folder, on_cluster, [one]) for one in sorted(lengths)]
    assert found == [
        summary_by(folder, lambda read, units: [read(unit) for unit in units], [one])
        for one in sorted(lengths)
    ]
    assert sum(one.count > 0 for one in found) > 0


def test_what_is_kept_of_gathered_parts_is_what_is_kept_of_each(folder: Path) -> None:
    apart = cells_by(folder, lambda read, units: [read(unit) for unit in units])
    assert (
        cells_by(folder, lambda read, units: read_on(cluster_of(PlayedRay()), read, units, say=print))
        == apart
    )


def test_only_so_many_tasks_wait_as_keep_workers_busy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = PlayedRay()
    list(read_on(cluster_of(ray), read_unit, units_of(folder), say=print))
    # Whole branches are submitted, up to and not from the bound on.
    assert ray.most_waiting <= 2 * 4 + reading.BRANCH


def test_what_a_lost_task_was_to_read_is_read_here(folder: Path) -> None:
    said: list[str] = []
    ray = PlayedRay(lose=lambda arguments: arguments[1][0].begin % 3 == 0)
    found = summary_by(folder, lambda read, units: read_on(cluster_of(ray), read, units, say=said.append))
    assert found == summary_by(folder, lambda read, units: [read(unit) for unit in units])
    assert said
    assert all("was read here: the worker died" in line for line in said)


@pytest.mark.parametrize("error", [LogChangedError(), StoreError("no such file", hint="?")])
def test_a_machine_that_cannot_read_what_this_one_can_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(reading, "_read", lambda *rest: reading.Failure(error, "node-7"))
    with pytest.raises(EngineError, match=r"node-7 does not read .*jsonl"):
        summary_by(folder, lambda read, units: read_on(cluster_of(PlayedRay()), read, units, say=print))


def test_an_error_that_is_one_here_too_comes_out(folder: Path) -> None:
    units = units_of(folder)
    (folder / "predictions-20260902T000000Z.jsonl").unlink()
    with pytest.raises(LogChangedError):
        list(read_on(cluster_of(PlayedRay()), read_unit, units, say=print))


def test_tasks_that_nobody_waits_for_are_cancelled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = PlayedRay()
    results = read_on(cluster_of(ray, workers=9), read_unit, units_of(folder), say=print)
    next(results)
    results.close()
    assert ray.cancelled > 0


def unit(path: Path, zone: Any = UTC) -> ScanUnit:
    state = FileState.of(path.stat())
    return ScanUnit(
        path=str(path),
        state=state,
        begin=0,
        end=state.size,
        checksum=0,
        checksum_begin=0,
        zone=zone,
        bulk=False,
    )


def test_another_version_and_another_time_zone_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    path.write_bytes(block(10, first=datetime(2026, 9, 1, tzinfo=UTC)))
    rules = reading.zone_rules(UTC)
    assert isinstance(reading._read(read_unit, [unit(path)], reading.sentimon.__version__, rules), list)
    for version, known in (("0.0.1", rules), (reading.sentimon.__version__, rules + 1)):
        failed = reading._read(read_unit, [unit(path)], version, known)
        assert isinstance(failed, reading.Failure)
        assert isinstance(failed.error, EngineError)
        assert failed.error.hint


def test_a_file_is_known_again_where_its_device_has_another_number(tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    path.write_bytes(block(10, first=datetime(2026, 9, 1, tzinfo=UTC)))
    seen: list[ScanUnit] = []

    def remember(one: ScanUnit) -> list[PartialSum]:
        seen.append(one)
        return read_unit(one)

    list(read_on(cluster_of(PlayedRay()), remember, [unit(path)], say=print))
    assert [one.state.device for one in seen] == [-1]
