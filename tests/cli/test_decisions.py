import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import Ran, clean_environment
from tests.support.rows import lines, row, rows

NOON = 240


def mostly_negative(run: Callable[..., Ran]) -> None:
    assert run("log", "--input", "-", "-q", stdin=rows(70, 20, 10)).code == 0
    assert run("baseline", "create").code == 0


@pytest.fixture
def baseline(begin_with) -> None:  # type: ignore[no-untyped-def]
    """A baseline of 0.7 / 0.2 / 0.1."""
    begin_with(mostly_negative)


def test_a_swap_of_positive_and_negative_exits_3(run, log, baseline, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    log(10, 20, 70, minute=NOON)
    done = run("drift", "--json", "--save")
    assert done.code == 3
    assert done.json["drift_detected"] is True
    assert done.json["drift_score"] == 0.6
    assert done.json["verdict"] == "drift"
    assert (done.json["baseline_samples"], done.json["current_samples"]) == (100, 100)
    assert done.json["score"]["low"] < 0.6 < done.json["score"]["high"]
    saved = json.loads((tmp_path / "logs/drift_reports.jsonl").read_text(encoding="utf-8"))
    assert saved | {"traffic": done.json["traffic"]} == done.json
    table = run("drift")
    assert table.code == 3
    assert "DRIFT" in table.out
    assert "the share of" in table.out
    assert run("drift", "--exit-zero").code == 0


def test_the_same_mix_exits_0_and_is_silent_for_cron(run, log, baseline) -> None:  # type: ignore[no-untyped-def]
    log(70, 20, 10, minute=NOON)
    assert run("drift").code == 0
    quiet = run("drift", "-q")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")


def test_too_few_new_rows_exit_4_also_in_a_quiet_night(run, log, baseline) -> None:  # type: ignore[no-untyped-def]
    assert run("drift").code == 4
    log(0, 0, 49, minute=NOON)
    done = run("drift", "--json")
    assert (done.code, done.json["verdict"], done.json["drift_detected"]) == (4, "no verdict", False)
    assert run("drift", "--exit-zero").code == 0


def test_only_rows_newer_than_the_baseline_count_unless_all_are_asked_for(run, log, baseline) -> None:  # type: ignore[no-untyped-def]
    log(0, 0, 60, minute=NOON)
    assert run("drift", "--json").json["current_samples"] == 60
    assert run("drift", "--all", "--json").json["current_samples"] == 160
    assert run("drift", "--since", "2026-09-07T08:00:00Z", "--json").json["current_samples"] == 160


def test_without_a_baseline_one_is_made_loudly_and_the_exit_code_is_4(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    log(70, 20, 10)
    refused = run("drift", "--no-create")
    assert refused.code == 4
    assert "No verdict: there is no baseline" in refused.out
    assert "there is no baseline" in refused.err
    said = run("drift", "--no-create", "-q", "--exit-zero")
    assert (said.code, said.out) == (0, "")
    assert "There is no baseline" in said.err
    silent = run("drift", "--no-create", "-q", "--exit-zero")
    assert (silent.code, silent.out, silent.err) == (0, "", "")
    assert run("drift", "--no-create", "--json").json["verdict"] == "no verdict"
    assert run("drift", SENTIMON_DRIFT__CREATE_BASELINE="false").code == 4
    assert not (tmp_path / "logs/baseline.json").exists()
    made = run("drift", "--json")
    assert made.code == 4
    assert "THERE WAS NO BASELINE" in made.err
    assert made.json["drift_score"] is None
    assert (tmp_path / "logs/baseline.json").exists()
    log(10, 20, 70, minute=NOON)
    assert run("drift").code == 3


def test_a_baseline_is_not_made_of_too_few_rows(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    log(49, 0, 0)
    for command in (["baseline", "create"], ["drift"]):
        done = run(*command)
        assert done.code == 4
        assert "a baseline needs 50 rows, logs has 49" in done.err
    assert run("drift", "--exit-zero").code == 0
    assert not (tmp_path / "logs/baseline.json").exists()


def test_a_baseline_is_not_overwritten_without_force(run, baseline) -> None:  # type: ignore[no-untyped-def]
    again = run("baseline", "create")
    assert again.code == 1
    assert "--force" in again.err
    assert run("baseline", "create", "--force", "--name", "second", "--json").json["name"] == "second"
    shown = run("baseline", "show", "--json").json
    assert shown["name"] == "second"
    assert shown["sentiment_distribution"] == {"negative": 70, "neutral": 20, "positive": 10}


def test_a_baseline_of_a_period_lies_where_it_is_told(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    log(70, 20, 10)
    log(0, 0, 60, minute=24 * 60)
    asked = ("baseline", "create", "--until", "2026-09-08", "--baseline", "elsewhere/b.json", "--json")
    assert "there is no folder elsewhere" in run(*asked).err
    (tmp_path / "elsewhere").mkdir()
    made = run(*asked)
    assert made.json["total_predictions"] == 100
    assert (tmp_path / "elsewhere/b.json").exists()
    assert run("drift", "--baseline", "elsewhere/b.json").code == 3
    assert run("baseline", "show").code == 1


def test_a_baseline_is_quiet_on_its_own_data_and_says_when_not(run, log) -> None:  # type: ignore[no-untyped-def]
    for day in range(5):
        log(35, 10, 15, minute=day * 24 * 60)
    run("baseline", "create")
    assert run("baseline", "check").code == 0
    log(0, 0, 60, minute=5 * 24 * 60)
    run("baseline", "create", "--force")
    done = run("baseline", "check", "--json")
    assert done.code == 3
    assert [window["departs"] for window in done.json["windows"]] == [False] * 5 + [True]
    assert run("baseline", "check", "--every", "1w").code == 4


def test_rows_of_another_model_are_refused(run) -> None:  # type: ignore[no-untyped-def]
    run("log", "--input", "-", stdin=rows(60, 0, 0, model="old"))
    run("baseline", "create")
    run("log", "--input", "-", stdin=rows(60, 0, 0, model="new", minute=NOON))
    done = run("drift")
    assert done.code == 1
    assert "old" in done.err
    assert "new" in done.err
    assert "baseline create" in done.err


@pytest.mark.parametrize("content", ["", "{}", "not json", '{"distribution": {"Negativo": 0.4}}'])
def test_a_damaged_baseline_is_a_failure_never_a_verdict(run, baseline, tmp_path: Path, content: str) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "logs/baseline.json").write_text(content, encoding="utf-8")
    for command in ("drift", "retrain-check"):
        done = run(command)
        assert done.code == 1
        assert "logs/baseline.json: is no baseline" in done.err
        assert done.out == ""


def test_retraining_is_recommended_once_for_one_cause(run, log, baseline, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    log(10, 20, 70, minute=NOON)
    first = run("retrain-check", "--json", "--save")
    assert first.code == 3
    assert first.json["triggered"] is True
    assert first.json["min_samples_met"] is True
    assert first.json["drift_threshold_met"] is True
    assert first.json["recommended_action"] == "retrain"
    assert [rule["name"] for rule in first.json["rules"]] == [
        "new predictions",
        "mean confidence",
        "drift score",
    ]
    saved = json.loads((tmp_path / "logs/retraining_triggers.jsonl").read_text(encoding="utf-8"))
    assert saved | {"traffic": first.json["traffic"]} == first.json
    # The same rows are not new any more.
    second = run("retrain-check", "--json")
    assert (second.code, second.json["rules"][0]["value"]) == (4, 0)
    # New ones are, but the cooldown holds them back.
    log(10, 20, 70, minute=2 * NOON)
    third = run("retrain-check", "--json")
    assert (third.code, third.json["triggered"], third.json["recommended_action"]) == (0, False, "wait")
    after = run("retrain-check", "--json", SENTIMON_RETRAINING__COOLDOWN="0s")
    assert (after.code, after.json["triggered"]) == (3, True)


def test_retrain_check_is_silent_for_cron_unless_it_fires(run, log, baseline) -> None:  # type: ignore[no-untyped-def]
    log(70, 20, 10, minute=NOON)
    quiet = run("retrain-check", "-q")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    log(0, 0, 150, minute=2 * NOON)
    loud = run("retrain-check", "-q", "--save")
    assert loud.code == 3
    assert "Retraining is recommended" in loud.out
    few = run("retrain-check", "-q")
    assert (few.code, few.out, few.err) == (4, "", "")


def test_low_confidence_fires_without_a_baseline(run, log) -> None:  # type: ignore[no-untyped-def]
    log(30, 30, 30, confidence=0.5)
    done = run("retrain-check", "--json")
    assert (done.code, done.json["confidence_threshold_met"]) == (3, True)
    assert run("retrain-check", "--json", SENTIMON_RETRAINING__CONFIDENCE_THRESHOLD="0.4").code == 4


def test_now_is_the_time_of_rows_without_one_and_since_counts_back_from_it(run) -> None:  # type: ignore[no-untyped-def]
    old = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    timeless = row(0)
    del timeless["timestamp"]
    run("log", "--input", "-", stdin=lines([row(0, timestamp=old), timeless]))
    assert run("metrics", "--since", "1h", "--json").json["total_predictions"] == 1
    assert run("metrics", "--since", "3d", "--json").json["total_predictions"] == 2


def test_a_damaged_history_of_triggers_is_said(run, log, baseline, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    history = tmp_path / "logs/retraining_triggers.jsonl"
    history.write_text("broken\n", encoding="utf-8")
    done = run("retrain-check")
    assert done.code == 4
    assert "bad line: logs/retraining_triggers.jsonl:1: not valid JSON" in done.err
    assert "retraining_triggers.jsonl:1: not valid JSON" in done.err
    assert "taken for a trigger that fired at" in done.err
    assert "remove it if none fired" in run("retrain-check", "-q").err


def test_a_row_from_the_future_is_said_and_hides_nothing_that_comes(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    ahead = lines([row(0, timestamp="2099-01-01T00:00:00Z", id="ahead")])
    run("log", "--input", "-", stdin=rows(70, 20, 10) + ahead)
    made = run("baseline", "create")
    assert "dated in the future, the latest 2099-01-01 00:00 UTC" in made.err
    now = datetime.now(UTC)
    fresh = [row(2, timestamp=(now + timedelta(seconds=number)).isoformat()) for number in range(60)]
    run("log", "--input", "-", stdin=lines(fresh))
    done = run("retrain-check", "--json", "--save")
    assert done.code == 3
    assert done.json["rows_until"] < "2099"
    assert "dated in the future" in done.err


def test_rows_that_a_trigger_has_seen_stay_seen_whatever_since_says(run, log, baseline) -> None:  # type: ignore[no-untyped-def]
    log(10, 20, 70, minute=NOON)
    assert run("retrain-check", "--save", "-q").code == 3
    again = run("retrain-check", "--since", "2026-09-01", "--json", SENTIMON_RETRAINING__COOLDOWN="0s")
    assert (again.code, again.json["rules"][0]["value"]) == (4, 0)


def test_quiet_is_silent_also_where_the_log_has_flaws(run, log, baseline, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    log(70, 20, 10, minute=NOON)
    with (tmp_path / "logs/predictions.jsonl").open("ab") as file:
        file.write(b"broken\n")
    for command in (
        ["drift", "-q"],
        ["retrain-check", "-q"],
        ["drift", "-q", "--json"],
        ["retrain-check", "-q", "--json"],
    ):
        done = run(*command)
        assert (done.code, done.out, done.err) == (0, "", "")
    assert "1 bad line left out" in run("drift").err


def test_a_trigger_that_nobody_could_be_told_of_fires_again(run, log, baseline, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    log(10, 20, 70, minute=NOON)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sentimon", "retrain-check", "--save", "-q"],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env=clean_environment(tmp_path),
            check=False,
        )
    assert done.returncode == 1
    assert run("retrain-check", "-q").code == 3


def test_rows_that_name_no_revision_may_be_of_the_same_model(run) -> None:  # type: ignore[no-untyped-def]
    run("log", "--input", "-", stdin=rows(60, 0, 0, model="m", revision="1"))
    run("baseline", "create")
    run("log", "--input", "-", stdin=rows(60, 0, 0, model="m", minute=NOON))
    assert run("drift").code == 0


def test_a_weekend_is_matched_with_weekends(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    def days(first: int, count: int) -> str:
        # START is a Monday, 08:00; a hundred rows a day.
        return "".join(
            rows(*((20, 40, 40) if day % 7 > 4 else (40, 40, 20)), minute=1440 * day)
            for day in range(first, first + count)
        )

    assert run("log", "--input", "-", "-q", stdin=days(0, 21)).code == 0
    assert run("baseline", "create").code == 0
    assert run("log", "--input", "-", "-q", stdin=days(26, 2)).code == 0
    threshold = ("--threshold", "0.1")
    assert run("drift", *threshold).code == 3
    done = run("drift", "--match", "season", "--tz", "Europe/Rome", *threshold, "--json")
    assert done.code == 0
    assert done.json["season"]["zone"] == "Europe/Rome"
    assert 0.9 < done.json["season"]["matched_share"] <= 1
    assert done.json["drift_score"] < 0.03
    assert run("drift", "--match", "season", *threshold).out.startswith(
        "Drift against baseline 'baseline' on the"
    )
    assert run("drift", "--match", "moon").code == 2
    assert run("drift", "--match", "season", "--monitor").code == 2


def test_a_season_needs_two_weeks(run, log, baseline) -> None:  # type: ignore[no-untyped-def]
    log(10, 20, 70, minute=NOON)
    done = run("drift", "--match", "season")
    assert done.code == 4
    assert "two whole weeks" in done.err
