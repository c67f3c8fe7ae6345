"""What a live view asks of the log, and when it does not ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sentimon.config import load_settings
from sentimon.errors import StoreError
from sentimon.monitoring.baseline import Baseline
from sentimon.prediction_log.index.log_index import LogIndex
from sentimon.prediction_log.windows import Calendar
from sentimon.reporting.live_view import Watched
from sentimon.workflows.state_files import save_baseline
from sentimon.workflows.watch import Watcher
from sentimon.workflows.workspace import Workspace
from tests.rows import START, lines, record, records, summary, written

SECOND = timedelta(seconds=1)


@dataclass
class Following:
    """A watcher of the log in a folder."""

    folder: Path
    windows: int = 4
    asked: int = 0
    """How often the index was."""

    def __post_init__(self) -> None:
        loaded = load_settings(flags={"logs.dir": str(self.folder), "metrics.time_zone": "UTC"})
        self.workspace = Workspace(loaded=loaded, now=START)
        path = self.folder / "baseline.json"
        calendar = Calendar.of("1h", UTC)
        self.watcher = Watcher(every="1h", calendar=calendar, windows=self.windows, path=path)

    def look(self, now: datetime) -> Watched:
        return self.watcher.look(self.workspace.quiet(now))

    def append(self, *rows: Any) -> None:
        with (self.folder / "predictions.jsonl").open("a", encoding="utf-8") as file:
            file.write(lines(one.to_dict() for one in rows))


@pytest.fixture
def following(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Following:
    written(tmp_path, lines(one.to_dict() for one in records(5, 5, 10)))
    found, ask = Following(tmp_path), LogIndex.ask

    def counted(index: LogIndex, question: Callable[..., Any]) -> Any:
        found.asked += 1
        return ask(index, question)

    monkeypatch.setattr(LogIndex, "ask", counted)
    return found


def test_the_index_is_asked_only_where_something_has_changed(following: Following) -> None:
    now = START + timedelta(minutes=30)
    assert following.look(now).whole.count == 20
    for number in range(5):
        state = following.look(now + number * SECOND)
        assert (state.whole.count, state.now) == (20, now + number * SECOND)
    assert following.asked == 1
    following.append(record(2, 25))
    assert following.look(now).whole.count == 21
    assert following.asked == 2


def test_the_index_is_asked_when_a_window_ends(following: Following) -> None:
    assert following.look(START + timedelta(minutes=59)).windows[-1].complete is False
    state = following.look(START + timedelta(minutes=61))
    assert [window.complete for window in state.windows] == [True, False]
    assert state.windows[-1].summary.count == 0
    assert following.asked == 2


def test_the_pace_is_that_of_the_last_minutes(following: Following) -> None:
    now = START + timedelta(minutes=30)
    assert following.look(now).pace is None
    following.append(record(2, 25), record(2, 26))
    pace = following.look(now + 30 * SECOND).pace
    assert pace is not None
    assert (pace.rows, pace.per_minute) == (2, 4.0)
    pace = following.look(now + 10 * 60 * SECOND).pace
    assert pace is None or pace.rows == 0


def test_rows_that_go_away_are_no_pace(following: Following) -> None:
    following.look(START)
    written(following.folder, lines(one.to_dict() for one in records(1, 1, 1)))
    state = following.look(START + SECOND)
    assert (state.whole.count, state.pace) == (3, None)


def test_windows_go_up_to_now_and_not_to_what_is_dated_in_the_future(following: Following) -> None:
    following.append(record(0, timestamp=START + timedelta(days=400)))
    state = following.look(START + timedelta(hours=2, minutes=5))
    assert [window.start.hour for window in state.windows] == [8, 9, 10]
    assert [window.summary.count for window in state.windows] == [20, 0, 0]


def test_of_an_old_log_its_last_windows_are_shown(following: Following) -> None:
    following.append(record(0, 60 * 7))
    state = following.look(START + timedelta(days=400))
    assert [window.start.hour for window in state.windows] == [15]
    assert state.windows[-1].complete


def test_rows_at_the_edges_of_the_calendar_are_no_trouble(following: Following) -> None:
    written(following.folder, lines([record(0, timestamp=datetime(1, 1, 1, 1, tzinfo=UTC)).to_dict()]))
    assert following.look(START).whole.count == 1


def test_a_baseline_that_comes_changes_and_goes_is_noticed(following: Following) -> None:
    path = following.folder / "baseline.json"
    assert following.look(START).compared is None
    past = summary(100, 50, 50, timestamp=START - timedelta(days=1))
    save_baseline(path, Baseline(name="one", created=START, source="logs", summary=past))
    compared = following.look(START).compared
    assert compared is not None
    assert (compared.report.baseline_name, compared.report.current.total) == ("one", 20)
    save_baseline(path, Baseline(name="another", created=START, source="logs", summary=past))
    compared = following.look(START).compared
    assert compared is not None
    assert compared.report.baseline_name == "another"
    path.write_text("{}", encoding="utf-8")
    broken = following.look(START)
    assert broken.compared is None
    assert broken.problem is not None
    assert "baseline.json" in broken.problem
    path.unlink()
    gone = following.look(START)
    assert (gone.compared, gone.problem) == (None, None)


def test_rows_of_another_model_are_not_compared_and_it_says_why(following: Following) -> None:
    past = summary(100, 50, 50, timestamp=START - timedelta(days=1), model="m")
    save_baseline(
        following.folder / "baseline.json",
        Baseline(name="one", created=START, source="logs", summary=past),
    )
    following.append(record(0, 3, model="other"))
    state = following.look(START)
    assert state.compared is None
    assert "rows are of other" in (state.problem or "")
    assert state.whole.count == 21


def test_a_folder_that_goes_away_is_said_and_the_last_answer_stays(following: Following) -> None:
    following.look(START)
    there = following.folder
    there.rename(there.with_name("elsewhere"))
    state = following.look(START + SECOND)
    assert "no such folder" in (state.trouble or "")
    assert state.whole.count == 20
    there.with_name("elsewhere").rename(there)
    assert following.look(START + 2 * SECOND).trouble is None


def test_a_folder_that_was_never_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such folder"):
        Following(tmp_path / "nowhere").look(START)
