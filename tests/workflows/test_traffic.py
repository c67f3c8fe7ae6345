"""The traffic of a log in a folder: from which rows it is told, and what quiet checks say of it when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sentimon.errors import StoreError
from sentimon.monitoring.baseline import create_baseline
from sentimon.monitoring.freshness import AgeSource
from sentimon.monitoring.traffic import TrafficReport, TrafficVerdict, Unjudged
from sentimon.prediction_log.record import PredictionRecord
from sentimon.prediction_log.summary import summarise
from sentimon.prediction_log.windows import Period
from sentimon.workflows.drift import compare_with_baseline
from sentimon.workflows.opening import open_workspace
from sentimon.workflows.state_files import save_baseline
from sentimon.workflows.traffic import check_traffic
from sentimon.workflows.traffic_notes import tell_of_traffic
from sentimon.workflows.workspace import Workspace
from tests.support.in_process import at_once
from tests.support.rows import lines, record

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONDAY = datetime.fromisoformat("2026-08-03T00:00:00Z")
BEGIN = MONDAY + 14 * DAY
"""When the baseline ends."""


def some(first: datetime, days: int, each: int = 1) -> list[PredictionRecord]:
    """So many rows in each hour of some days."""
    return [
        record(number % 3, timestamp=first + hour * HOUR + number * HOUR / (each + 1))
        for hour in range(24 * days)
        for number in range(each)
    ]


def append(folder: Path, rows: Iterable[PredictionRecord]) -> None:
    with (folder / "predictions.jsonl").open("a", encoding="utf-8") as file:
        file.write(lines(one.to_dict() for one in rows))


def with_baseline(folder: Path, rows: list[PredictionRecord]) -> None:
    made = create_baseline(summarise(rows), name="b", source="l", created=BEGIN, min_samples=1)
    save_baseline(folder / "baseline.json", made)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A log of two weeks, two rows an hour, all of it the baseline."""
    rows = some(MONDAY, 14, 2)
    append(tmp_path, rows)
    with_baseline(tmp_path, rows)
    return tmp_path


def checked(folder: Path, now: datetime, **settings: str) -> TrafficReport:
    return check_traffic(open_workspace(folder, now=now, metrics__time_zone="UTC", **settings))


def test_the_age_is_that_of_the_newest_row_and_the_limit_that_of_the_baseline(logs: Path) -> None:
    append(logs, some(BEGIN, 1, 2))
    found = checked(logs, BEGIN + DAY + HOUR)
    assert found.freshness.newest == BEGIN + DAY - HOUR + HOUR / 3
    assert (found.freshness.source, found.freshness.max_age) == (AgeSource.BASELINE, 6 * HOUR)
    assert found.verdict is TrafficVerdict.STABLE
    assert checked(logs, BEGIN + DAY + 6 * HOUR).verdict is TrafficVerdict.SILENT
    assert checked(logs, BEGIN + DAY + 6 * HOUR, monitor__max_age="7h").verdict is TrafficVerdict.STABLE


def test_a_baseline_that_nothing_came_after_is_silent_itself(logs: Path) -> None:
    found = checked(logs, BEGIN + 7 * DAY)
    assert found.freshness.newest == BEGIN - HOUR + HOUR / 3
    assert found.verdict is TrafficVerdict.SILENT
    # Days that no row came after are a silence, and nothing else.
    assert (found.volume, found.unjudged) == (None, Unjudged.NO_WHOLE_DAY)


def test_rows_dated_in_the_future_do_not_hide_that_none_come(logs: Path) -> None:
    append(logs, [record(0, timestamp=BEGIN + 900 * DAY)])
    assert checked(logs, BEGIN + 7 * DAY).verdict is TrafficVerdict.SILENT
    ahead = [*some(MONDAY, 14, 2), record(0, timestamp=BEGIN + 900 * DAY)]
    with_baseline(logs, ahead)
    found = checked(logs, BEGIN + 7 * DAY)
    # Of the baseline only the hour of its newest row that is not ahead is known.
    assert found.freshness.newest == BEGIN - HOUR
    assert found.verdict is TrafficVerdict.SILENT


def test_a_row_dated_long_ago_makes_no_gap_of_years_normal(logs: Path) -> None:
    old = record(0, timestamp=MONDAY - 9000 * DAY)
    with_baseline(logs, [old, *some(MONDAY, 14, 4)])
    append(logs, some(BEGIN, 1, 4))
    found = checked(logs, BEGIN + DAY)
    assert found.freshness.max_age == 6 * HOUR
    assert found.volume is not None
    assert found.volume.usual.days == 14


def test_traffic_that_halved_is_told_since_its_first_day(logs: Path) -> None:
    append(logs, some(BEGIN, 3, 2))
    append(logs, some(BEGIN + 3 * DAY, 30, 1))
    found = checked(logs, BEGIN + 33 * DAY)
    assert (found.verdict, found.since) == (TrafficVerdict.FEWER, BEGIN + 3 * DAY)
    assert found.volume is not None
    assert found.volume.factor.value == 0.5


def test_a_log_without_a_baseline_is_judged_by_its_own_gaps(tmp_path: Path) -> None:
    append(tmp_path, some(MONDAY, 14))
    found = checked(tmp_path, BEGIN + 7 * HOUR)
    assert (found.verdict, found.unjudged) == (TrafficVerdict.SILENT, Unjudged.NO_BASELINE)
    assert found.freshness.source is AgeSource.LOG
    assert not found.has_baseline


def test_a_baseline_of_a_day_is_helped_by_the_log_and_says_nothing_of_the_volume(tmp_path: Path) -> None:
    rows = some(MONDAY, 1)
    append(tmp_path, [*rows, *some(MONDAY + DAY, 13)])
    with_baseline(tmp_path, rows)
    found = checked(tmp_path, BEGIN)
    assert (found.freshness.source, found.freshness.max_age) == (AgeSource.LOG, 6 * HOUR)
    assert (found.verdict, found.unjudged) == (TrafficVerdict.NO_VERDICT, Unjudged.SHORT_BASELINE)


def test_a_short_baseline_and_a_long_log_give_one_limit_whatever_was_read_before(tmp_path: Path) -> None:
    """The gap between a baseline of days and what is looked back on is none of the log's."""
    rows, later = some(MONDAY, 3), some(MONDAY + 3 * DAY, 150)
    append(tmp_path, [*rows, *later])
    made = create_baseline(summarise(rows), name="b", source="l", created=MONDAY + 3 * DAY, min_samples=1)
    save_baseline(tmp_path / "baseline.json", made)
    workspace = open_workspace(tmp_path, now=MONDAY + 173 * DAY, metrics__time_zone="UTC")
    alone = check_traffic(workspace)
    assert (alone.verdict, alone.freshness.max_age) == (TrafficVerdict.SILENT, 6 * HOUR)
    for period in (None, Period(since=MONDAY + 100 * DAY)):
        compared = compare_with_baseline(workspace, None, period)
        assert check_traffic(workspace, compared=compared).freshness == alone.freshness


def test_an_empty_log_is_not_silent(tmp_path: Path) -> None:
    append(tmp_path, [])
    found = checked(tmp_path, BEGIN)
    assert (found.verdict, found.age) == (TrafficVerdict.NO_VERDICT, None)


class Crontab:
    """Quiet checks of one log, and what each of them said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, now: datetime, *, keep: bool = True) -> list[str]:
        said: list[str] = []
        workspace = open_workspace(self.folder, now=now, metrics__time_zone="UTC")
        workspace = Workspace(loaded=workspace.loaded, now=now, say=said.append)
        path = workspace.baseline_path(None)
        tell_of_traffic(workspace, path, check_traffic(workspace, path), keep=keep)
        return [one.removeprefix(f"{self.folder}: ") for one in said]


@pytest.fixture
def cron(logs: Path) -> Crontab:
    return Crontab(logs)


def test_silence_is_said_once_and_its_end_once(cron: Crontab, logs: Path) -> None:
    assert cron(BEGIN) == []
    assert not (logs / ".sentimon/said.json").exists()
    (said,) = cron(BEGIN + 8 * HOUR)
    assert said.startswith("No row has come for 8 hours; the longest pause in the baseline was 2 hours")
    assert cron(BEGIN + 9 * HOUR) == cron(BEGIN + 5 * DAY) == []
    append(logs, [record(0, timestamp=BEGIN + 5 * DAY)])
    assert cron(BEGIN + 5 * DAY + HOUR) == [
        "The newest row is 60 minutes old, and pauses of up to 6 hours are usual: "
        "the log is no longer silent."
    ]
    assert cron(BEGIN + 5 * DAY + 2 * HOUR) == []
    assert len(cron(BEGIN + 9 * DAY)) == 1


def test_a_missing_baseline_is_said_once_and_that_there_is_one_again(cron: Crontab, logs: Path) -> None:
    (logs / "baseline.json").rename(logs / "b.json")
    (said,) = cron(BEGIN)
    assert said.startswith("There is no baseline")
    assert cron(BEGIN) == []
    (logs / "b.json").rename(logs / "baseline.json")
    assert cron(BEGIN) == ["There is a baseline now."]
    assert cron(BEGIN) == []


def test_fewer_rows_are_said_once_and_stay_said_through_a_silence(cron: Crontab, logs: Path) -> None:
    append(logs, some(BEGIN, 30, 1))
    (said,) = cron(BEGIN + 30 * DAY)
    assert said.startswith("Since 2026-08-17 fewer rows come")
    (said,) = cron(BEGIN + 32 * DAY)
    assert said.startswith("No row has come for 2 days")
    append(logs, some(BEGIN + 32 * DAY, 10, 2))
    said, over = cron(BEGIN + 42 * DAY)
    assert said.endswith("the log is no longer silent.")
    assert over.startswith("The number of rows no longer differs surely")
    assert cron(BEGIN + 42 * DAY) == []


def test_a_check_that_is_to_be_forgotten_says_it_again(cron: Crontab) -> None:
    assert len(cron(BEGIN + DAY, keep=False)) == len(cron(BEGIN + DAY, keep=False)) == 1
    assert len(cron(BEGIN + DAY)) == 1
    assert cron(BEGIN + DAY, keep=False) == []


def test_where_nothing_can_be_remembered_it_is_said_each_time(
    cron: Crontab, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sentimon.prediction_log import locks

    def read_only(path: Path) -> int:
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr(locks, "_open", read_only)
    assert len(cron(BEGIN + DAY)) == len(cron(BEGIN + DAY)) == 1


def test_a_memory_that_is_damaged_or_cannot_be_written_costs_a_note_and_no_check(
    cron: Crontab, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(cron(BEGIN + DAY)) == 1
    (logs / ".sentimon/said.json").write_bytes(b'{"": {"silent": 3}}')
    assert len(cron(BEGIN + DAY)) == 1
    assert cron(BEGIN + DAY) == []
    (logs / ".sentimon/said.json").unlink()

    def full(path: Path, content: bytes) -> None:
        raise StoreError(f"{path}: No space left on device")

    monkeypatch.setattr("sentimon.prediction_log.durable_files.replace_file", full)
    assert len(cron(BEGIN + DAY)) == 1


def test_of_several_checks_at_once_one_says_it(cron: Crontab) -> None:
    cron(BEGIN)
    assert sorted(map(len, at_once(6, lambda _: cron(BEGIN + DAY)))) == [0, 0, 0, 0, 0, 1]


def test_another_baseline_has_a_memory_of_its_own(cron: Crontab, logs: Path) -> None:
    assert len(cron(BEGIN + DAY)) == 1
    said: list[str] = []
    workspace = open_workspace(logs, now=BEGIN + DAY)
    workspace = Workspace(loaded=workspace.loaded, now=workspace.now, say=said.append)
    tell_of_traffic(workspace, logs / "other.json", check_traffic(workspace, logs / "other.json"))
    assert len(said) == 2
    assert cron(BEGIN + DAY) == []
