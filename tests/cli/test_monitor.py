"""`drift --monitor` and `retrain-check` as cron runs them: real processes, real files."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Ran, clean_environment
from tests.support.rows import lines, row

USUAL = (0.2, 0.3, 0.5)
MOVED = (0.5, 0.3, 0.2)
WORDS = [f"word{number}" for number in range(300)]
FOREIGN = [f"parola{number}" for number in range(300)]
OF_BASELINE = 2000


def some(
    count: int, shares: tuple[float, float, float], *, minute: int, seed: int, words: list[str] = WORDS
) -> Iterator[dict[str, Any]]:
    generator = random.Random(seed)
    for number in range(count):
        place = generator.choices(range(3), shares)[0]
        confidence = round(generator.uniform(0.5, 0.9), 3)
        text = " ".join(generator.choices(words, k=8))
        yield row(place, minute + number, confidence, text=text, id=f"{seed}-{number}")


class Traffic:
    """Append so many rows to the log, a minute apart."""

    def __init__(self, run: Callable[..., Ran]) -> None:
        self.run, self.minute = run, 0

    def __call__(self, count: int, shares: tuple[float, float, float] = USUAL, **rest: Any) -> None:
        content = lines(some(count, shares, minute=self.minute, seed=self.minute, **rest))
        self.minute += count
        assert self.run("log", "--input", "-", "-q", stdin=content).code == 0


@pytest.fixture
def traffic(run: Callable[..., Ran]) -> Traffic:
    return Traffic(run)


def usual(run: Callable[..., Ran]) -> None:
    Traffic(run)(OF_BASELINE)
    assert run("baseline", "create").code == 0


@pytest.fixture
def baseline(begin_with, traffic: Traffic) -> None:  # type: ignore[no-untyped-def]
    begin_with(usual)
    traffic.minute = OF_BASELINE


def test_quiet_traffic_is_stable_and_each_row_is_judged_once(run, traffic, baseline) -> None:  # type: ignore[no-untyped-def]
    traffic(300)
    done = run("drift", "--monitor", "--json")
    assert (done.code, done.err) == (0, "")
    assert (done.json["verdict"], done.json["check"], done.json["new_samples"]) == ("stable", 1, 300)
    assert (done.json["reason"], done.json["incident"]) == ("no change", None)
    assert 0.1 < done.json["detectable_shift"]["this_check"]["shift"] < 0.15
    again = run("drift", "--monitor", "--json")
    assert (again.code, again.json["verdict"], again.json["new_samples"]) == (4, "no verdict", 0)
    traffic(49)
    assert run("drift", "--monitor", "--json").json["new_samples"] == 49
    traffic(1)
    later = run("drift", "--monitor", "--json")
    assert (later.code, later.json["check"], later.json["new_samples"]) == (0, 2, 50)
    assert run("drift", "--monitor", "-q").out == ""


def test_a_check_that_could_not_have_seen_a_change_is_no_verdict(run, traffic, baseline) -> None:  # type: ignore[no-untyped-def]
    traffic(60)
    done = run("drift", "--monitor", "--json")
    assert (done.code, done.json["reason"]) == (4, "too few rows to tell")
    assert done.json["detectable_shift"]["all_checks"]["shift"] > 0.15
    traffic(250)
    assert run("drift", "--monitor", "--json").json["reason"] == "no change"


def test_drift_opens_an_incident_that_is_told_once_and_closes(run, traffic, baseline, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    traffic(300, MOVED)
    opened = run("drift", "--monitor", "--json", "--save")
    assert opened.code == 3
    assert (opened.json["opened"], opened.json["drift_detected"]) == (True, True)
    # The rows that moved come from minute 2000 after START, which is 09-08 17:20, on.
    onset = opened.json["incident"]["onset"]
    assert onset["earliest"] <= "2026-09-08T17:20:00Z" <= onset["latest"]
    events = {one["event"]: one for one in opened.json["incident"]["findings"]}
    assert events["negative"]["direction"] == "up"
    assert events["negative"]["before"]["value"] < events["negative"]["after"]["low"]
    assert events["negative"]["p_value"] <= events["negative"]["p_limit"]
    assert len(opened.json["examples"]) == 3
    assert {one["sentiment"] for one in opened.json["examples"]} == {"negative"}
    # A saved report keeps no text: those are where they can be erased.
    saved = json.loads((tmp_path / "logs/drift_reports.jsonl").read_text(encoding="utf-8"))
    assert "examples" not in saved
    assert saved["incident"] == opened.json["incident"]
    traffic(100, MOVED)
    going_on = run("drift", "--monitor", "-q")
    assert (going_on.code, going_on.out) == (3, "")
    traffic(100, MOVED)
    said = run("drift", "--monitor").out
    assert "Still drifting, found on" in said
    assert "at check 1: the share of" in " ".join(said.split())
    closed = None
    for _ in range(6):
        traffic(500)
        closed = run("drift", "--monitor", "-q")
        if closed.out:
            break
    assert closed is not None
    assert "Recovered" in closed.out
    assert closed.code == 0


def test_an_incident_that_an_earlier_version_opened_gets_its_onset(
    run, traffic, baseline, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    traffic(300, MOVED)
    opened = run("drift", "--monitor", "--json").json["incident"]["onset"]
    path = tmp_path / "logs/monitor.json"
    state = json.loads(path.read_text(encoding="utf-8"))
    for monitor in state["monitors"].values():
        del monitor["incident"]["onset"]
    path.write_text(json.dumps(state), encoding="utf-8")
    traffic(100, MOVED)
    later = run("drift", "--monitor", "--json").json
    assert later["opened"] is False
    assert later["incident"]["onset"]["earliest"] <= opened["began"] <= later["incident"]["onset"]["latest"]


def test_new_words_alarm_though_labels_and_confidence_are_as_they_were(run, traffic, baseline) -> None:  # type: ignore[no-untyped-def]
    traffic(200, words=WORDS[:240] + FOREIGN[:60])
    done = run("drift", "--monitor", "--json")
    assert done.code == 3
    assert {one["group"] for one in done.json["incident"]["findings"]} == {"words"}
    assert done.json["incident"]["onset"]["from_the_start"]
    assert done.json["grown_words"]
    assert all(one["word"].startswith("parola") for one in done.json["grown_words"])
    assert any("parola" in one["text"] for one in done.json["examples"])


def test_a_dry_run_or_a_look_that_cannot_be_shown_is_not_remembered(run, traffic, baseline, tmp_path) -> None:  # type: ignore[no-untyped-def]
    traffic(300, MOVED)
    assert run("drift", "--monitor", "--dry-run", "--json").json["opened"] is True
    assert not (tmp_path / "logs/monitor.json").exists()
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        failed = subprocess.run(
            [sys.executable, "-m", "sentimon", "drift", "--monitor"],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env=clean_environment(tmp_path),
            check=False,
        )
    assert failed.returncode == 1
    assert failed.stderr.startswith(b"error: standard output: cannot be used")
    assert run("drift", "--monitor", "--json").json["opened"] is True
    assert run("drift", "--monitor", "--json").json["opened"] is False


def test_a_reset_and_a_new_baseline_start_anew(run, traffic, baseline) -> None:  # type: ignore[no-untyped-def]
    traffic(300, MOVED)
    assert run("drift", "--monitor").code == 3
    done = run("drift", "--reset", "--yes")
    assert (done.code, done.out) == (0, "")
    assert "starts anew" in done.err
    anew = run("drift", "--reset", "--yes", "--monitor", "--json")
    assert (anew.json["check"], anew.json["new_samples"], anew.json["opened"]) == (1, 300, True)
    assert run("baseline", "create", "--force").code == 0
    traffic(60)
    other = run("drift", "--monitor", "--json").json
    assert (other["check"], other["incident"]) == (1, None)


def test_two_crons_at_once_judge_each_row_once(run, traffic, baseline, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    traffic(700)
    command = [sys.executable, "-m", "sentimon", "drift", "--monitor", "--json"]
    children = [
        subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tmp_path, env=clean_environment(tmp_path))
        for _ in range(4)
    ]
    reports = [json.loads(child.communicate()[0]) for child in children]
    assert sorted(one["new_samples"] for one in reports) == [0, 0, 0, 700]
    state = json.loads((tmp_path / "logs/monitor.json").read_text(encoding="utf-8"))
    (monitor,) = state["monitors"].values()
    assert monitor["checks"] == 1


def test_nothing_new_since_a_check_that_found_nothing_is_still_nothing(run, traffic, baseline) -> None:  # type: ignore[no-untyped-def]
    traffic(300)
    assert run("drift", "--monitor").code == 0
    done = run("retrain-check", "--json", SENTIMON_RETRAINING__CONFIDENCE_THRESHOLD="0.5")
    assert (done.code, done.json["decided"], done.json["rules"][2]["met"]) == (0, True, False)


def test_a_baseline_with_a_row_from_the_future_hides_nothing(run, traffic) -> None:  # type: ignore[no-untyped-def]
    traffic(2000)
    future = row(2, 0, timestamp="2099-01-01T00:00:00Z")
    assert run("log", "--input", "-", "-q", stdin=lines([future])).code == 0
    assert run("baseline", "create").code == 0
    now = lines(
        one | {"timestamp": datetime.now(UTC).isoformat()} for one in some(300, MOVED, minute=0, seed=3)
    )
    assert run("log", "--input", "-", "-q", stdin=now).code == 0
    assert run("drift", "--monitor").code == 3
    assert run("drift", "--json").json["current_samples"] >= 300


def test_a_folder_that_is_not_there_is_not_made(run, traffic, baseline, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = run("drift", "--monitor", "--baseline", "logs/baseline.json", "--logs", "typo")
    assert done.code == 1
    assert "typo: no such folder" in done.err
    assert not (tmp_path / "typo").exists()


def test_a_dry_run_without_the_monitor_shows_what_would_be_read(run, traffic, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    traffic(60)
    shown = run("drift", "--dry-run")
    assert (shown.code, shown.err) == (0, "")
    assert "of the log, in 1 file" in shown.out
    assert not (tmp_path / "logs/baseline.json").exists()


def test_killed_at_any_moment_it_judges_each_row_once(run, traffic, baseline, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    traffic(500)
    generator = random.Random(5)
    for _ in range(12):
        child = subprocess.Popen(
            [sys.executable, "-m", "sentimon", "drift", "--monitor", "-q"],
            cwd=tmp_path,
            env=clean_environment(tmp_path),
        )
        time.sleep(generator.uniform(0, 0.25))
        child.send_signal(signal.SIGKILL)
        child.wait()
    last = run("drift", "--monitor", "--json").json
    (monitor,) = json.loads((tmp_path / "logs/monitor.json").read_text(encoding="utf-8"))["monitors"].values()
    assert monitor["checks"] == 1
    assert sum(window["groups"][0]["n"] for window in monitor["windows"]) == 500
    assert last["new_samples"] in (0, 500)


def test_rows_that_come_late_are_judged_up_to_two_days_after(run, traffic, baseline) -> None:  # type: ignore[no-untyped-def]
    traffic(4000)
    assert run("drift", "--monitor", "--json").json["new_samples"] == 4000
    late = lines(some(60, USUAL, minute=5000, seed=1))
    too_late = lines(some(70, USUAL, minute=2200, seed=2))
    assert run("log", "--input", "-", "-q", stdin=late + too_late).code == 0
    assert run("drift", "--monitor", "--json").json["new_samples"] == 60


def test_erased_texts_and_rows_do_not_disturb_it(run, traffic, baseline) -> None:  # type: ignore[no-untyped-def]
    traffic(300)
    assert run("drift", "--monitor").code == 0
    assert run("logs", "erase", "--yes", "--id", "2000-7").code == 0
    assert run("logs", "erase", "--yes", "--id", "2000-8", "--drop-rows").code == 0
    traffic(60)
    done = run("drift", "--monitor", "--json")
    assert done.code == 0
    assert done.json["new_samples"] in (59, 60)


@pytest.mark.parametrize("mode", ["redact", "hash", "omit"])
def test_it_works_with_texts_that_are_not_kept(run, tmp_path: Path, mode: str) -> None:  # type: ignore[no-untyped-def]
    kept = {"SENTIMON_LOGS__TEXT": mode, "SENTIMON_LOGS__TOKEN_HASHES": "true"}

    def log(count: int, minute: int, words: list[str]) -> None:
        content = lines(some(count, USUAL, minute=minute, seed=minute, words=words))
        assert run("log", "--input", "-", "-q", stdin=content, **kept).code == 0

    log(1000, 0, WORDS)
    assert run("baseline", "create").code == 0
    log(350, 1000, WORDS)
    assert run("drift", "--monitor").code == 0
    log(200, 1350, WORDS[:200] + FOREIGN[:100])
    done = run("drift", "--monitor", "--json")
    assert done.code == 3
    assert {one["group"] for one in done.json["incident"]["findings"]} == {"words"}
    assert "parola1" not in (tmp_path / "logs/baseline.json").read_text(encoding="utf-8")


def test_retrain_check_fires_once_on_drift_that_goes_on(run, traffic, baseline) -> None:  # type: ignore[no-untyped-def]
    shown = {"SENTIMON_RETRAINING__COOLDOWN": "0s", "SENTIMON_RETRAINING__CONFIDENCE_THRESHOLD": "0.5"}
    traffic(300)
    quiet = run("retrain-check", "--save", "--json", **shown)
    assert (quiet.code, quiet.json["triggered"]) == (0, False)
    assert quiet.json["rules"][2]["name"] == "change of a share"
    traffic(300, MOVED)
    fired = run("retrain-check", "--save", "--json", **shown)
    assert (fired.code, fired.json["triggered"], fired.json["drift_threshold_met"]) == (3, True, True)
    traffic(300, MOVED)
    told = run("retrain-check", "--save", "--json", **shown)
    assert (told.code, told.json["triggered"], told.json["drift_told"]) == (0, False, True)
    assert told.json["recommended_action"] == "wait"
    assert "a trigger has fired on it" in told.json["reason"]
    traffic(300, MOVED)
    repeated = run("retrain-check", "--json", **shown, SENTIMON_RETRAINING__REPEAT="true")
    assert repeated.code == 3


def test_a_trigger_that_is_not_saved_fires_again(run, traffic, baseline) -> None:  # type: ignore[no-untyped-def]
    traffic(300, MOVED)
    assert run("retrain-check", "-q").code == 3
    traffic(100, MOVED)
    assert run("retrain-check", "-q").code == 3


def test_below_2000_baseline_rows_retrain_check_judges_by_the_score(run, traffic, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    traffic(1999)
    assert run("baseline", "create").code == 0
    traffic(300, MOVED)
    done = run("retrain-check", "--json")
    assert (done.code, done.json["rules"][2]["name"]) == (3, "drift score")
    assert not (tmp_path / "logs/monitor.json").exists()
    chosen = run("retrain-check", "--json", SENTIMON_RETRAINING__DRIFT_RULE="monitor")
    assert (chosen.code, chosen.json["rules"][2]["name"]) == (3, "change of a share")


@pytest.mark.parametrize(
    "option",
    [("--since", "7d"), ("--until", "1d"), ("--all",), ("--threshold", "0.1"), ("--tz", "UTC"),
     ("--dry-run", "--save"), ("--dry-run", "--reset")],
)  # fmt: skip
def test_a_period_does_not_go_with_the_monitor(run, traffic, baseline, option) -> None:  # type: ignore[no-untyped-def]
    done = run("drift", "--monitor", *option)
    assert done.code == 2
    assert option[0] in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("content", [b"", b"{", b'{"format":1,"monitors":{"x":3}}', b"\xff\xfe"])
def test_a_broken_memory_is_named_with_the_next_step(run, traffic, baseline, tmp_path, content) -> None:  # type: ignore[no-untyped-def]
    traffic(60)
    (tmp_path / "logs/monitor.json").write_bytes(content)
    done = run("drift", "--monitor")
    assert done.code == 1
    assert "monitor.json" in done.err
    assert "drift --reset" in done.err
    assert run("drift", "--reset", "--yes", "--monitor").code == 4


DAMAGE: dict[str, Callable[[dict[str, Any]], object]] = {
    "a group less": lambda monitor: monitor["windows"][0]["groups"].pop(),
    "checks below zero": lambda monitor: monitor.update(checks=-200),
    "checks without end": lambda monitor: monitor.update(checks=10**18),
    "more counted than rows": lambda monitor: monitor["windows"][0]["groups"][0].update(n=10),
    "counts below zero": lambda monitor: monitor["windows"][0]["groups"][0]["counts"].__setitem__(0, -5),
    "rows without end": lambda monitor: monitor["windows"][0]["groups"][0].update(n=10**400),
    "hours that do not add up": lambda monitor: monitor["windows"][0].update(hours={"1": 7}),
    "an hour below zero": lambda monitor: monitor["windows"][0].update(hours={"1": -7}),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_memory_that_cannot_be_is_refused(run, traffic, baseline, tmp_path: Path, name: str) -> None:  # type: ignore[no-untyped-def]
    traffic(60)
    assert run("drift", "--monitor").code == 4
    path = tmp_path / "logs/monitor.json"
    state = json.loads(path.read_text(encoding="utf-8"))
    DAMAGE[name](next(iter(state["monitors"].values())))
    path.write_text(json.dumps(state), encoding="utf-8")
    done = run("drift", "--monitor")
    assert done.code == 1
    assert "drift --reset" in done.err
    assert "Traceback" not in done.err


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_says_so(run, traffic, baseline, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "logs").chmod(0o500)
    done = run("drift", "--monitor")
    (tmp_path / "logs").chmod(0o700)
    assert done.code == 1


def test_hostile_texts_and_words_print_as_themselves(run, traffic, baseline) -> None:  # type: ignore[no-untyped-def]
    traffic(200, words=[*WORDS[:100], "[red]tomato[/red]", "\x1b[31mrot", "<script>"])
    done = run("drift", "--monitor")
    assert done.code == 3
    assert "\x1b" not in done.out
    assert "[red]tomato" in done.out or "␛" in done.out or "\\x1b" in done.out


def test_simulate_tells_what_the_monitor_would_do(run, traffic, baseline) -> None:  # type: ignore[no-untyped-def]
    options = ("--rate", "4800/d", "--days", "3", "--runs", "10", "--shift", "0.3")
    done = run("drift", "simulate", *options, "--json")
    assert done.code == 0
    quiet, shifted = done.json["scenarios"]
    assert (quiet["rows_a_check"], quiet["checks"], quiet["runs"], quiet["shift"]) == (200, 72, 10, 0.0)
    assert quiet["false_alarm"]["value"] == 0.0
    assert shifted["found"]["value"] == 1.0
    assert shifted["median_delay_rows"] in (200, 400)
    assert run("drift", "simulate", *options, "--json").out == done.out
    table = run("drift", "simulate", *options).out
    assert "0 of 10 runs raise an alarm" in table


@pytest.mark.parametrize(
    "options",
    [("--rate", "200"), ("--rate", "1/d"), ("--every", "soon"), ("--rate", "-1/h"), ("--days", "0"),
     ("--every", "1d", "--days", "1"), ("--every", "1s", "--days", "30"), ("--shift", "2")],
)  # fmt: skip
def test_a_schedule_that_cannot_be_simulated_is_refused(run, traffic, baseline, options) -> None:  # type: ignore[no-untyped-def]
    done = run("drift", "simulate", *options)
    assert done.code == 2
    assert "Traceback" not in done.err


def test_simulate_without_a_baseline_names_the_next_step(run) -> None:  # type: ignore[no-untyped-def]
    done = run("drift", "simulate")
    assert done.code == 1
    assert "baseline create" in done.err
