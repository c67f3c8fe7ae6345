"""`sentimon` alone shows where one is, and writes nothing."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from sentimon.errors import StoreError
from sentimon.prediction_log.index import file_snapshot
from sentimon.prediction_log.index.known_rows import KnownRows
from sentimon.reporting.command_steps import CommandOptions
from sentimon.reporting.overview_text import KnownBaseline, Overview, SavedVerdict, overview_lines
from sentimon.workflows.opening import open_workspace
from sentimon.workflows.overview import look_around
from tests.support.rows import lines, logged, written

NOW = datetime(2026, 9, 21, 12, tzinfo=UTC)


AWAY = {"on_objects": True, "files": None, "size": 0, "newest": None}
DAMAGED = KnownRows(rows=100, bad=3, last=None, uncounted_bytes=0, models=())
FIRED = SavedVerdict(command="retrain-check", verdict="retraining recommended", finding=True, at=NOW)
LATER = SavedVerdict(
    command="retrain-check", verdict="no verdict", finding=False, at=NOW + timedelta(hours=2)
)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def facts(out: str) -> dict[str, str]:
    return {line[:10].strip(): line[10:] for line in out.split("\n\n")[0].split("\n")}


def test_an_empty_folder_shows_the_three_commands_that_start(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = run()
    assert (done.code, done.err) == (0, "")
    assert facts(done.out) == {"log": "logs: no rows yet"}
    commands = [line.strip() for line in done.out.split("\n") if line.startswith("  sentimon ")]
    assert commands == [
        "sentimon predict 'I love this'",
        "sentimon log --input reviews.csv",
        "sentimon metrics",
    ]
    assert contents(tmp_path) == {}


def test_a_log_that_nobody_counted_is_not_counted_for_it(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    written(tmp_path / "logs", logged(60, 20, 20))
    before = contents(tmp_path)
    done = run()
    assert "not counted yet; `sentimon metrics` counts them" in " ".join(done.out.split())
    assert facts(done.out)["newest"].endswith("ago")
    assert "sentimon baseline create" in done.out
    assert contents(tmp_path) == before


def test_it_follows_the_way_from_a_baseline_to_a_verdict(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    live = written(tmp_path / "logs", logged(60, 20, 20)) / "predictions.jsonl"
    run("baseline", "create", "--name", "first")
    said = run().out
    assert facts(said)["log"].startswith("logs: 100 rows in 1 file")
    assert facts(said)["baseline"].startswith("'first', 100 rows")
    assert "  sentimon drift --save\n" in said
    with live.open("a") as file:
        file.write(logged(0, 0, 80, minute=24 * 60))
    assert run("retrain-check", "--save").code == 3
    before = contents(tmp_path)
    done = run()
    assert done.code == 0
    assert facts(done.out)["verdict"].startswith("retraining recommended since ")
    assert "  sentimon report\n" in done.out
    assert contents(tmp_path) == before
    # The rows of the trigger are used up, and its finding is not.
    assert run("retrain-check", "--save", "-q").code == 4
    said = " ".join(run().out.split())
    assert "verdict retraining recommended since " in said
    assert "; since then no verdict (retrain-check, " in said
    assert "Next: sentimon report All" in said
    assert run("baseline", "create", "--force").code == 0
    said = " ".join(run().out.split())
    assert "verdict retraining recommended, but a new baseline was made since (retrain-check, " in said
    assert "sentimon report" not in said


def test_what_cannot_be_read_is_a_problem_and_the_rest_is_shown(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    written(tmp_path / "logs", logged(3, 0, 0))
    written(tmp_path / "logs", "no baseline", "baseline.json")
    written(tmp_path / "logs", "no trigger\n", "retraining_triggers.jsonl")
    done = run()
    assert (done.code, done.err) == (0, "")
    assert "problem logs/baseline.json: " in " ".join(done.out.split())
    assert "a line holds no verdict" in " ".join(done.out.split())
    assert facts(done.out)["verdict"].startswith("none saved")
    assert "  sentimon doctor\n" in done.out


def test_a_trigger_before_a_damaged_line_counts_and_the_line_is_a_problem(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    folder = written(tmp_path / "logs", logged(3, 0, 0))
    fired = lines([{"timestamp": "2026-09-01T12:00:00Z", "triggered": True}])
    written(folder, fired + "{ torn", "retraining_triggers.jsonl")
    said = " ".join(run().out.split())
    assert "verdict retraining recommended since 2026-09-01 12:00 UTC (retrain-check)" in said
    assert "problem logs/retraining_triggers.jsonl: a line holds no verdict, the last one: not valid" in said
    assert "sentimon doctor" in said


@pytest.mark.parametrize("denied", [False, True])
def test_a_folder_that_cannot_be_listed_is_one_problem_and_not_an_empty_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, denied: bool
) -> None:
    place = written(tmp_path / "logs", logged(3, 0, 0))
    if denied:
        error = StoreError(f"{place}: cannot be read: Permission denied")
        monkeypatch.setattr(file_snapshot, "list_snapshots", Mock(side_effect=error))
    found = look_around(open_workspace(place if denied else place / "predictions.jsonl"))
    assert len(found.problems) == 1
    said = "\n".join(overview_lines(found, CommandOptions(logs="logs"), width=200))
    assert "no rows" not in said
    assert "To start" not in said
    assert found.next_steps == (("doctor",),)


def test_of_object_storage_nothing_is_claimed() -> None:
    found = overview(**AWAY, baseline=None, verdict=None)
    said = list(overview_lines(found, CommandOptions(logs="s3://bucket/x"), width=100))
    assert [line[:10].strip() for line in said[:2]] == ["log", ""]
    assert "  sentimon drift --save --logs s3://bucket/x" in said


def test_lines_that_hold_no_row_are_told_once_they_are_counted(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    written(tmp_path / "logs", logged(60, 20, 20) + "torn\n" * 3)
    run("baseline", "create")
    done = run()
    assert facts(done.out)["bad lines"].startswith("3 of the log hold no row")
    assert "  sentimon logs verify\n" in done.out


def test_rows_of_another_model_than_the_baseline_are_a_problem(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    live = written(tmp_path / "logs", logged(60, 20, 20, model="one")) / "predictions.jsonl"
    run("baseline", "create")
    assert "problem" not in facts(run().out)
    with live.open("a") as file:
        file.write(logged(60, 20, 20, minute=24 * 60, model="two"))
    assert run("drift").code == 1
    said = " ".join(run().out.split())
    assert "is of one, but rows are of two" in said
    assert "sentimon doctor" in said


def test_a_log_of_fewer_rows_than_a_baseline_takes_wants_more_of_them(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    written(tmp_path / "logs", logged(1, 0, 0))
    assert run("baseline", "create").code == 4
    for _ in ("counted by that", "not counted at all"):
        done = run()
        assert facts(done.out)["baseline"] == "none; it takes at least 50 rows"
        assert "Next:\n  sentimon log --input reviews.csv\n\n" in done.out
        shutil.rmtree(tmp_path / "logs/.sentimon", ignore_errors=True)


def test_a_copied_log_is_said_to_be_uncounted_as_any_other(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    written(tmp_path / "logs", logged(60, 20, 20))
    run("metrics")
    shutil.copytree(tmp_path / "logs", tmp_path / "copy")
    written(tmp_path / "other", logged(60, 20, 20))
    said = [" ".join(run("--logs", name).out.split()) for name in ("copy", "other")]
    assert all(re.search(r"rows in 1 file, \d+ kB, not counted yet;", one) for one in said)


def test_the_log_and_the_settings_may_be_named_without_a_command(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    written(tmp_path / "other", logged(60, 20, 20))
    (tmp_path / "my.toml").write_text('[logs]\ndir = "other"\n')
    for named in (("--logs", "other"), ("--config", "my.toml")):
        done = run(*named)
        assert facts(done.out)["log"].startswith("other: ")
        settings = " --config my.toml" if "my.toml" in named else ""
        assert f"sentimon baseline create --logs other{settings}\n" in done.out
    refused = run("--logs", "other", "drift")
    assert refused.code == 2
    assert refused.err == (
        "error: --logs stands before the command drift\n"
        "hint: write it after the command: sentimon drift ... --logs other\n"
    )


def overview(**rest: Any) -> Overview:
    verdict = SavedVerdict(command="drift", verdict="stable", finding=False, at=NOW)
    baseline = KnownBaseline(name="first", rows=100, created=NOW)
    return Overview(
        **{
            "source": "logs",
            "now": NOW,
            "on_objects": False,
            "files": 2,
            "size": 2_400_000,
            "few": None,
            "fewest": 30,
            "known": None,
            "newest": NOW - timedelta(hours=3),
            "baseline": baseline,
            "collecting": False,
            "verdict": verdict,
            "later": None,
            "problems": (),
        }
        | rest
    )


@pytest.mark.parametrize(
    ("rest", "command"),
    [
        ({}, ("watch",)),
        ({"newest": NOW + timedelta(hours=1)}, ("retrain-check", "--save")),
        ({"verdict": SavedVerdict(command="drift", verdict="drift", finding=True, at=NOW)}, ("report",)),
        ({"verdict": None}, ("drift", "--save")),
        ({"verdict": None, "baseline": None, "collecting": True}, ("drift", "--save")),
        ({"baseline": None}, ("baseline", "create")),
        ({"baseline": None, "few": 1}, ("log", "--input", "reviews.csv")),
        ({"problems": ("it broke",)}, ("doctor",)),
        ({"problems": ("it broke",), "files": None, "size": 0}, ("doctor",)),
        ({"problems": ("it broke",), "files": 0, "size": 0}, ("doctor",)),
        ({**AWAY, "baseline": None, "verdict": None}, ("drift", "--save")),
        (AWAY, ("retrain-check", "--save")),
        ({"known": DAMAGED}, ("logs", "verify")),
        ({"known": DAMAGED, "verdict": FIRED, "newest": NOW + timedelta(hours=1)}, ("report",)),
        ({"later": LATER, "newest": NOW + timedelta(hours=1)}, ("watch",)),
    ],
)
def test_the_next_command_follows_from_where_one_is(rest: dict[str, Any], command: tuple[str, ...]) -> None:
    assert overview(**rest).next_steps == (command,)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_its_lines_fit_the_terminal_and_a_command_is_not_broken(width: int) -> None:
    options = CommandOptions(logs="a folder/" + 40 * "long")
    lines = list(overview_lines(overview(problems=("\x1b[31mred " + 30 * "word ",)), options, width=width))
    assert all(len(line) <= width for line in lines if not line.startswith("  sentimon "))
    assert f"  sentimon doctor --logs '{options.logs}'" in lines
    assert not any("\x1b" in line for line in lines)


def blocks(negative: int, neutral: int, positive: int, *, day: int, times: int) -> str:
    """So many blocks of rows, one after the other from a day on: each hour has the same mix."""
    minutes = range(day * 24 * 60, day * 24 * 60 + times * (rows := negative + neutral + positive), rows)
    return "".join(logged(negative, neutral, positive, minute=minute) for minute in minutes)


def test_a_trigger_on_drift_is_over_when_the_monitor_closed_its_incident(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    live = written(tmp_path / "logs", blocks(3, 4, 4, day=0, times=200)) / "predictions.jsonl"
    run("baseline", "create")
    with live.open("a") as file:
        file.write(blocks(9, 1, 1, day=3, times=60))
    assert run("retrain-check", "--save").code == 3
    assert "  sentimon report\n" in run().out
    with live.open("a") as file:
        file.write(blocks(3, 4, 4, day=6, times=200))
    assert run("drift", "--monitor").code == 0
    said = " ".join(run().out.split())
    assert "verdict retraining recommended, but the drift has ended since (retrain-check, " in said
    assert "sentimon report" not in said


def test_a_trigger_is_over_when_another_model_serves(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    folder = written(tmp_path / "logs", logged(60, 20, 20))
    fired = {"timestamp": "2026-09-01T12:00:00Z", "triggered": True}
    written(folder, lines([fired]), "retraining_triggers.jsonl")
    switch = {"version": "v0001", "event": "promote", "timestamp": "2026-09-02T12:00:00Z"}
    written(tmp_path / "models", lines([switch, "torn"]), "registry.jsonl")
    said = " ".join(run().out.split())
    assert "verdict retraining recommended, but another model serves since (retrain-check, " in said
