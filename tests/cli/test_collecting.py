"""The first rows of a promoted model become its baseline: `drift` and `retrain-check` as processes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from sentimon.monitoring.baseline_collection import PendingBaseline
from sentimon.scoring.scorer import DEFAULT_FOLDER
from sentimon.workflows.next_baseline import NewModel, before_path, follow_new_model
from sentimon.workflows.state_files import next_path
from tests.conftest import Ran, clean_environment
from tests.support.rows import MINUTE, START, rows

OLD, NEW = {"model": "models/current", "revision": "old"}, {"model": "models/current", "revision": "new"}
SWITCH = 200
"""The minute of the switch; the baseline of the model before is older."""


def old(run: Callable[..., Ran]) -> None:
    assert run("log", "--input", "-", "-q", stdin=rows(70, 20, 10, **OLD)).code == 0
    assert run("baseline", "create", "--name", "v0001").code == 0


@pytest.fixture
def switched(begin_with, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    """A log with a baseline of the old model, and the switch to the new one; the path of the baseline."""
    begin_with(old)
    switch(tmp_path, "v0002", "new", minute=SWITCH, count=60)
    return tmp_path / "logs/baseline.json"


def switch(folder: Path, name: str, revision: str, *, minute: int, count: int) -> PendingBaseline | None:
    heir = NewModel(name=name, revision=revision, since=START + minute * MINUTE, asked=count)
    return follow_new_model(folder / "logs", folder / "logs/baseline.json", heir, fewest=50)


def distribution(path: Path) -> list[int]:
    classes = json.loads(path.read_text(encoding="utf-8"))["classes"]
    return [classes[name]["count"] for name in ("negative", "neutral", "positive")]


@pytest.mark.parametrize("command", ["drift", "retrain-check"])
def test_until_its_rows_are_there_the_answer_is_no_verdict_with_how_far_it_is(  # type: ignore[no-untyped-def]
    run, log, switched: Path, command: str
) -> None:
    log(9, 0, 0, minute=SWITCH + 1, **OLD)
    log(0, 0, 59, minute=SWITCH + 10, confidence=0.5, **NEW)
    done = run(command, "--json", "--save")
    assert (done.code, done.err) == (4, "")
    found = done.json["collecting"]
    assert (found["name"], found["rows"], found["wanted_rows"], found["other_rows"]) == ("v0002", 59, 60, 9)
    assert run(command, "--exit-zero", "-q").err == ""
    told = run(command)
    assert told.code == 4
    said = " ".join(told.out.split())
    assert (
        "59 of 60 rows of v0002, which serves since 2026-09-07 11:20 UTC; then they are its baseline" in said
    )
    assert "9 rows since are of another model" in said
    assert not switched.exists()


@pytest.mark.parametrize("command", ["drift", "retrain-check"])
def test_then_the_earliest_of_them_are_the_baseline_and_no_row_of_another_model(  # type: ignore[no-untyped-def]
    run, log, switched: Path, command: str
) -> None:
    log(0, 0, 50, minute=SWITCH + 120, **NEW)
    log(9, 0, 0, minute=SWITCH + 1, **OLD)
    # Older than the switch: another deployment had tried it.
    log(0, 7, 0, minute=SWITCH - 20, **NEW)
    log(30, 20, 10, minute=SWITCH + 1, **NEW)
    done = run(command, "-q")
    assert done.err == "baseline 'v0002' of 60 rows made, in logs/baseline.json\n"
    assert distribution(switched) == [30, 20, 10]
    assert not next_path(switched).exists()
    shown = run("baseline", "show", "--json").json
    assert shown["models"] == [{"model": "models/current", "revision": "new", "count": 60}]
    assert run(command, "-q").err == ""
    judged = run("drift", "--json")
    assert (judged.code, judged.json["current_samples"], judged.json["collecting"]) == (3, 50, None)


def test_a_look_that_only_looks_makes_none(run, log, switched: Path) -> None:  # type: ignore[no-untyped-def]
    log(0, 0, 60, minute=SWITCH + 1, **NEW)
    looks = [
        ("drift", "--monitor", "--dry-run"),
        ("export", "prometheus", "--output", "x.prom"),
        ("report", "--output", "x.html"),
        ("doctor",),
        ("metrics",),
    ]
    for arguments in looks:
        assert run(*arguments).code in (0, 4), arguments
        assert not switched.exists()
    assert "60 of 60 rows of v0002" in " ".join(run(*looks[0]).out.split())


def test_report_and_watch_say_how_far_it_is(run, log, switched: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    log(0, 0, 59, minute=SWITCH + 10, **NEW)
    watched = run("watch")
    assert "No baseline yet: 59 of 60 rows of v0002 since 2026-09-07 11:20 UTC" in watched.out
    assert run("report", "--output", "r.md").code == 0
    said = (tmp_path / "r.md").read_text(encoding="utf-8")
    assert "No verdict yet: 59 of 60 rows of v0002, which serves since 2026-09-07 11:20 UTC" in said
    assert "there is no baseline" not in said
    assert "Retraining recommended" not in said
    log(0, 0, 1, minute=SWITCH + 100, **NEW)
    assert run("drift", "-q").err.startswith("baseline 'v0002' of 60 rows made")
    assert "Baseline 'v0002'" in run("watch").out


def test_the_period_of_a_cron_line_may_reach_back_over_the_switch(run, log, switched: Path) -> None:  # type: ignore[no-untyped-def]
    log(20, 20, 20, minute=SWITCH + 1, **NEW)
    # Sixty rows of a baseline show no change of 0.15 in fewer.
    log(80, 80, 80, minute=SWITCH + 70, **NEW)
    assert run("drift", "--until", "2026-12-01", "-q").code == 0
    since = (START - timedelta(days=7)).isoformat()
    for command in ("drift", "retrain-check"):
        done = run(command, "--since", since, "--json")
        assert done.code == 0, done.err
    assert run("drift", "--since", since, "--json").json["current_samples"] == 240


def test_going_back_takes_up_the_old_baseline_and_judges_no_row_of_the_other_model(  # type: ignore[no-untyped-def]
    run, log, switched: Path, tmp_path: Path
) -> None:
    log(60, 0, 0, minute=SWITCH + 1, **NEW)
    assert run("drift", "-q").code == 4
    assert distribution(switched) == [60, 0, 0]
    log(50, 0, 0, minute=SWITCH + 70, **NEW)
    wanted = switch(tmp_path, "v0001", "old", minute=400, count=0)
    assert wanted is not None
    assert (wanted.rows, wanted.again is not None) == (50, True)
    # Not every process has noticed at once.
    log(0, 0, 20, minute=401, **NEW)
    log(70, 20, 9, minute=402, **OLD)
    done = run("drift", "--json")
    assert done.err == "baseline 'v0001' of 100 rows taken up again, in logs/baseline.json\n"
    assert (done.code, done.json["baseline_name"], done.json["current_samples"]) == (4, "v0001", 49)
    assert distribution(switched) == [70, 20, 10]
    assert distribution(before_path(switched)) == [60, 0, 0]
    log(70, 20, 10, minute=600, **OLD)
    assert run("drift", "--monitor", "--json").json["reason"] == "too few rows to tell"


def test_going_back_before_the_rows_are_there_gives_the_new_baseline_up(run, log, switched, tmp_path) -> None:  # type: ignore[no-untyped-def]
    log(0, 0, 30, minute=SWITCH + 1, **NEW)
    switch(tmp_path, "v0001", "old", minute=400, count=0)
    log(0, 0, 60, minute=401, **NEW)
    assert run("drift", "--json").json["collecting"]["rows"] == 0
    log(70, 20, 10, minute=500, **OLD)
    assert run("drift", "--json").json["baseline_name"] == "v0001"


def test_a_version_without_a_baseline_of_its_own_collects_as_many_rows_as_were_asked_for(  # type: ignore[no-untyped-def]
    run, log, switched, tmp_path
) -> None:
    wanted = switch(tmp_path, "v0003", "newest", minute=400, count=0)
    assert wanted is not None
    assert (wanted.name, wanted.rows, wanted.again) == ("v0003", 60, None)
    assert distribution(before_path(switched)) == [70, 20, 10]


def test_without_a_number_of_rows_everything_stays_as_it_is(run, log, tmp_path) -> None:  # type: ignore[no-untyped-def]
    log(70, 20, 10, **OLD)
    assert run("baseline", "create").code == 0
    assert switch(tmp_path, "v0002", "new", minute=SWITCH, count=0) is None
    assert distribution(tmp_path / "logs/baseline.json") == [70, 20, 10]


def test_a_baseline_that_somebody_makes_meanwhile_counts(run, log, switched: Path) -> None:  # type: ignore[no-untyped-def]
    log(0, 0, 50, minute=SWITCH + 1, **NEW)
    done = run("baseline", "create", "--since", "2026-09-07T11:21:00Z")
    assert done.code == 0
    assert "that was being collected since a switch of models is given up" in done.err
    assert not next_path(switched).exists()
    log(0, 0, 50, minute=SWITCH + 100, **NEW)
    assert run("drift").code == 0


def test_two_runs_at_the_same_time_make_it_once(run, log, switched: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    log(20, 20, 60, minute=SWITCH + 1, **NEW)
    runs = [
        subprocess.Popen(
            [sys.executable, "-m", "sentimon", command, "-q"],
            cwd=tmp_path,
            env=clean_environment(tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in ("drift", "retrain-check", "drift", "retrain-check")
    ]
    said = "".join(one.communicate()[1] for one in runs)
    assert [one.returncode for one in runs] == [4, 4, 4, 4]
    assert said == "baseline 'v0002' of 60 rows made, in logs/baseline.json\n"
    assert distribution(switched) == [20, 20, 20]


def test_a_kill_at_any_moment_leaves_the_rows_to_be_collected_or_the_baseline(  # type: ignore[no-untyped-def]
    run, log, switched: Path, tmp_path: Path
) -> None:
    log(20, 20, 20, minute=SWITCH + 1, **NEW)
    start = next_path(switched).read_bytes()
    made = 0
    for pause in (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.6):
        process = subprocess.Popen(
            [sys.executable, "-m", "sentimon", "drift", "-q"],
            cwd=tmp_path,
            env=clean_environment(tmp_path),
            stderr=subprocess.DEVNULL,
        )
        time.sleep(pause)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert switched.exists() or next_path(switched).read_bytes() == start
        made += switched.exists()
        # The next run goes on from there, whatever it was.
        assert run("drift", "-q").code == 4
        assert distribution(switched) == [20, 20, 20]
        assert not next_path(switched).exists()
        switched.unlink()
        next_path(switched).write_bytes(start)
    assert made < 8


def test_a_kill_between_any_two_steps_of_a_switch_is_tidied_up(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    log(70, 20, 10, **OLD)
    assert run("baseline", "create").code == 0
    path = tmp_path / "logs/baseline.json"
    before = path.read_bytes()
    switch(tmp_path, "v0002", "new", minute=SWITCH, count=60)
    # As if it had been killed before the old baseline was set aside.
    path.write_bytes(before)
    before_path(path).unlink()
    log(0, 0, 20, minute=SWITCH + 1, **NEW)
    assert run("drift", "--monitor", "--dry-run", "--json").json["collecting"]["rows"] == 20
    assert path.exists()
    assert run("drift", "--json").json["collecting"]["rows"] == 20
    assert not path.exists()
    assert before_path(path).read_bytes() == before


def test_promote_and_rollback_ask_for_it(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    shutil.copytree(DEFAULT_FOLDER, tmp_path / "new")
    # Another revision, and the same answers.
    with (tmp_path / "new/tokenizer.json").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert run("log", *["Good."] * 50, "-q").code == 0
    assert run("baseline", "create").code == 0
    few = run("promote", "new", "--force", "--baseline-rows", "49")
    assert few.code == 2
    assert "drift.min_samples is 50" in few.err
    assert not (tmp_path / "models").exists()
    done = run("promote", "new", "--force", "--baseline-rows", "55", "--json")
    assert done.code == 0, done.err
    assert done.json["baseline"]["wanted_rows"] == 55
    assert "no verdict on drift for the next 55 rows of v0001; then they are its baseline" in done.err
    served = {"SENTIMON_MODEL__NAME": "models/current"}
    assert run("log", *["Bad."] * 55, "-q", **served).code == 0
    assert run("drift", "-q", **served).err == "baseline 'v0001' of 55 rows made, in logs/baseline.json\n"
    first = run("models", "rollback", **served)
    assert (first.code, "`sentimon promote sentimon-default --force`" in first.err) == (1, True)
    again = run("promote", "sentimon-default", "--force", "--baseline-rows", "60", "--json", **served)
    assert again.json["baseline"]["taken_up_again"] is True
    shown = run("baseline", "show")
    assert (shown.code, "`sentimon drift` says how far" in shown.err) == (1, True)
    assert run("log", *["Good."] * 150, "-q", **served).code == 0
    # Its rows were logged as sentimon-default, and are as models/current now: the same weights.
    assert run("drift", "-q", **served).code == 0
    back = run("models", "rollback", "--json", **served)
    assert (back.json["version"], back.json["baseline"]["taken_up_again"]) == ("v0001", True)
    assert "for the next 50 rows of v0001; then its baseline is taken up again" in back.err
