"""The wheel: built, installed where there is no checkout, and run."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT, clean_environment


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_model_the_style_and_the_sample_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("model.onnx", "tokenizer.json", "config.json", "MODEL_CARD.md"):
        assert f"sentimon/scoring/default_model/{name}" in names
    assert "sentimon/reporting/report/report.css" in names
    assert "sentimon/sample/before.jsonl" in names
    assert "sentimon/py.typed" in names
    assert not [name for name in names if name.startswith(("tests", "benchmarks", "recipes"))]


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel installed in it, where there is no checkout."""
    home = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(home)
    python = home / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", wheel]
    subprocess.run(install, check=True, capture_output=True)
    # Its dependencies, minutes to install, are borrowed from here; the wheel itself is found first.
    site = next(home.glob("lib/python*/site-packages"))
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python


def test_the_wheel_runs_where_there_is_no_checkout(python: Path, tmp_path: Path) -> None:
    environment = clean_environment(tmp_path)
    del environment["PYTHONPATH"]
    where = subprocess.run(
        [python, "-c", "import sentimon; print(sentimon.__file__)"],
        capture_output=True, text=True, cwd=tmp_path, env=environment, check=True,
    )  # fmt: skip
    assert where.stdout.strip().startswith(str(python.parent.parent))
    done = subprocess.run(
        [python.parent / "sentimon", "predict", "I love this", "--json"],
        capture_output=True, text=True, cwd=tmp_path, env=environment, check=True,
    )  # fmt: skip
    assert '"sentiment":"positive"' in done.stdout


USERS_PROGRAM = """
from typing import assert_type

import sentimon
from sentimon import (
    DriftDetector, DriftReport, MetricsTracker, PredictionLog, PredictionLogger, RetrainingManager,
    RetrainingTrigger, SentimentMetrics, analyze_sentiment, preprocess,
)

scores = analyze_sentiment(preprocess("Questo prodotto è ottimo"))
assert_type(scores, dict[str, float])
logger = PredictionLogger(log_dir="logs")
assert_type(logger.log_prediction(text="Ottimo!", sentiment_scores=scores), PredictionLog)
logs = logger.load_logs()
assert_type(logs, list[PredictionLog])
assert_type(MetricsTracker(metrics_dir="logs").calculate_metrics(logs), SentimentMetrics)
detector = DriftDetector(baseline_file="logs/baseline.json", drift_threshold=0.15)
detector.set_baseline(logs)
report = detector.detect_drift(logs)
assert_type(report, DriftReport)
assert_type(report.drift_score, float)
assert_type(report.recommendations, list[str])
trigger = RetrainingManager(drift_detector=detector).evaluate_retraining_need(logs)
assert_type(trigger, RetrainingTrigger)
assert_type(trigger.triggered, bool)
assert_type(sentimon.__version__, str)
"""
WORKFLOWS = """
from typing import assert_type

from sentimon import (
    BaselineComparison, DriftCheck, LabelImport, LogQuality, MonitorLook, NewBaseline, PeriodMetrics,
    ReportRequest, RetrainingDecision, TrafficReport, Workspace, build_report, check_drift, check_retraining,
    check_traffic, compare_with_baseline, decide_retraining, import_labels, label_status, make_baseline,
    measure_period, measure_quality, open_workspace, read_labels, run_monitor,
)

workspace = open_workspace("logs", drift__threshold=0.1)
assert_type(workspace, Workspace)
period = workspace.period("7d", None)
assert_type(measure_period(workspace, period, every="1d"), PeriodMetrics)
assert_type(measure_period(workspace).metrics.total, int)
assert_type(make_baseline(workspace, period=period, name="quiet"), NewBaseline)
found = compare_with_baseline(workspace)
assert_type(found, BaselineComparison)
assert_type(found.report.drifted, bool)
assert_type(found.report.score.value, float | None)
assert_type(check_drift(workspace, save=True), DriftCheck)
assert_type(run_monitor(workspace, keep=False), MonitorLook)
assert_type(decide_retraining(workspace), RetrainingDecision)
assert_type(check_retraining(workspace, save=True).trigger.triggered, bool)
assert_type(check_traffic(workspace), TrafficReport)
assert_type(import_labels(workspace, "labels.csv", key="id"), LabelImport)
assert_type(label_status(workspace).labelled.count, int)
assert_type(len(read_labels(workspace).labels), int)
assert_type(measure_quality(workspace), LogQuality)
path = workspace.baseline_path(None)
assert_type(build_report(workspace, ReportRequest(period=period, baseline=path)).version, str)
"""
MISTAKES = """
from sentimon import DriftDetector, PredictionLogger

DriftDetector(drift_threshold="a lot")
PredictionLogger().log_prediction(text="Ottimo!", sentiment_scores=[0.1, 0.2, 0.7])
for log in PredictionLogger().load_logs():
    print(log.confidnce)
"""


def test_a_users_program_is_type_checked_against_what_is_installed(python: Path, tmp_path: Path) -> None:
    environment = clean_environment(tmp_path)
    del environment["PYTHONPATH"]
    found = {}
    for name, program in (("good", USERS_PROGRAM + WORKFLOWS), ("bad", MISTAKES)):
        (tmp_path / f"{name}.py").write_text(program, encoding="utf-8")
        command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", python, f"{name}.py"]
        found[name] = subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
        )
    assert found["good"].stdout == "Success: no issues found in 1 source file\n", found["good"].stdout
    wrong = [line.split(": error: ")[0] for line in found["bad"].stdout.split("\n") if ": error: " in line]
    assert wrong == ["bad.py:4", "bad.py:5", "bad.py:7"]
