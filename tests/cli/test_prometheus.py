import json
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sentimon.reporting.prometheus_text import read_values
from tests.conftest import Ran, clean_environment
from tests.support.prometheus import check_metrics, promtool
from tests.support.rows import rows

NOON = 240


def opposite(run: Callable[..., Ran]) -> None:
    run("log", "--input", "-", "-q", stdin=rows(70, 20, 10))
    assert run("baseline", "create").code == 0
    run("log", "--input", "-", "-q", stdin=rows(10, 20, 70, minute=NOON, model='a"b\\c\nd'))


@pytest.fixture
def log(begin_with) -> None:  # type: ignore[no-untyped-def]
    """A baseline of 0.7 / 0.2 / 0.1, and rows of the opposite mix after it."""
    begin_with(opposite)


def values_of(path: Path) -> dict[str, float]:
    return read_values(path.read_text(encoding="utf-8"))


def test_export_writes_all_for_everyone_to_read_and_promtool_to_like(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    before = time.time()
    done = run("export", "prometheus", "--output", "shop.prom")
    assert (done.code, done.out, done.err) == (0, "", "")
    path = tmp_path / "shop.prom"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    # The temporary file is gone, and had no name that node_exporter reads.
    assert sorted(one.name for one in tmp_path.iterdir()) == ["logs", "shop.prom"]
    values = values_of(path)
    assert values['sentimon_predictions{source="shop",sentiment="negative"}'] == 80
    assert values['sentimon_drift_score_ratio{source="shop"}'] == 0.6
    assert values['sentimon_retraining_due{source="shop"}'] == 1
    assert values['sentimon_last_run_exit_code{source="shop"}'] == 0
    assert before - 1 < values['sentimon_last_success_timestamp_seconds{source="shop"}'] < time.time() + 1
    assert values['sentimon_model_predictions{source="shop",model="a\\"b\\\\c\\\\nd",revision=""}'] == 100
    assert 'log="logs"' in path.read_text(encoding="utf-8")
    assert "text 1" not in path.read_text(encoding="utf-8")
    assert not (tmp_path / "logs/retraining_triggers.jsonl").exists()
    if shutil.which("promtool"):
        check_metrics(path.read_text(encoding="utf-8"))


@promtool
def test_export_prints_to_stdout_what_promtool_reads(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = run("export", "prometheus")
    assert done.code == 0
    check_metrics(done.out)


def test_export_without_a_baseline_or_rows_makes_none(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "logs").mkdir()
    done = run("export", "prometheus")
    assert done.code == 0
    assert "sentimon_drift_detected" not in done.out
    assert 'sentimon_predictions{source="sentimon",sentiment="neutral"} 0' in done.out
    assert not (tmp_path / "logs/baseline.json").exists()


@pytest.mark.parametrize(
    ("command", "code", "key"),
    [
        (["metrics"], 0, "sentimon_confidence_ratio"),
        (["drift"], 3, "sentimon_drift_detected"),
        (["retrain-check", "--save"], 3, "sentimon_retraining_triggered"),
        (["drift", "--exit-zero"], 3, "sentimon_drift_detected"),
    ],
)
def test_each_command_exports_what_it_found_and_its_true_exit_code(
    run, log, tmp_path: Path, command, code, key
) -> None:  # type: ignore[no-untyped-def]
    plain, done = run(*command, "--json"), run(*command, "--json", "--prometheus", "x.prom")
    assert done.code == (0 if "--exit-zero" in command else code) or command[0] == "retrain-check"
    assert set(done.json) == set(plain.json)
    values = values_of(tmp_path / "x.prom")
    assert f'{key}{{source="x"}}' in values
    # The second run of retrain-check finds no new rows: the first has saved its trigger.
    expected = 4 if command[0] == "retrain-check" else code
    assert values['sentimon_last_run_exit_code{source="x"}'] == expected


def test_a_run_that_fails_says_so_and_leaves_no_old_values(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "x.prom"
    assert run("drift", "--prometheus", "x.prom").code == 3
    good = values_of(path)
    (tmp_path / "logs/baseline.json").write_text("{}", encoding="utf-8")
    assert run("drift", "--prometheus", "x.prom").code == 1
    values = values_of(path)
    success = 'sentimon_last_success_timestamp_seconds{source="x"}'
    assert values[success] == good[success]
    assert values['sentimon_last_run_timestamp_seconds{source="x"}'] > good[success]
    assert values['sentimon_last_run_exit_code{source="x"}'] == 1
    assert 'sentimon_drift_detected{source="x"}' not in values
    assert values['sentimon_runs_total{source="x",exit_code="3"}'] == 1


def test_a_wrong_configuration_and_a_wrong_log_are_recorded_too(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("drift", "--prometheus", "x.prom", SENTIMON_DRIFT__THRESHOLD="9").code == 2
    assert values_of(tmp_path / "x.prom")['sentimon_last_run_exit_code{source="x"}'] == 2
    assert run("export", "prometheus", "-o", "x.prom", "--logs", "nowhere").code == 1
    values = values_of(tmp_path / "x.prom")
    assert values['sentimon_last_run_exit_code{source="x"}'] == 1
    assert values['sentimon_last_success_timestamp_seconds{source="x"}'] == 0
    assert values['sentimon_runs_total{source="x",exit_code="2"}'] == 1
    assert run("export", "prometheus", "--logs", "nowhere").out == ""


def test_a_result_that_could_not_be_printed_is_no_success(log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sentimon", "metrics", "--prometheus", "x.prom"],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env=clean_environment(tmp_path),
            check=False,
        )
    assert done.returncode == 1
    assert values_of(tmp_path / "x.prom")['sentimon_last_run_exit_code{source="x"}'] == 1


@pytest.mark.parametrize("target", ["folder", "/dev/null", "nowhere/x/../../logs/predictions.jsonl/x.prom"])
def test_what_is_no_file_is_refused_before_anything_is_judged(run, log, tmp_path: Path, target: str) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "folder").mkdir()
    done = run("retrain-check", "--save", "--prometheus", target)
    assert (done.code, done.out) == (2, "")
    assert f"error: {target}: " in done.err
    assert "\nhint: " in done.err
    assert not Path("/dev/null").is_file()
    assert not (tmp_path / "logs/retraining_triggers.jsonl").exists()


@pytest.mark.parametrize("name", ["-", "", " "])
def test_prometheus_names_a_file(run, log, name: str) -> None:  # type: ignore[no-untyped-def]
    done = run("metrics", "--prometheus", name)
    assert (done.code, done.out) == (2, "")


def test_a_decision_is_saved_also_where_the_export_fails(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "collector").mkdir()
    # While it is decided the folder goes away: the command that is run for the trigger removes it.
    done = run(
        "retrain-check", "--save", "--prometheus", "collector/x.prom", "--on-trigger", "rmdir collector"
    )
    assert done.code == 1
    assert "error: collector/x.prom: " in done.err
    saved = json.loads((tmp_path / "logs/retraining_triggers.jsonl").read_text(encoding="utf-8"))
    assert saved["triggered"] is True
    assert datetime.fromisoformat(saved["timestamp"]).tzinfo == UTC


def test_a_file_of_any_name_and_content_is_replaced(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    name = 'my "shop"\\ %.prom'
    (tmp_path / name).write_bytes(b"\xff\x00garbage\n" * 100)
    assert run("metrics", "--prometheus", name).code == 0
    text = (tmp_path / name).read_text(encoding="utf-8")
    assert 'source="my \\"shop\\"\\\\ %"' in text
    assert "garbage" not in text


def test_what_a_monitor_says_is_exported_and_an_export_remembers_nothing(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    settings = {"SENTIMON_DRIFT__RULE": "monitor"}
    run("log", "--input", "-", "-q", stdin="".join(rows(7, 2, 1, minute=10 * one) for one in range(200)))
    assert run("baseline", "create").code == 0
    run(
        "log", "--input", "-", "-q", stdin="".join(rows(1, 2, 7, minute=3000 + 10 * one) for one in range(20))
    )
    for _ in range(2):
        assert run("export", "prometheus", "-o", "x.prom", **settings).code == 0
        values = values_of(tmp_path / "x.prom")
        assert values['sentimon_monitor_new_predictions{source="x"}'] == 200
        assert values['sentimon_drift_detected{source="x"}'] == 1
        assert values['sentimon_retraining_due{source="x"}'] == 1
    done = run("drift", "--monitor", "--json", "--prometheus", "y.prom")
    assert (done.code, done.json["new_samples"]) == (3, 200)
    values = values_of(tmp_path / "y.prom")
    assert values['sentimon_monitor_checks{source="y"}'] == 1
    assert values['sentimon_drift_score_ratio{source="y"}'] == done.json["drift_score"]
    assert values['sentimon_drift_predictions{source="y"}'] == 200
    assert values['sentimon_last_run_exit_code{source="y"}'] == 3
    assert run("export", "prometheus", "-o", "x.prom", **settings).code == 0
    values = values_of(tmp_path / "x.prom")
    # The incident is open, though no row is new.
    assert values['sentimon_monitor_new_predictions{source="x"}'] == 0
    assert values['sentimon_drift_detected{source="x"}'] == 1
    if shutil.which("promtool"):
        check_metrics((tmp_path / "x.prom").read_text(encoding="utf-8"))


def test_a_command_below_drift_leaves_no_success_of_drift(run, log, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run("drift", "--prometheus", "x.prom", "simulate", "--help")
    assert run("drift", "--prometheus", "x.prom", "simulate", "--nonsense").code == 2
    assert not (tmp_path / "x.prom").exists()
