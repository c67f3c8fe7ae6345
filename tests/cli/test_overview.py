"""`sentimon` alone shows where one is, and writes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sentimon.reporting.command_steps import CommandOptions
from sentimon.reporting.overview_text import KnownBaseline, LastVerdict, Overview, overview_lines
from tests.support.rows import logged, written

NOW = datetime(2026, 9, 21, 12, tzinfo=UTC)


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
    assert facts(done.out)["verdict"].startswith("retraining recommended (retrain-check, ")
    assert "  sentimon report\n" in done.out
    assert contents(tmp_path) == before


def test_what_cannot_be_read_is_a_problem_and_the_rest_is_shown(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    written(tmp_path / "logs", logged(3, 0, 0))
    written(tmp_path / "logs", "no baseline", "baseline.json")
    written(tmp_path / "logs", "no trigger\n", "retraining_triggers.jsonl")
    done = run()
    assert (done.code, done.err) == (0, "")
    assert "baseline.json" in facts(done.out)["problem"]
    assert facts(done.out)["verdict"].startswith("none saved")
    assert "  sentimon doctor\n" in done.out


def overview(**rest: Any) -> Overview:
    verdict = LastVerdict(command="drift", verdict="stable", finding=False, at=NOW)
    baseline = KnownBaseline(name="first", rows=100, created=NOW)
    return Overview(
        **{
            "source": "logs",
            "now": NOW,
            "on_objects": False,
            "files": 2,
            "size": 2_400_000,
            "known": None,
            "newest": NOW - timedelta(hours=3),
            "baseline": baseline,
            "collecting": False,
            "verdict": verdict,
            "problems": (),
        }
        | rest
    )


@pytest.mark.parametrize(
    ("rest", "command"),
    [
        ({}, ("watch",)),
        ({"newest": NOW + timedelta(hours=1)}, ("retrain-check", "--save")),
        ({"verdict": LastVerdict(command="drift", verdict="drift", finding=True, at=NOW)}, ("report",)),
        ({"verdict": None}, ("drift", "--save")),
        ({"verdict": None, "baseline": None, "collecting": True}, ("drift", "--save")),
        ({"baseline": None}, ("baseline", "create")),
        ({"problems": ("it broke",)}, ("doctor",)),
        ({"on_objects": True, "size": 0, "baseline": None}, ("baseline", "create")),
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
