import os
import time
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Ran
from tests.support.rows import lines, row, rows

Run = Callable[..., Ran]
DAY = 86_400


def three_files(run: Run, folder: Path) -> Path:
    """A log of two sealed files, ten and five days old, and a live one."""
    logs = folder / "logs"
    for age in (10, 5, 0):
        assert (
            run(
                "log",
                "--input",
                "-",
                stdin=rows(3, 0, 0, minute=-age * 1440),
                SENTIMON_LOGS__ROTATE_DAILY="true",
            ).code
            == 0
        )
        old = time.time() - age * DAY
        os.utime(logs / "predictions.jsonl", (old, old))
    return logs


def test_status_shows_each_file_and_what_it_holds(run: Run, tmp_path: Path) -> None:
    logs = three_files(run, tmp_path)
    with (logs / "predictions.jsonl").open("ab") as file:
        file.write(b"broken\n")
    files = run("logs", "status", "--json").json["files"]
    assert [Path(one["path"]).name for one in files] == [
        "predictions-20260828T080000Z.jsonl.zst",
        "predictions-20260902T080000Z.jsonl.zst",
        "predictions.jsonl",
    ]  # fmt: skip
    assert [(one["rows"], one["bad_lines"]) for one in files] == [(3, 0), (3, 0), (3, 1)]
    assert files[0]["first"] == "2026-08-28T08:00:00Z"
    assert "Files of the log" in run("logs", "status").out
    assert run("metrics", "--json").json["total_predictions"] == 9


def test_a_segment_that_is_away_changes_no_verdict_and_is_shown_by_name(run: Run, tmp_path: Path) -> None:
    logs = three_files(run, tmp_path)
    away = logs / "predictions-20260828T080000Z.jsonl.zst"
    away.rename(tmp_path / "archive")
    away.symlink_to(tmp_path / "not-mounted")
    for command in ("metrics", "logs query", "logs verify", "logs repair", "drift", "retrain-check"):
        done = run(*command.split(), "--json")
        assert (done.code, done.out) == (1, ""), command
        assert f"error: logs/{away.name}: cannot be read: is a link to {tmp_path}/not-mounted" in done.err
        assert "hint: mount what it leads to" in done.err
    done = run("logs", "status", "--json")
    assert done.code == 1
    assert [one["rows"] for one in done.json["files"]] == [3, 3]
    assert [one["path"] for one in done.json["unreadable"]] == [f"logs/{away.name}"]
    table = run("logs", "status")
    assert table.code == 1
    assert "cannot be read" in table.out
    assert "all that can be read" in table.out
    assert f"error: logs/{away.name}: cannot be read" in table.err
    away.unlink()
    away.symlink_to(tmp_path / "archive")
    assert run("logs", "status", "--json").json["unreadable"] == []
    assert run("metrics", "--json").json["total_predictions"] == 9


def test_prune_removes_what_is_too_old_and_says_so_first(run: Run, tmp_path: Path) -> None:
    logs = three_files(run, tmp_path)
    planned = run("logs", "prune", "--keep-days", "7", "--dry-run", "--json").json
    assert [Path(path).name for path in planned["removed"]] == ["predictions-20260828T080000Z.jsonl.zst"]
    assert len(list(logs.glob("predictions*"))) == 3
    done = run("logs", "prune", "--yes", "--keep-days", "7")
    assert done.code == 0
    assert "1 file, " in done.err
    assert run("metrics", "--json").json["total_predictions"] == 6
    assert run("logs", "prune", "--yes", "--keep-days", "7", "--json").json["removed"] == []


def test_prune_makes_the_log_fit_but_never_touches_the_live_file(run: Run, tmp_path: Path) -> None:
    logs = three_files(run, tmp_path)
    with (logs / "predictions.jsonl").open("ab") as file:
        file.write(lines([row(0, text="x" * 2_000_000)]).encode())
    assert len(run("logs", "prune", "--yes", "--keep-megabytes", "1", "--json").json["removed"]) == 2
    assert [path.name for path in logs.glob("predictions*")] == ["predictions.jsonl"]


def test_prune_without_a_limit_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    three_files(run, tmp_path)
    done = run("logs", "prune", "--yes")
    assert (done.code, done.out) == (2, "")
    assert "--keep-days" in done.err
    assert run("logs", "status", "--logs", "nowhere").code == 1
