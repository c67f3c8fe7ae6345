"""What reads, decides and writes is one step: of many programs at once one does it."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest

from sentimon.compat.drift_detector import DriftDetector
from sentimon.compat.prediction_logger import PredictionLog
from sentimon.config import load_settings
from sentimon.errors import StoreError
from sentimon.monitoring.baseline import create_baseline
from sentimon.monitoring.baseline_collection import PendingBaseline, encode_pending_baseline
from sentimon.prediction_log.durable_files import create_file
from sentimon.prediction_log.summary import summarise
from sentimon.workflows import model_registry as registry
from sentimon.workflows.error_rate import error_rate_rules
from sentimon.workflows.state_files import next_path, read_baseline, save_baseline
from sentimon.workflows.workspace import Workspace
from tests.support.in_process import at_once, said
from tests.support.rows import START, lines, records, written

NOW = START + timedelta(days=6)
MANY = 8
DAY = 24 * 60


@pytest.fixture(autouse=True)
def still_clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    with mock.patch("sentimon.cli.opening.clock", return_value=NOW):
        yield


def logged(negative: int, neutral: int, positive: int, **rest: object) -> str:
    return lines(one.to_dict() for one in records(negative, neutral, positive, **rest))  # type: ignore[arg-type]


def with_baseline(rows_of_it: int) -> Path:
    """A log whose new rows have drifted from a baseline of so many rows."""
    written(Path("logs"), logged(0, 0, 200, minute=2 * DAY))
    old = records(rows_of_it, 0, 0)
    made = create_baseline(
        summarise(old), None, name="b", source="logs", created=START + timedelta(days=1), min_samples=1
    )
    save_baseline(Path("logs/baseline.json"), made)
    return Path("logs")


@pytest.mark.parametrize(
    ("rows_of_baseline", "since"),
    [(300, ()), (2_000, ("--since", "7d")), (2_000, ())],
    ids=["a small baseline", "a chosen period", "the monitor"],
)
def test_of_many_checks_at_once_one_fires_and_one_command_runs(
    rows_of_baseline: int, since: tuple[str, ...]
) -> None:
    folder = with_baseline(rows_of_baseline)
    command = ("retrain-check", "--save", "--json", *since, "--on-trigger", "echo fired >> fired")
    codes = Counter(code for code, _ in at_once(MANY, lambda _: said(*command)))
    history = [
        json.loads(one) for one in (folder / "retraining_triggers.jsonl").read_text().split("\n") if one
    ]
    assert (len(history), sum(one["triggered"] for one in history)) == (MANY, 1)
    assert codes[3] == 1
    assert Path("fired").read_text(encoding="utf-8") == "fired\n"


def test_of_many_baselines_created_at_once_one_is_saved() -> None:
    written(Path("logs"), logged(30, 20, 50))
    found = at_once(MANY, lambda number: said("baseline", "create", "--name", f"b{number}"))
    refused = [one for one in found if isinstance(one, str)]
    assert len(refused) == MANY - 1
    assert all("there is a baseline already" in one for one in refused)
    ((code, out),) = (one for one in found if not isinstance(one, str))
    assert code == 0
    assert read_baseline(Path("logs/baseline.json")).name in out
    assert [path.name for path in Path("logs").glob(".baseline*")] == []


def test_of_many_comparisons_without_a_baseline_one_makes_it() -> None:
    written(Path("logs"), logged(30, 20, 50))
    found = at_once(MANY, lambda _: said("drift", "--json"))
    assert {code for code, _ in found} <= {0, 4}
    assert read_baseline(Path("logs/baseline.json")).summary.count == 100


def test_of_many_files_made_at_once_one_is_there(tmp_path: Path) -> None:
    found = at_once(MANY, lambda number: create_file(tmp_path / "calibration.json", b"%d" % number))
    assert sorted(found) == [False] * (MANY - 1) + [True]
    assert [path.name for path in tmp_path.iterdir()] == ["calibration.json"]


def test_where_files_have_one_name_only_one_of_many_is_made_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    found = at_once(MANY, lambda number: create_file(tmp_path / "calibration.json", b"%d" % number))
    assert sorted(found) == [False] * (MANY - 1) + [True]
    assert (tmp_path / "calibration.json").read_bytes()


def test_labels_imported_many_times_at_once_are_kept_once() -> None:
    named = [one.to_dict() | {"id": f"r{number}"} for number, one in enumerate(records(5, 5, 5))]
    written(Path("logs"), lines(named))
    Path("labels.jsonl").write_text(lines({"id": f"r{n}", "label": "neutral"} for n in range(15)))
    found = at_once(MANY, lambda _: said("label", "import", "labels.jsonl", "--json"))
    assert sum(json.loads(out)["added"] for _, out in found) == 15
    assert len(Path("logs/labels.jsonl").read_text(encoding="utf-8").split("\n")) == 16


def test_histories_saved_many_times_at_once_hold_whole_lines() -> None:
    folder = with_baseline(100)
    at_once(MANY, lambda number: said("drift" if number % 2 else "metrics", "--save", "--json"))
    for name in ("drift_reports.jsonl", "metrics.jsonl"):
        whole = (folder / name).read_text(encoding="utf-8").split("\n")[:-1]
        assert len([json.loads(line) for line in whole]) == MANY // 2


def test_of_many_promotions_judged_against_the_same_model_one_is_made(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new/model.onnx").write_bytes(b"model")
    models = tmp_path / "models"
    facts = {"timestamp": "2026-09-07T08:00:00Z", "who": "me", "why": ""}
    before = registry.read_registry(models)
    found = at_once(MANY, lambda _: registry.promote_model(models, tmp_path / "new", facts, judged=before))
    assert len([one for one in found if "another switch came first" in one]) == MANY - 1
    after = registry.read_registry(models)
    assert (after.versions, after.current, len(after.entries)) == (("v0001",), "v0001", 1)


def test_of_many_rollbacks_at_once_one_goes_back_one_version(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new/model.onnx").write_bytes(b"model")
    models = tmp_path / "models"
    facts = {"timestamp": "2026-09-07T08:00:00Z", "who": "me", "why": ""}
    for _ in range(3):
        registry.promote_model(models, tmp_path / "new", facts)
    read, gate = registry.read_registry, registry.read_registry(models)
    assert gate.current == "v0003"
    # Each has read the registry before the first of them switches.
    with mock.patch.object(registry, "read_registry", return_value=gate):
        found = at_once(MANY, lambda _: registry.roll_back(models, None, facts))
    assert found.count("v0002") == 1
    assert len([one for one in found if "another switch came first" in one]) == MANY - 1
    assert (read(models).current, len(read(models).entries)) == ("v0002", 4)


def test_a_baseline_that_was_collected_is_made_once() -> None:
    written(Path("logs"), logged(20, 20, 40, minute=DAY, model="m", revision="1"))
    wanted = PendingBaseline(
        name="v0002", revision="1", since=START, rows=60, asked=60, replaces=None, again=None
    )
    next_path(Path("logs/baseline.json")).write_bytes(encode_pending_baseline(wanted))
    found = at_once(MANY, lambda _: said("retrain-check", "--json", "--save"))
    assert {code for code, _ in found} <= {0, 3, 4}
    assert read_baseline(Path("logs/baseline.json")).summary.count == 60
    assert not next_path(Path("logs/baseline.json")).exists()


def test_a_baseline_set_many_times_at_once_is_one_of_them() -> None:
    logs = [
        PredictionLog(
            timestamp="2026-09-07T08:00:00Z", text="x", sentiment="neutral", confidence=0.8, scores=scores
        )
        for scores in [{"negative": 0.1, "neutral": 0.8, "positive": 0.1}] * MANY
    ]
    at_once(MANY, lambda number: DriftDetector(metrics_dir="logs").set_baseline(logs[: number + 1]))
    assert 1 <= read_baseline(Path("logs/baseline.json")).summary.count <= MANY


def test_the_error_rate_computed_many_times_at_once_is_one_value() -> None:
    named = [one.to_dict() | {"id": f"r{number}"} for number, one in enumerate(records(50, 50, 50))]
    written(Path("logs"), lines(named))
    labels = [{"id": f"r{n}", "label": "neutral", "timestamp": "2026-09-08T08:00:00Z"} for n in range(150)]
    Path("logs/labels.jsonl").write_text(lines(labels))
    workspace = Workspace(loaded=load_settings(flags={"logs.dir": "logs"}), now=NOW)
    found = at_once(MANY, lambda _: error_rate_rules(workspace, Path("logs/baseline.json")))
    assert set(found) == {error_rate_rules(workspace, Path("logs/baseline.json"))}


def test_a_baseline_that_another_program_is_creating_is_no_file_of_the_log(tmp_path: Path) -> None:
    written(Path("logs"), logged(30, 20, 50))
    made = tmp_path / "logs" / ".baseline.json.x7k2"
    made.write_bytes(b"{}")
    os.link(made, "logs/baseline.json")
    with pytest.raises(StoreError, match="there is a baseline already"):
        said("baseline", "create")


@pytest.mark.parametrize(
    "command",
    [("label", "next", "-n", "5", "--output", "next.csv"), ("logs", "query", "--output", "next.jsonl")],
)
def test_of_many_that_write_one_new_file_without_force_one_does(command: tuple[str, ...]) -> None:
    named = [one.to_dict() | {"id": f"r{number}"} for number, one in enumerate(records(5, 5, 5))]
    written(Path("logs"), lines(named))
    found = at_once(MANY, lambda _: said(*command))
    refused = [one for one in found if isinstance(one, str)]
    assert len(refused) == MANY - 1
    assert all(f"{command[-1]}: is there already" in one for one in refused)
    assert sorted(one.name for one in Path().iterdir()) == ["logs", command[-1]]


def test_of_many_repairs_and_erasures_at_once_each_line_is_moved_and_each_row_erased_once() -> None:
    named = [one.to_dict() | {"id": f"r{number}"} for number, one in enumerate(records(5, 5, 5))]
    written(Path("logs"), lines(named) + "bad\n" * 3)
    at_once(MANY, lambda _: said("logs", "repair", "--yes"))
    assert Path("logs/quarantine.jsonl").read_text(encoding="utf-8").count("\n") == 3
    found = at_once(MANY, lambda _: said("logs", "erase", "--id", "r3", "--yes", "--json"))
    assert sum(json.loads(out)["rows_erased"] for _, out in found) == 1
    assert Path("logs/predictions.jsonl").read_text(encoding="utf-8").count("\n") == 15
