"""Ways in which the index once said something else than the files, or took too long to say it."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sentimon.config.settings import LogSettings
from sentimon.prediction_log import rotation
from sentimon.prediction_log.folder import LIVE_FILE, sealed_files
from sentimon.prediction_log.index.log_index import LogIndex
from sentimon.prediction_log.index.period_sums import PeriodSums
from sentimon.prediction_log.reader import read_log
from sentimon.prediction_log.slice_fields import SliceField
from sentimon.prediction_log.summary import Summary, summarise
from sentimon.prediction_log.windows import Calendar, Period, summarise_windows
from sentimon.prediction_log.writer import LogWriter
from tests.support.rows import START, record

NOW = START + timedelta(days=400)


def index_of(folder: Path) -> LogIndex:
    place = folder / ".sentimon" / "rollup.sqlite"
    return LogIndex(folder=folder, zone=UTC, now=NOW, run=map, paths=[place])


def plain(folder: Path, period: Period) -> Summary:
    return summarise(period.select(read_log(folder, zone=UTC)))


def write(folder: Path, minutes: Sequence[float], name: str = LIVE_FILE) -> None:
    made = []
    for number, at in enumerate(minutes):
        row = record(number % 3, timestamp=START + timedelta(minutes=at), text=f"testo {at * 7919 % 1e4}")
        made.append(json.dumps(row.to_dict()) + "\n")
    (folder / name).write_text("".join(made), encoding="utf-8")


@pytest.mark.parametrize("compression", ["zstd", "gzip"])
def test_the_rows_before_a_damage_are_the_same_for_every_period(tmp_path: Path, compression: str) -> None:
    write(tmp_path, [one / 4 for one in range(8000)], "predictions-20260907T080000Z.jsonl")
    rotation.compress_sealed(tmp_path, compression)
    [path] = sealed_files(tmp_path)
    content = bytearray(path.read_bytes())
    content[len(content) * 9 // 10] ^= 0x55
    path.write_bytes(content)
    whole = plain(tmp_path, Period())
    assert whole.bad["segment"] == 1
    assert whole.last is not None
    ended = START + timedelta(microseconds=whole.last) - (START - datetime(1970, 1, 1, tzinfo=UTC))
    for since in (ended - timedelta(minutes=10), ended - timedelta(minutes=70), START + timedelta(minutes=5)):
        period = Period(since=since)
        assert index_of(tmp_path).ask(lambda sums, p=period: sums.summary(p)) == plain(tmp_path, period)


def test_the_cut_hours_of_a_log_out_of_order_are_read_in_one_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(3)
    write(tmp_path, [chance.uniform(0, 6000) for _ in range(600)])
    calendar = Calendar.of("15m", UTC)
    passes = []
    real = PeriodSums._scan_ranges

    def counted(*arguments: Any, **rest: Any) -> object:
        passes.append(arguments)
        return real(*arguments, **rest)

    monkeypatch.setattr(PeriodSums, "_scan_ranges", counted)
    found = index_of(tmp_path).ask(lambda sums: sums.windows(Period(), calendar, now=NOW))
    assert found == summarise_windows(read_log(tmp_path, zone=UTC), calendar, now=NOW)
    assert len(passes) == 1


def test_what_another_program_does_while_we_sync_ends_the_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = LogWriter(tmp_path, LogSettings(fsync="always"))
    writer.append([record(0, minute) for minute in range(40)], now=START)
    assert index_of(tmp_path).ask(lambda sums: sums.summary(Period())).count == 40
    live = tmp_path / LIVE_FILE
    real = rotation.os.fsync

    def shortened(descriptor: int) -> None:
        if live.stat().st_size > 5000:
            live.write_bytes(b"".join(live.read_bytes().splitlines(keepends=True)[11:]))
        real(descriptor)

    monkeypatch.setattr("sentimon.prediction_log.durable_files.os.fsync", shortened)
    writer.append([record(1, 50)], now=START)
    monkeypatch.undo()
    writer.append([record(2, 60)], now=START)
    truth = plain(tmp_path, Period())
    assert truth.count < 42
    assert index_of(tmp_path).ask(lambda sums: sums.summary(Period())) == truth


def test_ten_thousand_files_of_one_second_are_all_read_and_none_is_overwritten(tmp_path: Path) -> None:
    first = "predictions-20260907T080000Z"
    write(tmp_path, [1], f"{first}_9999.jsonl")
    for number in range(9999):
        (tmp_path / (f"{first}_{number:04d}.jsonl" if number else f"{first}.jsonl")).touch()
    for minute in (2, 3):
        write(tmp_path, [0, minute])
        assert rotation.seal_if_due(tmp_path, LogSettings(rotate_daily=True), now=NOW)
    names = [path.name for path in sealed_files(tmp_path)]
    assert names[-3:] == [f"{first}_9999.jsonl", f"{first}_10000.jsonl", f"{first}_10001.jsonl"]
    assert plain(tmp_path, Period()).count == 5


def test_a_field_that_was_asked_for_once_costs_what_comes_later_nothing(tmp_path: Path) -> None:
    LogWriter(tmp_path, LogSettings()).append([record(1, minute) for minute in range(30)], now=START)
    length = SliceField("@length")
    asked = replace(index_of(tmp_path), fields=(length.name,))
    assert asked.ask(lambda sums: sums.slices(Period(), length)).count == 30
    # Known still, as nothing has changed.
    assert index_of(tmp_path).ask(lambda sums: [file.entry.fields for file in sums.files]) == [("@length",)]
    LogWriter(tmp_path, LogSettings()).append([record(1, minute) for minute in range(30, 40)], now=START)
    assert index_of(tmp_path).ask(lambda sums: [file.entry.fields for file in sums.files]) == [()]
    assert asked.ask(lambda sums: sums.slices(Period(), length)).count == 40
