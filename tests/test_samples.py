"""Files of earlier versions are read, with the answers that they gave (made by tests/samples/make.py)."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.samples.program import PLACE, QUESTIONS, Answer, ask, move

SAMPLES = Path(__file__).parent / "samples"
VERSIONS = sorted(path.name for path in SAMPLES.glob("v*"))
UNSTABLE = {"path", "index", "settings", "last_written", "recommendations", "reason"}
"""Keys whose values are about this machine, that a version may add to, or that are sentences."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """A copy of the samples of a version, in which the program runs."""
    place = tmp_path / "samples"
    shutil.copytree(SAMPLES / request.param, place, symlinks=True)
    (place / "hash.key").chmod(0o600)
    move(place, PLACE, str(place))
    monkeypatch.chdir(place)
    return place


def differences(expected: Any, found: Any, at: str = "") -> Iterator[str]:
    """Yield where `found` does not say what was expected; what it says beyond that is new."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, value in expected.items():
            if key not in UNSTABLE:
                yield from differences(value, found.get(key, "nothing"), f"{at}.{key}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from differences(one, other, f"{at}[{number}]")
    elif isinstance(expected, float) and isinstance(found, float):
        if not math.isclose(expected, found, rel_tol=1e-9, abs_tol=1e-12):
            yield f"{at}: {expected} was expected, not {found}"
    elif expected != found:
        yield f"{at}: {expected!r} was expected, not {found!r}"


@pytest.mark.parametrize("place", VERSIONS, indirect=True)
def test_every_file_that_an_earlier_version_wrote_gives_the_answers_that_it_gave(place: Path) -> None:
    expected = json.loads((place / "expected.json").read_text(encoding="utf-8"))
    answers: dict[str, Answer] = {name: ask(*QUESTIONS[name]) for name in QUESTIONS if name in expected}
    assert set(answers) == set(expected)
    wrong = {}
    for name, answer in answers.items():
        said = [] if answer.code == expected[name]["code"] else [f"exit code {answer.code}: {answer.err}"]
        if said or (found := [*differences(expected[name]["value"], answer.value)]):
            wrong[name] = said or found
    assert not wrong
    assert "was complete already" in ask(*QUESTIONS["parts that are complete"]).err
    assert "was logged already" in ask(*QUESTIONS["a job that is complete"]).err


@pytest.mark.parametrize("place", VERSIONS, indirect=True)
def test_their_report_and_their_python_objects_say_the_same(place: Path) -> None:
    import sentimon

    assert ask("report", "--output", "report.md").code == 0
    report = (place / "report.md").read_text(encoding="utf-8")
    assert "**Drift.**" in report
    assert "2544 predictions" in report
    logger = sentimon.PredictionLogger(log_dir="small")
    detector = sentimon.DriftDetector(baseline_file="small/baseline.json", drift_threshold=0.12)
    value = json.loads((place / "expected.json").read_text(encoding="utf-8"))["a small baseline"]["value"]
    assert logger.get_logs_count() == 128
    assert detector.get_baseline()["distribution"]
    assert value["drift_detected"]
    for name, history in (
        ("metrics", sentimon.MetricsTracker(metrics_dir="logs").get_metrics_history()),
        (
            "drift",
            sentimon.DriftDetector(
                baseline_file="logs/baseline.json", metrics_dir="logs"
            ).get_drift_history(),
        ),
        ("triggers", sentimon.RetrainingManager(metrics_dir="logs").get_trigger_history()),
    ):
        assert history, name


@pytest.mark.parametrize("place", VERSIONS, indirect=True)
def test_they_can_be_gone_on_with(place: Path) -> None:
    """The live log takes new rows, the monitor judges them, and another model is promoted and taken back."""
    before = ask("metrics", "--json").value["total_predictions"]
    rows = (place / "small/predictions.jsonl").read_text(encoding="utf-8").replace("2026-09-0", "2026-09-2")
    assert ask("log", "--input", "-", "-q", stdin=rows).code == 0
    assert ask("metrics", "--json").value["total_predictions"] == before + 128
    looked = ask("drift", "--monitor", "--json")
    assert looked.code in (0, 3), looked.err
    assert looked.value["check"] == 2
    assert ask("models", "rollback").code == 0
    assert ask("models", "list", "--json").value["current"] == "v0002"
    assert ask("logs", "erase", "--id", "late-0", "--json", "--dry-run").value["rows_erased"] == 1
